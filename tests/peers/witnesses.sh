#!/usr/bin/env bash
# Witnesses and logs of others: omniwitness, litewitness and mosskeys-witness cosign Stele's log and its quorum counts them, ML-DSA-44
# included; Tessera's posix-oneshot publishes with the cosignature of Stele's witness, and not when that witness is down; Stele's
# witness is reached through litebastion. Everything on loopback.
#
#   tests/peers/witnesses.sh        once `run` has built the peers
source "$(dirname "$0")/lib.sh"
source "$here/network.sh"
source "$here/foreign.sh"

place=$work/witnesses
origin=log.example/peers

main() {
    rm -rf "$place" && mkdir -p "$place"
    find_binaries
    foreign_witnesses_cosign_our_log
    our_witness_cosigns_a_foreign_log
    our_witness_is_reached_through_a_foreign_bastion
    finish witnesses
}

foreign_witnesses_cosign_our_log() {
    local policy=$place/policy log=$place/log seen status=0
    log_vkey=$("$stele_log" init "$log" --origin "$origin" --claims open 2>/dev/null | head -1)
    list_of "$origin" "$log_vkey" >"$place/logs"
    start_omniwitness "$place/logs"
    start_litewitness "$place/logs"
    start_mosskeys "$place/logs"
    {
        printf 'log %s\n' "$log_vkey"
        printf 'witness omni-ed25519 %s %s\nwitness omni-mldsa %s %s\n' \
            "$(sed -n 1p <<<"$omni_vkeys")" "$omni_url" "$(sed -n 2p <<<"$omni_vkeys")" "$omni_url"
        printf 'witness moss-ed25519 %s %s\nwitness moss-mldsa %s %s\n' \
            "$(sed -n 1p <<<"$moss_vkeys")" "$moss_url" "$(sed -n 2p <<<"$moss_vkeys")" "$moss_url"
        # All, so that the ML-DSA-44 lines have to be there and to verify.
        printf 'group omni all omni-ed25519 omni-mldsa\ngroup moss all moss-ed25519 moss-mldsa\n'
        printf 'witness lite %s %s\ngroup three all omni lite moss\nquorum three\n' "$lite_vkey" "$lite_url"
    } >"$policy"
    serve "$stele_log" run "$log" --policy "$policy" --listen 127.0.0.1:0
    log_url=$served
    sed -i "1s#\$# $log_url#" "$policy"
    accepts "the log is well: the three foreign witnesses have cosigned" wait_for "$log_url/healthz"
    "$stele" key new "$place/publisher.pem" >/dev/null
    accepts "a claim is logged, cosigned by all three, and proven under the policy" \
        "$stele" claim peers.example --key "$place/publisher.pem" --policy "$policy"
    mkdir -p "$place/head"
    cp "$policy" "$place/head/policy"
    curl -s "$log_url/checkpoint" >"$place/head/checkpoint"
    seen=$(grep -c '^— ' "$place/head/checkpoint")
    equal "the checkpoint carries the log's line and five cosignatures" 6 "$seen"
    within steleverify "$work/bin/steleverify" -head -dir "$place/head"
    a_log_changes_its_key_under_litewitness
    kill "$lite_pid" && wait "$lite_pid" || true
    # The client goes on asking for a minute; five seconds are enough to see that it is not answered.
    timeout 5 "$stele" claim later.example --key "$place/publisher.pem" --policy "$policy" >"$place/later" 2>&1 || status=$?
    equal "with litewitness down nothing more is acknowledged" 124 "$status"
    refuses "and the log says who is missing" 'lite' wait_for "$log_url/healthz" 1
    kill "$moss_pid" && wait "$moss_pid" || true
    refuses "and so it does of mosskeys-witness" 'moss' wait_for "$log_url/healthz" 20
    curl -s "$log_url/checkpoint" >"$place/head/after"
    accepts "and the published checkpoint stays as it was" cmp "$place/head/checkpoint" "$place/head/after"
    stop_network
}

# A second log of ours: it signs with two keys, litewitness learns the second, and the first one ends.
a_log_changes_its_key_under_litewitness() {
    local log=$place/rotates policy=$place/rotates.policy name=log.example/rotates vkey second log_pid
    vkey=$("$stele_log" init "$log" --origin "$name" --claims open 2>/dev/null | head -1)
    printf '%s %s\n' "$name" "$vkey" | litewitness_knows
    printf 'log %s\nwitness lite %s %s\nquorum lite\n' "$vkey" "$lite_vkey" "$lite_url" >"$policy"
    second=$("$stele_log" key add "$log" --policy "$policy" | head -1)
    serve "$stele_log" run "$log" --policy "$policy" --listen 127.0.0.1:0
    log_pid=${running[-1]}
    accepts "litewitness, which knows the first of two keys, cosigns what both have signed" wait_for "$served/healthz"
    equal "the published head has a line of each" 2 "$(curl -s "$served/checkpoint" | grep -c "^— $name ")"
    refuses "the first is not retired before litewitness knows the second" 'too few witnesses' \
        "$stele_log" key retire "$log" --policy "$policy"
    printf '%s %s\n' "$name" "$second" | litewitness_knows
    accepts "once it does, the first is retired" "$stele_log" key retire "$log" --policy "$policy"
    kill "$log_pid" && wait "$log_pid" || true
    serve "$stele_log" run "$log" --policy "$policy" --listen 127.0.0.1:0
    sed -i "s#^log .*#& $served#" "$policy"
    accepts "and litewitness cosigns what the second alone has signed" wait_for "$served/healthz"
    "$stele" key new "$place/rotates.pem" >/dev/null
    accepts "a claim is logged and proven with it" "$stele" claim rotates.example --key "$place/rotates.pem" --policy "$policy"
    equal "under one line of the log" 1 "$(curl -s "$served/checkpoint" | grep -c "^— $name ")"
}

our_witness_cosigns_a_foreign_log() {
    local dir=$place/w key=$place/keys/log.key log=$place/oneshot policy=$place/oneshot.policy vkey
    # The key file that `stele-log init` writes is one that Go's sumdb/note reads.
    vkey=$("$stele_log" init "$place/keys" --origin oneshot.example/log 2>/dev/null | head -1)
    accepts "stele-witness init" "$stele_witness" init "$dir" --name ours.example
    accepts "stele-witness logs add, a log of Tessera's" "$stele_witness" logs add "$dir" --vkey "$vkey"
    serve "$stele_witness" run "$dir" --listen 127.0.0.1:0
    local url=$served origin_hash
    # Tessera asks each address for one key alone, so it is told of one of ours at a time.
    policy_of() { printf 'log %s\nwitness ours %s %s\nquorum ours\n' "$vkey" "$("$stele_witness" about "$dir" | sed -n 's/^vkey: //p' | sed -n "$1p")" "$url"; }
    policy_of 1 >"$policy"
    mkdir -p "$place/entries"
    printf 'one' >"$place/entries/1"
    accepts "posix-oneshot publishes: our witness cosigned, with Ed25519" oneshot "$log" "$key" "$policy"
    equal "its checkpoint has the log's line and ours" 2 "$(grep -c '^— ' "$log/checkpoint")"
    origin_hash=$(printf 'oneshot.example/log' | sha256sum | cut -d' ' -f1)
    curl -s "$url/$origin_hash/checkpoint" >"$place/monitored"
    equal "which our monitoring page serves, with the ML-DSA-44 line" 2 "$(grep -cxFf "$log/checkpoint" <(grep '^— ' "$place/monitored"))"
    printf 'two' >"$place/entries/2"
    policy_of 2 >"$policy"
    accepts "it grows, with a consistency proof of Tessera's and our ML-DSA-44 cosignature" oneshot "$log" "$key" "$policy"
    cp "$log/checkpoint" "$place/before"
    stop_network
    printf 'three' >"$place/entries/3"
    refuses "with our witness down posix-oneshot does not publish" 'witness|connect' oneshot "$log" "$key" "$policy"
    accepts "and its checkpoint stays as it was" cmp "$place/before" "$log/checkpoint"
}

# litebastion with a certificate for localhost, by an authority of ours that is told to whoever asks.
start_litebastion() {
    in_background litebastion "https://localhost:$1/" env -C "$place/bastion" "$work/bin/litebastion" -testcert \
        -listen "localhost:$1" -backends backends.txt
}

our_witness_is_reached_through_a_foreign_bastion() {
    local dir=$place/behind log=$place/asks policy=$place/asks.policy bastion=$place/bastion port hash url litebastion log_vkey
    mkdir -p "$bastion"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj '/CN=an authority' \
        -keyout "$bastion/ca-key.pem" -out "$bastion/ca.pem" 2>/dev/null
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=localhost' \
        -keyout "$bastion/localhost-key.pem" -out "$bastion/localhost.csr" 2>/dev/null
    openssl x509 -req -in "$bastion/localhost.csr" -CA "$bastion/ca.pem" -CAkey "$bastion/ca-key.pem" -days 2 \
        -extfile <(printf 'subjectAltName=DNS:localhost') -out "$bastion/localhost.pem" 2>/dev/null
    local -x SSL_CERT_FILE=$bastion/ca.pem CURL_CA_BUNDLE=$bastion/ca.pem
    port=$(free_port)
    log_vkey=$("$stele_log" init "$log" --origin log.example/asks --claims open 2>/dev/null | head -1)
    accepts "stele-witness init, for a witness behind NAT" "$stele_witness" init "$dir" --name behind.example
    accepts "stele-witness logs add" "$stele_witness" logs add "$dir" --vkey "$log_vkey"
    hash=$("$stele_witness" bastion add "$dir" --host "localhost:$port" --ca "$bastion/ca.pem" | sed -n 's/^key hash: //p')
    url=https://localhost:$port/$hash
    printf '%064d\n' 0 >"$bastion/backends.txt"
    start_litebastion "$port"
    litebastion=$last
    serve "$stele_witness" run "$dir" --listen 127.0.0.1:0
    refuses "litebastion does not take a key that it does not list, and the doctor says so" 'FAIL bastion' \
        "$stele_witness" doctor "$dir" --url "$served"
    printf '%s\n' "$hash" >"$bastion/backends.txt"
    kill -HUP "$litebastion"
    accepts "listed, it is reached through litebastion" wait_for "$url/healthz"
    accepts "and the doctor finds nothing" "$stele_witness" doctor "$dir" --url "$served"
    equal "its metrics stay at home" 404 "$(curl -s -o /dev/null -w '%{http_code}' "$url/metrics")"
    printf 'log %s\nwitness behind %s %s\nquorum behind\n' "$log_vkey" \
        "$("$stele_witness" about "$dir" | sed -n 's/^vkey: //p' | head -1)" "$url" >"$policy"
    serve "$stele_log" run "$log" --policy "$policy" --listen 127.0.0.1:0
    sed -i "1s#\$# $served#" "$policy"
    accepts "our log is cosigned through litebastion" wait_for "$served/healthz"
    "$stele" key new "$place/behind.pem" >/dev/null
    accepts "a claim is logged and proven with a cosignature that came that way" \
        "$stele" claim behind.example --key "$place/behind.pem" --policy "$policy"
    kill "$litebastion" && wait "$litebastion" || true
    refuses "with litebastion gone nobody reaches it" '' curl -s --max-time 2 "$url/healthz"
    start_litebastion "$port"
    accepts "and when it is back the witness is back" wait_for "$url/healthz"
    stop_network
}

oneshot() {
    # Without a quorum it waits for ever for its entry to be published, and says why each time.
    timeout 20 "$work/bin/posix-oneshot" --storage_dir "$1" --entries "$place/entries/*" --private_key "$2" --witness_policy_file "$3" \
        --witness_timeout 2s || return 1
}

wait_for() {
    for _ in $(seq "${2:-150}"); do
        curl -sf -o /dev/null --max-time 2 "$1" && return
        sleep 0.2
    done
    curl -s "$1"
    return 1
}

main
