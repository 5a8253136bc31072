#!/usr/bin/env bash
# safetensors 0.8.0 (PyPI, with numpy 2.4.6): one set of tensors with one set of metadata, saved by several processes, gives files
# with different SHA-256 digests. The `__metadata__` map is written in the order of a hash map that is seeded anew in each process;
# the tensors' bytes and every value are equal. With one metadata entry, or none, the bytes are the same each time.
#
# Who is hurt: whoever rebuilds or re-saves a model and compares digests. Equal digests prove equal weights; different digests of
# two saves prove nothing about the weights.
#
# Seen 2026-11-28, Python 3.11: eight processes, five metadata entries, eight different digests, one digest of the values.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check safetensors==0.8.0 numpy==2.4.6
cat >"$work/save.py" <<'PY'
import hashlib, json, sys
import numpy
from safetensors.numpy import load, save

count = int(sys.argv[1])
metadata = {f"key{n}": "value" for n in range(count)}
data = save({"w": numpy.zeros((2, 2), numpy.float32)}, metadata=metadata)
length = int.from_bytes(data[:8], "little")
header = json.loads(data[8 : 8 + length])
values = json.dumps(header, sort_keys=True).encode() + load(data)["w"].tobytes()
print(hashlib.sha256(data).hexdigest(), hashlib.sha256(values).hexdigest())
PY
digests() { for _ in 1 2 3 4 5 6 7 8; do "$work/venv/bin/python" "$work/save.py" "$1"; done; }
digests 5 >"$work/many"
digests 1 >"$work/one"
files=$(cut -d' ' -f1 "$work/many" | sort -u | wc -l)
values=$(cut -d' ' -f2 "$work/many" | sort -u | wc -l)
single=$(cut -d' ' -f1 "$work/one" | sort -u | wc -l)
echo "5 metadata entries: $files different files, $values different contents; 1 entry: $single different files"
# Five entries have 120 orders: eight processes that all agree would be a change of the library.
[[ $files -gt 1 && $values -eq 1 && $single -eq 1 ]]
