"""The receipts that scitt-cose publishes, as one file of vectors, each with the verdict that it publishes and that of its own library.

    scitt_cose_vectors.py FOLDER OUT.json

FOLDER is `test-vectors` of scitt-cose's source distribution.
"""

import json
import pathlib
import sys

import scitt_cose

ABOUT = (
    "Receipts of the source distribution of scitt-cose 0.5.0 (Apache-2.0), folders test-vectors/v1 and receipt-v1, in hex. 'scitt_cose' is "
    "the verdict that it publishes, and that its library gives. 'stele' is the code with which stele-spec refuses a receipt by its log's key "
    "alone, null where it verifies. It is stricter where it says: 'wrong-algorithm' (Ed25519 alone), 'wrong-structure' (RFC9162_SHA256 alone), "
    "'not-one-proof'."
)

# By the profile of the chapter on receipts.
STELE = {
    "v1/fail-tampered-path": "bad-receipt-signature",
    "v1/fail-unsupported-vds": "wrong-structure",
    "v1/fail-zero-size-proof": "empty-path",
    "v1/valid-ccf-vds2": "signature-length",
    "v1/valid-eddsa-multi-proof": "not-one-proof",
    "v1/valid-es256": "wrong-algorithm",
    "receipt-v1/fail-attached-payload": "attached-payload",
    "receipt-v1/fail-attached-payload-root": "attached-payload",
    "receipt-v1/fail-eddsa-p256-key": "key-refused",
    "receipt-v1/fail-es256-secp256k1-key": "wrong-algorithm",
    "receipt-v1/fail-es384-p256-key": "signature-length",
    "receipt-v1/fail-malformed-proof": "not-in-log",
    "receipt-v1/fail-malformed-tail-proof": "not-one-proof",
    "receipt-v1/fail-tampered-grade": "bad-receipt-signature",
    "receipt-v1/fail-tampered-iat": "bad-receipt-signature",
    "receipt-v1/fail-unsupported-alg": "signature-length",
    "receipt-v1/fail-wrong-log-key": "bad-receipt-signature",
    "receipt-v1/synthetic-es256-iat-grade": "wrong-algorithm",
    "receipt-v1/synthetic-es256-iat-grade-observed-only": "wrong-algorithm",
}


def main():
    folder, out = pathlib.Path(sys.argv[1]), sys.argv[2]
    cases = []
    for receipt in sorted(folder.glob("*/*/receipt.cose")):
        name = "/".join(receipt.parts[-3:-1])
        expected = json.loads((receipt.parent / "expected.json").read_text())
        entry = expected.get("leaf_entry") or expected["leaf_entry_hex"]
        published = expected["ok"] if "ok" in expected else expected["receipt_valid"]
        key = (receipt.parent / "log-key.pub").read_text()
        found = scitt_cose.verify_receipt(receipt.read_bytes(), leaf_entry_hex=entry, log_public_key_pem=key)
        if found.ok != published:
            sys.exit(f"{name}: published {published}, found {found.ok}: {found.errors}")
        cases.append(
            {
                "name": name,
                "receipt": receipt.read_bytes().hex(),
                "entry": entry,
                "key": key,
                "root": found.root if found.ok else None,
                "scitt_cose": published,
                "stele": STELE.get(name),
            }
        )
    cases.sort(key=lambda case: (case["stele"] is None, case["name"]))
    pathlib.Path(out).write_text(json.dumps({"about": ABOUT, "cases": cases}, indent=2) + "\n")


main()
