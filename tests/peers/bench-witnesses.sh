#!/usr/bin/env bash
# Durable cosignatures a second: Stele's witness beside omniwitness and litewitness, the same load to each in one run. Everything on
# loopback, some minutes. What it prints is `cargo bench-stele witness` with their rows in it. (mosskeys-witness is built for debugging
# here, and its speed would say nothing.)
#
#   tests/peers/bench-witnesses.sh [--json]      once `run` has built the peers
source "$(dirname "$0")/lib.sh"
source "$here/network.sh"
source "$here/foreign.sh"

main() {
    place=$work/bench-witnesses
    rm -rf "$place" && mkdir -p "$place"
    cd "$root"
    {
        find_binaries
        cargo bench-stele witness-logs | awk 'BEGIN { print "logs/v0" } { print "vkey " $2; print "origin " $1 }' >"$place/all"
        head -3 "$place/all" >"$place/first"
        twice omniwitness omni
        twice litewitness lite
    } >&2
    cargo bench-stele witness "$@" --beside "omniwitness (both kinds);${twice[omni]}" \
        --beside "litewitness (Ed25519);${twice[lite]}"
}

# twice PROGRAM SHORT: starts it for the first log and for all, and says in twice[SHORT] where and under which keys.
declare -A twice
twice() {
    local logs url vkeys
    for logs in first all; do
        place=$work/bench-witnesses/$2-$logs
        mkdir -p "$place"
        "start_$1" "$work/bench-witnesses/$logs"
        url=$2_url
        vkeys=$2_vkeys
        [[ -n ${!vkeys:-} ]] || vkeys=$2_vkey
        twice[$2]+=${twice[$2]:+;}${!url#http://}@$last,$(paste -sd, <<<"${!vkeys}")
    done
}

main "$@"
