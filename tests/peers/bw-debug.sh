#!/usr/bin/env bash
# Durable cosignatures a second: Stele's witness beside omniwitness and litewitness, the same load to each in one run. Everything on
# loopback, a few minutes. What it prints is `cargo run -q -p stele-tests --bin bench -- witness` with their rows in it.
#
#   tests/peers/bench-witnesses.sh [--json]      once `run` has built the peers
source "$(dirname "$0")/lib.sh"
source "$here/network.sh"

place=$work/bench-witnesses


main() {
    rm -rf "$place" && mkdir -p "$place"
    find_binaries
    cd "$root"
    cargo run -q -p stele-tests --bin bench -- witness-logs >"$place/logs"
    head -1 "$place/logs" >"$place/log"
    local omni lite
    "$stele_witness" init "$place/omni" --name omni.example >"$place/omni.vkeys" 2>/dev/null
    omni=$(paste -sd, "$place/omni.vkeys")
    omniwitness narrow "$place/log" && omni+=,$served
    omniwitness wide "$place/logs" && omni+=,$served
    ssh-keygen -q -t ed25519 -N '' -C '' -f "$place/lite.key"
    ssh-agent -D -a "$place/agent.sock" >/dev/null 2>&1 &
    running+=($!)
    for _ in $(seq 50); do [[ ! -S $place/agent.sock ]] && sleep 0.1; done
    SSH_AUTH_SOCK=$place/agent.sock ssh-add -q "$place/lite.key"
    litewitness narrow "$place/log" && lite=$served
    litewitness wide "$place/logs" && lite+=,$served
    lite=$(sed -n 's/.*vkey=\([^ ]*\).*/\1/p' "$place/lite-wide.out" | head -1 | tr -d '"'),$lite
    cargo run -q -p stele-tests --bin bench -- witness "$@" --beside "omniwitness (both kinds),$omni" --beside "litewitness (Ed25519),$lite"
}

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# started NAME PORT COMMAND...: sets `served` to ADDRESS@PID once it answers.
started() {
    local name=$1 port=$2
    shift 2
    "$@" >"$place/$name.out" 2>&1 </dev/null &
    running+=($!)
    served=127.0.0.1:$port@$!
    for _ in $(seq 100); do
        curl -s -o /dev/null --max-time 2 "http://127.0.0.1:$port" && return
        sleep 0.1
    done
    shown "$(cat "$place/$name.out")"
    echo "$name does not serve" >&2
    exit 1
}

omniwitness() {
    local port
    port=$(free_port)
    {
        echo 'Logs:'
        sed 's#\([^ ]*\) \(.*\)#  - Origin: \1\n    URL: http://127.0.0.1:1/\n    PublicKey: \2#' "$2"
    } >"$place/omni-$1.yaml"
    started "omni-$1" "$port" "$work/bin/omniwitness" --listen "127.0.0.1:$port" --metrics_listen "" --rate_limit 0 --db_file "$place/omni-$1.db" \
        --additional_logs "$place/omni-$1.yaml" --private_key_path "$place/omni/witness.key" \
        --private_key_path "$place/omni/witness-mldsa.key"
}

litewitness() {
    local port fingerprint
    port=$(free_port)
    fingerprint=$(ssh-keygen -l -f "$place/lite.key" | cut -d' ' -f2)
    started "lite-$1" "$port" "$work/bin/litewitness" -name lite.example -db "$place/lite-$1.db" -ssh-agent "$place/agent.sock" \
        -key "$fingerprint" -listen "127.0.0.1:$port"
    # What its own witnessctl would do; that program cannot be built from the module proxy.
    python3 - "$place/lite-$1.db" "$2" <<'PY'
import base64, hashlib, sqlite3, sys
path, logs = sys.argv[1:]
empty = base64.b64encode(hashlib.sha256(b"").digest()).decode()
with sqlite3.connect(path) as db:
    for origin, vkey in (line.split() for line in open(logs)):
        db.execute("INSERT INTO log (origin, tree_size, tree_hash) VALUES (?, 0, ?)", (origin, empty))
        db.execute("INSERT INTO key (origin, key) VALUES (?, ?)", (origin, vkey))
PY
}

main "$@"
