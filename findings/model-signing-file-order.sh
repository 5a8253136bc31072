#!/usr/bin/env bash
# model-signing 1.1.1 (PyPI, with sigstore 4.5.1 and pyOpenSSL 26.4.0): the tool writes `resources`, and hashes them to the root
# digest of the bundle, in the order of path components (`sub/a` before `sub.txt`). The OpenSSF Model Signing specification v1.0
# (model-signing-spec, spec/v1.0.md of 2026-05, where `resources` and the root digest are described) asks for the order of the
# names' Unicode code points, in which `.` stands before `/`: `sub.txt` first. For a folder in which one name is the beginning of
# another up to a character below `/` (space to `.`), the two orders give two root digests.
#
# Who is hurt: whoever computes the root digest by the specification and compares it with one that the tool made.
#
# Seen 2026-11-28, Python 3.11: the digest in the bundle is that of the listed order and not that of the sorted one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check model-signing==1.1.1 sigstore==4.5.1 pyopenssl==26.4.0
mkdir -p "$work/model/sub"
for name in sub/a sub.txt plain; do echo "$name" >"$work/model/$name"; done
openssl ecparam -name prime256v1 -genkey -noout -out "$work/key.pem"
"$work/venv/bin/model_signing" sign key "$work/model" --private_key "$work/key.pem" --signature "$work/model.sig"
"$work/venv/bin/python" - "$work/model.sig" <<'PY'
import base64, hashlib, json, sys

statement = json.loads(base64.b64decode(json.load(open(sys.argv[1]))["dsseEnvelope"]["payload"]))
listed = statement["predicate"]["resources"]
root = lambda resources: hashlib.sha256(b"".join(bytes.fromhex(r["digest"]) for r in resources)).hexdigest()
by_code_point = sorted(listed, key=lambda resource: resource["name"])
found = statement["subject"][0]["digest"]["sha256"]
print("listed:", [r["name"] for r in listed], "sorted:", [r["name"] for r in by_code_point])
print("the root is that of the listed order:", found == root(listed), "of the sorted order:", found == root(by_code_point))
assert [r["name"] for r in listed] == ["plain", "sub/a", "sub.txt"]
assert found == root(listed) != root(by_code_point)
PY
