#!/usr/bin/env bash
# onnx 1.23.2 (PyPI, with numpy 2.4.6): `onnx.save_model(model, path, save_as_external_data=True)` without a location names the file
# of the weights by a new UUID each time, `<uuid>.data`, and writes that name into the graph. So saving one model twice gives two
# `.onnx` files with different digests, and the weights lie in a file whose name says nothing: no extension of a weights format,
# and no relation to the name of the model.
#
# Who is hurt: whoever tells weights by file names, and whoever takes the digest of the `.onnx` for that of the model.
#
# Seen 2026-11-28, Python 3.11: two saves, two names, the same bytes of weights, different bytes of graph.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check onnx==1.23.2 numpy==2.4.6
cat >"$work/save.py" <<'PY'
import copy, hashlib, os, re, sys
import numpy, onnx
from onnx import TensorProto, helper, numpy_helper

weights = numpy_helper.from_array(numpy.arange(1024, dtype=numpy.float32), "w")
value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [1024])
graph = helper.make_graph([helper.make_node("Add", ["x", "w"], ["y"])], "g", [value("x")], [value("y")], [weights])
model = helper.make_model(graph)
seen = []
for number in ("first", "second"):
    folder = os.path.join(sys.argv[1], number)
    os.mkdir(folder)
    onnx.save_model(copy.deepcopy(model), os.path.join(folder, "model.onnx"), save_as_external_data=True)
    (name,) = [name for name in os.listdir(folder) if name != "model.onnx"]
    digest = lambda name: hashlib.sha256(open(os.path.join(folder, name), "rb").read()).hexdigest()
    location = onnx.load(os.path.join(folder, "model.onnx"), load_external_data=False)
    location = {e.key: e.value for e in location.graph.initializer[0].external_data}["location"]
    assert location == name and re.fullmatch(r"[0-9a-f-]{36}\.data", name), (location, name)
    seen.append((name, digest(name), digest("model.onnx")))
(name1, weights1, graph1), (name2, weights2, graph2) = seen
print(f"names equal: {name1 == name2}; weights equal: {weights1 == weights2}; graphs equal: {graph1 == graph2}")
assert name1 != name2 and weights1 == weights2 and graph1 != graph2
PY
"$work/venv/bin/python" "$work/save.py" "$work"
