#!/usr/bin/env bash
# Writes spec/vectors/foreign/openssl: keys of fixed bytes that OpenSSL read as DER and wrote as PEM, and the key id that it
# and sha256sum agree on. Run again it writes the same files.
#
#   tests/peers/openssl-vectors.sh spec/vectors/foreign/openssl
set -euo pipefail
out=${1:?usage: openssl-vectors.sh FOLDER}
mkdir -p "$out"

bytes() { python3 -c 'import sys; sys.stdout.buffer.write(bytes.fromhex(sys.argv[1]))' "$1"; }
seed() { printf 'stele openssl %s' "$1" | sha256sum | cut -c1-64; }

# PKCS#8 v1 (RFC 8410 §7): SEQUENCE { 0, { OID }, OCTET STRING { OCTET STRING { seed } } }.
private() { # name, DER in hex
    bytes "$2" | openssl pkey -inform DER -out "$out/$1-private.pem"
    openssl pkey -in "$out/$1-private.pem" -pubout -out "$out/$1-public.pem"
}
private ed25519 "302e020100300506032b657004220420$(seed ed25519)"
private ed25519-second "302e020100300506032b657004220420$(seed second)"
private x25519 "302e020100300506032b656e04220420$(seed x25519)"
private ed448 "3047020100300506032b6571043b0439$(seed ed448)$(seed more | cut -c1-50)"
private p256 "30310201010420$(seed p256)a00a06082a8648ce3d030107"

for name in ed25519 ed25519-second; do
    openssl pkey -in "$out/$name-private.pem" -pubout -outform DER | sha256sum | cut -c1-64 >"$out/$name.kid"
done

# An Ed25519 signature over a text, by `openssl pkeyutl`.
printf 'signed by OpenSSL\n' >"$out/message.txt"
openssl pkeyutl -sign -rawin -inkey "$out/ed25519-private.pem" -in "$out/message.txt" |
    python3 -c 'import sys; print(sys.stdin.buffer.read().hex())' >"$out/message.sig"
