# How the suite works the real binaries. To be sourced, after lib.sh.

running=()

# find_binaries sets stele, stele_log and stele_witness to what cargo builds, in the folder debug of target. With the tests'
# features, so that nothing is built again after `cargo test --workspace`.
find_binaries() {
    accepts "cargo build" cargo build --quiet --workspace --bins --tests --manifest-path "$root/Cargo.toml"
    target=$(cargo metadata --no-deps --format-version 1 --manifest-path "$root/Cargo.toml" |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')
    stele=$target/debug/stele
    stele_log=$target/debug/stele-log
    stele_witness=$target/debug/stele-witness
}

# quickstart HOME [MODEL_DIR]: a network, a publisher and a release of a model folder, left in HOME and stopped.
quickstart() { (cd "$root" && "$target/debug/quickstart" --keep "$@"); }

# start_network HOME: starts a kept network again, on free ports, and sets log_url. The log asks the witnesses at the
# addresses of its policy, so it is given a copy with today's.
start_network() {
    local home=$1 dir today=$work/policy.today
    cp "$home/policy" "$today"
    for dir in "$home"/witness-*; do
        serve "$stele_witness" run "$dir" --listen 127.0.0.1:0
        sed -i -E "s#^(witness $(basename "$dir") [^ ]+).*#\1 $served#" "$today"
    done
    serve "$stele_log" run "$home/log" --policy "$today" --listen 127.0.0.1:0
    log_url=$served
}

# serve COMMAND...: runs a server in the background, waits for the line that says where it listens, and sets served.
serve() {
    local said=$work/serve
    # The reader must not come before the writer.
    : >"$said.out"
    "$@" >"$said.out" 2>"$said.err" </dev/null &
    running+=($!)
    served=''
    for _ in $(seq 100); do
        served=$(sed -n 's/^listening on //p' "$said.out")
        [[ -z $served ]] || break
        sleep 0.1
    done
    if [[ -n $served ]]; then ok "$(basename "$1") serves again"; else
        fail "$(basename "$1") does not serve"
        shown "$(cat "$said.err")"
    fi
    rm -f "$said.out" "$said.err"
}

# stop_network: asks each server that was started to stop, and waits for it.
stop_network() {
    local pid
    for pid in "${running[@]}"; do
        kill "$pid" 2>/dev/null && wait "$pid" || true
    done
    running=()
}
trap stop_network EXIT
