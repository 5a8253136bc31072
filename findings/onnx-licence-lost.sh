#!/usr/bin/env bash
# onnx 1.23.2 and onnxslim 0.1.98 (PyPI, with numpy 2.4.6): an ONNX model says in `metadata_props` and in the fields of the model under
# which licence it is, of whom and in which version. `onnx.utils.extract_model` from the first input to the last output writes the same nodes
# and the same weights, and none of that; its own name stands as the producer. `onnxslim.slim` keeps the properties and the producer and
# loses domain, version and description.
#
# Who is hurt: who cuts or slims a model and publishes it: the licence that travelled in the file stays behind, and the model is of a
# producer that never made it. The weights are equal, so that nobody looks again.
#
# Seen 2026-11-29, Python 3.11: the table at the end.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check onnx==1.23.2 onnxslim==0.1.98 numpy==2.4.6
cat >"$work/lost.py" <<'PY'
import sys
import numpy, onnx, onnxslim
from onnx import TensorProto, helper, numpy_helper

path = lambda name: f"{sys.argv[1]}/{name}.onnx"
weights = numpy_helper.from_array(numpy.arange(256, dtype=numpy.float32).reshape(16, 16), "w")
value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 16])
graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "g", [value("x")], [value("y")], [weights])
about = {"producer_name": "acme", "domain": "acme.example", "model_version": 7, "doc_string": "of acme"}
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9, **about)
helper.set_model_props(model, {"license": "Apache-2.0"})
onnx.checker.check_model(model)
onnx.save(model, path("input"))
onnx.utils.extract_model(path("input"), path("extract_model"), ["x"], ["y"])
onnx.save(onnxslim.slim(onnx.load(path("input"))), path("slim"))


def row(name):
    read = onnx.load(path(name))
    assert [node.op_type for node in read.graph.node] == ["MatMul"]
    assert numpy.array_equal(numpy_helper.to_array(read.graph.initializer[0]), numpy_helper.to_array(weights))
    licence = {p.key: p.value for p in read.metadata_props}.get("license", "-")
    return " ".join([name, licence, read.producer_name or "-", read.domain or "-", str(read.model_version), read.doc_string or "-"])


rows = [row(name) for name in ("input", "extract_model", "slim")]
print(*rows, sep="\n")
assert rows == [
    "input Apache-2.0 acme acme.example 7 of acme",
    "extract_model - onnx.utils.extract_model - 0 -",
    "slim Apache-2.0 acme - 0 -",
]
PY
"$work/venv/bin/python" "$work/lost.py" "$work" 2>"$work/err" || { cat "$work/err"; exit 1; }
