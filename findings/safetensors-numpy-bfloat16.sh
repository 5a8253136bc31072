#!/usr/bin/env bash
# safetensors 0.8.0 (PyPI, with numpy 2.4.6 and ml_dtypes 0.6.0): `safetensors.numpy.save` writes an array of bfloat16, and
# `safetensors.numpy.load` of the same module cannot read what it wrote: KeyError: 'BF16'. `safe_open(..., "np")` reads the same file. For
# float8_e4m3fn neither of them reads what was saved.
#
# Who is hurt: who looks into a model without a framework of tensors. Most models of today are in bfloat16; code that was tried with
# float32 ends in an error that names no file, no tensor and no way out.
#
# Seen 2026-11-29, Python 3.11: BF16: load KeyError, safe_open bfloat16; F8_E4M3: load KeyError, safe_open AttributeError.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check safetensors==0.8.0 numpy==2.4.6 ml_dtypes==0.6.0
cat >"$work/again.py" <<'PY'
import sys

import ml_dtypes
import numpy
from safetensors import safe_open
from safetensors.numpy import load, save


def opened(path):
    with safe_open(path, "np") as file:
        return file.get_tensor("w")


def outcome(read, *arguments):
    try:
        return str(read(*arguments).dtype)
    except Exception as error:
        return repr(error)


found = {}
for kind in (numpy.float32, ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn):
    data, path = save({"w": numpy.ones(4, kind)}), sys.argv[1] + "/w.safetensors"
    open(path, "wb").write(data)
    found[kind.__name__] = outcome(lambda: load(data)["w"]), outcome(opened, path)
for kind, outcomes in found.items():
    print(kind, *outcomes)
assert found["float32"] == ("float32", "float32")
assert found["bfloat16"] == ("KeyError('BF16')", "bfloat16")
assert found["float8_e4m3fn"][0] == "KeyError('F8_E4M3')" and found["float8_e4m3fn"][1].startswith("AttributeError")
PY
"$work/venv/bin/python" "$work/again.py" "$work"
