#!/usr/bin/env bash
# olot 1.2.1 (PyPI): it puts the files of a model as layers into an OCI image (a ModelCar, which KServe mounts). Each layer is a tar archive of one file; the numbers of owner and group in it are
# set to 0 and the mode to one for all, so that one expects one digest for one file. But the time of the file's last change is left in, and so are the names of the user and the group
# that owned the file, beside the number 0. And the image's history has the time at which the archive was written, to the second, as `created`. So two builds of one model
# have two digests; and where the files were downloaded in between, the layers have, too. The annotation `olot.layer.content.digest` is the same: it has the digest of the file.
#
# Who is hurt: who builds an image again from recorded weights to check it, and who counts on a registry to keep a model of 100 GB once: each build from a new download is stored and pulled in
# full. And who publishes: a name of a login goes with the model. Set the time and the owner of the files before, and compare by the annotation.
#
# Seen 2026-12-01, Python 3.11: the lines at the end.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check olot==1.2.1
cat >"$work/base.py" <<'PY'
import gzip, hashlib, io, json, pathlib, sys, tarfile

folder = pathlib.Path(sys.argv[1])
blobs = folder / "blobs/sha256"
blobs.mkdir(parents=True)


def blob(content, kind):
    digest = hashlib.sha256(content).hexdigest()
    (blobs / digest).write_bytes(content)
    return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{digest}", "size": len(content)}


layer = io.BytesIO()
tarfile.open(fileobj=layer, mode="w").close()
base = blob(layer.getvalue(), "layer.v1.tar")
config = {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": [base["digest"]]}, "history": [{"created_by": "base"}]}
manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": blob(json.dumps(config).encode(), "config.v1+json"), "layers": [base]}
index = {"schemaVersion": 2, "manifests": [blob(json.dumps(manifest).encode(), "manifest.v1+json")]}
(folder / "index.json").write_text(json.dumps(index))
(folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
PY
cat >"$work/compare.py" <<'PY'
import json, pathlib, sys, tarfile

builds = []
for folder in map(pathlib.Path, sys.argv[1:4]):
    read = lambda descriptor: json.loads((folder / "blobs" / descriptor["digest"].replace(":", "/")).read_text())
    image = json.loads((folder / "index.json").read_text())["manifests"][0]
    manifest = read(image)
    layer = manifest["layers"][1]
    member = tarfile.open(folder / "blobs" / layer["digest"].replace(":", "/")).getmembers()[0]
    said = {"file": layer["annotations"]["olot.layer.content.digest"], "layer": layer["digest"], "config": manifest["config"]["digest"], "image": image["digest"]}
    builds.append((said, member, read(manifest["config"])["history"]))
first, later, downloaded = builds
for name, other in (("a build two seconds later", later), ("the file downloaded anew", downloaded)):
    print(f"{name}:", *(f"{part} {'same' if other[0][part] == first[0][part] else 'other'}" for part in first[0]))
print("in the archive: numbers", first[1].uid, first[1].gid, "name of the owner:", first[1].uname == sys.argv[4], "time of the file:", first[1].mtime, downloaded[1].mtime)
print("histories:", len({json.dumps(build[2]) for build in builds}))
PY
mkdir "$work/model"
printf weights >"$work/model/model.safetensors"
for build in first later downloaded; do
    touch --date=@$([[ $build == downloaded ]] && echo 2000000 || echo 1000000) "$work/model/model.safetensors"
    "$work/venv/bin/python" "$work/base.py" "$work/$build"
    "$work/venv/bin/olot" "$work/$build" "$work/model/model.safetensors" 2>"$work/err" || { cat "$work/err"; exit 1; }
    sleep 2
done
owner=$(stat --format=%U "$work/model/model.safetensors")
found=$("$work/venv/bin/python" "$work/compare.py" "$work/first" "$work/later" "$work/downloaded" "$owner")
echo "$found"
[[ $found == 'a build two seconds later: file same layer same config other image other
the file downloaded anew: file same layer other config other image other
in the archive: numbers 0 0 name of the owner: True time of the file: 1000000 2000000
histories: 3' ]]
