#!/usr/bin/env bash
# c2pa-python 0.38.1 (PyPI, with c2pa-rs 0.91.3, the SDK of the Content Authenticity Initiative; numpy 2.4.6): a model of arrays (.npz, a ZIP archive) is signed
# with the base model that it was made from as an ingredient, of type `c2pa.types.model`. The program is given the base's bytes, `add_ingredient` reads
# them, and the manifest has nothing of them: no digest, no size. Under one title and id two bases with other weights, as safetensors or as .npz, give one
# assertion (`c2pa.ingredient.v3`; section 18.13, Ingredient, of the specification 2.1), and the whole validates. Only an ingredient that has a
# manifest of its own is bound to it (`activeManifest`). The signed archive is bound file by file, as one expects of the rest.
#
# Who is hurt: who reads in content credentials what a model was made from: a signature covers the statement that there was a base of that title, and none can
# say later which one. A record of lineage needs the digest: put it into an assertion of one's own.
#
# Seen 2026-11-30, Python 3.11: the lines at the end.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile c2pa-python==0.38.1 numpy==2.4.6 safetensors==0.8.0
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
import hashlib, io, json
import c2pa, numpy
from safetensors.numpy import save

signer = c2pa.Signer.from_info(
    c2pa.C2paSignerInfo(alg=b"es256", sign_cert=open("chain.pem", "rb").read(), private_key=open("leaf.key", "rb").read(), ta_url=None)
)
kind = "http://c2pa.org/digitalsourcetype/trainedAlgorithmicData"
manifest = {
    "claim_generator_info": [{"name": "acme", "version": "1"}],
    "title": "helper.npz",
    "assertions": [{"label": "c2pa.actions", "data": {"actions": [{"action": "c2pa.created", "digitalSourceType": kind}]}}],
}


def arrays(numbers):
    archive = io.BytesIO()
    numpy.savez(archive, w=numpy.array(numbers, numpy.float32))
    return archive.getvalue()


def signed(title, kind, base):
    """The signed archive, what its manifest says, and whether it is valid."""
    builder, archive = c2pa.Builder(json.dumps(manifest)), io.BytesIO()
    said = {"title": title, "relationship": "inputTo", "instance_id": "xmp:iid:1", "data_types": [{"type": "c2pa.types.model"}]}
    builder.add_ingredient(json.dumps(said), kind, io.BytesIO(base))
    builder.sign(signer, "zip", io.BytesIO(arrays([5, 6])), archive)
    reader = c2pa.Reader("zip", archive)
    store = json.loads(reader.detailed_json())
    made = store["manifests"][store["active_manifest"]]
    return archive.getvalue(), made["assertion_store"], json.loads(reader.json())["validation_state"]


def compare(name, kind, bases):
    results = [signed(name, kind, base) for base in bases]
    said = [store["c2pa.ingredient.v3"] for _, store, _ in results]
    digests = [hash(base).digest() for base in bases for hash in (hashlib.sha256, hashlib.sha384, hashlib.sha512)]
    anywhere = any(digest in archive for archive, _, _ in results for digest in digests)
    print(name, "same assertion:", said[0] == said[1], "digest anywhere:", anywhere, "both:", {state for _, _, state in results})
    return said[0]


print(compare("base.safetensors", "application/octet-stream", [save({"w": numpy.array(w, numpy.float32)}) for w in ([1, 2], [3, 4])]))
compare("base.npz", "zip", [arrays([1, 2]), arrays([3, 4])])
archive, store, _ = signed("base.npz", "zip", arrays([1, 2]))
print("of the model:", sorted(store["c2pa.hash.collection.data"]["uris"]))
again = signed("signed.npz", "zip", archive)[1]["c2pa.ingredient.v3"]
print("of a base with a manifest:", "activeManifest" in again)
PY
found=$(venv/bin/python sign.py)
echo "$found"
[[ $found == "base.safetensors same assertion: True digest anywhere: False both: {'Valid'}
{'relationship': 'inputTo', 'dc:title': 'base.safetensors', 'dc:format': 'application/octet-stream', 'instanceID': 'xmp:iid:1', 'dataTypes': [{'type': 'c2pa.types.model'}]}
base.npz same assertion: True digest anywhere: False both: {'Valid'}
of the model: ['w.npy']
of a base with a manifest: True" ]]
