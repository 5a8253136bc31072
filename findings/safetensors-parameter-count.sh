#!/usr/bin/env bash
# huggingface_hub 2.4.0 (PyPI) and @huggingface/hub 2.17.5 (npm): both clients of the hub count the parameters of a folder of safetensors, and for
# weights of four bits, eight of them packed in each number of 32 bits, they give two counts. Python counts the numbers that are stored, JavaScript
# reads config.json, unpacks, and leaves out scales and zero points. Neither says in its answer which of the two it is.
#
# Who is hurt: who writes a count into a model card, a bill of materials or a licence that depends on size: the same files are a
# model of 1224 parameters, or of 8320, which is what was quantized: 128 x 64 weights, and a norm of 128.
#
# Seen 2026-11-29, Python 3.11, Node 20.20: an AWQ layer and a norm: {'I32': 1032, 'F16': 192}; {"I32":8192,"F16":128}.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check huggingface_hub==2.4.0 safetensors==0.8.0 numpy==2.4.6
mkdir "$work/node" "$work/model"
(cd "$work/node" && npm init --yes >npm.out && npm install --silent @huggingface/hub@2.17.5)
cat >"$work/count.py" <<'PY'
import json, sys
import numpy
from huggingface_hub import get_local_safetensors_metadata
from safetensors.numpy import save_file

folder = sys.argv[1]
packed = {"layer.qweight": numpy.zeros((128, 64 // 8), numpy.int32), "layer.qzeros": numpy.zeros((1, 64 // 8), numpy.int32)}
plain = {"layer.scales": numpy.ones((1, 64), numpy.float16), "norm.weight": numpy.ones(128, numpy.float16)}
save_file(packed | plain, folder + "/model.safetensors", {"format": "pt"})
quantized = {"quant_method": "awq", "bits": 4, "group_size": 128, "version": "gemm", "zero_point": True}
json.dump({"model_type": "llama", "quantization_config": quantized}, open(folder + "/config.json", "w"))
print(get_local_safetensors_metadata(folder).parameter_count)
PY
python=$("$work/venv/bin/python" "$work/count.py" "$work/model")
cat >"$work/node/count.mjs" <<'JS'
import { existsSync, readFileSync } from 'node:fs'
import { parseSafetensorsMetadata } from '@huggingface/hub'

// The hub's place is taken by the folder: the client asks for ranges of files.
const fetch = async (url, options) => {
  const path = `${process.argv[2]}/${new URL(url).pathname.split('/').pop()}`
  if (!existsSync(path)) return new Response('', { status: 404 })
  const data = readFileSync(path)
  const range = new Headers(options?.headers).get('range')?.match(/bytes=(\d+)-(\d+)/)
  if (!range) return new Response(data, { headers: { etag: '"x"', 'content-length': data.length } })
  const [first, last] = [Number(range[1]), Math.min(Number(range[2]), data.length - 1)]
  const headers = { etag: '"x"', 'content-range': `bytes ${first}-${last}/${data.length}` }
  return new Response(data.subarray(first, last + 1), { status: 206, headers })
}
const { parameterCount } = await parseSafetensorsMetadata({ repo: 'acme/tiny', computeParametersCount: true, fetch })
console.log(JSON.stringify(parameterCount))
JS
node=$(node "$work/node/count.mjs" "$work/model")
printf 'Python:     %s\nJavaScript: %s\n' "$python" "$node"
[[ $python == "{'I32': 1032, 'F16': 192}" && $node == '{"I32":8192,"F16":128}' ]]
