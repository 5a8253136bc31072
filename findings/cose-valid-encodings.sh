#!/usr/bin/env bash
# pycose 1.1.0 and cwt 3.3.0 (PyPI), @auth0/cose 1.0.2 (npm), go-cose v1.3.0 (Go): whether a COSE_Sign1 is signed depends on who reads it, for
# encodings that RFC 9052 allows. It asks for one encoding of what is signed, and not of the message: there, lengths may be left open.
# Where no header is protected it lets the message say so by an empty byte string or by an empty map in one (section 3), and what is signed has
# the empty byte string in both cases (section 4.4). pycose and cwt do so; @auth0/cose puts what stood in the message into what is signed, so that
# of two signatures under one message each side takes the one that the other refuses; go-cose takes neither, as the algorithm is not protected.
#
# Who is hurt: an issuer of statements or receipts who tests with one library. What all four read has definite lengths, and the algorithm
# protected.
#
# Seen 2026-11-29, Python 3.11, Node 20.20, Go 1.26: the table at the end, in the order of the first line here.
set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pycose==1.1.0 cwt==3.3.0 cbor2==5.9.0 cryptography==50.0.2
cat >"$work/check.py" <<'PY'
import json, sys

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cwt import COSE, COSEKey
from pycose.keys import OKPKey
from pycose.keys.curves import Ed25519
from pycose.messages import CoseMessage

secret = Ed25519PrivateKey.from_private_bytes(bytes(32))
public = secret.public_key().public_bytes_raw()
algorithm, empty_map = bytes.fromhex("a10127"), b"\xa0"


def message(protected, signed, unprotected=empty_map, head=b"\xd2\x84", payload=b"\x45hello", end=b""):
    signature = secret.sign(cbor2.dumps(["Signature1", signed, b"", b"hello"]))
    return head + cbor2.dumps(protected) + unprotected + payload + cbor2.dumps(signature) + end


messages = {
    "as usual": message(algorithm, algorithm),
    "array of open length": message(algorithm, algorithm, head=b"\xd2\x9f", end=b"\xff"),
    "payload of open length": message(algorithm, algorithm, payload=b"\x5f\x42he\x43llo\xff"),
    "after tag 55799": message(algorithm, algorithm, head=b"\xd9\xd9\xf7\xd2\x84"),
    "empty map, signed as empty string": message(empty_map, b"", unprotected=algorithm),
    "empty map, signed as empty map": message(empty_map, empty_map, unprotected=algorithm),
}


def by_pycose(encoded):
    read = CoseMessage.decode(encoded)
    read.key = OKPKey(crv=Ed25519, x=public)
    return read.verify_signature()


def by_cwt(encoded):
    return COSE.new().decode(encoded, COSEKey.new({1: 1, 3: -8, -1: 6, -2: public})) == b"hello"


def outcome(check, encoded):
    try:
        return "yes" if check(encoded) else "no"
    except Exception:
        return "no"


json.dump({"public": public.hex(), "messages": [[name, encoded.hex()] for name, encoded in messages.items()]}, open(sys.argv[1], "w"))
for encoded in messages.values():
    print(outcome(by_pycose, encoded), outcome(by_cwt, encoded))
PY
"$work/venv/bin/python" "$work/check.py" "$work/messages.json" >"$work/python"
mkdir "$work/node" "$work/go"
(cd "$work/node" && npm init --yes >npm.out && npm install --silent @auth0/cose@1.0.2)
cat >"$work/node/check.mjs" <<'JS'
import { createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Sign1 } from '@auth0/cose'

const read = JSON.parse(readFileSync(process.argv[2]))
const x = Buffer.from(read.public, 'hex').toString('base64url')
const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
const check = async (message) => Sign1.decode(Buffer.from(message, 'hex')).verify(key)
for (const [, message] of read.messages) console.log(await check(message).then(() => 'yes', () => 'no'))
JS
node "$work/node/check.mjs" "$work/messages.json" >"$work/javascript"
cat >"$work/go/go.mod" <<'MOD'
module check

go 1.24

require github.com/veraison/go-cose v1.3.0
MOD
cat >"$work/go/main.go" <<'GO'
package main

import (
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"

	"github.com/veraison/go-cose"
)

func check(key ed25519.PublicKey, encoded string) bool {
	verifier, err := cose.NewVerifier(cose.AlgorithmEdDSA, key)
	if err != nil {
		panic(err)
	}
	bytes, err := hex.DecodeString(encoded)
	if err != nil {
		panic(err)
	}
	var message cose.Sign1Message
	return message.UnmarshalCBOR(bytes) == nil && message.Verify(nil, verifier) == nil
}

func main() {
	var read struct {
		Public   string
		Messages [][2]string
	}
	file, err := os.ReadFile(os.Args[1])
	if err != nil || json.Unmarshal(file, &read) != nil {
		panic("the messages cannot be read")
	}
	key, err := hex.DecodeString(read.Public)
	if err != nil {
		panic(err)
	}
	for _, message := range read.Messages {
		fmt.Println(map[bool]string{true: "yes", false: "no"}[check(key, message[1])], message[0])
	}
}
GO
(cd "$work/go" && export GOFLAGS=-mod=mod GOPATH="$work/gopath" && go run . "$work/messages.json") >"$work/go.out"
found=$(paste -d' ' "$work/python" "$work/javascript" "$work/go.out")
echo "$found"
[[ $found == 'yes yes yes yes as usual
yes yes yes no array of open length
yes yes no no payload of open length
yes yes yes no after tag 55799
yes yes no no empty map, signed as empty string
no no yes no empty map, signed as empty map' ]]
