#!/usr/bin/env bash
# mlx 0.32.4 with mlx-cpu 0.32.4, and gguf 0.19.0 (PyPI, with numpy 2.4.6): `mlx.core.load` of a GGUF file ends at the first tensor of a type
# that is newer than its reader (MXFP4 as in gpt-oss, the ternary TQ1_0 and TQ2_0), and returns those before it as if they were all:
# no error, no warning. With three tensors of which the second is MXFP4 one is loaded; when it is the first, a model of no tensors. Types
# that are older and as unknown (Q5_0) are an error. And BF16 becomes float16 on the way, in which 1e5 is infinite and 1e-10 is zero.
#
# Who is hurt: who converts, counts or compares what was loaded: the file is whole and its digest is right, the model is not.
#
# Seen 2026-11-29, Python 3.11, Linux: `gguf` lists a, b, c for each; mlx loads a; Q5_0: "gguf_tensor_to_f16 failed"; BF16: 1, inf, -inf, 0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check mlx==0.32.4 mlx-cpu==0.32.4 gguf==0.19.0 numpy==2.4.6
cat >"$work/load.py" <<'PY'
import sys
import gguf, mlx.core, numpy
from gguf import GGMLQuantizationType as Kind
from gguf.quants import dequantize, quantize

path = sys.argv[1] + "/tiny.gguf"


def write(**tensors):
    writer = gguf.GGUFWriter(path, "llama")
    for name, (values, kind) in tensors.items():
        writer.add_tensor(name, quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return gguf.GGUFReader(path).tensors


values = numpy.linspace(-1, 1, 256, dtype=numpy.float32).reshape(1, 256)
for kind in (Kind.MXFP4, Kind.TQ1_0, Kind.TQ2_0):
    written = write(a=(values, Kind.F32), b=(values, kind), c=(values, Kind.F32))
    # The other library finds three tensors, and reads the second.
    assert numpy.abs(dequantize(written[1].data, kind) - values).max() < 1
    loaded = sorted(mlx.core.load(path))
    print(f"{kind.name}: written {[tensor.name for tensor in written]}, loaded {loaded}")
    assert [tensor.name for tensor in written] == ["a", "b", "c"] and loaded == ["a"]
    write(b=(values, kind), c=(values, Kind.F32))
    assert mlx.core.load(path) == {}
write(a=(values, Kind.F32), b=(values, Kind.Q5_0), c=(values, Kind.F32))
try:
    mlx.core.load(path)
    raise SystemExit("Q5_0 is loaded: this has changed")
except RuntimeError as error:
    print("Q5_0:", error)
(written,) = write(a=(numpy.array([[1, 1e5, -1e5, 1e-10]], numpy.float32), Kind.BF16))
exact, loaded = dequantize(written.data, Kind.BF16)[0].tolist(), mlx.core.load(path)["a"]
print("BF16:", exact, "loaded:", loaded[0].tolist(), loaded.dtype)
assert exact[1] == 99840.0 and loaded.dtype == mlx.core.float16 and loaded[0].tolist() == [1.0, float("inf"), float("-inf"), 0.0]
PY
"$work/venv/bin/python" "$work/load.py" "$work"
