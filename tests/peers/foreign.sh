# Witnesses that others wrote, each configured with the logs of a list (witness-network logs/v0). To be sourced, after lib.sh and
# network.sh; `place` is the folder for what they keep.

# A port that is free now, for the programs that cannot take port 0.
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# in_background NAME URL COMMAND...: runs a foreign server until it answers at URL with anything at all.
in_background() {
    local name=$1 url=$2
    shift 2
    "$@" >"$place/$name.out" 2>&1 </dev/null &
    running+=($!)
    last=$!
    for _ in $(seq 100); do
        if curl -s -o /dev/null --max-time 2 "$url"; then ok "$name serves" && return; fi
        sleep 0.1
    done
    fail "$name does not serve"
    shown "$(cat "$place/$name.out")"
}

# list_of ORIGIN VKEY: a list of one log.
list_of() { printf 'logs/v0\n\nvkey %s\norigin %s\n' "$2" "$1"; }

# logs_in LIST: a line `ORIGIN VKEY` for each log.
logs_in() { awk '$1 == "vkey" { key = $2 } $1 == "origin" { print $2, key }' "$1"; }

# start_omniwitness LIST: sets omni_url and omni_vkeys, Ed25519 first.
start_omniwitness() {
    local port
    port=$(free_port)
    omni_url=http://127.0.0.1:$port
    # Its key files are the ones that `stele-witness init` writes: the strings are the same.
    accepts "stele-witness init makes keys for omniwitness" "$stele_witness" init "$place/omni" --name omni.example
    omni_vkeys=$("$stele_witness" about "$place/omni" | sed -n 's/^vkey: //p')
    {
        printf 'Logs:\n'
        logs_in "$1" | while read -r origin vkey; do
            printf '  - Origin: %s\n    URL: http://127.0.0.1:1/\n    PublicKey: %s\n' "$origin" "$vkey"
        done
    } >"$place/omni.yaml"
    in_background omniwitness "$omni_url" "$work/bin/omniwitness" --listen "127.0.0.1:$port" --metrics_listen '' \
        --db_file "$place/omni.db" --additional_logs "$place/omni.yaml" \
        --private_key_path "$place/omni/witness.key" --private_key_path "$place/omni/witness-mldsa.key"
}

# litewitness_knows: reads lines of an origin and a key, and has litewitness know them: what its own witnessctl would do; that program
# cannot be built from the module proxy.
litewitness_knows() {
    python3 -c '
import base64, hashlib, sqlite3, sys
empty = base64.b64encode(hashlib.sha256(b"").digest()).decode()
with sqlite3.connect(sys.argv[1]) as db:
    for line in sys.stdin:
        origin, vkey = line.split()
        db.execute("INSERT OR IGNORE INTO log (origin, tree_size, tree_hash) VALUES (?, 0, ?)", (origin, empty))
        db.execute("INSERT INTO key (origin, key) VALUES (?, ?)", (origin, vkey))
' "$place/lite.db"
}

# start_litewitness LIST: sets lite_url, lite_vkey and lite_pid.
start_litewitness() {
    local port agent=$place/agent.sock fingerprint
    port=$(free_port)
    lite_url=http://127.0.0.1:$port
    ssh-keygen -q -t ed25519 -N '' -C '' -f "$place/lite.key"
    ssh-agent -D -a "$agent" >/dev/null 2>&1 &
    running+=($!)
    for _ in $(seq 50); do [[ ! -S $agent ]] && sleep 0.1; done
    accepts "ssh-agent holds litewitness's key" env SSH_AUTH_SOCK="$agent" ssh-add -q "$place/lite.key"
    fingerprint=$(ssh-keygen -l -f "$place/lite.key" | cut -d' ' -f2)
    in_background litewitness "$lite_url" "$work/bin/litewitness" -name lite.example -db "$place/lite.db" -ssh-agent "$agent" \
        -key "$fingerprint" -listen "127.0.0.1:$port"
    lite_pid=$last
    logs_in "$1" | litewitness_knows
    lite_vkey=$(sed -n 's/.*vkey=\([^ ]*\).*/\1/p' "$place/litewitness.out" | head -1 | tr -d '"')
}

# start_mosskeys LIST: sets moss_url, moss_vkeys (Ed25519 first) and moss_pid.
start_mosskeys() {
    local port
    port=$(free_port)
    moss_url=http://127.0.0.1:$port
    moss_vkeys=$("$work/cargo/bin/mosskeys-witness" --json keygen --name moss.example --out-dir "$place/moss" |
        python3 -c 'import json, sys; print("\n".join(key["vkey"] for key in sorted(json.load(sys.stdin)["keys"], key=lambda key: key["type"])))')
    {
        printf 'name = "moss.example"\nlisten = "127.0.0.1:%s"\nstate_file = "%s/moss/state.jsonl"\n' "$port" "$place"
        printf '[keys]\ned25519_seed = "%s/moss/ed25519.seed"\nmldsa44_seed = "%s/moss/mldsa44.seed"\n' "$place" "$place"
        logs_in "$1" | while read -r origin vkey; do
            printf '[[log]]\norigin = "%s"\nvkeys = ["%s"]\n' "$origin" "$vkey"
        done
    } >"$place/moss.toml"
    in_background mosskeys-witness "$moss_url" "$work/cargo/bin/mosskeys-witness" run --config "$place/moss.toml"
    moss_pid=$last
}
