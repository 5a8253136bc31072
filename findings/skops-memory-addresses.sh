#!/usr/bin/env bash
# skops 0.16.0 (PyPI, with scikit-learn 1.9.1 and numpy 2.4.6): the file of a model holds where its objects lay in the memory of the process
# that saved it: as `__id__` of each part of `schema.json`, and as the names of the arrays in the archive. The arrays are the same in
# each process, and so are the bytes that `pickle.dumps` gives for the same model.
#
# Who is hurt: who rebuilds a model and compares digests (no two saves are equal, whatever the time says), and who publishes: the file
# tells strangers how a process of the training machine was laid out.
#
# Seen 2026-11-29, Python 3.11: three processes: three sets of names, three schemas, one set of arrays, one pickle.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check skops==0.16.0 scikit-learn==1.9.1 numpy==2.4.6
cat >"$work/save.py" <<'PY'
import hashlib, io, json, pickle, zipfile
import numpy, skops.io
from sklearn.linear_model import LogisticRegression

model = LogisticRegression().fit(numpy.eye(4), [0, 1, 0, 1])
archive = zipfile.ZipFile(io.BytesIO(skops.io.dumps(model)))
digest = lambda data: hashlib.sha256(data).hexdigest()[:16]
names = [name for name in archive.namelist() if name.endswith(".npy")]
schema = archive.read("schema.json")
# The name of an array is the address of the object that it was.
assert all(f'"file": "{name}"' in schema.decode() and f'"__id__": {name[:-4]}' in schema.decode() for name in names) and names
arrays = sorted(digest(archive.read(name)) for name in names)
print(digest(repr(names).encode()), digest(schema), digest(repr(arrays).encode()), digest(pickle.dumps(model)))
PY
for _ in 1 2 3; do "$work/venv/bin/python" "$work/save.py"; done | tee "$work/all"
different() { cut -d' ' -f"$1" "$work/all" | sort -u | wc -l; }
echo "names: $(different 1) different, schemas: $(different 2), arrays: $(different 3), pickles: $(different 4)"
[[ $(different 1) -gt 1 && $(different 2) -gt 1 && $(different 3) -eq 1 && $(different 4) -eq 1 ]]
