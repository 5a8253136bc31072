#!/usr/bin/env bash
# c2pa-python 0.38.1 (PyPI, with c2pa-rs 0.91.3), numpy 2.4.6, mlx 0.32.4 with mlx-cpu 0.32.4, and safetensors 0.8.0: an .npz file of weights is a ZIP
# archive, and content credentials for those are specified and made (C2PA specification 2.1, appendix A, Embedding manifests: a file META-INF/content_credential.c2pa
# in the archive). The signed file validates, no byte of the arrays has moved, and it is another model: numpy lists four arrays where there
# were two, of which `META-INF/` and the credential are bytes; `safetensors.numpy.save_file(dict(numpy.load(...)))`, as converters have it, fails on them; and
# mlx cannot load the file, with an error that names neither.
#
# Who is hurt: who signs weights before publishing them, because the standard covers their format: they verify, and the loaders that worked the day before do not.
#
# Seen 2026-11-30, Python 3.11, Linux: the lines at the end.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    c2pa-python==0.38.1 numpy==2.4.6 safetensors==0.8.0 mlx==0.32.4 mlx-cpu==0.32.4
cd "$work"
cat >openssl.cnf <<'CNF'
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = emailProtection
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
CNF
for name in ca leaf; do openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$name.key" 2>>openssl.out; done
openssl req -x509 -new -key ca.key -days 2 -subj '/O=Acme/CN=Acme root' -config <(printf '[req]\ndistinguished_name=n\n[n]\n'; cat openssl.cnf) -extensions ca -out ca.pem
openssl req -new -key leaf.key -subj '/O=Acme/CN=Acme models' -out leaf.csr
openssl x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 1 -extfile openssl.cnf -extensions leaf -out leaf.pem 2>>openssl.out
cat leaf.pem ca.pem >chain.pem
cat >sign.py <<'PY'
import io, json
import c2pa, numpy
import mlx.core as mx
from safetensors.numpy import save_file

signer = c2pa.Signer.from_info(
    c2pa.C2paSignerInfo(alg=b"es256", sign_cert=open("chain.pem", "rb").read(), private_key=open("leaf.key", "rb").read(), ta_url=None)
)
kind = "http://c2pa.org/digitalsourcetype/trainedAlgorithmicData"
manifest = {
    "claim_generator_info": [{"name": "acme", "version": "1"}],
    "title": "model.npz",
    "assertions": [{"label": "c2pa.actions", "data": {"actions": [{"action": "c2pa.created", "digitalSourceType": kind}]}}],
}
numpy.savez("plain.npz", w=numpy.arange(8, dtype=numpy.float32), b=numpy.ones(3, numpy.float32))
signed = io.BytesIO()
c2pa.Builder(json.dumps(manifest)).sign(signer, "zip", open("plain.npz", "rb"), signed)
open("signed.npz", "wb").write(signed.getvalue())
print(json.loads(c2pa.Reader("zip", signed).json())["validation_state"])


def outcome(load):
    try:
        return load()
    except Exception as error:
        return f"{type(error).__name__}: {error}"


for path in ("plain.npz", "signed.npz"):
    arrays = numpy.load(path)
    print(path, {name: type(arrays[name]).__name__ for name in arrays.files})
    print("  safetensors:", outcome(lambda: save_file(dict(arrays), "converted.safetensors")))
    print("  mlx:", outcome(lambda: sorted(mx.load(path))))
PY
found=$(venv/bin/python sign.py)
echo "$found"
[[ $found == "Valid
plain.npz {'w': 'ndarray', 'b': 'ndarray'}
  safetensors: None
  mlx: ['b', 'w']
signed.npz {'w': 'ndarray', 'b': 'ndarray', 'META-INF/': 'bytes', 'META-INF/content_credential.c2pa': 'bytes'}
  safetensors: AttributeError: 'bytes' object has no attribute 'dtype'
  mlx: RuntimeError: [load] Failed to read from python stream" ]]
