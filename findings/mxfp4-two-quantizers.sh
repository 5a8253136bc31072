#!/usr/bin/env bash
# gguf 0.19.0, mlx 0.32.4 with mlx-cpu 0.32.4, and ml_dtypes 0.6.0 (PyPI, with numpy 2.4.6): MXFP4 says how weights of four bits are read, not how they
# come about. gguf takes for a block of 32 the scale of section 6.3 of the OCP's Microscaling specification 1.0, by the power of two that is not above
# the largest weight, and what lies over its reach is cut off: 7.5 becomes 6. MLX takes one twice as large for such a block: 7.5 becomes 8. Of
# blocks of normally distributed weights about 30 in 100 get another scale, and 8 weights in 100 another value. Each reads the other's bits
# alike. In FP8 (E4M3) there is one such place more: 500 is 448 for MLX, and not a number for ml_dtypes, which JAX and ONNX cast with.
#
# Who is hurt: who rebuilds a quantized model from its recorded base and compares, or takes two models "in MXFP4" of one base for the same:
# the name of the type, the sizes and the base agree, and the weights do not. Record with which tool, in which version, they were made.
#
# Seen 2026-11-30, Python 3.11, Linux: the first line: 6 and 8; the second: 29.8% of the scales, 8.0% of the weights; the third: 448 and nan.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check gguf==0.19.0 mlx==0.32.4 mlx-cpu==0.32.4 ml_dtypes==0.6.0 numpy==2.4.6
cat >"$work/quantize.py" <<'PY'
import gguf.quants, ml_dtypes, mlx.core, numpy
from gguf import GGMLQuantizationType as Kind


def by_gguf(weights):
    """The scales, the codes in the order of the weights, and what they are read as."""
    blocks = gguf.quants.quantize(weights, Kind.MXFP4).reshape(-1, 17)
    codes = numpy.concatenate([blocks[:, 1:] & 15, blocks[:, 1:] >> 4], axis=1)
    return blocks[:, 0], codes, gguf.quants.dequantize(blocks.reshape(1, -1), Kind.MXFP4)[0]


def read_by_mlx(packed, scales):
    read = mlx.core.dequantize(packed, scales, group_size=32, bits=4, mode="mxfp4")
    return numpy.array(read.astype(mlx.core.float32))[0]


def by_mlx(weights):
    packed, scales = mlx.core.quantize(mlx.core.array(weights), group_size=32, bits=4, mode="mxfp4")
    return numpy.array(scales)[0], read_by_mlx(packed, scales)


one = numpy.full((1, 32), 7.5, numpy.float32)
first = by_gguf(one)[2][0].item(), by_mlx(one)[1][0].item()
print("7.5 is, by gguf and by MLX:", *first)
assert first == (6.0, 8.0)
many = numpy.random.default_rng(0).standard_normal((1, 32 * 4096)).astype(numpy.float32)
(scales, codes, read), (other_scales, other_read) = by_gguf(many), by_mlx(many)
apart = (scales != other_scales).mean(), (read != other_read).mean()
print("scales apart: {:.1%}, weights apart: {:.1%}".format(*apart))
assert 0.25 < apart[0] < 0.35 and 0.05 < apart[1] < 0.11
assert set((other_scales.astype(int) - scales).tolist()) == {0, 1}
# The bits of the one mean the same to the other.
packed = (codes[:, 0::2] | codes[:, 1::2] << 4).astype(numpy.uint8).reshape(1, -1).view(numpy.uint32)
assert numpy.array_equal(read_by_mlx(mlx.core.array(packed), mlx.core.array(scales[None])), read)
large = numpy.array([500], numpy.float32)
eight = mlx.core.from_fp8(mlx.core.to_fp8(mlx.core.array(large)), dtype=mlx.core.float32).item(), float(large.astype(ml_dtypes.float8_e4m3fn)[0])
print("500 in FP8, by MLX and by ml_dtypes:", *eight)
assert eight[0] == 448 and eight[1] != eight[1]
PY
"$work/venv/bin/python" -W ignore "$work/quantize.py"
