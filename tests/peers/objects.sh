#!/usr/bin/env bash
# A store that nobody here wrote keeps a log: versitygw on this machine, over a folder. The conformance suites with a hundred racers, and a log's whole life:
# published, verified, audited, and taken over by a second writer.
#
#   tests/peers/objects.sh [VERSITYGW]     without a program it is built, as tests/peers/store/go.mod pins it
source "$(dirname "$0")/lib.sh"

place=$work/objects
gateway=0

main() {
    rm -rf "$place" && mkdir -p "$place/buckets/logs"
    local program=${1:-$work/bin/versitygw}
    if [[ $# -eq 0 ]]; then
        accepts "Go: versitygw" env GOBIN="$work/bin" GOFLAGS=-mod=readonly go -C "$here/store" install tool
    fi
    # Each alone: what cargo builds, it builds for all of the workspace, as the tests are.
    local test
    for test in storage_s3 faults; do
        accepts "cargo builds the tests $test" env -C "$root" cargo test --quiet --workspace --test "$test" --no-run
    done
    start "$program"
    accepts "versitygw conforms, with a hundred racers" told storage_s3 a_real_service_conforms_with_a_hundred_racers
    accepts "a log lives in versitygw, and a second writer fences the first" lives
    if [[ -x $work/bin/fsck && -s $place/log.vkey ]]; then
        # What readers see of a bucket of versitygw is a folder.
        within fsck "$here/fsck.sh" "$(dirname "$(find "$place/buckets/logs" -path '*/public/checkpoint' -print -quit)")" \
            log.example/quickstart "$place/log.vkey"
    fi
    AWS_SECRET_ACCESS_KEY=wrong refuses "versitygw refuses another secret" "access-denied|SignatureDoesNotMatch|Refused" \
        told storage_s3 a_real_service_conforms_with_a_hundred_racers
    finish objects
}

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
    faults) echo "bucket::$2" ;;
    esac
}

# A bucket of versitygw is a folder, and what is in it are files.
start() {
    local port
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
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
