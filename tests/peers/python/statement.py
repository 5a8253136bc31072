"""Verifies a signed statement with pycose and with cwt, which know nothing of Stele, and has both refuse damaged ones.

    statement.py STATEMENT.cose PUBLIC.pem [MANIFEST.cbor]

PUBLIC.pem is the signer's public key (SPKI), as OpenSSL writes it.
"""

import hashlib
import subprocess
import sys
import warnings

warnings.filterwarnings("ignore")

import cbor2
import cwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pycose.keys import OKPKey
from pycose.messages import CoseMessage, Sign1Message

from report import Report

COSE_SIGN1, EDDSA, ALG, CONTENT_TYPE, KID, CWT_CLAIMS, ISS, SUB = 18, -8, 1, 3, 4, 15, 1, 2


def main():
    statement = open(sys.argv[1], "rb").read()
    pem = open(sys.argv[2]).read()
    report = Report()

    report.check(statement[0] == 0xD2, "the first byte is tag 18, COSE_Sign1")
    tagged = cbor2.loads(statement)
    report.check(tagged.tag == COSE_SIGN1 and len(tagged.value) == 4, "COSE_Sign1 of four parts")
    protected, unprotected, payload, signature = tagged.value
    report.check(unprotected == {}, "the unprotected header is empty", unprotected)
    report.check(isinstance(payload, bytes), "the payload is attached")
    report.check(len(signature) == 64, "the signature has 64 bytes")

    header = cbor2.loads(protected)
    kid = hashlib.sha256(spki_der(pem)).digest()
    report.check(set(header) == {ALG, CONTENT_TYPE, KID, CWT_CLAIMS}, "the protected header has labels 1, 3, 4 and 15", header)
    report.check(header[ALG] == EDDSA, "label 1 is EdDSA", header[ALG])
    report.check(header[CONTENT_TYPE] == "application/vnd.stele.statement+cbor", "label 3 is the content type", header[3])
    report.check(header[KID] == kid, "label 4 is the SHA-256 of OpenSSL's DER of the public key", header[KID].hex())
    claims = header[CWT_CLAIMS]
    report.check(set(claims) == {ISS, SUB}, "label 15 has the CWT claims iss and sub", claims)

    record = cbor2.loads(payload)
    publisher, subject = record["publisher"]["name"], subject_of(record)
    report.check(claims[ISS] == f"https://{publisher}", "iss is the publisher's URI", claims[ISS])
    report.check(claims[SUB] == subject, f"sub is what the payload is about: {subject}", claims[SUB])
    for name, part in (("statement", statement), ("protected header", protected), ("payload", payload)):
        again = cbor2.dumps(cbor2.loads(part), canonical=True)
        report.check(again == part, f"the {name} is cbor2's canonical encoding of itself")
    if len(sys.argv) > 3:
        manifest = hashlib.sha256(open(sys.argv[3], "rb").read()).hexdigest()
        report.check(record["manifest"] == manifest, "the payload names the manifest by its SHA-256", record["manifest"])

    stranger = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key()
    other = stranger.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    for name, verify in (("pycose", by_pycose), ("cwt", by_cwt)):
        report.check(verify(statement, pem), f"{name} verifies the statement")
        report.check(not verify(statement, other), f"{name} refuses it under another key")
        flipped = [flip(statement, at) for at in range(len(statement))]
        accepted = [at for at, changed in enumerate(flipped) if verify(changed, pem)]
        report.check(not accepted, f"{name} refuses it with a bit of any of its {len(flipped)} bytes flipped", accepted)
        for what, changed in damaged(tagged.value):
            report.check(not verify(changed, pem), f"{name} refuses {what}")
    report.finish("statement")


def spki_der(pem):
    command = ["openssl", "pkey", "-pubin", "-outform", "DER"]
    return subprocess.run(command, input=pem.encode(), capture_output=True, check=True).stdout


def subject_of(record):
    if record["kind"] == "publisher":
        return record["publisher"]["name"]
    model = record["model"]
    return f"{record['publisher']['name']}/{model['name']}@{model['version']}#{model['variant']}"


def by_pycose(statement, pem):
    try:
        message = CoseMessage.decode(statement)
        if not isinstance(message, Sign1Message):
            return False
        message.key = OKPKey.from_pem_public_key(pem)
        return message.verify_signature() and message.encode(sign=False) == statement
    except Exception:
        return False


def by_cwt(statement, pem):
    kid = hashlib.sha256(spki_der_cached(pem)).digest()
    try:
        key = cwt.COSEKey.from_pem(pem, kid=kid)
        protected, unprotected, _ = cwt.COSE.new().decode_with_headers(statement, key)
        return unprotected == {} and protected[ALG] == EDDSA and cbor2.loads(statement).tag == COSE_SIGN1
    except Exception:
        return False


def spki_der_cached(pem, cache={}):
    if pem not in cache:
        cache[pem] = spki_der(pem)
    return cache[pem]


def flip(statement, at):
    changed = bytearray(statement)
    changed[at] ^= 1 << at % 8
    return bytes(changed)


def damaged(parts):
    """Damage that leaves the CBOR well-formed, so that only the signature can tell."""
    protected, unprotected, payload, signature = parts
    record, header = cbor2.loads(payload), cbor2.loads(protected)

    def message(**changes):
        part = {"protected": protected, "payload": payload, "signature": signature} | changes
        value = [part["protected"], unprotected, part["payload"], part["signature"]]
        return cbor2.dumps(cbor2.CBORTag(COSE_SIGN1, value))

    def payload_with(**changes):
        return message(payload=cbor2.dumps(record | changes, canonical=True))

    def header_with(label, value):
        return message(protected=cbor2.dumps(header | {label: value}, canonical=True))

    yield "another publisher in the payload", payload_with(publisher={"name": "mallory.example"})
    yield "another time in the payload", payload_with(issued_at="2020-01-01T00:00:00Z")
    if record["kind"] == "release":
        yield "another weights digest", payload_with(weights=record["weights"] | {"digest": "00" * 32})
        yield "another licence", payload_with(license=record["license"] | {"spdx": "CC0-1.0"})
    yield "another issuer in the header", header_with(CWT_CLAIMS, header[CWT_CLAIMS] | {ISS: "https://mallory.example"})
    yield "another subject in the header", header_with(CWT_CLAIMS, header[CWT_CLAIMS] | {SUB: "mallory.example"})
    yield "another algorithm", header_with(ALG, -7)
    yield "no algorithm", message(protected=cbor2.dumps({k: v for k, v in header.items() if k != ALG}, canonical=True))
    yield "a signature of zeros", message(signature=bytes(64))
    yield "no signature", message(signature=b"")
    yield "a detached payload", message(payload=None)


main()
