"""Model Signing both ways, with the tool that most models are signed with: oms.py STELE MODEL.

What model_signing signs, `stele oms verify` verifies; what `stele oms sign` signs, model_signing verifies; and both refuse a model that was changed.
"""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from model_signing import hashing, signing, verifying
from model_signing._signing import sign_sigstore_pb

from report import Report

# In which order the tool and the specification differ: `/` stands behind `.`.
ORDER = {"sub/a": "x", "sub.txt": "y", "é.txt": "z", "empty": ""}

OK, DIFFERS, BAD_SIGNATURE, BAD_INPUT, MISSING, UNSIGNED = 0, 1, 5, 7, 15, 16


class Peers:
    def __init__(self, report, stele, model, work):
        self.report, self.stele, self.source, self.work = report, stele, Path(model), work
        self.numbers = iter(range(1_000_000))

    def key(self, curve, form):
        """A new key in a form of private keys, as two files."""
        number = next(self.numbers)
        private, public = self.work / f"{number}.pem", self.work / f"{number}.pub"
        key = ec.generate_private_key(curve)
        pem = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
        private.touch(mode=0o600)
        private.write_bytes(pem)
        spki = serialization.PublicFormat.SubjectPublicKeyInfo
        public.write_bytes(key.public_key().public_bytes(serialization.Encoding.PEM, spki))
        return private, public

    def model(self):
        """A copy of the model, with files whose order matters."""
        folder = self.work / f"model-{next(self.numbers)}"
        shutil.copytree(self.source, folder, ignore=shutil.ignore_patterns("release.*"))
        for name, text in ORDER.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text)
        return folder

    def ours(self, verb, *arguments):
        ran = subprocess.run([self.stele, "oms", verb, *map(str, arguments)], capture_output=True, text=True)
        return ran.returncode, ran.stdout + ran.stderr

    def ours_says(self, code, what, model, signature, public, *options):
        found, said = self.ours("verify", model, "--signature", signature, "--public-key", public, *options)
        self.report.check(found == code, f"stele ends with {code}: {what}", (found, said[-400:]))
        return said

    def theirs(self, model, signature, public, config=None):
        """Why the tool refuses; nothing where it verifies."""
        verifier = verifying.Config().use_elliptic_key_verifier(public_key=public)
        if config:
            verifier.set_hashing_config(config)
        try:
            verifier.verify(model, signature)
        except Exception as error:
            return f"{type(error).__name__} {error}"
        return None

    def theirs_says(self, verifies, what, model, signature, public, config=None):
        said = self.theirs(model, signature, public, config)
        self.report.check((said is None) == verifies, f"model_signing {'verifies' if verifies else 'refuses'} {what}", said)


def hashed(signature, *ignored, **options):
    return hashing.Config(**options).set_ignored_paths(paths=[signature, *ignored], ignore_git_paths=True)


def damages(model):
    """Each way in which a model is not the one that was signed, with our code; undone at the end."""
    files = sorted(path for path in model.rglob("*") if path.is_file() and path.stat().st_size > 2 and path.suffix != ".sig")
    victim = files[-1]
    kept = victim.read_bytes()
    yield DIFFERS, "another byte", lambda: victim.write_bytes(bytes([kept[0] ^ 1]) + kept[1:])
    yield DIFFERS, "a file that has come in part", lambda: victim.write_bytes(kept[:-1])
    yield DIFFERS, "a file that is longer", lambda: victim.write_bytes(kept + b"\n")
    yield MISSING, "a file that is missing", victim.unlink
    yield BAD_INPUT, "a symbolic link to the same bytes", lambda: link_to_copy(victim, kept, model)
    victim.unlink()
    victim.write_bytes(kept)
    more = model / "modeling_more.py"
    yield UNSIGNED, "a file more", lambda: more.write_text("import os\n")
    more.unlink()


def link_to_copy(victim, kept, model):
    victim.unlink(missing_ok=True)
    elsewhere = model.parent / "elsewhere"
    elsewhere.write_bytes(kept)
    victim.symlink_to(elsewhere)


def of_the_tool(peers, curve, form):
    private, public = peers.key(curve, form)
    model = peers.model()
    signature = model / "model.sig"
    named = f"what model_signing signed with {curve.name}"
    signing.Config().use_elliptic_key_signer(private_key=private).set_hashing_config(hashed(signature)).sign(model, signature)
    said = peers.ours_says(OK, named, model, signature, public)
    peers.report.check("in no log" in said, "stele says that it is in no log", said)
    for code, what, damage in damages(model):
        damage()
        peers.ours_says(code, what, model, signature, public)
    peers.ours_says(OK, "and again as it was", model, signature, public)
    peers.ours_says(BAD_SIGNATURE, "another key", model, signature, peers.key(curve, form)[1])
    return model, signature, public


def of_ours(peers, curve, form):
    private, public = peers.key(curve, form)
    model = peers.model()
    signature = model / "model.sig"
    code, said = peers.ours("sign", model, "--key", private)
    peers.report.check(code == OK, f"stele signs with {curve.name}", said)
    peers.theirs_says(True, f"what stele signed with {curve.name}", model, signature, public)
    for _, what, damage in damages(model):
        damage()
        peers.theirs_says(False, what, model, signature, public)
    peers.theirs_says(True, "it again as it was", model, signature, public)
    (model / "release.stele").write_text("comes later")
    peers.theirs_says(True, "it with a release.stele that came later", model, signature, public)
    statement = json.loads(base64.b64decode(json.loads(signature.read_text())["dsseEnvelope"]["payload"]))
    names = [resource["name"] for resource in statement["predicate"]["resources"]]
    digests = b"".join(bytes.fromhex(resource["digest"]) for resource in statement["predicate"]["resources"])
    peers.report.check(names == sorted(names) and "sub/a" in names, "the list is in the specification's order", names)
    root = statement["subject"][0]["digest"]["sha256"]
    peers.report.check(root == hashlib.sha256(digests).hexdigest(), "the root is that of the list", root)


def each_byte(peers, model, signature, public):
    """A bit of each byte of a signature flipped, until all of its parts were met."""
    whole = signature.read_bytes()
    flipped = model.parent / "flipped.sig"
    step = max(1, len(whole) // 600)
    accepted = []
    for at in range(0, len(whole), step):
        flipped.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << at % 7]) + whole[at + 1 :])
        code, _ = peers.ours("verify", model, "--signature", flipped, "--public-key", public, "--ignore-path", "model.sig")
        if code not in (BAD_SIGNATURE, BAD_INPUT):
            accepted.append((at, code))
    peers.report.check(not accepted, f"stele refuses a signature with a bit flipped, at {len(range(0, len(whole), step))} places", accepted)


def options(peers):
    private, public = peers.key(ec.SECP256R1(), serialization.PrivateFormat.PKCS8)
    model = peers.model()
    signature = peers.work / "options.sig"
    signer = signing.Config().use_elliptic_key_signer(private_key=private)

    def signed(config, model=model):
        signer.set_hashing_config(config).sign(model, signature)

    (model / "cache").mkdir()
    (model / "cache" / "left").write_text("aside")
    signed(hashed(signature, "cache"))
    (model / "cache" / "more").write_text("aside")
    peers.ours_says(OK, "a path that model_signing left aside", model, signature, public)
    (model / "sub" / "cache").mkdir()
    (model / "sub" / "cache" / "more").write_text("not aside")
    peers.ours_says(UNSIGNED, "a path of the same name elsewhere", model, signature, public)
    peers.ours_says(OK, "--ignore-unsigned-files", model, signature, public, "--ignore-unsigned-files")
    shutil.rmtree(model / "sub" / "cache")

    signature.unlink()
    code, said = peers.ours("sign", model, "--key", private, "--signature", signature, "--ignore-path", "cache")
    peers.report.check(code == OK, "stele leaves a path aside", said)
    peers.theirs_says(True, "what stele signed without that path", model, signature, public)
    shutil.rmtree(model / "cache")

    # What the tool leaves aside by itself, such as .gitattributes, may be a link.
    victim = next(path for path in sorted(model.rglob("*")) if path.is_file() and path.stat().st_size > 2 and not path.name.startswith("."))
    link_to_copy(victim, victim.read_bytes(), model)
    signature.unlink()
    signed(hashed(signature).set_allow_symlinks(True))
    peers.ours_says(OK, "links that model_signing followed", model, signature, public)
    signature.unlink()
    code, _ = peers.ours("sign", model, "--key", private, "--signature", signature)
    peers.report.check(code == BAD_INPUT, "stele signs no link unasked", code)
    code, said = peers.ours("sign", model, "--key", private, "--signature", signature, "--allow-symlinks")
    peers.report.check(code == OK, "stele signs what links lead to", said)
    # The tool follows links where it is told to, whatever the signature says.
    followed = hashed(signature).set_allow_symlinks(True)
    peers.theirs_says(True, "links that stele followed", model, signature, public, followed)

    model = peers.model()
    signed(hashed(signature).use_shard_serialization(shard_size=1000), model)
    peers.ours_says(OK, "files in parts", model, signature, public)
    for code, what, damage in damages(model):
        damage()
        peers.ours_says(code, f"in parts: {what}", model, signature, public)
    signed(hashed(signature).use_file_serialization(hashing_algorithm="blake3"), model)
    said = peers.ours_says(BAD_INPUT, "digests of BLAKE3", model, signature, public)
    peers.report.check("blake3" in said, "and it is named", said)

    one = model / "sub.txt"
    signed(hashed(signature), one)
    peers.ours_says(OK, "one file that model_signing signed", one, signature, public)
    signature.unlink()
    peers.ours("sign", one, "--key", private, "--signature", signature)
    peers.ours_says(OK, "one file that stele signed", one, signature, public)
    # The specification has the file's name in the list, the tool a dot: the README of the crate says so.
    peers.theirs_says(False, "one file that stele signed as the specification says", one, signature, public)


class Authority:
    """A root, an authority below it, and a signer below that, as files."""

    def __init__(self, peers, curve, name="root", until=timedelta(days=2)):
        self.peers, self.now = peers, datetime.now(timezone.utc)
        self.root_key, between_key = ec.generate_private_key(curve), ec.generate_private_key(curve)
        self.signer_key = ec.generate_private_key(curve)
        root = self.certificate(name, name, self.root_key, self.root_key, True, timedelta(days=2))
        between = self.certificate(name, "between", between_key, self.root_key, True, timedelta(days=2))
        signer = self.certificate("between", "acme", self.signer_key, between_key, False, until)
        self.root, self.between, self.signer = (self.write(one, "crt") for one in (root, between, signer))
        self.key = self.write(self.signer_key, "pem")

    def certificate(self, issuer, subject, key, issuer_key, is_authority, until):
        named = lambda name: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        begun = self.now - timedelta(days=1)
        usage = x509.KeyUsage(not is_authority, False, False, False, False, is_authority, False, False, False)
        builder = (
            x509.CertificateBuilder(named(issuer), named(subject), key.public_key(), x509.random_serial_number(), begun, self.now + until)
            .add_extension(x509.BasicConstraints(is_authority, None), True)
            .add_extension(usage, True)
        )
        if not is_authority:
            builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), False)
        return builder.sign(issuer_key, hashes.SHA256() if issuer_key.key_size == 256 else hashes.SHA512() if issuer_key.key_size == 521 else hashes.SHA384())

    def write(self, thing, ending):
        place = self.peers.work / f"{next(self.peers.numbers)}.{ending}"
        pem = serialization.Encoding.PEM
        form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        place.touch(mode=0o600)
        place.write_bytes(thing.private_bytes(pem, *form) if ending == "pem" else thing.public_bytes(pem))
        return place

    def theirs(self, model, signature):
        """Why the tool refuses under this root; nothing where it verifies."""
        try:
            verifying.Config().use_certificate_verifier(certificate_chain=[self.root]).verify(model, signature)
        except Exception as error:
            return f"{type(error).__name__} {error}"
        return None


def certificates(peers, curve):
    acme, other = Authority(peers, curve), Authority(peers, curve)
    model, signature = peers.model(), peers.work / "certificate.sig"
    check = peers.report.check

    def ours_says(code, what, root, *options):
        found, said = peers.ours("verify", model, "--signature", signature, "--root", root, *options)
        check(found == code, f"stele ends with {code}: {what}", (found, said[-400:]))
        return said

    signer = signing.Config().use_certificate_signer(private_key=acme.key, signing_certificate=acme.signer, certificate_chain=[acme.between])
    signer.set_hashing_config(hashed(signature)).sign(model, signature)
    said = ours_says(OK, f"what model_signing signed with a certificate of {curve.name}", acme.root)
    check("CN=acme" in said and "CN=root" in said, "stele says who signed, and under which root", said)
    ours_says(BAD_SIGNATURE, "a root of the same name with another key", other.root)
    public = peers.key(curve, serialization.PrivateFormat.PKCS8)[1]
    said = peers.ours_says(BAD_INPUT, "a key for a signature with a certificate", model, signature, public)
    check("--root" in said, "and it is said what reads it", said)
    peers.ours_says(BAD_INPUT, "a certificate as the key", model, signature, acme.signer)
    for code, what, damage in damages(model):
        damage()
        ours_says(code, f"with a certificate: {what}", acme.root)
    whole = signature.read_bytes()
    accepted = []
    for at in range(0, len(whole), max(1, len(whole) // 200)):
        signature.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << at % 7]) + whole[at + 1 :])
        code, _ = peers.ours("verify", model, "--signature", signature, "--root", acme.root)
        if code not in (BAD_SIGNATURE, BAD_INPUT):
            accepted.append((at, code))
    check(not accepted, "stele refuses a signature with a certificate with a bit flipped, at 200 places", accepted)

    signature.unlink()
    code, said = peers.ours("sign", model, "--signature", signature, "--key", acme.key, "--certificate", acme.signer, "--certificate", acme.between)
    check(code == OK, f"stele signs with a certificate of {curve.name}", said)
    ours_says(OK, "what stele signed with a certificate", acme.root)
    check(acme.theirs(model, signature) is None, "model_signing verifies what stele signed with a certificate", acme.theirs(model, signature))
    check(other.theirs(model, signature) is not None, "model_signing refuses it under another root")
    for _, what, damage in damages(model):
        damage()
        check(acme.theirs(model, signature) is not None, f"model_signing refuses with a certificate: {what}")
    code, said = peers.ours("sign", model, "--signature", peers.work / "not.sig", "--key", acme.key, "--certificate", other.signer)
    check(code == BAD_INPUT, "stele does not sign with the certificate of another key", (code, said))
    # What ran out since it signed: the specification has the certificate valid, the tool asks when it began.
    old = Authority(peers, curve, until=timedelta(hours=-1))
    code, said = peers.ours("sign", model, "--signature", peers.work / "not.sig", "--key", old.key, "--certificate", old.signer)
    check(code == BAD_SIGNATURE, "stele does not sign with a certificate that ran out", (code, said))
    signature.unlink()
    signer = signing.Config().use_certificate_signer(private_key=old.key, signing_certificate=old.signer, certificate_chain=[old.between])
    signer.set_hashing_config(hashed(signature)).sign(model, signature)
    ours_says(BAD_SIGNATURE, "a certificate that ran out", old.root)
    check(old.theirs(model, signature) is None, "model_signing verifies with a certificate that ran out", old.theirs(model, signature))


def of_version_0_2(peers):
    """The form of before 1.0, with the signed bytes as the tool spells them."""
    private, public = peers.key(ec.SECP384R1(), serialization.PrivateFormat.PKCS8)
    key = serialization.load_pem_private_key(private.read_bytes(), None)
    model, signature = peers.model(), peers.work / "old.sig"
    digest = lambda path: hashlib.sha256(path.read_bytes()).hexdigest()
    files = sorted(path for path in model.rglob("*") if path.is_file() and not path.name.startswith(".git"))
    subjects = [{"name": path.relative_to(model).as_posix(), "digest": {"sha256": digest(path)}} for path in files]
    statement = {"_type": "https://in-toto.io/Statement/v1", "subject": subjects}
    statement |= {"predicateType": "https://model_signing/Digests/v0.1", "predicate": {"unused": "it's"}}
    payload = json.dumps(statement, ensure_ascii=False, indent=2).encode()
    signed = key.sign(sign_sigstore_pb.pae_compat(payload), ec.ECDSA(hashes.SHA384()))
    hint = hashlib.sha256(public.read_bytes()).hexdigest()
    envelope = {"payload": base64.b64encode(payload).decode(), "payloadType": "application/vnd.in-toto+json"}
    envelope["signatures"] = [{"sig": base64.b64encode(signed).decode(), "keyid": ""}]
    bundle = {"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "dsseEnvelope": envelope}
    bundle["verificationMaterial"] = {"publicKey": {"hint": hint}, "tlogEntries": []}
    signature.write_text(json.dumps(bundle))
    peers.theirs_says(True, "what was signed in the form of version 0.2", model, signature, public, hashed(signature))
    peers.ours_says(OK, "what was signed in the form of version 0.2", model, signature, public)
    for code, what, damage in damages(model):
        damage()
        peers.ours_says(code, f"in the form of version 0.2: {what}", model, signature, public)


def main(stele, model):
    report = Report()
    with tempfile.TemporaryDirectory() as work:
        peers = Peers(report, os.path.abspath(stele), model, Path(work).resolve())
        pkcs8, sec1 = serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL
        for curve, form in [(ec.SECP256R1(), pkcs8), (ec.SECP384R1(), sec1), (ec.SECP521R1(), pkcs8)]:
            signed = of_the_tool(peers, curve, form)
            of_ours(peers, curve, form)
        each_byte(peers, *signed)
        options(peers)
        for curve in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()):
            certificates(peers, curve)
        of_version_0_2(peers)
    report.finish("oms")


if __name__ == "__main__":
    main(*sys.argv[1:])
