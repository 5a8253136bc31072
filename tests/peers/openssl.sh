#!/usr/bin/env bash
# OpenSSL reads a publisher's key and checks its signature; `stele` reads OpenSSL's keys, and refuses those of other kinds.
#
#   tests/peers/openssl.sh STELE PUBLISHER.pem STATEMENT.cose
source "$(dirname "$0")/lib.sh"

stele=$(realpath "${1:?usage: openssl.sh STELE PUBLISHER.pem STATEMENT.cose}")
private=$2 statement=$3
own=$(mktemp -d "$work/openssl.XXXXXX")
trap 'rm -rf "$own"' EXIT
record() { "$work/venv/bin/python" -B "$here/python/record.py" "$@"; }
kid_of() { openssl pkey -in "$1" -pubout -outform DER | sha256sum | cut -d' ' -f1; }
# shows FILE TEXT: whether `stele key show` of the file says this text.
shows() { "$stele" key show --json "$1" | record json-says "$2"; }

accepts "OpenSSL reads the publisher's private key" openssl pkey -in "$private" -noout
equal "it is an Ed25519 key" "ED25519 Private-Key:" "$(openssl pkey -in "$private" -noout -text | head -1)"
openssl pkey -in "$private" -pubout -out "$own/public.pem"
kid=$(kid_of "$private")
accepts "stele shows the kid that OpenSSL and sha256sum make of it" shows "$private" "$kid"
equal "the statement names that kid" "$kid" "$(record fields "$statement" | sed -n 's/^kid\t//p')"
accepts "stele writes the public key as OpenSSL does" shows "$private" "$(cat "$own/public.pem")"

record sig-structure "$statement" >"$own/signed"
record signature "$statement" >"$own/signature"
verify() { openssl pkeyutl -verify -rawin -pubin -inkey "$1" -sigfile "$own/signature" -in "$2"; }
accepts "OpenSSL verifies the statement's signature" verify "$own/public.pem" "$own/signed"
printf x | cat "$own/signed" - >"$own/other"
refuses "OpenSSL refuses it over other bytes" 'Verif.*[Ff]ail' verify "$own/public.pem" "$own/other"

for n in 1 2 3; do
    (umask 077 && openssl genpkey -algorithm ed25519 -out "$own/fresh-$n.pem")
    accepts "stele reads a key made by openssl genpkey, the $n. of 3" shows "$own/fresh-$n.pem" "$(kid_of "$own/fresh-$n.pem")"
done
openssl pkey -in "$own/fresh-1.pem" -pubout -out "$own/fresh-public.pem"
accepts "stele reads a public key written by OpenSSL" shows "$own/fresh-public.pem" "$(kid_of "$own/fresh-1.pem")"

other_kind() { # what, arguments of genpkey...
    local what=$1
    shift
    (umask 077 && openssl genpkey "$@" -out "$own/other.pem" 2>/dev/null)
    refuses "stele refuses $what" 'Ed25519' "$stele" key show "$own/other.pem"
}
other_kind "an Ed448 key" -algorithm ed448
other_kind "an X25519 key" -algorithm x25519
other_kind "a P-256 key" -algorithm EC -pkeyopt ec_paramgen_curve:P-256
other_kind "an RSA key" -algorithm RSA -pkeyopt rsa_keygen_bits:2048

# Keys that a passphrase encrypts, in both directions.
export STELE_PASSPHRASE=secret
encrypted() { # what, options of pkcs8...
    local what=$1
    shift
    (umask 077 && openssl pkcs8 -topk8 -in "$own/fresh-1.pem" -passout pass:secret -out "$own/encrypted.pem" "$@")
    accepts "stele reads a key encrypted with $what" shows "$own/encrypted.pem" "$(kid_of "$own/fresh-1.pem")"
    STELE_PASSPHRASE=wrong refuses "stele refuses another passphrase for $what" 'does not decrypt' "$stele" key show "$own/encrypted.pem"
}
encrypted "what OpenSSL takes by itself"
for cipher in aes-128-cbc aes-192-cbc aes-256-cbc; do encrypted "PBKDF2 and $cipher" -v2 "$cipher"; done
encrypted "PBKDF2 with SHA-1" -v2 aes-256-cbc -v2prf hmacWithSHA1
encrypted "PBKDF2 with SHA-512" -v2 aes-256-cbc -v2prf hmacWithSHA512
encrypted "scrypt" -scrypt
(umask 077 && openssl pkcs8 -topk8 -in "$own/fresh-1.pem" -passout pass:secret -out "$own/encrypted.pem" -v2 aes-256-cbc -iter 10000001)
refuses "stele refuses a key that asks for too many rounds" 'rounds of PBKDF2' "$stele" key show "$own/encrypted.pem"
accepts "stele makes an encrypted key" "$stele" key new "$own/made.pem" --encrypt
accepts "OpenSSL decrypts it" openssl pkey -in "$own/made.pem" -passin pass:secret -noout
refuses "OpenSSL refuses another passphrase for it" '.' openssl pkey -in "$own/made.pem" -passin pass:wrong -noout
openssl pkey -in "$own/made.pem" -passin pass:secret -out "$own/made-plain.pem"
chmod 600 "$own/made-plain.pem"
accepts "it is the same key" shows "$own/made.pem" "$(kid_of "$own/made-plain.pem")"
unset STELE_PASSPHRASE

finish openssl
