# How the suite works the real binaries: the one place that knows their command lines. To be sourced, after lib.sh.

# find_binaries sets stele, stele_log and stele_witness to what cargo builds.
find_binaries() {
    local target
    accepts "cargo build" cargo build --quiet --workspace --bins --manifest-path "$root/Cargo.toml"
    target=$(cargo metadata --no-deps --format-version 1 --manifest-path "$root/Cargo.toml" |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')
    stele=$target/debug/stele
    stele_log=$target/debug/stele-log
    stele_witness=$target/debug/stele-witness
}

# quickstart DIR: a network, a publisher and a release of a small model, left in DIR and stopped.
quickstart() { (cd "$root" && cargo quickstart --keep "$1"); }

running=()
trap 'stop_network' EXIT

# start_network DIR: starts the witnesses and the log of a kept network again, and waits until each serves.
start_network() {
    local kept=$1 witness
    for witness in "$kept"/witness-*; do
        serve "$witness" "$stele_witness" run "$witness"
    done
    serve "$kept/log" "$stele_log" run "$kept/log"
    log_url=$served
}

# serve DIR command...: runs a server in the background and waits for the line that says where it listens.
serve() {
    local said
    said=$(mktemp "$work/serve.XXXXXX")
    shift
    "$@" >"$said" 2>"$said.err" </dev/null &
    running+=($!)
    for _ in $(seq 100); do
        served=$(sed -n 's/^listening on //p' "$said")
        [[ -n $served ]] && break
        sleep 0.1
    done
    if [[ -n $served ]]; then ok "$(basename "$1") serves"; else
        fail "$(basename "$1") does not serve"
        shown "$(cat "$said.err")"
    fi
    rm -f "$said" "$said.err"
}

# stop_network: asks each server that was started to stop, and waits for it.
stop_network() {
    local pid
    for pid in "${running[@]}"; do
        kill "$pid" 2>/dev/null && wait "$pid" || true
    done
    running=()
}

# publish MODEL_DIR: drafts, decides what a person has to decide, and publishes.
publish() {
    local model=$1
    accepts "stele draft" "$stele" draft "$model"
    decide "$model/release.toml"
    accepts "stele publish" "$stele" publish "$model" --key "$kept/publisher.pem" --policy "$kept/policy" --log "$log_url"
}

verify() { "$stele" verify "$1" --policy "$kept/policy"; }
