#!/usr/bin/env bash
# model-signing 1.1.1 with sigstore-models 0.0.6 (PyPI, with sigstore 4.5.1 and pyOpenSSL 26.4.0), @sigstore/bundle 4.0.0 and @sigstore/verify 3.1.1 (npm),
# and github.com/sigstore/protobuf-specs v0.5.2 (Go): a Sigstore bundle is a Protobuf message in JSON, and a reader of those accepts base64 in the
# standard alphabet and in that for URLs alike ("ProtoJSON Format", the row of `bytes`). JavaScript and Go do: the signature of a model whose bundle
# was written with `-` and `_` is read to the same bytes, and verified. Python leaves out each `-` and `_` and decodes what remains: where there
# are four of them the signature is three bytes shorter, without an error from the reader, and the model's is invalid.
#
# Who is hurt: who carries bundles through a store or a gateway that writes JSON anew, or writes them in a language whose base64 is that for URLs: a good
# signature reads as a forged one, in the language in which models are signed.
#
# Seen 2026-11-30, Python 3.11, Node 20.20, Go 1.26: the lines at the end; the signature is chosen so that it has four such characters.
set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    model-signing==1.1.1 sigstore==4.5.1 sigstore-models==0.0.6 pyopenssl==26.4.0
mkdir "$work/node" "$work/go" "$work/model"
(cd "$work/node" && npm init --yes >npm.out && npm install --silent @sigstore/bundle@4.0.0 @sigstore/verify@3.1.1)
echo weights >"$work/model/weights"
cd "$work"
openssl ecparam -name prime256v1 -genkey -noout -out key.pem
openssl pkey -in key.pem -pubout -out key.pub
cat >sign.py <<'PY'
import json, pathlib, model_signing

for _ in range(2000):
    config = model_signing.signing.Config().use_elliptic_key_signer(private_key=pathlib.Path("key.pem"))
    config.sign(pathlib.Path("model"), pathlib.Path("standard.sig"))
    text = pathlib.Path("standard.sig").read_text()
    signature = json.loads(text)["dsseEnvelope"]["signatures"][0]["sig"]
    if signature.count("+") + signature.count("/") == 4 and not {"+", "/"} & set(json.loads(text)["dsseEnvelope"]["payload"]):
        break
else:
    raise SystemExit("no such signature")
url = signature.replace("+", "-").replace("/", "_")
pathlib.Path("url.sig").write_text(text.replace(json.dumps(signature), json.dumps(url)))
assert pathlib.Path("url.sig").read_text() != text
PY
venv/bin/python sign.py
cat >read.py <<'PY'
import base64, json, pathlib
import model_signing
from sigstore_models.bundle.v1 import Bundle

for name in ("standard", "url"):
    text = pathlib.Path(name + ".sig").read_text()
    [read] = Bundle.from_json(text).dsse_envelope.signatures
    wanted = len(base64.urlsafe_b64decode(json.loads(text)["dsseEnvelope"]["signatures"][0]["sig"].replace("+", "-").replace("/", "_")))
    try:
        config = model_signing.verifying.Config().use_elliptic_key_verifier(public_key=pathlib.Path("key.pub"))
        config.verify(pathlib.Path("model"), pathlib.Path(name + ".sig"))
        outcome = "verified"
    except Exception as error:
        outcome = type(error).__name__
    print(f"Python, {name}: {len(read.sig) - wanted} bytes; {outcome}")
PY
cat >node/read.mjs <<'JS'
import { createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { bundleFromJSON } from '@sigstore/bundle'
import { Verifier, toSignedEntity, toTrustMaterial } from '@sigstore/verify'

const publicKey = createPublicKey(readFileSync('key.pub'))
const none = { mediaType: '', certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] }
const trust = toTrustMaterial(none, () => ({ publicKey, validFor: () => true }))
const verifier = new Verifier(trust, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 })
for (const name of ['standard', 'url']) {
  verifier.verify(toSignedEntity(bundleFromJSON(JSON.parse(readFileSync(`${name}.sig`)))))
  console.log(`JavaScript, ${name}: verified`)
}
JS
cat >go/go.mod <<'MOD'
module read

go 1.24

require (
	github.com/sigstore/protobuf-specs v0.5.2
	google.golang.org/protobuf v1.36.12
)
MOD
cat >go/main.go <<'GO'
package main

import (
	"bytes"
	"fmt"
	"os"

	bundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	"google.golang.org/protobuf/encoding/protojson"
)

func main() {
	var signatures [][]byte
	for _, path := range os.Args[1:] {
		text, err := os.ReadFile(path)
		if err != nil {
			panic(err)
		}
		var read bundle.Bundle
		if err := protojson.Unmarshal(text, &read); err != nil {
			panic(err)
		}
		signatures = append(signatures, read.GetDsseEnvelope().Signatures[0].Sig)
	}
	fmt.Println("Go: the same bytes:", bytes.Equal(signatures[0], signatures[1]))
}
GO
found=$(venv/bin/python read.py && node node/read.mjs && cd go && GOFLAGS=-mod=mod GOPATH="$work/gopath" go run . ../standard.sig ../url.sig 2>../err)
echo "$found"
[[ $found == 'Python, standard: 0 bytes; verified
Python, url: -3 bytes; InvalidSignature
JavaScript, standard: verified
JavaScript, url: verified
Go: the same bytes: true' ]]
