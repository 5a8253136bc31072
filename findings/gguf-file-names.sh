#!/usr/bin/env bash
# gguf 0.19.0 (PyPI), @huggingface/gguf 0.4.6 (npm) and github.com/gpustack/gguf-parser-go v0.28.1 (Go): what a GGUF file is is read off its name, which has parts for base, size,
# fine-tune, version and encoding (docs/gguf.md of ggml, "GGUF Naming Convention"), and which `gguf.naming_convention` writes. For the encodings of today, MXFP4 as in
# gpt-oss, NVFP4 and the ternary TQ1_0, Go has no reading of a name with a version; without one it takes MXFP4 and NVFP4 for the name of a
# fine-tune, and finds no encoding. JavaScript reads each of them. The encodings of before are read alike.
#
# Who is hurt: who fills lineage and quantization of a model from its file name: a plain quantization is recorded as a fine-tune of that name, and the release with its version as
# no model. Take both from the header, or from a record that says them.
#
# Seen 2026-11-30, Python 3.11, Node 20.20, Go 1.26: the lines at the end: name, encoding in JavaScript, fine-tune and encoding in Go.
set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check gguf==0.19.0 numpy==2.4.6
names=$("$work/venv/bin/python" - <<'PY'
import gguf

for encoding in ("Q4_K_M", "BF16", "MXFP4", "NVFP4", "TQ1_0"):
    for version in (None, "v1.1"):
        print(gguf.naming_convention(None, "acme-base", None, version, "8B", encoding) + ".gguf")
PY
)
mkdir "$work/node" "$work/go"
(cd "$work/node" && npm init --yes >npm.out && npm install --silent @huggingface/gguf@0.4.6)
cat >"$work/node/read.mjs" <<'JS'
import { parseGGUFQuantLabel } from '@huggingface/gguf'

for (const name of process.argv.slice(2)) console.log(parseGGUFQuantLabel(name))
JS
cat >"$work/go/go.mod" <<'MOD'
module read

go 1.25

require github.com/gpustack/gguf-parser-go v0.28.1
MOD
cat >"$work/go/main.go" <<'GO'
package main

import (
	"fmt"
	"os"

	"github.com/gpustack/gguf-parser-go"
)

func main() {
	for _, name := range os.Args[1:] {
		if read := gguf_parser.ParseGGUFFilename(name); read != nil {
			fmt.Printf("%q %q\n", read.FineTune, read.Encoding)
		} else {
			fmt.Println("not a name")
		}
	}
}
GO
go=$(cd "$work/go" && export GOFLAGS=-mod=mod GOPATH="$work/gopath" && go run . $names 2>"$work/err") || { cat "$work/err"; exit 1; }
found=$(paste -d ' ' <(echo "$names") <(node "$work/node/read.mjs" $names) <(echo "$go"))
echo "$found"
[[ $found == 'acme-base-8B-Q4_K_M.gguf Q4_K_M "" "Q4_K_M"
acme-base-8B-v1.1-Q4_K_M.gguf Q4_K_M "" "Q4_K_M"
acme-base-8B-BF16.gguf BF16 "" "BF16"
acme-base-8B-v1.1-BF16.gguf BF16 "" "BF16"
acme-base-8B-MXFP4.gguf MXFP4 "MXFP4" ""
acme-base-8B-v1.1-MXFP4.gguf MXFP4 not a name
acme-base-8B-NVFP4.gguf NVFP4 "NVFP4" ""
acme-base-8B-v1.1-NVFP4.gguf NVFP4 not a name
acme-base-8B-TQ1_0.gguf TQ1_0 not a name
acme-base-8B-v1.1-TQ1_0.gguf TQ1_0 not a name' ]]
