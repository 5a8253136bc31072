"""Receipts: a reader that was written from the chapter alone, and scitt-cose, pycose and cwt, which know nothing of Stele.

    receipts.py vectors receipts.json CASES.json      the vectors of the format; CASES.json is for receipts.mjs and cosereceipts
    receipts.py served URL POLICY STATEMENT.cose...   those of a running log, for statements that it has
    receipts.py transparent MADE STATEMENT RECEIPT    a transparent statement of the two

All of them know the log's key. Only the reader knows the policy: what it says more is that the witnesses saw the tree.
"""

import base64
import json
import sys
import urllib.error
import urllib.request
import warnings

warnings.filterwarnings("ignore")

import cbor2
import cwt
import scitt_cose
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pycose.keys import OKPKey
from pycose.keys.curves import Ed25519
from pycose.messages import CoseMessage, Sign1Message

from bundle_bytes import Refused, ed25519, sha256
from bundle_evidence import Note, Policy
from report import Report

RECEIPT, PROBLEM = "application/scitt-receipt+cose", "application/concise-problem-details+cbor"
ALG, KID, CLAIMS, VDS, VDP, CHECKPOINT = 1, 4, 15, 395, 396, "c2sp.org/tlog-checkpoint"


def main():
    report = Report()
    if sys.argv[1] == "vectors":
        vectors(report, json.load(open(sys.argv[2])), sys.argv[3])
    elif sys.argv[1] == "transparent":
        transparent(report, *(open(path, "rb").read() for path in sys.argv[2:5]))
    else:
        served(report, sys.argv[2], Policy(open(sys.argv[3], "rb").read()), [open(path, "rb").read() for path in sys.argv[4:]])
    report.finish("receipts")


def vectors(report, made, out):
    policy, statement = Policy(made["policy"].encode()), bytes.fromhex(made["statement"])
    public = bytes.fromhex(made["public_key"])
    key = cose_key(public)
    report.check(key[2].hex() == made["kid"], "kid is the thumbprint of RFC 9679")
    report.check(cbor2.loads(bytes.fromhex(made["cose_key"])) == key, "the COSE_Key")
    report.check(cbor2.loads(bytes.fromhex(made["cose_key_set"])) == [key], "the COSE_KeySet")
    for case in made["cases"]:
        receipt, entry = bytes.fromhex(case["receipt"]), bytes.fromhex(case.get("entry", made["statement"]))
        found = judged(receipt, entry, policy)
        report.check(found == case.get("position"), f"the reader: {case['comment']}", found)
        for name, verify in LIBRARIES.items():
            alone = verify(receipt, entry, public)
            if case["by_key_alone"] == "signed":
                report.check(alone, f"{name} verifies: {case['comment']}")
            elif case["by_key_alone"] not in LENIENT.get(name, ()):
                report.check(not alone, f"{name} refuses: {case['comment']}", case["by_key_alone"])
    good = next(case for case in made["cases"] if "position" in case)
    attacked(report, bytes.fromhex(good["receipt"]), statement, public, policy)
    transparent(report, bytes.fromhex(made["transparent_statement"]), statement, bytes.fromhex(good["receipt"]))
    cases = [{"receipt": good["receipt"], "root": root_of(bytes.fromhex(good["receipt"]), statement).hex(), "good": True}]
    for at, changed in flips(bytes.fromhex(good["receipt"])):
        root = root_of(changed, statement)
        if signed_part(bytes.fromhex(good["receipt"]), at):
            cases.append({"receipt": changed.hex(), "root": (root or bytes(32)).hex(), "good": False})
    json.dump({"public_key": made["public_key"], "cases": cases}, open(out, "w"))


def served(report, url, policy, statements):
    status, headers, body = ask(f"{url}/.well-known/scitt-keys", "application/cbor")
    (key,) = cbor2.loads(body)
    report.check((status, headers["content-type"]) == (200, "application/cbor"), "the log serves its key as a COSE key set")
    public = key[-2]
    report.check(key == cose_key(public) and public in [log.public for log in policy.logs], "it is the log's key in the policy")
    kid = base64.urlsafe_b64encode(key[2]).rstrip(b"=").decode()
    report.check(cbor2.loads(ask(f"{url}/.well-known/scitt-keys/{kid}", "application/cbor")[2]) == key, "and by its kid")
    for statement in statements:
        leaf = sha256(b"\0" + statement).hex()
        status, headers, receipt = ask(f"{url}/entries", RECEIPT, statement)
        position = judged(receipt, statement, policy)
        report.check((status, headers["location"]) == (201, f"entries/{position}"), "a statement is registered: 201", status)
        for address in (position, leaf):
            status, headers, receipt = ask(f"{url}/entries/{address}", "application/cose")
            expected = (200, "application/cose", position)
            found = (status, headers["content-type"], judged(receipt, statement, policy))
            report.check(found == expected, f"its receipt at /entries/{str(address)[:8]}", found)
        for name, verify in LIBRARIES.items():
            report.check(verify(receipt, statement, public), f"{name} verifies it")
    attacked(report, receipt, statements[-1], public, policy)
    for path in ("/entries/99999999", f"/entries/{'00' * 32}", "/.well-known/scitt-keys/none"):
        status, headers, body = ask(url + path, "application/cose")
        problem = cbor2.loads(body)
        found = status, headers["content-type"], sorted(problem)
        report.check(found == (404, PROBLEM, [-2, -1]), f"a problem of RFC 9290: {problem.get(-1)}", found)
    status, headers, body = ask(f"{url}/entries", RECEIPT, b"no statement")
    report.check((status, headers["content-type"]) == (400, PROBLEM), "what is no statement is refused", status)


def attacked(report, receipt, statement, public, policy):
    """A bit of each byte flipped, and the same receipt for another entry: all refuse what the signature or the path covers. Our reader refuses every other
    bit as well, but in the name or the key id of a witness: that is another's line then, and the quorum may do without."""
    verifiers = LIBRARIES | {"the reader": lambda receipt, entry, _: judged(receipt, entry, policy) is not None}
    for name, verify in verifiers.items():
        at = [at for at, changed in flips(receipt) if verify(changed, statement, public)]
        ours = [each for each in at if name == "the reader" and not names_a_witness(receipt, each)]
        covered = ours + [each for each in at if signed_part(receipt, each)]
        report.check(not covered, f"{name} refuses it with a bit flipped", covered)
        report.check(not verify(receipt, statement + b"x", public), f"{name} refuses it for another entry")
        if name != "the reader":
            report.check(not verify(receipt, statement, another_key()), f"{name} refuses it under another key")


def transparent(report, made, statement, receipt):
    value = cbor2.loads(made).value
    report.check(value[1] == {394: [receipt]}, "a transparent statement has the receipt under 394")
    value = [value[0], {}, *value[2:]]
    report.check(cbor2.dumps(cbor2.CBORTag(18, value)) == statement, "and is the statement without it")
    report.check(scitt_cose.extract_receipts(made) == [receipt], "scitt-cose takes the receipt out of it")
    report.check(scitt_cose.attach_receipts(statement, [receipt]) == made, "scitt-cose makes the same of statement and receipt")


def judged(receipt, entry, policy):
    """The chapter on receipts: where the entry is, or None."""
    try:
        message = cbor2.loads(receipt)
        protected, unprotected, payload, signature = message.value
        header, (proof,) = cbor2.loads(protected), unprotected[VDP][-1]
        size, index, path = cbor2.loads(proof)
        claims, note = header[CLAIMS], unprotected[CHECKPOINT]
        again = {ALG: -8, KID: header[KID], CLAIMS: {1: claims[1], 2: claims[2]}, VDS: 1}
        parts = [cbor2.dumps(again), {VDP: {-1: [cbor2.dumps([size, index, path])]}, CHECKPOINT: note}, None, signature]
        if message.tag != 18 or cbor2.dumps(cbor2.CBORTag(18, parts)) != receipt or payload is not None or not path:
            return None
        if len(signature) != 64 or len(path) > 63 or any(type(each) is not bytes or len(each) != 32 for each in path):
            return None
        head = policy.accept(Note(note))
        root = path_root(entry, index, size, path)
        keys = [key.public for key in policy.logs if key.name == head.origin and key.type == 1]
        key = next(key for key in keys if cose_key(key)[2] == header[KID])
        said = (claims[1], claims[2], size, root) == (f"https://{head.origin}", head.origin, head.size, head.root)
        to_sign = cbor2.dumps(["Signature1", protected, b"", root])
        return index if said and ed25519(key, signature, to_sign) else None
    except (Refused, ValueError, KeyError, TypeError, AttributeError, StopIteration, cbor2.CBORError):
        return None


def path_root(entry, index, size, path):
    """RFC 9162 2.1.3.2; None where the path does not fit."""
    first, second, root = index, size - 1, sha256(b"\0" + entry)
    if not (type(index) is int and type(size) is int and 0 <= index < size):
        return None
    for sibling in path:
        if second == 0:
            return None
        if first % 2 or first == second:
            root = sha256(b"\1" + sibling + root)
            while first % 2 == 0 and first:
                first, second = first // 2, second // 2
        else:
            root = sha256(b"\1" + root + sibling)
        first, second = first // 2, second // 2
    return None if second else root


def root_of(receipt, entry):
    """What a COSE library is given as the detached payload: the root that the path leads to."""
    try:
        size, index, path = cbor2.loads(cbor2.loads(receipt).value[1][VDP][-1][0])
        return path_root(entry, index, size, path)
    except Exception:
        return None


def by_scitt_cose(receipt, entry, public):
    return scitt_cose.verify_receipt(receipt, leaf_entry_hex=entry.hex(), log_public_key_pem=pem(public)).ok


def by_pycose(receipt, entry, public):
    try:
        message, root = CoseMessage.decode(receipt), root_of(receipt, entry)
        message.key = OKPKey(crv=Ed25519, x=public)
        return isinstance(message, Sign1Message) and root is not None and message.verify_signature(detached_payload=root)
    except Exception:
        return False


def by_cwt(receipt, entry, public):
    try:
        root = root_of(receipt, entry)
        key = cwt.COSEKey.new(cose_key(public))
        return root is not None and cwt.COSE.new().decode(receipt, key, detached_payload=root) == root
    except Exception:
        return False


LIBRARIES = {"scitt-cose": by_scitt_cose, "pycose": by_pycose, "cwt": by_cwt}

# What a library does not look at: how the unsigned path is encoded; and one that knows COSE and no receipts, more.
LENIENT = {
    "scitt-cose": ("not-well-encoded",),
    "pycose": ("wrong-structure", "trailing-bytes", "not-well-encoded"),
    "cwt": ("wrong-structure", "trailing-bytes", "not-well-encoded"),
}


def cose_key(public):
    required = {1: 1, -1: 6, -2: public}
    return required | {2: sha256(cbor2.dumps(required)), 3: -8}


def pem(public):
    key = Ed25519PublicKey.from_public_bytes(public)
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def another_key():
    return Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw()


def flips(receipt):
    for at in range(len(receipt)):
        changed = bytearray(receipt)
        changed[at] ^= 1 << at % 8
        yield at, bytes(changed)


def signed_part(receipt, at):
    """Whether a byte is of the protected header, of the path, or of the signature."""
    protected, unprotected, _, signature = cbor2.loads(receipt).value
    parts = [protected, *cbor2.loads(unprotected[VDP][-1][0])[2], signature]
    return any(begin <= at < begin + len(part) for part in parts for begin in [receipt.index(part)])


def names_a_witness(receipt, at):
    """Whether a byte is of the name or the key id (4 bytes in base64) at the beginning of a line behind the log's."""
    note = cbor2.loads(receipt).value[1]["c2sp.org/tlog-checkpoint"]
    begin = receipt.index(note) + note.index(b"\n\n") + 2
    for number, line in enumerate(note.split(b"\n\n", 1)[1].splitlines(keepends=True)):
        end = begin + line.rindex(b" ") + 1 + 6
        if number > 0 and begin <= at < end:
            return True
        begin += len(line)
    return False


def ask(url, accept, body=None):
    headers = {"Accept": accept} | ({"Content-Type": "application/cose"} if body is not None else {})
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


main()
