#!/usr/bin/env bash
# model-signing 1.1.1 (PyPI, with sigstore 4.5.1 and pyOpenSSL 26.4.0): the digest of the one `subject` of a signed model, by which others refer to it,
# does not cover the names of the files: it is SHA-256 over their digests one after the other. So the OpenSSF Model Signing specification v1.0 has it
# (section 6.5.1), and calls it one that represents the entire manifest and an identifier of it for metadata elsewhere. A model whose files are
# named otherwise, in the same order, so that other files are loaded or none, has the same one. The names are in the signed list of `resources`, and
# the tool compares them: it refuses the one folder under the signature of the other.
#
# Who is hurt: who takes the subject's digest for the identity of a model, as one does with a container's: as the key of a catalogue, or to say of
# two signatures that they are of one model. Two models that load differently are one there: compare the lists.
#
# Seen 2026-11-30, Python 3.11: two folders, one subject digest; other names in `resources`; verification across the two fails.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile model-signing==1.1.1 sigstore==4.5.1 pyopenssl==26.4.0
cd "$work"
mkdir one other
openssl ecparam -name prime256v1 -genkey -noout -out key.pem
openssl pkey -in key.pem -pubout -out key.pub
echo 'the adapter' >one/adapter_model.safetensors
echo 'short answers' >one/chat_template.jinja
echo 'the model' >one/model.safetensors
echo 'the adapter' >other/adapter.safetensors
echo 'short answers' >other/chat_template_short.jinja
echo 'the model' >other/model-00001-of-00001.safetensors
for model in one other; do venv/bin/model_signing sign key "$model" --private_key key.pem --signature "$model.sig"; done
venv/bin/model_signing verify key one --public_key key.pub --signature one.sig
if venv/bin/model_signing verify key other --public_key key.pub --signature one.sig 2>refused; then
    echo 'names do not count for the tool either: this has changed'
    exit 1
fi
venv/bin/python - <<'PY'
import base64, json

said = [json.loads(base64.b64decode(json.load(open(name + ".sig"))["dsseEnvelope"]["payload"])) for name in ("one", "other")]
subjects = [[subject["digest"]["sha256"] for subject in statement["subject"]] for statement in said]
names = [[resource["name"] for resource in statement["predicate"]["resources"]] for statement in said]
print("subjects:", *subjects)
print("names:", *names)
assert subjects[0] == subjects[1] and len(subjects[0]) == 1 and not {*names[0]} & {*names[1]}
PY
