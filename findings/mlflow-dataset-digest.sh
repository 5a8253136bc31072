#!/usr/bin/env bash
# mlflow-skinny 3.17.2 (PyPI, with pandas 3.1.1 and numpy 2.4.6): the `digest` that MLflow gives a data set, and shows with each run that logged it as its
# input, is 8 hexadecimal digits of an MD5 over the first 10000 rows of a table, or over the first 10000 numbers of an array: not 13 images
# of 28 x 28. All behind that may be others. Of a table only the columns of numbers and of texts count: labels that are true or false, embeddings,
# lists of tokens, times, and a column of texts of which one is missing may be others from the first row on. The schema and the profile that are
# recorded beside it are equal too. On the other hand the digest is another one where the same rows have been numbered otherwise.
#
# Who is hurt: who proves by a run's record on which data a model was trained, or that two were trained on the same. Record a SHA-256 of the files.
#
# Seen 2026-11-30, Python 3.11: six pairs of different data, of equal digests each; one pair of the same rows, of two digests.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile mlflow-skinny==3.17.2 pandas==3.1.1 numpy==2.4.6 scipy==1.17.1
cat >"$work/digests.py" <<'PY'
import numpy, pandas
from mlflow.data.numpy_dataset import from_numpy
from mlflow.data.pandas_dataset import from_pandas


def table(**columns):
    return from_pandas(pandas.DataFrame(columns))


def late(value):
    return [0] * 10_000 + [value] * 10_000


def images(last):
    array = numpy.zeros((100, 28, 28))
    array[13:] = last
    return from_numpy(array)


def content(data):
    return (data.features if hasattr(data, "features") else data.df.to_numpy()).tolist()


days = pandas.to_datetime(["2026-01-01", "2026-01-02", "2026-01-03"])
pairs = {
    "rows from 10001 on": (table(n=late(1)), table(n=late(2))),
    "images from 14 on": (images(1), images(2)),
    "labels": (table(n=[1, 2, 3], label=[True, False, True]), table(n=[1, 2, 3], label=[False, True, False])),
    "tokens": (table(n=[1, 2], tokens=[[1, 2], [3]]), table(n=[1, 2], tokens=[[9], [8, 7]])),
    "times": (table(n=[1, 2, 3], time=days), table(n=[1, 2, 3], time=days[::-1])),
    "texts, one missing": (table(n=[1, 2], text=["yes", None]), table(n=[1, 2], text=["no", None])),
}
for name, (one, other) in pairs.items():
    print(f"{name}: {one.digest} {other.digest}")
    assert content(one) != content(other) and one.digest == other.digest and len(one.digest) == 8, name
    assert one.schema == other.schema and one.profile == other.profile, name
# Within the first rows, and in columns of numbers and texts, a difference is seen.
assert table(n=[1, 2], text=["yes", "a"]).digest != table(n=[1, 2], text=["no", "a"]).digest
frame = pandas.DataFrame({"n": [1, 2, 3]})
again = pandas.DataFrame({"n": [1, 2, 3]}, index=[10, 11, 12])
print("same rows, another index:", from_pandas(frame).digest, from_pandas(again).digest)
assert from_pandas(frame).digest != from_pandas(again).digest and frame["n"].tolist() == again["n"].tolist()
PY
"$work/venv/bin/python" -W ignore "$work/digests.py"
