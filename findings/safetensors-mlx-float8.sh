#!/usr/bin/env bash
# mlx 0.32.4 with mlx-cpu 0.32.4, and safetensors 0.8.0 (PyPI, with numpy 2.4.6 and ml_dtypes 0.6.0): weights of type F8_E4M3 in a safetensors file
# are loaded by `mlx.core.load` as whole numbers: the bits of 1.0, 2.0, 0.5 are 56, 64, 48. Nothing says that they were floating-point
# numbers, and the file that `mlx.core.save_safetensors` writes of them calls them U8. The scales F8_E8M0 of newer formats become U8 as well;
# F8_E5M2 is an error. No `dtype` of what was loaded, and no field of the new file, tells weights of eight bits from a tensor of bytes.
#
# Who is hurt: who edits or shards a model in FP8 through MLX publishes a file with equal bytes of weights, of another type: others load 56 for 1.0.
#
# Seen 2026-11-29, Python 3.11, Linux: F8_E4M3 and F8_E8M0: uint8, written again as U8, equal bytes; F8_E5M2: "unsupported dtype".
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check mlx==0.32.4 mlx-cpu==0.32.4 safetensors==0.8.0 numpy==2.4.6 ml_dtypes==0.6.0
cat >"$work/again.py" <<'PY'
import json, sys
import ml_dtypes, mlx.core, numpy
from safetensors import safe_open

before, after = sys.argv[1] + "/before.safetensors", sys.argv[1] + "/after.safetensors"


def header_and_data(path):
    content = open(path, "rb").read()
    end = 8 + int.from_bytes(content[:8], "little")
    return json.loads(content[8:end]), content[end:]


def kind(path):
    with safe_open(path, "np") as file:
        return file.get_slice("w").get_dtype()


def again(name, values):
    data = values.tobytes()
    header = json.dumps({"w": {"dtype": name, "shape": list(values.shape), "data_offsets": [0, len(data)]}}).encode()
    header += b" " * (-len(header) % 8)
    open(before, "wb").write(len(header).to_bytes(8, "little") + header + data)
    assert kind(before) == name
    try:
        loaded = mlx.core.load(before)
    except RuntimeError as error:
        return str(error)
    mlx.core.save_safetensors(after, loaded)
    assert header_and_data(after)[1] == data
    return str(loaded["w"].dtype), loaded["w"].tolist(), kind(after)


numbers = numpy.array([1, 2, 0.5])
found = {
    "BF16": again("BF16", numbers.astype(ml_dtypes.bfloat16)),
    "F8_E4M3": again("F8_E4M3", numbers.astype(ml_dtypes.float8_e4m3fn)),
    "F8_E8M0": again("F8_E8M0", numbers.astype(ml_dtypes.float8_e8m0fnu)),
    "F8_E5M2": again("F8_E5M2", numbers.astype(ml_dtypes.float8_e5m2)),
}
for name, said in found.items():
    print(f"{name}: {said}")
assert found["BF16"] == ("mlx.core.bfloat16", [1.0, 2.0, 0.5], "BF16")
assert found["F8_E4M3"] == ("mlx.core.uint8", [56, 64, 48], "U8")
assert found["F8_E8M0"] == ("mlx.core.uint8", [127, 128, 126], "U8")
assert "unsupported dtype F8_E5M2" in found["F8_E5M2"]
PY
"$work/venv/bin/python" "$work/again.py" "$work"
