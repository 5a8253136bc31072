#!/usr/bin/env bash
# in-toto-attestation 0.9.3 (PyPI, with protobuf 7.36.2) and github.com/in-toto/attestation v1.2.0 (Go, with protobuf v1.36.12): the libraries of the
# in-toto project hold a predicate in a `google.protobuf.Struct`, whose numbers are all 64-bit floats. A whole number above 2^53 that is written
# or read with them becomes its neighbour without an error: a seed of ...993 is ...992, and the largest number of 64 bits becomes one more
# than fits (Python writes 1.8446744073709552e+19, Go 18446744073709552000). Smaller ones survive as values, not as texts: Python writes
# 8030261248 parameters as 8030261248.0, which readers of whole numbers refuse. The specification (spec/v1/statement.md) says of a predicate
# that it is an object, and nothing of its numbers. `validate` has no complaint in either.
#
# Who is hurt: whoever puts seeds, 64-bit fingerprints or counts into an attestation of a training run through these, and who signs what they
# wrote: the signature is good, the seed reproduces another run. Write such numbers as strings.
#
# Seen 2026-11-30, Python 3.11, Go 1.26: the two lines at the end. Both are valid statements, and no two texts of the three are equal.
set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check in-toto-attestation==0.9.3 protobuf==7.36.2
cat >"$work/write.py" <<'PY'
import json, sys
from google.protobuf import json_format
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.v1.statement import Statement

predicate = {"seed": 9007199254740993, "parameters": 8030261248, "fingerprint": 18446744073709551615}
subject = ResourceDescriptor(name="model.safetensors", digest={"sha256": "ab" * 32}).pb
statement = Statement([subject], "https://acme.example/training/v1", predicate)
statement.validate()
written = json_format.MessageToJson(statement.pb)
# What is read from JSON is the same as what was built.
given = {"_type": "https://in-toto.io/Statement/v1", "subject": [{"name": "model.safetensors", "digest": {"sha256": "ab" * 32}}]}
given |= {"predicateType": "https://acme.example/training/v1", "predicate": predicate}
assert json_format.MessageToJson(json_format.Parse(json.dumps(given), type(statement.pb)())) == written
json.dump(given, open(sys.argv[1], "w"))
print(json.dumps(json.loads(written)["predicate"], sort_keys=True))
PY
python=$("$work/venv/bin/python" "$work/write.py" "$work/statement.json")
mkdir "$work/go"
cat >"$work/go/go.mod" <<'MOD'
module write

go 1.24

require (
	github.com/in-toto/attestation v1.2.0
	google.golang.org/protobuf v1.36.12
)
MOD
cat >"$work/go/main.go" <<'GO'
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	"github.com/in-toto/attestation/go/v1"
	"google.golang.org/protobuf/encoding/protojson"
)

func main() {
	read, err := os.ReadFile(os.Args[1])
	if err != nil {
		panic(err)
	}
	var statement v1.Statement
	if err := protojson.Unmarshal(read, &statement); err != nil {
		panic(err)
	}
	if err := statement.Validate(); err != nil {
		panic(err)
	}
	written, err := protojson.Marshal(statement.Predicate)
	if err != nil {
		panic(err)
	}
	// The library puts spaces at random.
	var compact bytes.Buffer
	if err := json.Compact(&compact, written); err != nil {
		panic(err)
	}
	fmt.Println(compact.String())
}
GO
go=$(cd "$work/go" && export GOFLAGS=-mod=mod GOPATH="$work/gopath" && go run . "$work/statement.json")
printf 'Python: %s\nGo:     %s\n' "$python" "$go"
[[ $python == '{"fingerprint": 1.8446744073709552e+19, "parameters": 8030261248.0, "seed": 9007199254740992.0}' ]]
[[ $go == '{"fingerprint":18446744073709552000,"parameters":8030261248,"seed":9007199254740992}' ]]
