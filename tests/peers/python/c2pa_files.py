"""C2PA manifests in files of models: c2pa_files.py STELE.

c2pa-python, the SDK of the Content Authenticity Initiative, signs; c2pa-ml puts what it signed into files. `stele inspect` says what is in them, where, and both digests.
"""

import base64
import hashlib
import io
import json
import struct
import subprocess
import sys
import tempfile
import zlib
from datetime import datetime, timedelta, timezone
from pathlib import Path

import c2pa
import c2pa_ml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from report import Report

TITLE, GENERATOR = "tiny-1.0", "acme-trainer 3.1"


def chain():
    """A certificate that nobody trusts, as the SDK wants one, and its key."""
    now, curve = datetime.now(timezone.utc), ec.SECP256R1()
    root_key, key = ec.generate_private_key(curve), ec.generate_private_key(curve)

    def certificate(name, public, is_root):
        named = lambda of: x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, of), x509.NameAttribute(NameOID.COMMON_NAME, of)])
        bits = [not is_root] + [False] * 4 + [is_root] + [False] * 3
        made = (
            x509.CertificateBuilder(named("root"), named(name), public, x509.random_serial_number(), now - timedelta(days=1), now + timedelta(days=2))
            .add_extension(x509.BasicConstraints(is_root, None), True)
            .add_extension(x509.KeyUsage(*bits), True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), False)
        )
        if not is_root:
            made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False)
        return made.sign(root_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    certificates = certificate("signer", key.public_key(), False) + certificate("root", root_key.public_key(), True)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return certificates, pem


def signed():
    """A manifest store: of a picture of one pixel, for the SDK knows no format of models."""
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    size = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    picture = b"\x89PNG\r\n\x1a\n" + size + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")
    certificates, key = chain()
    signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(alg=b"es256", sign_cert=certificates, private_key=key, ta_url=None))
    name, version = GENERATOR.split()
    # The SDK wants to be told how it came to be.
    created = {"action": "c2pa.created", "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia"}
    assertions = [{"label": "c2pa.actions.v2", "data": {"actions": [created]}}]
    builder = c2pa.Builder({"claim_generator_info": [{"name": name, "version": version}], "title": TITLE, "assertions": assertions})
    builder.set_no_embed()
    return builder.sign(signer, "image/png", io.BytesIO(picture), io.BytesIO())


def models():
    header = b'{"__metadata__":{"format":"pt"},"w":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}'
    # A version, a graph with a name, and an operator set.
    onnx = b"\x08\x0a" + b"\x3a\x03\x12\x01g" + b"\x42\x02\x10\x12"
    return {"safetensors": struct.pack("<Q", len(header)) + header + bytes(4), "onnx": onnx}


def main(stele):
    report, store = Report(), signed()
    with tempfile.TemporaryDirectory() as work:

        def inspected(name, content):
            path = Path(work) / name
            path.write_bytes(content)
            ran = subprocess.run([stele, "inspect", path, "--json"], capture_output=True, text=True)
            return json.loads(ran.stdout)["c2pa"] if ran.returncode == 0 else ran.stderr

        for form, bare in models().items():
            report.check(inspected(f"bare.{form}", bare) is None, f"{form}: none is found where none is")
            with_it = c2pa_ml.embed_manifest(bare, store)
            report.check(c2pa_ml.read_manifest(with_it) == store, f"{form}: c2pa-ml reads its own")
            value = base64.b64encode(store)
            found = inspected(f"with.{form}", with_it)
            said = (found["title"], found["generator"], found["bytes"], found["problem"], found["checked"])
            report.check(said == (TITLE, GENERATOR, len(value), None, False), f"{form}: title, program and length are those that were signed", found)
            digests = [hashlib.sha256(content).hexdigest() for content in (with_it, with_it.replace(value, b""))]
            report.check([found["sha256"], found["sha256_without"]] == digests, f"{form}: both digests are those of hashlib", found)
            # What was signed was a picture.
            report.check(found["is_of_this_content"] is not True, f"{form}: it is not said to be of this content", found)
            for what, changed in [
                ("no Base64", with_it.replace(value, b"!" + value[1:])),
                ("no store", with_it.replace(value, base64.b64encode(bytes(len(store))))),
            ]:
                found = inspected(f"changed.{form}", changed)
                report.check(found["problem"] and found["title"] is None, f"{form}: {what} is not read, and it is said why", found)
        found = inspected("model.c2pa", store)
        report.check((found["title"], found["generator"]) == (TITLE, GENERATOR), "a store alone is read", found)
        for end in range(0, len(store), 997):
            found = inspected("cut.c2pa", store[:end])
            report.check(isinstance(found, str) or found["problem"], f"a store that ends after {end} bytes is not read", found)
    report.finish("c2pa")


if __name__ == "__main__":
    main(*sys.argv[1:])
