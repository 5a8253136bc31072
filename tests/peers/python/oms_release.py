"""A release and a model.sig, with a running log: oms_release.py STELE HOME POLICY URL.

What `stele publish --oms` signs, model_signing verifies, with the release beside it; what model_signing signed, `stele publish --oms-bundle` names in a record.
Each is refused where the other is of other files. HOME is a kept network with a model that is released; POLICY and URL are those of its running log.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from model_signing import hashing, signing, verifying

from report import Report

OK, DIFFERS, BAD_SIGNATURE = 0, 1, 5


class Home:
    def __init__(self, report, stele, home, policy, url, work):
        self.report, self.stele, self.home = report, stele, Path(home)
        self.policy, self.url, self.work = policy, url, Path(work)

    def key(self, name):
        private, public = self.work / f"{name}.pem", self.work / f"{name}.pub"
        key = ec.generate_private_key(ec.SECP256R1())
        pkcs8, spki = serialization.PrivateFormat.PKCS8, serialization.PublicFormat.SubjectPublicKeyInfo
        private.touch(mode=0o600)
        private.write_bytes(key.private_bytes(serialization.Encoding.PEM, pkcs8, serialization.NoEncryption()))
        public.write_bytes(key.public_key().public_bytes(serialization.Encoding.PEM, spki))
        return private, public

    def model(self, name):
        """The released model under a version of its own, decided and not published."""
        folder = self.work / name
        shutil.copytree(self.home / "model", folder, ignore=shutil.ignore_patterns("release.stele", "release.hints"))
        form = folder / "release.toml"
        text = re.sub(r'(?m)^issued_at = .*\n', "", form.read_text())
        # A log has a coordinate once, and this may run again.
        version = f"{name}.{time.time_ns()}"
        text, changed = re.subn(r'(?m)^version = "[^"]*"', f'version = "{version}"', text, count=1)
        self.report.check(changed == 1, f"a version {name}")
        form.write_text(text)
        return folder

    def run(self, *arguments):
        ran = subprocess.run([self.stele, *map(str, arguments)], capture_output=True, text=True)
        return ran.returncode, ran.stdout + ran.stderr

    def publish(self, code, what, model, *options):
        key = self.home / "publisher.pem"
        found, said = self.run("publish", model, "--key", key, "--policy", self.policy, "--log", self.url, *options)
        self.report.check(found == code, f"stele publish ends with {code}: {what}", (found, said[-600:]))
        return said

    def verify(self, code, what, model, *options):
        found, said = self.run("verify", model, "--policy", self.policy, "--no-state", "--verbose", *options)
        self.report.check(found == code, f"stele verify ends with {code}: {what}", (found, said[-600:]))
        return said

    def theirs(self, verifies, what, model, public, ignores_unsigned=False):
        verifier = verifying.Config().use_elliptic_key_verifier(public_key=public)
        verifier.set_ignore_unsigned_files(ignores_unsigned)
        try:
            verifier.verify(model, model / "model.sig")
            said = None
        except Exception as error:
            said = f"{type(error).__name__} {error}"
        self.report.check((said is None) == verifies, f"model_signing {'verifies' if verifies else 'refuses'} {what}", said)


def changed(model):
    """A byte of the configuration, there and back."""
    victim = model / "config.json"
    kept = victim.read_bytes()
    victim.write_bytes(bytes([kept[0] ^ 1]) + kept[1:])
    yield
    victim.write_bytes(kept)


def of_ours(home):
    private, public = home.key("ours")
    model = home.model("ours")
    home.publish(OK, "with --oms", model, "--oms", private)
    home.theirs(True, "the signature that it wrote, with release.stele and release.toml beside it", model, public)
    said = home.verify(OK, "by both", model, "--oms-key", public)
    home.report.check("the one that the record names" in said and "by the holder of the key" in said, "and says both", said)
    for _ in changed(model):
        home.theirs(False, "a changed file", model, public)
        home.verify(DIFFERS, "a changed file", model, "--oms-key", public)
    (model / ".cache").mkdir(exist_ok=True)
    (model / ".cache" / "left").write_text("by the client of a hub")
    home.theirs(True, "it with the cache of a hub's client", model, public)
    home.verify(BAD_SIGNATURE, "another key", model, "--oms-key", home.key("another")[1])
    signature = model / "model.sig"
    kept = signature.read_bytes()
    signature.unlink()
    signed_by_theirs(model, private, "release.stele", "release.toml", ".cache")
    home.theirs(True, "a second signature by the same key", model, public)
    home.verify(DIFFERS, "a second signature by the same key, which the record does not name", model)
    signature.write_bytes(kept)
    home.verify(OK, "again as it was", model)


def signed_by_theirs(model, private, *ignored):
    signature = model / "model.sig"
    config = hashing.Config().set_ignored_paths(paths=[signature, *ignored], ignore_git_paths=True)
    signing.Config().use_elliptic_key_signer(private_key=private).set_hashing_config(config).sign(model, signature)


def of_theirs(home):
    private, public = home.key("theirs")
    model = home.model("theirs")
    signature = model / "model.sig"
    signed_by_theirs(model, private)
    take = ("--oms-bundle", signature, "--oms-key", public)
    said = home.publish(DIFFERS, "a signature that has the draft as well", model, *take)
    home.report.check("release.toml" in said, "and names it", said)
    signature.unlink()
    signed_by_theirs(model, private, "release.toml", "README.md")
    home.publish(BAD_SIGNATURE, "another key", model, "--oms-bundle", signature, "--oms-key", home.key("stranger")[1])
    for _ in changed(model):
        home.publish(DIFFERS, "other files than were signed", model, *take)
    home.publish(OK, "what model_signing signed, a document left aside", model, *take)
    said = home.verify(OK, "by both", model, "--oms-key", public)
    home.report.check("the one that the record names" in said, "and says so", said)
    # Its signer did not know of the release: docs/publisher.md says so.
    home.theirs(False, "it with release.stele beside it", model, public)
    home.theirs(True, "it, where what was not signed is accepted", model, public, ignores_unsigned=True)
    home.publish(OK, "again, without a word of the signature", model)


def main(stele, home, policy, url):
    report = Report()
    with tempfile.TemporaryDirectory() as work:
        home = Home(report, str(Path(stele).resolve()), home, policy, url, Path(work).resolve())
        of_ours(home)
        of_theirs(home)
    report.finish("oms-release")


if __name__ == "__main__":
    main(*sys.argv[1:])
