#!/usr/bin/env bash
# Witnesses of others, held against c2sp.org/tlog-witness by the suite that ours passes. What they do otherwise is in conformance/,
# with a reason for each row: a change in either direction fails. Everything on loopback.
#
#   tests/peers/conformance.sh          once `run` has built the peers
source "$(dirname "$0")/lib.sh"
source "$here/network.sh"
source "$here/foreign.sh"

place=$work/conformance

main() {
    rm -rf "$place" && mkdir -p "$place"
    find_binaries
    suite=$target/debug/witness-conformance
    "$suite" logs --seed peers >"$place/logs"
    start_omniwitness "$place/logs"
    conforms omniwitness "$omni_url" "$omni_vkeys"
    start_litewitness "$place/logs"
    conforms litewitness "$lite_url" "$lite_vkey"
    start_mosskeys "$place/logs"
    conforms mosskeys-witness "$moss_url" "$moss_vkeys"
    stop_network
    finish conformance
}

# conforms NAME URL VKEYS: as its file says, and not otherwise; and the suite says so too when a row of the file is left out.
conforms() {
    local name=$1 url=$2 keys=() key
    for key in $3; do keys+=(--vkey "$key"); done
    accepts "$name: every row is as expected" \
        "$suite" run "$url" "${keys[@]}" --seed peers --expect "$here/conformance/$name" --write-expect "$place/$name"
    # A second run meets its memory: a log's first cosignature is not asked for again.
    grep -v -E '^(G1|P2|E2|G4|F1|F2) ' "$place/$name" >"$place/$name.known" || true
    "$suite" run "$url" "${keys[@]}" --seed peers --write-expect "$place/$name.again" >/dev/null 2>&1 || true
    accepts "$name: and again with the logs that it knows now" \
        diff "$place/$name.known" <(grep -v -E '^(G1|P2|E2|G4|F1|F2) ' "$place/$name.again")
    refuses "$name: other rows than these are noticed" '^otherwise than expected: A1: expected skipped' \
        "$suite" run "$url" "${keys[@]}" --seed peers --expect <(printf 'A1 skipped\n')
}

main
