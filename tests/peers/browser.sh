#!/usr/bin/env bash
# The page that verifies, as a log serves it and from a disk, in Chromium; and its module in Node, over the vectors.
#
#   tests/peers/browser.sh [DIR]     with the binaries in DIR; without it they are built
source "$(dirname "$0")/lib.sh"
source "$here/network.sh"

place=$work/browser
target_wasm=wasm32-unknown-unknown

main() {
    rm -rf "$place" && mkdir -p "$place"
    export STELE_STATE=$place/state
    if [[ $# -gt 0 ]]; then
        target=${1%/debug} stele=$1/stele stele_log=$1/stele-log stele_witness=$1/stele-witness
    else
        find_binaries
    fi
    if ! rustup target list --installed | grep -qx "$target_wasm" && ! rustup target add "$target_wasm"; then
        printf 'ok   nothing: %s cannot be had here\n' "$target_wasm"
        return
    fi
    build_twice
    releases
    module_in_node
    page_in_chromium
    finish browser
}

# From nothing, a second time. At one path: cargo names what lies outside a workspace by its path, and so do the symbols.
build_twice() {
    local other
    # Side by side: the last step of each has one core.
    page_of "$place/again.html" "$place/target" >"$place/again.out" 2>&1 </dev/null &
    other=$!
    accepts "cargo browser-page" page_of "$place/verify.html" "$root/client/wasm/target"
    accepts "it is less than a megabyte" test "$(stat -c %s "$place/verify.html")" -lt 1048576
    if wait "$other"; then ok "cargo browser-page, from nothing"; else
        fail "cargo browser-page, from nothing"
        shown "$(cat "$place/again.out")"
    fi
    accepts "it is the same file" cmp "$place/verify.html" "$place/again.html"
    rm -rf "$place/target"
}

# page_of OUT TARGET: what is compiled for it is in TARGET.
page_of() {
    (cd "$root" && CARGO_TARGET_DIR=$2 cargo run --quiet --locked --manifest-path client/wasm/Cargo.toml --package stele-page -- "$1")
}

# A network with a release that is good, one that is withdrawn, and one with a file of a gigabyte.
releases() {
    local home=$place/home folder
    quickstart "$home" >"$place/quickstart.out" 2>&1 || shown "$(cat "$place/quickstart.out")"
    sed -i '1,/^origin/s#^origin.*#&\nverify_page = "verify.html"#' "$home/log/log.toml"
    cp "$place/verify.html" "$home/log/"
    start_network "$home"
    curl -s "$log_url/policy" >"$place/policy"
    sed -i -E "s#^(log [^ ]+).*#\1 $log_url/#" "$place/policy"
    "$stele_log" init "$place/other" --origin other.example/log >"$place/other.vkey" 2>/dev/null
    printf 'log %s\nquorum none\n' "$(cat "$place/other.vkey")" >"$place/other-policy"
    cp -a "$home/model" "$place/good"
    rm -f "$place/good/release.toml"
    cp -a "$place/good" "$place/flipped"
    folder=$(find "$place/flipped" -name '*.safetensors' -size +0 | sort | head -1)
    printf '\xff' | dd of="$folder" bs=1 seek=$(($(stat -c %s "$folder") - 9)) conv=notrunc status=none
    release 2.0.0 withdrawn
    coordinate_of withdrawn >"$place/coordinate"
    accepts "it is withdrawn" "$stele" withdraw "$(cat "$place/coordinate")" --key "$home/publisher.pem" --policy "$place/policy" \
        --reason "Missed evaluation." --did "support-ended 2026-07-01" --copies limited-recipients --output "$place/withdrawal.stele"
    release 3.0.0 large
}

# release VERSION FOLDER: another version of the model, published.
release() {
    local folder=$place/$2
    cp -a "$place/home/model" "$folder"
    rm -f "$folder/release.stele" "$folder/release.hints"
    sed -i "s/^version = .*/version = \"$1\"/" "$folder/release.toml"
    if [[ $2 == large ]]; then
        truncate -s 1G "$folder/extra.dat"
        printf '[roles]\n"extra.dat" = "other"\n' >>"$folder/release.toml"
    fi
    accepts "stele publish, version $1" "$stele" publish "$folder" --key "$place/home/publisher.pem" --policy "$place/policy"
    rm -f "$folder/release.toml"
}

coordinate_of() {
    "$stele" --json verify "$place/$1" --policy "$place/policy" --no-state | python3 -c 'import json, sys; print(json.load(sys.stdin)["coordinate"])'
}

module_in_node() {
    installs "Node.js" node nodejs
    within vectors node "$here/module_vectors.mjs" "$root/client/wasm/target/$target_wasm/release/stele_wasm.wasm" "$root/client/wasm/web/stele.js" \
        "$root/spec/vectors/bundle/bundles.json"
}

page_in_chromium() {
    installs "Chromium" chromium chromium
    accepts "the log serves the page" curl -sf -o "$place/served" "$log_url/verify"
    accepts "as it was built" cmp "$place/served" "$place/verify.html"
    within page python3 -B "$here/python/verify_page.py" chromium "$place" "$log_url" "$place/verify.html" "$stele"
}

main "$@"
