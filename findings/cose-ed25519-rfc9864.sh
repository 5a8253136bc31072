#!/usr/bin/env bash
# pycose 1.1.0 and cwt 3.3.0 (PyPI), @auth0/cose 1.0.2 (npm), go-cose v1.3.0 (Go): of one Ed25519 signature in two COSE_Sign1, one
# says the algorithm EdDSA (-8), the other Ed25519 (-19), by which RFC 9864 of 2025 replaces it. All four accept the first. Of the second
# cwt alone does; pycose cannot even decode the message, and the other two know no verifier for it.
#
# Who is hurt: an issuer of statements or receipts who follows the newer registry is unreadable to verifiers in three languages. Until
# these change, -8 is what everybody reads.
#
# Seen 2026-11-29, Python 3.11, Node 20.20, Go 1.26:
#   pycose yes, CoseException; cwt yes, yes; @auth0/cose yes, "Unsupported algorithm -19"; go-cose yes, "algorithm not supported"
set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pycose==1.1.0 cwt==3.3.0 cbor2==5.9.0 cryptography==50.0.2
cat >"$work/check.py" <<'PY'
import sys

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cwt import COSE, COSEKey
from pycose.keys import OKPKey
from pycose.keys.curves import Ed25519
from pycose.messages import CoseMessage

secret = Ed25519PrivateKey.from_private_bytes(bytes(32))
public = secret.public_key().public_bytes_raw()


def signed(algorithm):
    protected = cbor2.dumps({1: algorithm})
    to_sign = cbor2.dumps(["Signature1", protected, b"", b"hello"])
    return cbor2.dumps(cbor2.CBORTag(18, [protected, {}, b"hello", secret.sign(to_sign)]))


def by_pycose(message):
    read = CoseMessage.decode(message)
    read.key = OKPKey(crv=Ed25519, x=public)
    return read.verify_signature()


def by_cwt(message, algorithm):
    return COSE.new().decode(message, COSEKey.new({1: 1, 3: algorithm, -1: 6, -2: public})) == b"hello"


def accepted(check, *arguments):
    try:
        return check(*arguments)
    except Exception as error:
        print(error)
        return False


found = {}
for algorithm in (-8, -19):
    message = signed(algorithm)
    open(f"{sys.argv[1]}/{-algorithm}.cose", "wb").write(message)
    found[algorithm] = accepted(by_pycose, message), accepted(by_cwt, message, algorithm)
open(f"{sys.argv[1]}/public", "wb").write(public)
print("pycose, cwt:", found)
assert found == {-8: (True, True), -19: (False, True)}
PY
"$work/venv/bin/python" "$work/check.py" "$work"
mkdir "$work/node" "$work/go"
(cd "$work/node" && npm init --yes >npm.out && npm install --silent @auth0/cose@1.0.2)
cat >"$work/node/check.mjs" <<'JS'
import { Sign1 } from '@auth0/cose'
import { createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'

const [work] = process.argv.slice(2)
const x = readFileSync(`${work}/public`).toString('base64url')
const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
await Sign1.decode(readFileSync(`${work}/8.cose`)).verify(key)
const said = await Sign1.decode(readFileSync(`${work}/19.cose`)).verify(key).then(() => 'accepted', (error) => error.message)
console.log('@auth0/cose:', said)
if (said === 'accepted') throw new Error('this has changed')
JS
node "$work/node/check.mjs" "$work"
cat >"$work/go/go.mod" <<'MOD'
module check

go 1.24

require github.com/veraison/go-cose v1.3.0
MOD
cat >"$work/go/main.go" <<'GO'
package main

import (
	"crypto/ed25519"
	"fmt"
	"os"

	"github.com/veraison/go-cose"
)

func check(name string, key ed25519.PublicKey) error {
	bytes, err := os.ReadFile(name)
	if err != nil {
		panic(err)
	}
	var message cose.Sign1Message
	if err := message.UnmarshalCBOR(bytes); err != nil {
		return err
	}
	algorithm, err := message.Headers.Protected.Algorithm()
	if err != nil {
		return err
	}
	verifier, err := cose.NewVerifier(algorithm, key)
	if err != nil {
		return err
	}
	return message.Verify(nil, verifier)
}

func main() {
	key, err := os.ReadFile(os.Args[1] + "/public")
	if err != nil {
		panic(err)
	}
	old, fresh := check(os.Args[1]+"/8.cose", key), check(os.Args[1]+"/19.cose", key)
	fmt.Println("go-cose:", old, "and", fresh)
	if old != nil || fresh == nil {
		os.Exit(1)
	}
}
GO
(cd "$work/go" && export GOFLAGS=-mod=mod GOPATH="$work/gopath" && go run . "$work")
