#!/usr/bin/env bash
# gguf 0.19.0 (PyPI, with numpy 2.4.6): there are GGUF files with the most significant byte first, for mainframes, and the package makes them in two ways: by
# `GGUFWriter(endianess=BIG)`, as converters do, and by `gguf-convert-endian`, over a file that is there. For quantized weights (Q8_0, Q4_0) and BF16 the two make different files of
# one model, both of which say the same of themselves: the program turns the scale of each block and each BF16 number around, the writer leaves them as they were given.
# F32, F16 and MXFP4 are the same. What the writer made, taken back by the program to the least significant byte first, is another model: weights between -1 and 1
# are in the millions, or no numbers. No error, no warning.
#
# Who is hurt: who publishes or records a model in both orders: one of two files with equal metadata is not that model, and which one depends on the tool, not on what the file
# says. Convert a finished file; do not write one.
#
# Seen 2026-11-30, Python 3.11, on a machine with the least significant byte first: the lines at the end: type, whether the bytes are the same, how far off the weights are at most
# (x: not a number) as written, as converted to the other order and back, and as written in the other order and converted.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check gguf==0.19.0 numpy==2.4.6
cat >"$work/model.py" <<'PY'
import shutil, subprocess, sys
import gguf, numpy
from gguf import GGMLQuantizationType as Kind

folder = sys.argv[1]
weights = numpy.linspace(-1, 1, 256, dtype=numpy.float32).reshape(1, 256)


def write(name, order):
    writer = gguf.GGUFWriter(f"{folder}/{name}", "llama", endianess=order)
    for kind in (Kind.F32, Kind.F16, Kind.BF16, Kind.Q8_0, Kind.Q4_0, Kind.MXFP4):
        writer.add_tensor(kind.name, gguf.quants.quantize(weights, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def convert(name, made, order):
    shutil.copy(f"{folder}/{name}", f"{folder}/{made}")
    program = [f"{sys.prefix}/bin/gguf-convert-endian", f"{folder}/{made}", order]
    subprocess.run(program, input="YES\n", text=True, capture_output=True, check=True)


def read(name):
    return {tensor.name: tensor for tensor in gguf.GGUFReader(f"{folder}/{name}").tensors}


def off(tensor):
    with numpy.errstate(all="ignore"):
        furthest = abs(gguf.quants.dequantize(tensor.data, tensor.tensor_type) - weights).max()
    return "x" if numpy.isnan(furthest) else f"{furthest:.2f}"


write("little", gguf.GGUFEndian.LITTLE)
write("big", gguf.GGUFEndian.BIG)
convert("little", "converted", "big")
convert("converted", "back", "little")
convert("big", "another", "little")
files = {name: read(name) for name in ("little", "big", "converted", "back", "another")}
assert gguf.GGUFReader(f"{folder}/big").endianess == gguf.GGUFReader(f"{folder}/converted").endianess == gguf.GGUFEndian.BIG
for name in files["little"]:
    same = files["big"][name].data.tobytes() == files["converted"][name].data.tobytes()
    print(f"{name}:", "same" if same else "other", *(off(files[file][name]) for file in ("little", "back", "another")))
PY
found=$("$work/venv/bin/python" "$work/model.py" "$work")
echo "$found"
[[ $found == 'F32: same 0.00 0.00 0.00
F16: same 0.00 0.00 0.00
BF16: other 0.00 0.00 x
Q8_0: other 0.00 0.00 4255008.00
Q4_0: other 0.06 0.06 x
MXFP4: same 0.12 0.12 0.12' ]]
