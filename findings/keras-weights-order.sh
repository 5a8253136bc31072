#!/usr/bin/env bash
# keras 3.15.1 (PyPI, with jax 0.10.2, scipy 1.17.1, h5py 3.16.0 and numpy 2.4.6): a file of weights (of `save_weights`, or in a `.keras` archive) says beside each weight how its layer
# is called, and `load_weights` does not look at it: weights go to the layers by class and order. Into a model of two heads whose outputs stand in the other order,
# `harmless` before `harmful`, each head gets the weights of the other, wherever the shapes allow it; so it is with the older `.h5`. A file of the layers a, b, c is loaded into a model of the layers c
# and d, as a and b, as if that were all; an `.h5` is refused there, and so is a file with too few. No warning in any of it. `load_model`, which has the layers from the
# same archive as the weights, is right.
#
# Who is hurt: who publishes weights beside the code that builds the model: a later version of the code that sorts its layers makes another model of the same recorded
# file, one that says yes where it said no. Publish an archive, and load it with `load_model`.
#
# Seen 2026-12-01, Python 3.11: the lines at the end.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check keras==3.15.1 jax==0.10.2 jaxlib==0.10.2 scipy==1.17.1 h5py==3.16.0 numpy==2.4.6
cat >"$work/load.py" <<'PY'
import sys, warnings
import h5py, keras
from keras import layers

folder = sys.argv[1]
warnings.simplefilter("error", UserWarning)


def judge(*order):
    text = keras.Input((4,), name="text")
    heads = {name: layers.Dense(2, name=name)(text) for name in ("harmful", "harmless")}
    return keras.Model(text, [heads[name] for name in order])


def stack(names):
    return keras.Sequential([keras.Input((4,))] + [layers.Dense(4, name=name) for name in names])


def kernels(model):
    return {layer.name: keras.ops.convert_to_numpy(layer.kernel).tolist() for layer in model.layers if isinstance(layer, layers.Dense)}


def load(path, saved, model):
    try:
        model.load_weights(path)
    except ValueError as error:
        return str(error).strip().splitlines()[0][:56]
    names = {str(kernel): name for name, kernel in kernels(saved).items()}
    return {name: names.get(str(kernel)) for name, kernel in kernels(model).items()}


for kind in ("weights.h5", "keras", "h5"):
    saved, path = judge("harmful", "harmless"), f"{folder}/judge.{kind}"
    saved.save_weights(path) if kind == "weights.h5" else saved.save(path)
    print(kind, load(path, saved, judge("harmless", "harmful")))
    if kind != "weights.h5":
        whole = keras.models.load_model(path, compile=False)
        print(kind, "load_model:", kernels(whole) == kernels(saved))
with h5py.File(f"{folder}/judge.weights.h5") as file:
    print("names in the file:", *(file[f"layers/{layer}/vars"].attrs["name"] for layer in ("dense", "dense_1")))
for kind in ("weights.h5", "h5"):
    saved, path = stack("abc"), f"{folder}/stack.{kind}"
    saved.save_weights(path) if kind == "weights.h5" else saved.save(path)
    for names in ("cd", "abcd"):
        print(kind, names, load(path, saved, stack(names)))
PY
found=$(KERAS_BACKEND=jax JAX_PLATFORMS=cpu TF_CPP_MIN_LOG_LEVEL=3 "$work/venv/bin/python" "$work/load.py" "$work" 2>"$work/err") || { cat "$work/err"; exit 1; }
echo "$found"
[[ $found == "weights.h5 {'harmless': 'harmful', 'harmful': 'harmless'}
keras {'harmless': 'harmful', 'harmful': 'harmless'}
keras load_model: True
h5 {'harmless': 'harmful', 'harmful': 'harmless'}
h5 load_model: True
names in the file: harmful harmless
weights.h5 cd {'c': 'a', 'd': 'b'}
weights.h5 abcd A total of 1 objects could not be loaded. Example error 
h5 cd Layer count mismatch when loading weights from file. Mod
h5 abcd Layer count mismatch when loading weights from file. Mod" ]]
