"""Receipts by the libraries of others, each with its statement and the log's key: what the SCITT conformance suite judges offline.

    scitt_receipts.py FOLDER

Writes FOLDER/NAME/{statement.cose,receipt.cose,keys.cbor}: scitt-cose with ES256 and EdDSA, and the service of csoai-scitt-ts.
"""

import hashlib
import pathlib
import sys

import cbor2
import scitt_cose
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from csoai_scitt_ts.service import TransparencyService
from csoai_scitt_ts.statement import card_to_signed_statement

PKCS8 = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def cose_key(key):
    """The public half as a COSE_Key, without a kid, and its thumbprint (RFC 9679)."""
    public = key.public_key()
    if isinstance(key, ed25519.Ed25519PrivateKey):
        x = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        required = {1: 1, -1: 6, -2: x}
    else:
        numbers = public.public_numbers()
        required = {1: 2, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
    return required, hashlib.sha256(cbor2.dumps(required)).digest()


def write(folder, statement, receipt, key, kid):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "statement.cose").write_bytes(statement)
    (folder / "receipt.cose").write_bytes(receipt)
    (folder / "keys.cbor").write_bytes(cbor2.dumps([{**key, 2: kid}]))


def main():
    out = pathlib.Path(sys.argv[1])
    signer = ed25519.Ed25519PrivateKey.generate().private_bytes(*PKCS8)
    statements = [card_to_signed_statement({"card": number}, private_key_pem=signer) for number in range(3)]
    for alg, key in (("EdDSA", ed25519.Ed25519PrivateKey.generate()), ("ES256", ec.generate_private_key(ec.SECP256R1()))):
        public, kid = cose_key(key)
        receipt = scitt_cose.build_receipt(
            leaf_entry_hex=statements[1].hex(),
            leaf_index=1,
            tree_entries_hex=[statement.hex() for statement in statements],
            alg=alg,
            log_private_key_pem=key.private_bytes(*PKCS8),
            iss="https://log.example",
            sub="a log",
            kid=kid,
        )
        write(out / f"scitt-cose-{alg}", statements[1], receipt, public, kid)
    key = ed25519.Ed25519PrivateKey.generate()
    service = TransparencyService(":memory:", key.private_bytes(*PKCS8))
    receipts = [service.register(statement).receipt for statement in statements]
    write(out / "csoai-scitt-ts", statements[2], receipts[2], *cose_key(key))


main()
