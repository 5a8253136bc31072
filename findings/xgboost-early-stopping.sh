#!/usr/bin/env bash
# xgboost 3.2.0, treelite 4.8.1 and onnxmltools 1.16.0 (PyPI): a model that was trained with early stopping is one file and two models. It holds
# the trees that came after the best one too, and its number as an attribute, `best_iteration`. `XGBRegressor` and `XGBClassifier` stop there;
# `Booster` of the same package goes on to the last, and so does treelite, with which such models are served. With onnxmltools the
# one file becomes two different files, by the class that it was loaded with. A slice of the trees, `booster[:5]`, has no such attribute any more,
# and keeps the others: a licence, and the name of the estimator.
#
# Who is hurt: who evaluates through scikit-learn's interface and serves with another: the digest is the recorded one, the scores are of a model that nobody
# runs. Slice the booster to `best_iteration + 1` trees before publishing it: then all agree, as the last line shows.
#
# Seen 2026-11-30, Python 3.11: the lines at the end.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1 \
    treelite==4.8.1 onnxmltools==1.16.0 onnx==1.23.2 skl2onnx==1.20.0 onnxruntime==1.32.0
# Without what it needs for devices that are not used here.
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile --no-deps xgboost==3.2.0
cat >"$work/train.py" <<'PY'
import hashlib, sys
import numpy, onnxmltools, onnxruntime, treelite, xgboost
from onnxmltools.convert.common.data_types import FloatTensorType

chance = numpy.random.default_rng(0)
rows = chance.normal(size=(500, 4)).astype(numpy.float32)
wanted = (2 * rows[:, 0] + rows[:, 1] + 2 * chance.normal(size=500)).astype(numpy.float32)
trained = xgboost.XGBRegressor(n_estimators=200, early_stopping_rounds=5, learning_rate=0.3, max_depth=4, n_jobs=1)
trained.fit(rows[:400], wanted[:400], eval_set=[(rows[400:], wanted[400:])], verbose=False)
trained.get_booster().set_attr(license="Apache-2.0")
trained.save_model(sys.argv[1])


def through_onnx(model):
    made = onnxmltools.convert_xgboost(model, initial_types=[("x", FloatTensorType([None, 4]))]).SerializeToString()
    return onnxruntime.InferenceSession(made).run(None, {"x": rows})[0].ravel()


def readings(path):
    regressor, booster = xgboost.XGBRegressor(), xgboost.Booster(model_file=path)
    regressor.load_model(path)
    return {
        "XGBRegressor": regressor.predict(rows),
        "Booster": booster.predict(xgboost.DMatrix(rows)),
        "treelite": treelite.gtil.predict(treelite.frontend.load_xgboost_model(path), rows).ravel(),
        "ONNX of XGBRegressor": through_onnx(regressor),
        "ONNX of Booster": through_onnx(booster),
    }


def groups(found):
    """Who agrees with whom, up to the rounding of 32-bit floats."""
    apart = []
    for name, answers in found.items():
        for group in apart:
            if numpy.allclose(group[1], answers, rtol=1e-4, atol=1e-4):
                group[0].append(name)
                break
        else:
            apart.append(([name], answers))
    return [group[0] for group in apart]


booster = xgboost.Booster(model_file=sys.argv[1])
print("trees up to the best:", booster.best_iteration + 1, "trees in the file:", booster.num_boosted_rounds())
print(*groups(readings(sys.argv[1])), sep="\n")
print("attributes of a slice:", sorted(booster[:5].attributes()), "and of the whole:", sorted(booster.attributes()))
booster[: booster.best_iteration + 1].save_model(sys.argv[2])
print("of the slice to the best:", *groups(readings(sys.argv[2])))
PY
found=$("$work/venv/bin/python" "$work/train.py" "$work/model.json" "$work/slice.json")
echo "$found"
[[ $found == "trees up to the best: 12 trees in the file: 17
['XGBRegressor', 'ONNX of XGBRegressor']
['Booster', 'treelite', 'ONNX of Booster']
attributes of a slice: ['license', 'scikit_learn'] and of the whole: ['best_iteration', 'best_score', 'license', 'scikit_learn']
of the slice to the best: ['XGBRegressor', 'Booster', 'treelite', 'ONNX of XGBRegressor', 'ONNX of Booster']" ]]
