#!/usr/bin/env bash
# mnn 3.6.1 (PyPI, with numpy 2.4.6 and onnx 1.23.2): `mnnconvert`, with which a model becomes one for MNN on phones, first runs `pip install -U
# aliyun-log-python-sdk` where it does not find that package, which is the case in every fresh environment: no version is given, and the pip is the first
# on the PATH, not that of its own Python. (Here a pip that installs nothing stands there, so that nothing is fetched.) Without the package it converts all
# the same. And two conversions of one file with one version are never one file: each has a new UUID, and differs in nothing else. What the ONNX
# model said in `metadata_props`, its licence, is kept.
#
# Who is hurt: who converts in a pinned environment, or proves by its lock file with what a release was made: after the first conversion it, or another
# Python of the machine, holds ten packages more, of that day's versions. And who rebuilds and compares digests.
#
# Seen 2026-11-30, Python 3.11, Linux: the lines at the end.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile mnn==3.6.1 numpy==2.4.6 onnx==1.23.2
mkdir "$work/first"
printf '#!/bin/sh\necho "pip $*" >>"%s/asked"\n' "$work" >"$work/first/pip"
chmod +x "$work/first/pip"
cat >"$work/make.py" <<'PY'
import sys
import numpy, onnx
from onnx import TensorProto, helper, numpy_helper

weights = numpy.random.default_rng(0).normal(size=(8, 8)).astype(numpy.float32)
graph = helper.make_graph(
    [helper.make_node("MatMul", ["x", "w"], ["y"])],
    "one",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 8])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 8])],
    [numpy_helper.from_array(weights, "w")],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
model.metadata_props.add(key="license", value="Apache-2.0")
onnx.save(model, sys.argv[1])
PY
"$work/venv/bin/python" "$work/make.py" "$work/model.onnx"
for run in 1 2; do
    PATH="$work/first:$PATH" "$work/venv/bin/mnnconvert" -f ONNX --modelFile "$work/model.onnx" --MNNModel "$work/$run.mnn" --bizCode acme >>"$work/out" 2>&1
done
cat >"$work/compare.py" <<'PY'
import re, sys

uuid = rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
one, other = (open(path, "rb").read() for path in sys.argv[1:])
print("the same file:", one == other)
print("but for a UUID:", re.sub(uuid, b"", one) == re.sub(uuid, b"", other), [len(re.findall(uuid, each)) for each in (one, other)])
print("licence kept:", b"license" in one and b"Apache-2.0" in one)
PY
found=$(sort -u "$work/asked" && "$work/venv/bin/python" "$work/compare.py" "$work/1.mnn" "$work/2.mnn")
echo "$found"
[[ $found == 'pip install -U aliyun-log-python-sdk
the same file: False
but for a UUID: True [1, 1]
licence kept: True' ]]
