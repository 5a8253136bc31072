#!/usr/bin/env bash
# model-signing 1.1.1 (PyPI, with sigstore 4.5.1 and pyOpenSSL 26.4.0): of a model that is one file the tool lists the name `.`. The OpenSSF Model Signing
# specification v1.0 (sections 5.2.1 and 6.1.2) asks for the name of the file there. The tool refuses a bundle that has it: it verifies its own
# bundles of single files, and none that a signer by the specification made.
#
# Who is hurt: who publishes a model of one file (GGUF, ONNX) signed by another tool, and who renames a file that this one signed: by the
# specification that is another model, by the tool the same one. Sign the folder that the file lies in.
#
# Seen 2026-11-30, Python 3.11: the name is `.`; the same list with the file's name, signed with the same key, is refused, and its folder verified.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile model-signing==1.1.1 sigstore==4.5.1 pyopenssl==26.4.0
cd "$work"
mkdir model
echo weights >model/tiny.gguf
openssl ecparam -name prime256v1 -genkey -noout -out key.pem
openssl pkey -in key.pem -pubout -out key.pub
venv/bin/model_signing sign key model/tiny.gguf --private_key key.pem --signature tool.sig
venv/bin/model_signing verify key model/tiny.gguf --public_key key.pub --signature tool.sig
# The same bundle with the name that the specification asks for, signed with the same key.
venv/bin/python - <<'PY'
import base64, json
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

bundle = json.load(open("tool.sig"))
envelope = bundle["dsseEnvelope"]
statement = json.loads(base64.b64decode(envelope["payload"]))
names = [resource["name"] for resource in statement["predicate"]["resources"]]
print("listed:", names)
assert names == ["."]
statement["predicate"]["resources"][0]["name"] = "tiny.gguf"
payload = json.dumps(statement).encode()
kind = envelope["payloadType"]
key = serialization.load_pem_private_key(open("key.pem", "rb").read(), None)
signature = key.sign(f"DSSEv1 {len(kind)} {kind} {len(payload)} ".encode() + payload, ec.ECDSA(hashes.SHA256()))
envelope["payload"] = base64.b64encode(payload).decode()
envelope["signatures"][0]["sig"] = base64.b64encode(signature).decode()
json.dump(bundle, open("specification.sig", "w"))
PY
if venv/bin/model_signing verify key model/tiny.gguf --public_key key.pub --signature specification.sig 2>refused; then
    echo 'the name that the specification asks for is taken: this has changed'
    exit 1
fi
# It is well signed: the folder that the file lies in is what the list says.
venv/bin/model_signing verify key model --public_key key.pub --signature specification.sig
