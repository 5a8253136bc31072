#!/usr/bin/env bash
# lightgbm 4.7.0, onnxmltools 1.16.0 and treelite 4.8.1 (PyPI, with onnxruntime 1.32.0 and numpy 2.4.6): of a random forest that LightGBM trained, whose answer is the mean of
# its trees, onnxmltools makes an ONNX model that answers otherwise, without a word. Of an `LGBMRegressor` it divides the sum of the trees by 100, however many there
# are: right with the 100 of the default, a tenth of the answer with 10. Of the same model from its file it does not divide: ten or a hundred times the answer. With
# `reg_sqrt` it answers with the root in the place of the number, with `linear_tree` with a constant in each leaf in the place of a line. The file says all of it, as
# `average_output`, `sqrt` and `is_linear`. treelite reads the first two as they are meant, and refuses the third by name.
#
# Who is hurt: who publishes a model as text and as ONNX: two forms of one release under one name, and scores that hold for one of them. And who tests the conversion of an
# estimator with the default and runs it on another, or on the file. Compare the answers before both go into a record.
#
# Seen 2026-11-30, Python 3.11: the lines at the end: trees, the median of ONNX's answer divided by LightGBM's, and whether treelite's are LightGBM's.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile lightgbm==4.7.0 numpy==2.4.6 scipy==1.17.1 \
    scikit-learn==1.9.1 onnxmltools==1.16.0 onnx==1.23.2 skl2onnx==1.20.0 onnxruntime==1.32.0 treelite==4.8.1
cat >"$work/convert.py" <<'PY'
import sys
import lightgbm, numpy, onnxmltools, onnxruntime, treelite
from onnxmltools.convert.common.data_types import FloatTensorType

chance = numpy.random.default_rng(0)
rows = chance.normal(size=(500, 4)).astype(numpy.float32)
wanted = 20 + 2 * rows[:, 0] + rows[:, 1]
forest = {"boosting_type": "rf", "subsample": 0.6, "subsample_freq": 1}
options = {"num_leaves": 5, "n_jobs": 1, "random_state": 1, "verbose": -1}


def through_onnx(model):
    made = onnxmltools.convert_lightgbm(model, initial_types=[("x", FloatTensorType([None, 4]))]).SerializeToString()
    return onnxruntime.InferenceSession(made).run(None, {"x": rows})[0].ravel()


for name, more, trees in (
    ("plain", {}, 10),
    ("forest", forest, 10),
    ("forest", forest, 100),
    ("reg_sqrt", {"reg_sqrt": True}, 10),
    ("linear_tree", {"linear_tree": True}, 10),
):
    trained = lightgbm.LGBMRegressor(n_estimators=trees, **options, **more).fit(rows, wanted)
    trained.booster_.save_model(sys.argv[1])
    read = lightgbm.Booster(model_file=sys.argv[1])
    answers = read.predict(rows)
    assert (trained.predict(rows) == answers).all()
    through = [f"{numpy.median(found / answers):.2f} (at most {abs(found - answers).max():.0f} off)" for found in map(through_onnx, (trained, read))]
    try:
        other = treelite.gtil.predict(treelite.frontend.load_lightgbm_model(sys.argv[1]), rows).ravel()
        other = str(numpy.allclose(answers, other, rtol=1e-4))
    except treelite.TreeliteError as error:
        other = str(error).rsplit(": ")[-1]
    print(f"{name}, {trees}: estimator {through[0]}, file {through[1]}, treelite: {other}")
PY
found=$("$work/venv/bin/python" -W ignore "$work/convert.py" "$work/model.txt")
echo "$found"
[[ $found == 'plain, 10: estimator 1.00 (at most 0 off), file 1.00 (at most 0 off), treelite: True
forest, 10: estimator 0.10 (at most 21 off), file 10.00 (at most 209 off), treelite: True
forest, 100: estimator 1.00 (at most 0 off), file 100.00 (at most 2267 off), treelite: True
reg_sqrt, 10: estimator 0.22 (at most 17 off), file 0.22 (at most 17 off), treelite: True
linear_tree, 10: estimator 1.00 (at most 2 off), file 1.00 (at most 2 off), treelite: LightGBM models with linear trees (linear_tree=True) are not supported' ]]
