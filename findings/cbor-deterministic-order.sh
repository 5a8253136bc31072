#!/usr/bin/env bash
# cbor2 6.3.0 (PyPI), cborg 6.1.5 (npm) and fxamacker/cbor v2.9.1 (Go): "canonical" CBOR is not one encoding. cbor2's `canonical=True`
# and Go's `CanonicalEncOptions` sort the keys of a map by length first (RFC 7049), cborg's `rfc8949EncodeOptions` and Go's
# `CoreDetEncOptions` by the bytes of their encodings (RFC 8949). The two differ as soon as a negative label meets one above 23: in
# a COSE header with the labels 4, 396 and -1, for example; 396 is where the proofs of receipts are.
#
# Who is hurt: who signs or hashes maps that another language writes again. cbor2 has no option for the order of RFC 8949.
#
# Seen 2026-11-29, Python 3.11, Node 20.20, Go 1.26:
#   cbor2 a30400200019018c00; cborg a3040019018c002000; Go, RFC 7049: as cbor2; Go, RFC 8949: as cborg
set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check cbor2==6.3.0
python=$("$work/venv/bin/python" -c 'import cbor2; print(cbor2.dumps({4: 0, 396: 0, -1: 0}, canonical=True).hex())')
mkdir "$work/node" "$work/go"
(cd "$work/node" && npm init --yes >npm.out && npm install --silent cborg@6.1.5)
cat >"$work/node/encode.mjs" <<'JS'
import { encode, rfc8949EncodeOptions } from 'cborg'
console.log(Buffer.from(encode(new Map([[4, 0], [396, 0], [-1, 0]]), rfc8949EncodeOptions)).toString('hex'))
JS
node=$(node "$work/node/encode.mjs")
cat >"$work/go/go.mod" <<'MOD'
module encode

go 1.24

require github.com/fxamacker/cbor/v2 v2.9.1
MOD
cat >"$work/go/main.go" <<'GO'
package main

import (
	"fmt"

	"github.com/fxamacker/cbor/v2"
)

func main() {
	for _, options := range []cbor.EncOptions{cbor.CanonicalEncOptions(), cbor.CoreDetEncOptions()} {
		mode, err := options.EncMode()
		if err != nil {
			panic(err)
		}
		bytes, err := mode.Marshal(map[int]int{4: 0, 396: 0, -1: 0})
		if err != nil {
			panic(err)
		}
		fmt.Printf("%x\n", bytes)
	}
}
GO
go=$(cd "$work/go" && export GOFLAGS=-mod=mod GOPATH="$work/gopath" && go run .)
echo "cbor2 $python; cborg $node; Go ${go//$'\n'/ and }"
[[ $python == a30400200019018c00 && $node == a3040019018c002000 && $go == "$python"$'\n'"$node" ]]
