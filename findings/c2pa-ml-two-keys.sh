#!/usr/bin/env bash
# c2pa-ml 0.1.0 and 0.2.0 (PyPI): a manifest of the C2PA that version 0.1.0 put into a safetensors file is not found by version 0.2.0, which says `no C2PA manifest
# found in model`: the key was `c2pa.manifest` and is `c2pa:manifest`, as the C2PA specification has it. Nor is it replaced or removed: who embeds again with 0.2.0 has a file with both, of
# which each version reads its own and takes it for the only one, and `remove_manifest` of 0.2.0 leaves the old one in.
#
# Who is hurt: who embedded with 0.1.0 and upgrades has models that carry no manifest by today's readers, and after a second embedding a claim of before that nobody sees, in the
# bytes that the new manifest's hash of the content covers. Version 0.2.0 tells of a second `c2pa:manifest`, and not of this.
#
# Seen 2026-11-30, Python 3.11: 0.2.0 finds nothing in a file of 0.1.0; after it embedded again each version reads its own manifest of the one file.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for version in 0.1.0 0.2.0; do
    python3 -m venv "$work/$version"
    "$work/$version/bin/pip" install --quiet --disable-pip-version-check --no-compile "c2pa-ml==$version"
done
cd "$work"
0.1.0/bin/python - <<'PY'
import struct
import c2pa_ml

header = b'{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
bare = struct.pack("<Q", len(header)) + header + bytes(4)
open("old.safetensors", "wb").write(c2pa_ml.embed_manifest(bare, b"of 0.1.0"))
PY
0.2.0/bin/python - <<'PY'
import c2pa_ml

old = open("old.safetensors", "rb").read()
try:
    print("0.2.0 of the file of 0.1.0:", c2pa_ml.read_manifest(old))
    raise SystemExit("the manifest of 0.1.0 is found: this has changed")
except ValueError as error:
    print("0.2.0 of the file of 0.1.0:", error)
both = c2pa_ml.embed_manifest(old, b"of 0.2.0")
open("both.safetensors", "wb").write(both)
print("0.2.0 after it embedded again:", c2pa_ml.read_manifest(both))
assert b"c2pa.manifest" in c2pa_ml.remove_manifest(both), "the old manifest is removed: this has changed"
PY
0.1.0/bin/python -c 'import c2pa_ml; print("0.1.0 of the same file:", c2pa_ml.read_manifest(open("both.safetensors", "rb").read()))'
