#!/usr/bin/env bash
# rfc3161-client 1.0.9 (PyPI, with cryptography 50.0.2; Sigstore's Python client reads timestamps with it), @sigstore/core 4.0.1 (npm) and OpenSSL 3.0: whether Python can read a timestamp
# that OpenSSL issued depends on how long the certificates in it are. They are a SET OF (RFC 5652, section 5.1), which DER sorts by its bytes, and these begin with the length;
# OpenSSL writes the authority's own first, whatever comes behind. Where the root's is the longer one that is the order of DER, and all three verify the timestamp. Where the
# authority's is the longer one, as with a root of a short name, Python ends with `InvalidSetOrdering`; JavaScript and OpenSSL verify it. By the letter Python is right: an
# answer over HTTP is DER (RFC 3161, section 3.4).
#
# Who is hurt: who proves when a model was signed by a timestamping authority of one's own, built on `openssl ts`: with one pair of certificates all is well, after a renewal
# with another name or key Sigstore's Python client reads no new timestamp, and the error says nothing of certificates. Try both clients with the certificates in use.
#
# Seen 2026-11-30, Python 3.11, Node 20.20, OpenSSL 3.0.19: the lines at the end.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check rfc3161-client==1.0.9 cryptography==50.0.2
mkdir "$work/node"
(cd "$work/node" && npm init --yes >npm.out && npm install --silent @sigstore/core@4.0.1)
cat >"$work/read.py" <<'PY'
import sys
from cryptography import x509
from rfc3161_client import VerifierBuilder, decode_timestamp_response

answer, root, data = (open(path, "rb").read() for path in sys.argv[1:])
verifier = VerifierBuilder().add_root_certificate(x509.load_pem_x509_certificate(root)).build()
try:
    print("good" if verifier.verify_message(decode_timestamp_response(answer), data) else "bad")
except ValueError as error:
    print(str(error).split("kind: ")[-1].split(",")[0])
PY
cat >"$work/node/read.mjs" <<'JS'
import { readFileSync } from 'node:fs'
import core from '@sigstore/core'

const [answer, key, data] = process.argv.slice(2).map((path) => readFileSync(path))
core.RFC3161Timestamp.parse(answer).verify(data, core.crypto.createPublicKey(key.toString()))
console.log('good')
JS
# What an authority of a name, under a root of a name, says of the file `data`.
issue() {
    openssl req -x509 $curve -keyout root.key -out root.pem -subj "/CN=$2" -days 30
    openssl req $curve -keyout tsa.key -out tsa.csr -subj "/CN=$1"
    openssl x509 -req -in tsa.csr -CA root.pem -CAkey root.key -CAcreateserial -extfile extensions -out tsa.pem -days 20
    openssl x509 -in tsa.pem -noout -pubkey -out tsa.pub
    openssl ts -query -data data -sha256 -cert -out query
    openssl ts -reply -config config -queryfile query -out answer
}
cd "$work"
curve='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
printf model >data
echo 01 >serial
printf 'extendedKeyUsage = critical, timeStamping\nkeyUsage = critical, digitalSignature\n' >extensions
cat >config <<'CONFIG'
[tsa]
default_tsa = authority

[authority]
serial = serial
signer_cert = tsa.pem
certs = root.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256
ess_cert_id_alg = sha256
CONFIG
length() { openssl x509 -in "$1" -outform der | wc -c; }
found=$(for names in 'authority root-of-trust-for-timestamps-of-the-acme-model-works-of-2026' 'authority root'; do
    read -r authority root <<<"$names"
    issue "$authority" "$root" >out 2>&1 || { cat out; exit 1; }
    [[ $(length tsa.pem) -lt $(length root.pem) ]] && echo "the root's is longer:" || echo "the authority's is longer:"
    echo "  OpenSSL: $(openssl ts -verify -data data -in answer -CAfile root.pem 2>&1 | tail -n 1)"
    echo "  Python: $(venv/bin/python read.py answer root.pem data)"
    echo "  JavaScript: $(node node/read.mjs answer tsa.pub data)"
done)
echo "$found"
[[ $found == "the root's is longer:
  OpenSSL: Verification: OK
  Python: good
  JavaScript: good
the authority's is longer:
  OpenSSL: Verification: OK
  Python: InvalidSetOrdering
  JavaScript: good" ]]
