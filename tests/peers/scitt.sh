#!/usr/bin/env bash
# Receipts by the libraries of others, held against RFC 9942 and RFC 9943 by the suite that our log's pass. What they do otherwise is in
# tests/scitt/known, with a reason for each row: a change in either direction fails.
#
#   tests/peers/scitt.sh PYTHON        a Python that has what requirements.txt names
source "$(dirname "$0")/lib.sh"
source "$here/network.sh"

place=$work/scitt

main() {
    rm -rf "$place" && mkdir -p "$place"
    find_binaries
    suite=$target/debug/scitt-conformance
    accepts "scitt-cose and csoai-scitt-ts make receipts" "$1" "$here/python/scitt_receipts.py" "$place"
    for name in scitt-cose-EdDSA scitt-cose-ES256; do
        accepts "$name: every row is ok" judged "$name" "$name" --expect /dev/null
    done
    accepts "csoai-scitt-ts: every row is as known" judged csoai-scitt-ts csoai-scitt-ts --expect "$root/tests/scitt/known/csoai-scitt-ts"
    refuses "a receipt is of its own statement" '^otherwise than expected: C9: expected ok, found deviation' \
        judged scitt-cose-EdDSA csoai-scitt-ts --expect /dev/null
    finish scitt
}

# judged NAME OF WORDS...: the receipt of one, with the statement of another or of the same.
judged() {
    local name=$1 of=$2
    shift 2
    "$suite" receipt "$place/$name/receipt.cose" --statement "$place/$of/statement.cose" --keys "$place/$name/keys.cbor" "$@"
}

main "$@"
