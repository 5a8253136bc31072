#!/usr/bin/env bash
# model-signing 1.1.1 (PyPI, with sigstore 4.5.1 and pyOpenSSL 26.4.0), @sigstore/bundle 4.0.0 and @sigstore/verify 3.1.1 (npm): a signed model
# has a Sigstore bundle that says media type v0.3. One that was signed with a key is verified by Sigstore's JavaScript library, and
# cannot be opened by Sigstore's Python library, on which model-signing is built: "expected certificate in bundle". One that was signed
# with a certificate holds a chain of certificates, which v0.3 has no place for: neither library opens it. JavaScript opens the same
# bundle where its media type is changed to that of v0.2. model-signing itself verifies both as they are.
#
# Who is hurt: a registry or gate that reads Sigstore bundles with Sigstore's libraries: whether a model signed with a key passes depends on the
# language, and one that was signed with a certificate of one's own passes nowhere.
#
# Seen 2026-11-29, Python 3.11, Node 20.20:
#   key: Python InvalidBundle, JavaScript verified; certificate: Python InvalidBundle, JavaScript ValidationError
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check model-signing==1.1.1 sigstore==4.5.1 pyopenssl==26.4.0
mkdir "$work/node" "$work/model"
(cd "$work/node" && npm init --yes >npm.out && npm install --silent @sigstore/bundle@4.0.0 @sigstore/verify@3.1.1)
echo weights >"$work/model/weights"
cd "$work"
new=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
openssl req -x509 "${new[@]}" -keyout ca.key -out ca.pem -subj /CN=ca -days 30 2>openssl.err
openssl req "${new[@]}" -keyout leaf.key -out leaf.csr -subj /CN=leaf 2>>openssl.err
printf 'keyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\n' >extensions
openssl x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out leaf.pem -days 20 -extfile extensions 2>>openssl.err
openssl pkey -in leaf.key -pubout -out leaf.pub
sign=("$work/venv/bin/model_signing" sign) verify=("$work/venv/bin/model_signing" verify)
"${sign[@]}" key model --private_key leaf.key --signature key.sig
"${sign[@]}" certificate model --private_key leaf.key --signing_certificate leaf.pem --certificate_chain ca.pem --signature certificate.sig
"${verify[@]}" key model --public_key leaf.pub --signature key.sig
"${verify[@]}" certificate model --certificate_chain ca.pem --signature certificate.sig
cat >open.py <<'PY'
from sigstore.models import Bundle, InvalidBundle

for name in ("key", "certificate"):
    try:
        Bundle.from_json(open(name + ".sig").read())
        print(name + ": opened")
    except InvalidBundle as error:
        print(f"{name}: {error}")
PY
python=$("$work/venv/bin/python" open.py)
cat >node/open.mjs <<'JS'
import { createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { bundleFromJSON } from '@sigstore/bundle'
import { Verifier, toSignedEntity, toTrustMaterial } from '@sigstore/verify'

const publicKey = createPublicKey(readFileSync('leaf.pub'))
const none = { mediaType: '', certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] }
const trust = toTrustMaterial(none, () => ({ publicKey, validFor: () => true }))
const verifier = new Verifier(trust, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 })
for (const name of ['key', 'certificate']) {
  const bundle = JSON.parse(readFileSync(`${name}.sig`))
  try {
    verifier.verify(toSignedEntity(bundleFromJSON(bundle)))
    console.log(`${name}: verified, ${bundle.mediaType}`)
  } catch (error) {
    console.log(`${name}: ${error.message}, ${error.fields}`)
    bundle.mediaType = 'application/vnd.dev.sigstore.bundle+json;version=0.2'
    console.log(`as v0.2: ${bundleFromJSON(bundle).verificationMaterial.content.$case}`)
  }
}
// What was changed is not verified.
const changed = JSON.parse(readFileSync('key.sig'))
changed.dsseEnvelope.payload = Buffer.from('{}').toString('base64')
try {
  verifier.verify(toSignedEntity(bundleFromJSON(changed)))
  throw new Error('a changed bundle is verified')
} catch (error) {
  if (error.code !== 'SIGNATURE_ERROR') throw error
}
JS
node=$(node node/open.mjs)
printf 'Python:\n%s\nJavaScript:\n%s\n' "$python" "$node"
# shellcheck disable=SC2016 # the name of the member that is wrong has a dollar sign
[[ $python == 'key: expected certificate in bundle
certificate: expected certificate in bundle' && $node == 'key: verified, application/vnd.dev.sigstore.bundle.v0.3+json
certificate: invalid bundle, verificationMaterial.content.$case
as v0.2: x509CertificateChain' ]]
