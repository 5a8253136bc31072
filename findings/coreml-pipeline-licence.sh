#!/usr/bin/env bash
# coremltools 9.0 (PyPI, with numpy 2.4.6): a Core ML model has fields for licence, author and version, which Xcode and `MLModel` show, and a map of
# one's own. `make_pipeline`, with which a model gets its pre- or postprocessing, and `save_multifunction`, with which adapters share the
# weights of a base, give a model in which all of them are empty. In a pipeline they lie one level down, in each part's own description, where
# `MLModel.license` does not look; of a model of several functions they are gone, and the file of weights is the same to the byte. Quantizing with
# `coremltools.optimize` keeps them, so that one expects it of the rest.
#
# Who is hurt: who joins models and passes the result on under licences that ask to be named: the model says nothing of any of them, and a gate that
# reads `MLModel.license` sees a model without one.
#
# Seen 2026-11-30, Python 3.11, Linux: the four lines at the end.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile coremltools==9.0 numpy==2.4.6
cat >"$work/join.py" <<'PY'
import hashlib, pathlib, sys
import coremltools, numpy
from coremltools.converters.mil import Builder
from coremltools.optimize import coreml as optimize

root = pathlib.Path(sys.argv[1])


@Builder.program(input_specs=[Builder.TensorSpec(shape=(1, 64))])
def program(x):
    return Builder.linear(x=x, weight=numpy.eye(64, dtype=numpy.float32), name="y")


def opened(name):
    return coremltools.models.MLModel(str(root / name), skip_model_load=True)


def digest(name):
    (weights,) = (root / name).rglob("weight.bin")
    return hashlib.sha256(weights.read_bytes()).hexdigest()


model = coremltools.convert(program, convert_to="mlprogram", skip_model_load=True, minimum_deployment_target=coremltools.target.iOS18)
model.license, model.author, model.version = "Apache-2.0", "acme", "1.0"
model.user_defined_metadata["base_model"] = "acme/base"
model.save(str(root / "model.mlpackage"))
eight_bits = optimize.OptimizationConfig(global_config=optimize.OpLinearQuantizerConfig(mode="linear_symmetric"))
optimize.linear_quantize_weights(model, eight_bits).save(str(root / "quantized.mlpackage"))
functions = coremltools.utils.MultiFunctionDescriptor()
functions.add_function(str(root / "model.mlpackage"), "main", "main")
functions.default_function_name = "main"
coremltools.utils.save_multifunction(functions, str(root / "functions.mlpackage"))
coremltools.utils.make_pipeline(model, model).save(str(root / "pipeline.mlpackage"))
for name in ("model", "quantized", "functions", "pipeline"):
    read = opened(name + ".mlpackage")
    print(name, *(text or "-" for text in (read.license, read.author, read.version, read.user_defined_metadata.get("base_model"))))
assert digest("model.mlpackage") == digest("functions.mlpackage")
parts = opened("pipeline.mlpackage").get_spec().pipeline.models
assert [part.description.metadata.license for part in parts] == ["Apache-2.0"] * 2
PY
"$work/venv/bin/python" "$work/join.py" "$work" >"$work/out" 2>"$work/err" || { cat "$work/err"; exit 1; }
cat "$work/out"
[[ $(cat "$work/out") == 'model Apache-2.0 acme 1.0 acme/base
quantized Apache-2.0 acme 1.0 acme/base
functions - - - -
pipeline - - - -' ]]
