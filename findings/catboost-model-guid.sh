#!/usr/bin/env bash
# catboost 1.2.10 (PyPI, with numpy 2.4.6, pandas 3.1.1 and scipy 1.17.1): a CatBoost model carries a `model_guid`, with when its training ended and its scores, in every format it is
# saved in. A model that was edited afterwards keeps all three: cut to a third of its trees by `shrink`, given another scale and bias, or with every leaf
# overwritten so that it answers one number to everything. On the other hand two trainings with one seed on one thread, which give the
# same predictions and the same trees to the byte, have two. And `sum_models` gives the sum a guid of its own, moves what else the parts said under
# `model0:` and `model1:`, a licence too, where a reader of `licence` finds none.
#
# Who is hurt: who takes the guid for the identity of a model, as its name says, in a registry, in a bill of materials or to join predictions with models: four
# models that answer differently are one there, and one model is two. What is recorded as its score is that of a model that is gone.
#
# Seen 2026-11-30, Python 3.11: the lines at the end.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
# Without what draws its charts.
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile numpy==2.4.6 pandas==3.1.1 scipy==1.17.1 six==1.17.0
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile --no-deps catboost==1.2.10 graphviz==0.21
cat >"$work/edit.py" <<'PY'
import json, sys
import catboost, numpy

chance = numpy.random.default_rng(0)
rows = chance.normal(size=(400, 4))
wanted = 2 * rows[:, 0] + rows[:, 1]


def trained():
    model = catboost.CatBoostRegressor(iterations=30, depth=3, random_seed=1, thread_count=1, verbose=0, allow_writing_files=False)
    return model.fit(rows, wanted)


def read(path):
    return catboost.CatBoostRegressor().load_model(path)


def says(model):
    metadata = model.get_metadata()
    return metadata["model_guid"], metadata["train_finish_time"], metadata["training"]


def trees(model):
    model.save_model(sys.argv[1] + ".json", format="json")
    return json.load(open(sys.argv[1] + ".json"))["oblivious_trees"]


model = trained()
model.get_metadata()["licence"] = "Apache-2.0"
model.save_model(sys.argv[1])
cut, scaled, blank = read(sys.argv[1]), read(sys.argv[1]), read(sys.argv[1])
cut.shrink(10)
scaled.set_scale_and_bias(3.0, [1.0])
blank.set_leaf_values(numpy.zeros_like(blank.get_leaf_values()))
for name, edited in {"read again": read(sys.argv[1]), "cut": cut, "scaled": scaled, "blank": blank}.items():
    edited.save_model(sys.argv[1] + ".edited")
    edited = read(sys.argv[1] + ".edited")
    root = numpy.sqrt(numpy.mean((edited.predict(rows) - wanted) ** 2))
    print(f"{name}: same guid, time and scores: {says(edited) == says(model)}; {edited.tree_count_} trees; error {root:.2f}")
again = trained()
print("trained again: same trees:", trees(again) == trees(model), "same guid:", says(again)[0] == says(model)[0])
said = list(catboost.sum_models([model, again]).get_metadata().keys())
print("sum:", [key for key in said if key.endswith("licence")], "licence" in said)
PY
found=$("$work/venv/bin/python" "$work/edit.py" "$work/model.cbm")
echo "$found"
[[ $found == "read again: same guid, time and scores: True; 30 trees; error 0.17
cut: same guid, time and scores: True; 10 trees; error 0.41
scaled: same guid, time and scores: True; 30 trees; error 4.43
blank: same guid, time and scores: True; 30 trees; error 2.15
trained again: same trees: True same guid: False
sum: ['model0:licence'] False" ]]
