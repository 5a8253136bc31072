#!/usr/bin/env bash
# onnx 1.23.2 (PyPI, with numpy 2.4.6): `onnx.save_model(..., save_as_external_data=True, location="model.data")` over a model that is
# already there writes the graph anew and appends the weights: the file of weights keeps those of every earlier save, and the graph points
# behind them. Loading gives the new ones, so that nothing looks wrong.
#
# Who is hurt: who trains, saves and publishes from one folder: old weights, perhaps of a run on data that was withdrawn, are published
# with the new, the file grows with each save, and its digest says which saves came before. Remove the file first.
#
# Seen 2026-11-29, Python 3.11: 4096, 8192, 12288 bytes after three saves of 1024 numbers; all three sets are in the file.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check onnx==1.23.2 numpy==2.4.6
cat >"$work/save.py" <<'PY'
import os, sys
import numpy, onnx
from onnx import TensorProto, helper, numpy_helper


def model(number):
    weights = numpy_helper.from_array(numpy.full(1024, number, numpy.float32), "w")
    value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [1024])
    return helper.make_model(helper.make_graph([helper.make_node("Add", ["x", "w"], ["y"])], "g", [value("x")], [value("y")], [weights]))


graph, data, sizes = os.path.join(sys.argv[1], "model.onnx"), os.path.join(sys.argv[1], "model.data"), []
for number in (1, 2, 3):
    onnx.save_model(model(number), graph, save_as_external_data=True, location="model.data", size_threshold=0)
    sizes.append(os.path.getsize(data))
loaded = numpy.unique(numpy_helper.to_array(onnx.load(graph).graph.initializer[0])).tolist()
inside = numpy.unique(numpy.fromfile(data, numpy.float32)).tolist()
print("sizes:", sizes, "loaded:", loaded, "in the file:", inside)
onnx.checker.check_model(graph)
assert sizes == [4096, 8192, 12288] and loaded == [3.0] and inside == [1.0, 2.0, 3.0]
PY
"$work/venv/bin/python" "$work/save.py" "$work"
