"""Verifies release.stele bundles by the chapters in spec/text alone: it shares no code with the crate.

    bundle.py vectors VECTORS.json             every case of spec/vectors/bundle/bundles.json
    bundle.py statements FOLDER                accepted and refused fields, and the listing, of spec/vectors/statement
    bundle.py verify BUNDLE POLICY [FOLDER]    one bundle, and the files of a folder; the code of a refusal is its first word

Sections of the chapters are named beside what they ask for. Beside it are bundle_evidence.py (proofs and the policy),
bundle_statement.py (the grammar), bundle_names.py (name proofs), bundle_folder.py (the files) and bundle_bytes.py (CBOR and signatures, whose arithmetic is
that of `cryptography`).
"""

import base64
import hashlib
import json
import sys

from bundle_bytes import Refused, document, ed25519, encode
from bundle_evidence import Policy, Proof
from bundle_folder import compare, judge
from bundle_names import completeness, status
from bundle_statement import Statement, blob, check_record, listing, listing_of, parse_manifest, struct, words


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "vectors":
        sys.exit(vectors(json.load(open(sys.argv[2]))))
    if len(sys.argv) == 3 and sys.argv[1] == "statements":
        sys.exit(statements(sys.argv[2]))
    if len(sys.argv) in (4, 5) and sys.argv[1] == "verify":
        sys.exit(one(*sys.argv[2:]))
    sys.exit(__doc__)


def vectors(file):
    policies = {name: Policy(text.encode()) for name, text in file["policies"].items()}
    failed = 0
    for case in file["cases"]:
        try:
            release = verify(base64.b64decode(case["bundle"]), policies[case["policy"]])
            found = {"accept": {name: release[name] for name in ("entry", "completeness", "index_cosigners", "state")}}
        except Refused as refusal:
            found = {"refuse": refusal.code}
        holds = all(case.get(verdict) == found.get(verdict) for verdict in ("accept", "refuse"))
        failed += not holds
        print(f"{'ok  ' if holds else 'FAIL'} {case['comment']}: {list(found.values())[0]}")
    print(f"bundle: {len(file['cases']) - failed} passed, {failed} failed")
    return 1 if failed or not file["cases"] else 0


def statements(folder):
    """Which of several refusals is named is no part of the format, so that a refusal alone is compared."""
    fields, kinds, listed = (json.load(open(f"{folder}/{name}.json")) for name in ("fields", "kinds", "listing"))
    passed = failed = 0

    def check(what, holds):
        nonlocal passed, failed
        passed, failed = passed + bool(holds), failed + (not holds)
        print(f"{'ok  ' if holds else 'FAIL'} {what}")

    samples = {}
    for case in kinds["accepted"]:
        try:
            record = Statement(bytes.fromhex(case["hex"])).record
            samples.setdefault(record["kind"], record)
            check(f"accepts {case['comment']}", record == document(bytes.fromhex(case["payload_hex"])))
        except Refused as refusal:
            check(f"accepts {case['comment']}: {refusal}", False)
    cases = [(each["comment"], each["edits"], fields["accepted"][0]) for each in fields["refused"]]
    cases += [(f"{each['kind']} {each['code']}", [each], samples.get(each["kind"])) for each in kinds["refused"]]
    for what, edits, sample in cases:
        try:
            check_record(edited(sample, edits), bytes(32))
            check(f"refuses {what}", False)
        except Refused as refusal:
            check(f"refuses {what}: {refusal.code}", True)
    check("makes the listing", listing_of(listed["files"]) == listed["listing"])
    print(f"statements: {passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


def edited(sample, edits):
    record = json.loads(json.dumps(sample))
    for edit in edits:
        *above, last = edit.get("set", edit.get("remove")).split("/")[1:]
        place = record
        for name in above:
            place = place[int(name) if isinstance(place, list) else name]
        last = int(last) if isinstance(place, list) else last
        if "set" in edit:
            place[last] = edit["to"]
        else:
            del place[last]
    return record


def one(bundle, policy, folder=None):
    try:
        with open(bundle, "rb") as opened, open(policy, "rb") as trusted:
            release = verify(opened.read(), Policy(trusted.read()))
        said = f"{release['coordinate']}, entry {release['entry']} of {release['log']}, cosigned at {release['time']}"
        said += f"; {release['state']}, completeness: {release['completeness']}"
        if release["revoked_later"]:
            said += f"; a key that signed it was revoked at entry {release['revoked_later']}"
        if folder:
            lists = compare(folder, release["manifest"])
            judge(lists)
            said += f"; {len(lists['matching'])} files match, {len(lists['extra'])} beside them"
    except Refused as refusal:
        print(visible(str(refusal)))
        return 1
    print(visible(f"verified {said}"))
    return 0


def visible(words):
    """What comes from a file commands no terminal."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in words)


# The bundle: the fifteen checks of "Verifying a release", in their order.


def verify(data, policy):
    bundle = parse_bundle(data)  # 1
    proof = Proof(bundle["proof"])  # 2
    head = policy.accept(proof.note)  # 3
    statement = Statement(bundle["statement"])  # 4
    if statement.kind != "release":
        raise Refused("not-a-release", statement.kind)

    heads, history = {proof.note.text: head}, {}
    for item in bundle["keys"]:
        said = Statement(item["statement"])  # 5
        if said.publisher != statement.publisher:
            continue
        evidence = Proof(item["proof"])  # 6
        if evidence.note.text not in heads:
            heads[evidence.note.text] = policy.accept(evidence.note)
        under = heads[evidence.note.text]
        if under.origin != head.origin:
            raise Refused("other-log", under.origin)
        evidence.check(said.leaf, under)
        if said.kind == "publisher":
            history[evidence.index, said.leaf] = said
    speaking = sorted(((entry, said) for (entry, _), said in history.items()), key=lambda item: item[0])
    states = fold(speaking)  # 7

    roots = {}
    for each in heads.values():  # 8
        if roots.setdefault(each.size, each.root) != each.root:
            raise Refused("log-forked", f"two roots of size {each.size}")
    speakers(states, proof.index, statement)  # 9
    proof.check(statement.leaf, head)  # 10
    manifest = parse_manifest(bundle["manifest"])  # 11
    agree(statement.record, bundle["manifest"], manifest)  # 12

    note = bundle["proof"].partition(b"\n\n")[2]
    said = completeness(bundle, statement, proof.index, head, note, speaking, Counts(states, statement, proof.index))  # 13 to 15
    checked = policy.index_cosigners(head) if said is not None else set()

    signed = {statement.kid, *(each["kid"] for each in statement.record.get("approvals", []))}
    later = [state.entry for state in states if state.entry > proof.index and signed & state.revoked]
    return {
        "entry": proof.index,
        "log": head.origin,
        "coordinate": statement.subject,
        "manifest": manifest,
        "time": head.time,
        "revoked_later": min(later, default=None),
        "completeness": "none" if said is None else "checked" if checked else "log-alone",
        "index_cosigners": len(checked),
        "state": status(statement, proof.index, said or []),
    }


def parse_bundle(data):
    item = struct({"proof": blob, "statement": blob})
    names = struct({"index": blob, "keys": blob, "release": blob, "said": listing(item, 256)})
    fields = {"bundle": words("stele/bundle@v1"), "keys": listing(item, 256), "manifest": blob, "proof": blob, "statement": blob}
    fields["names?"] = names
    try:
        if len(data) > 24 << 20:
            raise Refused("too-long")
        bundle = document(data, strings=True)
        struct(fields)(bundle, "")
    except Refused as why:
        raise Refused("bundle-malformed", why) from why
    return bundle


def agree(release, raw, manifest):
    """A release and its manifest (statement, "What is refused")."""
    weights = [file for file in manifest if file["role"] == "weights"]
    for said, found, code in (
        (release["manifest"], hashlib.sha256(raw).hexdigest(), "manifest-digest-differs"),
        (release["weights"]["digest"], dir_hash(weights), "manifest-digest-differs"),
        (release["weights"]["files"], len(weights), "manifest-count-differs"),
        (release["weights"]["bytes"], sum(file["size"] for file in weights), "manifest-count-differs"),
        (release["tree"]["digest"], dir_hash(manifest), "manifest-digest-differs"),
    ):
        if said != found:
            raise Refused(code, f"{said}, found {found}")
    digests = {file["path"]: file["sha256"] for file in manifest}
    for name, digest in documents(release):
        if digests.get(name, digest) != digest:
            raise Refused("manifest-document-differs", name)
    for safeguard in release["safety"].get("safeguards", []):
        if "file" in safeguard and safeguard["file"] not in digests:
            raise Refused("manifest-file-missing", safeguard["file"])


def documents(value):
    if isinstance(value, dict):
        if {"name", "sha256"} <= set(value):
            yield value["name"], value["sha256"]
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            yield from documents(inner)


def dir_hash(files):
    return hashlib.sha256("".join(f"{file['sha256']}  {file['path']}\n" for file in files).encode()).hexdigest()


# Who held the name: registration, "Keys".


class Held:
    def __init__(self, entry, said, keys, revoked):
        self.entry, self.said, self.keys, self.revoked = entry, said, keys, revoked


def fold(history):
    states = []
    for entry, said in history:
        try:
            states.append(follow(states[-1] if states else None, entry, said))
        except Refused as why:
            raise Refused("key-history-broken", f"entry {entry}: {why}") from why
    return states


def follow(before, entry, said):
    record = said.record
    added = {key["kid"]: bytes.fromhex(key["public_key"]) for key in record.get("keys", [])}
    dropped = set(record.get("revoked", []))
    if record["action"] == "claim":
        if before:
            raise Refused("name-claimed")
        signers, needed, keys, revoked = added, record["threshold"], added, set()
    else:
        if not before:
            raise Refused("name-unclaimed")
        if record["previous"] != {"entry": before.entry, "leaf_hash": before.said.leaf.hex()}:
            raise Refused("keys-moved")
        signers, needed = before.keys, before.said.record["threshold"]
        if added.keys() & (before.keys.keys() | before.revoked):
            raise Refused("key-held")
        if not dropped <= before.keys.keys():
            raise Refused("key-not-held")
        keys = {kid: key for kid, key in (before.keys | added).items() if kid not in dropped}
        revoked = before.revoked | dropped
    if not 1 <= len(keys) <= 16 or len(keys) < record["threshold"]:
        raise Refused("keys-left")

    signed_by(said, signers, needed)
    return Held(entry, said, keys, revoked)


def signed_by(said, held, needed, revoked=frozenset()):
    """By as many of these keys as must sign: the envelope by one, and by each other an approval of the payload without approvals."""
    approvals = said.record.get("approvals", [])
    plain = encode({name: value for name, value in said.record.items() if name != "approvals"})
    approved = f"stele/key-approval@v1\n{hashlib.sha256(plain).hexdigest()}\n".encode()
    signatures = [(said.kid, said.signature, said.signed)]
    signatures += [(each["kid"], bytes.fromhex(each["signature"]), approved) for each in approvals]
    for kid, _, _ in signatures:
        if kid not in held:
            raise Refused("key-revoked" if kid in revoked else "key-not-held", kid)
    if len({kid for kid, _, _ in signatures}) < needed:
        raise Refused("approvals-missing", f"{needed} keys, found {len(signatures)}")
    for kid, signature, message in signatures:
        if not ed25519(held[kid], signature, message):
            raise Refused("bad-signature", kid)


class Counts:
    """Whether a further statement counts: keys that held the name there signed it, and its approvals were not used before."""

    def __init__(self, states, release, entry):
        self.states, self.used = states, {}
        self.approved(release, entry)

    def __call__(self, entry, said):
        try:
            speakers(self.states, entry, said)
        except Refused:
            return False
        return self.approved(said, entry) == entry

    def approved(self, said, entry):
        plain = {name: value for name, value in said.record.items() if name != "approvals"}
        if len(plain) == len(said.record):
            return entry
        return self.used.setdefault(encode(plain), entry)


def speakers(states, entry, said):
    """Keys that held the name there signed what is said at entry, as many as the name asked for."""
    before = [state for state in states if state.entry < entry]
    if states and not before:
        raise Refused("claimed-later", f"at entry {states[0].entry}")
    if not before:
        raise Refused("key-not-held", said.kid)
    newest = before[-1]
    signed_by(said, newest.keys, newest.said.record.get("release_threshold", 1), newest.revoked)


if __name__ == "__main__":
    main()
