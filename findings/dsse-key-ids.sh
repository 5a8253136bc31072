#!/usr/bin/env bash
# securesystemslib 1.6.0 (PyPI, with cryptography 50.0.2) and github.com/secure-systems-lab/go-securesystemslib v0.11.1 (Go), of one project: a signature of an attestation in a DSSE
# envelope may leave out `keyid`, which is but a hint, and to a reader that is the same as an empty one (DSSE 1.0.2, envelope.md, section "Parsing rules"). To Python one that
# is left out is a KeyError; with an empty one a good signature by the very key that it is held against is not accepted; and two signatures with empty ones, of
# two signers, are "Multiple signatures found". Go verifies all of them. With ids in place both do.
#
# Who is hurt: who checks statements on models that were signed without them (Sigstore's are: the certificate says whose key it is) with Python, on which
# in-toto's own client is built: a good statement of two parties reads as broken, one of one party as forged.
#
# Seen 2026-11-30, Python 3.11, Go 1.26: the lines at the end.
set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check securesystemslib==1.6.0 cryptography==50.0.2
cat >"$work/sign.py" <<'PY'
import json, sys
from securesystemslib.dsse import Envelope
from securesystemslib.signer import CryptoSigner

signers = [CryptoSigner.generate_ed25519() for _ in range(2)]
keys = [signer.public_key for signer in signers]
cases = {}
for count in (1, 2):
    envelope = Envelope(b'{"_type": "https://in-toto.io/Statement/v1"}', "application/vnd.in-toto+json", {})
    for signer in signers[:count]:
        envelope.sign(signer)
    for name in ("set", "empty", "unset"):
        written = envelope.to_dict()
        for signature in written["signatures"]:
            if name == "empty":
                signature["keyid"] = ""
            elif name == "unset":
                del signature["keyid"]
        cases[f"{count}, {name}"] = written
json.dump({"keys": {key.keyid: key.keyval["public"] for key in keys}, "cases": cases}, open(sys.argv[1], "w"))
for name, written in cases.items():
    count = int(name[0])
    try:
        outcome = f"{len(Envelope.from_dict(json.loads(json.dumps(written))).verify(keys[:count], count))} verified"
    except Exception as error:
        outcome = f"{type(error).__name__}: {str(error).strip()}"
    print(f"{name}: {outcome}")
PY
python=$("$work/venv/bin/python" "$work/sign.py" "$work/cases.json")
mkdir "$work/go"
cat >"$work/go/go.mod" <<'MOD'
module verify

go 1.25

require github.com/secure-systems-lab/go-securesystemslib v0.11.1
MOD
cat >"$work/go/main.go" <<'GO'
package main

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sort"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
)

type key struct {
	id     string
	public ed25519.PublicKey
}

func (one key) KeyID() (string, error)   { return one.id, nil }
func (one key) Public() crypto.PublicKey { return one.public }
func (one key) Verify(_ context.Context, message, signature []byte) error {
	if !ed25519.Verify(one.public, message, signature) {
		return errors.New("not by this key")
	}
	return nil
}

func main() {
	read, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	var given struct {
		Keys  map[string]string
		Cases map[string]dsse.Envelope
	}
	if err := json.Unmarshal(read, &given); err != nil {
		panic(err)
	}
	var keys []dsse.Verifier
	for id, public := range given.Keys {
		bytes, err := hex.DecodeString(public)
		if err != nil {
			panic(err)
		}
		keys = append(keys, key{id, bytes})
	}
	var names []string
	for name := range given.Cases {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		envelope := given.Cases[name]
		verifier, err := dsse.NewMultiEnvelopeVerifier(len(envelope.Signatures), keys...)
		if err != nil {
			panic(err)
		}
		accepted, err := verifier.Verify(context.Background(), &envelope)
		fmt.Printf("%s: %d verified %v\n", name, len(accepted), err)
	}
}
GO
go=$(cd "$work/go" && export GOFLAGS=-mod=mod GOPATH="$work/gopath" && go run . "$work/cases.json" 2>"$work/err") || { cat "$work/err"; exit 1; }
printf 'signatures, keyid\nPython:\n%s\nGo:\n%s\n' "$python" "$go"
[[ $python == "1, set: 1 verified
1, empty: VerificationError: Accepted signatures do not match threshold, Found: 0, Expected 1
1, unset: KeyError: 'keyid'
2, set: 2 verified
2, empty: ValueError: Multiple signatures found for keyid
2, unset: KeyError: 'keyid'" && $go == '1, empty: 1 verified <nil>
1, set: 1 verified <nil>
1, unset: 1 verified <nil>
2, empty: 2 verified <nil>
2, set: 2 verified <nil>
2, unset: 2 verified <nil>' ]]
