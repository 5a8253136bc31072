#!/usr/bin/env bash
# tuf 7.0.1 (PyPI, with securesystemslib 1.6.0 and cryptography 50.0.2), @tufjs/models 5.0.2 (npm) and github.com/theupdateframework/go-tuf/v2 v2.4.1 (Go), three clients of the TUF project: a role
# may say of a file what it likes in `custom` (TUF specification 1.0.34, section 4.5), and signs the canonical JSON of that with the rest. Integers have no limit there. Of metadata with the
# seed 2^53 + 1, signed and verified in Python, JavaScript says that nobody signed them: it holds numbers as floats, and hashes 2^53. From 2^63 on Go cannot verify them either. And where
# one key of `custom` is above U+FFFF and another between U+E000 and U+FFFF, JavaScript sorts them the other way round, and again finds no signature. With 2^53, and with one of the keys, all three agree.
#
# Who is hurt: who publishes models through TUF with a seed of training or a hash as a number in `custom`. It is not the number that is lost, but every file of the role: a client
# in one language takes all of them for unsigned, and those in others have no complaint. Write numbers that may be large as texts.
#
# Seen 2026-12-01, Python 3.11, Node 20.20, Go 1.26: the lines at the end: what is in `custom`, and whether Python, JavaScript and Go verify what Python signed.
set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check tuf==7.0.1 securesystemslib==1.6.0 cryptography==50.0.2
cat >"$work/sign.py" <<'PY'
import datetime, sys
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Root, TargetFile, Targets

customs = {
    "2^53": {"seed": 2**53}, "2^53 + 1": {"seed": 2**53 + 1}, "2^63 - 1": {"seed": 2**63 - 1}, "2^63": {"seed": 2**63},
    "U+FB01 alone": {"\ufb01": 1}, "U+FB01 and U+1D6FC": {"\ufb01": 1, "\U0001d6fc": 2},
}
expires = datetime.datetime(2099, 1, 1, tzinfo=datetime.timezone.utc)
signer = CryptoSigner.generate_ed25519()
root = Metadata(Root(expires=expires))
root.signed.add_key(signer.public_key, "targets")
root.to_file(f"{sys.argv[1]}/root.json")
for number, (name, custom) in enumerate(customs.items()):
    file = TargetFile.from_data("model.safetensors", b"weights")
    file.unrecognized_fields["custom"] = custom
    metadata = Metadata(Targets(expires=expires, targets={file.path: file}))
    metadata.sign(signer)
    path = f"{sys.argv[1]}/targets{number}.json"
    metadata.to_file(path)
    again = Metadata.from_file(path)
    root.signed.verify_delegate("targets", again.signed_bytes, again.signatures)
    print(name, "yes")
PY
python=$("$work/venv/bin/python" "$work/sign.py" "$work")
mkdir "$work/node" "$work/go"
(cd "$work/node" && npm init --yes >npm.out && npm install --silent @tufjs/models@5.0.2)
cat >"$work/node/verify.mjs" <<'JS'
import { readFileSync } from 'node:fs'
import models from '@tufjs/models'

const { Metadata, MetadataKind } = models
const read = (kind, path) => Metadata.fromJSON(kind, JSON.parse(readFileSync(path, 'utf8')))
const root = read(MetadataKind.Root, process.argv[2])
for (const path of process.argv.slice(3)) {
  const targets = read(MetadataKind.Targets, path)
  try {
    root.verifyDelegate('targets', targets)
    console.log('yes')
  } catch (error) {
    console.log(error.message)
  }
}
JS
node=$(node "$work/node/verify.mjs" "$work/root.json" "$work"/targets?.json)
cat >"$work/go/go.mod" <<'MOD'
module verify

go 1.25

require github.com/theupdateframework/go-tuf/v2 v2.4.1
MOD
cat >"$work/go/main.go" <<'GO'
package main

import (
	"fmt"
	"os"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

func main() {
	root, err := metadata.Root().FromFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	for _, path := range os.Args[2:] {
		targets, err := metadata.Targets().FromFile(path)
		if err == nil {
			err = root.VerifyDelegate("targets", targets)
		}
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println("yes")
	}
}
GO
go=$(cd "$work/go" && export GOFLAGS=-mod=mod GOPATH="$work/gopath" && go run . "$work/root.json" "$work"/targets?.json 2>"$work/err") || { cat "$work/err"; exit 1; }
found=$(paste -d '|' <(echo "$python") <(echo "$node") <(echo "$go"))
echo "$found"
[[ $found == "2^53 yes|yes|yes
2^53 + 1 yes|targets was signed by 0/1 keys|yes
2^63 - 1 yes|targets was signed by 0/1 keys|yes
2^63 yes|targets was signed by 0/1 keys|Can't canonicalize floating point number '9223372036854775808'
U+FB01 alone yes|yes|yes
U+FB01 and U+1D6FC yes|targets was signed by 0/1 keys|yes" ]]
