#!/usr/bin/env bash
# tensorstore 0.1.86 (PyPI, with numpy 2.4.6): a checkpoint in OCDBT, the form in which Orbax saves JAX models, keeps what it held before. New weights
# that are written over old ones, as well as the deletion of every key, only add to the files: with `"version": 3` in the specification the same
# library reads the old weights out of the same folder, in which it lists no key any more. The manifest has the time of each of these steps, to the
# nanosecond. And the same weights saved into two folders have no file of the same digest, nor, but for the manifest, of the same name: the
# names are random, as is an identifier that each file carries.
#
# Who is hurt: who trains or edits in a folder and publishes it: weights that were withdrawn, or of a run on data that had to go, are published
# with the new, and can be had by anybody: write what is to be published into an empty folder. And who compares checkpoints by the digests of their files.
#
# Seen 2026-11-30, Python 3.11: versions 3 and 4 are the old and the new weights, before the deletion and after; 3 files each, none shared.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check tensorstore==0.1.86 numpy==2.4.6
cat >"$work/save.py" <<'PY'
import hashlib, pathlib, sys
import numpy, tensorstore

root = pathlib.Path(sys.argv[1])


def checkpoint(name, **version):
    return {"driver": "ocdbt", "base": f"file://{root / name}/", **version}


def tensor(name, **version):
    return {"driver": "zarr", "kvstore": {**checkpoint(name, **version), "path": "w/"}}


def save(name, weights):
    array = tensorstore.open(tensor(name), open=True, create=True, dtype=tensorstore.float32, shape=weights.shape).result()
    array.write(weights).result()


def loaded(name, **version):
    return tensorstore.open(tensor(name, **version)).result().read().result()


def digests(name):
    files = (path for path in (root / name).rglob("*") if path.is_file())
    return {str(path.relative_to(root / name)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def past(name):
    return [bool(numpy.array_equal(loaded(name, version=number), weights)) for number, weights in ((3, old), (4, new))]


old, new = numpy.random.default_rng(0).standard_normal((2, 256, 256)).astype(numpy.float32)
save("one", old)
save("other", old)
one, other = digests("one"), digests("other")
assert numpy.array_equal(loaded("one"), loaded("other"))
names, contents = one.keys() & other.keys(), {*one.values()} & {*other.values()}
print("files:", len(one), len(other), "names of both:", names, "digests of both:", contents)
assert len(one) == len(other) == 3 and names == {"manifest.ocdbt"} and not contents
save("one", new)
assert numpy.array_equal(loaded("one"), new)
print("written over; old and new are there:", past("one"))
assert past("one") == [True, True]
store = tensorstore.KvStore.open(checkpoint("one")).result()
store.delete_range(tensorstore.KvStore.KeyRange()).result()
print("deleted; keys:", store.list().result(), "old and new are there:", past("one"))
assert store.list().result() == [] and past("one") == [True, True]
PY
"$work/venv/bin/python" "$work/save.py" "$work"
