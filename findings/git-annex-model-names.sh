#!/usr/bin/env bash
# git-annex 10.20261026 (PyPI, the program itself): the key under which it stores, moves and finds a file has the SHA-256 of the content, and what it takes
# for the extension of the name: up to two parts behind dots, of at most four characters each. So `model.safetensors` and `model.tflite` have none, a
# GGUF file has `.gguf`, and a version or quantization that stands last belongs to it: `llama-3.1.gguf` has `.1.gguf`, `model.q4.gguf` has `.q4.gguf`, while
# `llama-3.1-8b.gguf` and `model.Q4_K_M.gguf` have `.gguf`. One content under ten names of models is six keys, and is stored six times. (The backend
# `SHA256` has no extensions; SHA256E is what a new repository uses.)
#
# Who is hurt: who keeps models in git-annex or DataLad and looks one up by its key, or tells by keys that two releases are the same weights: a file that got its
# version into its name is another one, to be fetched and paid for again. Compare the digest in the key, not the key.
#
# Seen 2026-11-30, Linux: the lines at the end.
set -euo pipefail
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check git-annex==10.20261026
export HOME="$work" PATH="$work/venv/bin:$PATH"
names='model.safetensors model.tflite LICENSE model.gguf llama-3.1-8b.gguf model.Q4_K_M.gguf llama-3.1.gguf model.q4.gguf model.onnx model.onnx.data'
stored() (
    mkdir "$work/$1"
    cd "$work/$1"
    git init --quiet
    git config user.name nobody
    git config user.email nobody@example.org
    git annex init --quiet
    [[ $1 == SHA256E ]] || git config annex.backend "$1"
    for name in $names; do printf 'the same weights' >"$name"; done
    git annex add --quiet --force-large .
    for name in $names; do git annex lookupkey "$name"; done
)
digest=$(printf 'the same weights' | sha256sum | cut -d ' ' -f 1)
for backend in SHA256E SHA256; do stored "$backend" >"$work/keys-$backend"; done
found=$(paste -d ' ' <(tr ' ' '\n' <<<"$names") <(sed "s/$digest/<digest>/" "$work/keys-SHA256E")
    for backend in SHA256E SHA256; do echo "$backend: $(find "$work/$backend/.git/annex/objects" -type f | wc -l) files stored"; done)
echo "$found"
[[ $found == 'model.safetensors SHA256E-s16--<digest>
model.tflite SHA256E-s16--<digest>
LICENSE SHA256E-s16--<digest>
model.gguf SHA256E-s16--<digest>.gguf
llama-3.1-8b.gguf SHA256E-s16--<digest>.gguf
model.Q4_K_M.gguf SHA256E-s16--<digest>.gguf
llama-3.1.gguf SHA256E-s16--<digest>.1.gguf
model.q4.gguf SHA256E-s16--<digest>.q4.gguf
model.onnx SHA256E-s16--<digest>.onnx
model.onnx.data SHA256E-s16--<digest>.onnx.data
SHA256E: 6 files stored
SHA256: 1 files stored' ]]
