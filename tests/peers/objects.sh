#!/usr/bin/env bash
# A store that nobody here wrote keeps a log: versitygw on this machine, over a folder. The conformance suites with a hundred racers, and a log's whole life:
# published, verified, audited, and taken over by a second writer; with its lock in the bucket, and in PostgreSQL.
#
#   tests/peers/objects.sh [VERSITYGW]     without a program it is built, as tests/peers/store/go.mod pins it
source "$(dirname "$0")/lib.sh"

place=$work/objects
gateway=0
cluster=

main() {
    rm -rf "$place" && mkdir -p "$place/buckets/logs"
    local program=${1:-$work/bin/versitygw}
    if [[ $# -eq 0 ]]; then
        accepts "Go: versitygw" env GOBIN="$work/bin" GOFLAGS=-mod=readonly go -C "$here/store" install tool
    fi
    # Each alone: what cargo builds, it builds for all of the workspace, as the tests are.
    local test
    for test in storage_s3 storage_postgres faults; do
        accepts "cargo builds the tests $test" env -C "$root" cargo test --quiet --workspace --test "$test" --no-run
    done
    start "$program"
    accepts "versitygw conforms, with a hundred racers" told storage_s3 a_real_service_conforms_with_a_hundred_racers
    accepts "a log lives in versitygw, and a second writer fences the first" lives
    if [[ -x $work/bin/fsck && -s $place/log.vkey ]]; then
        # A bucket of versitygw is a folder. Entry bundles lie in gzip there, and are told as such: who reads over HTTP sees them unpacked.
        accepts "entry bundles are kept in gzip" unpacked \
            "$(dirname "$(find "$place/buckets/logs" -path '*/public/checkpoint' -print -quit)")" "$place/public"
        within fsck "$here/fsck.sh" "$place/public" log.example/quickstart "$place/log.vkey"
    fi
    database
    AWS_SECRET_ACCESS_KEY=wrong refuses "versitygw refuses another secret" "access-denied|SignatureDoesNotMatch|Refused" \
        told storage_s3 a_real_service_conforms_with_a_hundred_racers
    finish objects
}

# unpacked FROM TO: a copy of a log's public files as a reader over HTTP sees them.
unpacked() {
    cp -a "$1" "$2"
    find "$2/tile/entries" -type f | while read -r bundle; do
        gzip -dc <"$bundle" >"$place/bundle" && mv "$place/bundle" "$bundle" || return 1
    done
}

# A database that nobody here wrote keeps the lock.
database() {
    local bin name port
    port=$(free_port)
    [[ -x $(newest_postgres)/initdb ]] || accepts "PostgreSQL" sh -c 'apt-get update -qq; apt-get install -y -qq --no-install-recommends postgresql'
    bin=$(newest_postgres)
    # Where the user it runs as may look: the path here may lead through folders that are not its own.
    cluster=$(mktemp -d)
    trap 'stop_all' EXIT
    as_its_owner chown "$cluster"
    accepts "PostgreSQL makes a cluster" as_its_owner "$bin/initdb" -D "$cluster/data" -A trust -U postgres --no-locale -k
    accepts "PostgreSQL serves" as_its_owner "$bin/pg_ctl" -D "$cluster/data" -w -l "$cluster/log" \
        -o "-k $cluster -p $port -c listen_addresses=127.0.0.1" start
    export STELE_TEST_POSTGRES="postgres://postgres@127.0.0.1:$port/postgres?sslmode=disable"
    for name in a_table_conforms_with_many_racers a_success_with_a_warning_is_an_unknown_outcome \
        an_append_whose_session_is_ended_is_an_unknown_outcome_and_the_next_run_goes_on \
        a_server_that_takes_no_writes_or_another_password_is_refused_before_anything_is_signed \
        who_only_looks_makes_no_table_and_sees_who_holds_the_lock; do
        accepts "PostgreSQL: $name" told storage_postgres "$name"
    done
    accepts "a log lives in versitygw with its lock in PostgreSQL" told faults a_log_lives_in_a_real_bucket_with_its_lock_in_a_database
}

newest_postgres() { printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -1; }

# as_its_owner COMMAND...: the server refuses to run as root. `chown FOLDER` gives a folder to whom it runs as.
as_its_owner() {
    if [[ $EUID -ne 0 ]]; then
        [[ $1 == chown ]] || "$@"
    elif [[ $1 == chown ]]; then
        chown postgres "$2"
    else
        setpriv --reuid=postgres --regid=postgres --clear-groups "$@"
    fi
}

stop_all() {
    kill "$gateway" 2>/dev/null || true
    as_its_owner "$(newest_postgres)/pg_ctl" -D "$cluster/data" -m immediate stop >/dev/null 2>&1 || true
    rm -rf "$cluster"
}

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# The story, and the key of its log.
lives() {
    told faults a_log_lives_in_a_real_bucket >"$place/story.log" || {
        cat "$place/story.log"
        return 1
    }
    sed -n 's/^vkey //p' "$place/story.log" >"$place/log.vkey"
    [[ -s $place/log.vkey ]]
}

# told TEST NAME: one ignored test, which is to run.
told() {
    local said
    said=$(cd "$root" && cargo test --quiet --workspace --test "$1" -- --ignored --exact --nocapture "$(name_of "$1" "$2")" 2>&1) || {
        printf '%s\n' "$said"
        return 1
    }
    printf '%s\n' "$said"
    grep -q ' 1 passed' <<<"$said"
}

name_of() {
    case $1 in
    storage_s3) echo "service::$2" ;;
    storage_postgres) echo "$2" ;;
    faults) echo "bucket::$2" ;;
    esac
}

# A bucket of versitygw is a folder, and what is in it are files.
start() {
    local port
    port=$(free_port)
    export AWS_ACCESS_KEY_ID=stele-test AWS_SECRET_ACCESS_KEY=stele-test-secret
    export STELE_TEST_S3=s3://logs STELE_TEST_S3_ENDPOINT=http://127.0.0.1:$port
    ROOT_ACCESS_KEY=$AWS_ACCESS_KEY_ID ROOT_SECRET_KEY=$AWS_SECRET_ACCESS_KEY \
        "$1" --port "127.0.0.1:$port" posix "$place/buckets" >"$place/versitygw.log" 2>&1 &
    gateway=$!
    trap 'kill "$gateway" 2>/dev/null || true' EXIT
    accepts "versitygw serves" answers "$port"
}

answers() {
    local _
    for _ in {1..100}; do
        python3 -c 'import socket, sys; socket.create_connection(("127.0.0.1", int(sys.argv[1])), 1)' "$1" 2>/dev/null && return
        sleep 0.1
    done
    return 1
}

main "$@"
