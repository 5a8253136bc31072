#!/usr/bin/env bash
# gguf 0.19.0 (PyPI) and @huggingface/gguf 0.4.6 (npm): an array of arrays, which gguf's own `add_array` writes, is read by its own
# `GGUFReader` as one flat array: `contents()` of [[1, 2], [3, 4]] is [1, 2, 3, 4]. The reader in JavaScript gives the arrays as they were
# written. Only the field's list of types, ARRAY, ARRAY, INT32, still says that there were two levels; where one ended is nowhere.
#
# Who is hurt: who reads a header with one and compares it with the other, and whoever edits a model by reading each field and writing it
# again: the shape of such a value is lost.
#
# Seen 2026-11-29, Python 3.11, Node 20.20: written [[1, 2], [3, 4]]; Python [1, 2, 3, 4]; JavaScript [[1,2],[3,4]].
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check gguf==0.19.0 numpy==2.4.6
cat >"$work/read.py" <<'PY'
import sys
import gguf, numpy

path = sys.argv[1] + "/tiny.gguf"
writer = gguf.GGUFWriter(path, "llama")
writer.add_array("acme.groups", [[1, 2], [3, 4]])
writer.add_tensor("w", numpy.zeros(32, numpy.float32))
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
field = gguf.GGUFReader(path).fields["acme.groups"]
print("Python:", field.contents(), [kind.name for kind in field.types])
assert field.contents() == [1, 2, 3, 4]
PY
"$work/venv/bin/python" "$work/read.py" "$work"
mkdir "$work/node"
(cd "$work/node" && npm init --yes >npm.out && npm install --silent @huggingface/gguf@0.4.6)
cat >"$work/node/read.mjs" <<'JS'
import { gguf } from '@huggingface/gguf'

const { metadata } = await gguf(`${process.argv[2]}/tiny.gguf`, { allowLocalFile: true })
const read = JSON.stringify(metadata['acme.groups'])
console.log('JavaScript:', read)
if (read !== '[[1,2],[3,4]]') throw new Error('this has changed')
JS
node "$work/node/read.mjs" "$work"
