"""The name proofs of a bundle: checks 13 to 15 of "Verifying a release", and the status of the chapter on it.

The text of a name proof and its lists are read by name_proof.py, which knows nothing of bundles.
"""

import base64

from bundle_bytes import Refused
from bundle_evidence import Proof
from bundle_statement import Statement
from index_replay import HEADER, index_key, keys, leaf_hash, sha256
from name_proof import Frontier, NameProof, climb, path_root
from name_proof import Refused as RefusedProof

PUBLIC = ("gated-download", "broad", "open")


def completeness(bundle, release, entry, head, note, history, counts):
    """What is said of the release besides, as far as it counts; None where the bundle has no name proofs."""
    names = bundle.get("names")
    if names is None:
        return None
    subjects = (("release", release.subject), ("keys", release.publisher))
    proofs = [assemble(names, part, subject, note) for part, subject in subjects]  # 13
    about, own = [listed(proof, subject, head) for proof, (_, subject) in zip(proofs, subjects)]  # 14

    known = {(position, said.leaf) for position, said in history}  # 15
    if not set(own) <= known or any(position < head.size for position, _ in known - set(own)):
        raise Refused("name-list-differs", "the key statements are not those that are listed")
    if (entry, release.leaf) not in about:
        raise Refused("name-list-differs", "the release is not listed")
    about.remove((entry, release.leaf))
    if len(about) != len(names["said"]):
        raise Refused("name-list-differs", f"{len(about)} further statements are listed")
    return [(position, said) for position, said in further(about, names["said"], note, head, release) if counts(position, said)]


def assemble(names, part, subject, note):
    """The text of a name proof, of which the lines before the subject and after the answer are not in the bundle."""
    try:
        head = f"stele/name-proof@v1\nname {subject}\n".encode()
        proof = NameProof(head + names["index"] + names[part] + b"\n" + note)
        lines = ["index " + base64.b64encode(proof.index).decode()] + [base64.b64encode(hash).decode() for hash in proof.inclusion]
        shared = "".join(line + "\n" for line in lines).encode()
        # No part holds lines of the other.
        if names["index"] != shared or b"\n\n" in names[part] or not names[part].endswith(b"\n"):
            raise RefusedProof(1, "lines in another part")
    except RefusedProof as why:
        raise Refused("name-proof-malformed", why) from why
    return proof


def listed(proof, subject, head):
    """All pointers of a list, by checks 3 to 5 of "Name proofs"."""

    def need(holds, why):
        if not holds:
            raise Refused("name-proof-refused", why)

    last = HEADER + f"{head.size - 1}\n".encode() + base64.b64encode(proof.index) + b"\n"
    need(path_root(leaf_hash(last), head.size - 1, head.size, proof.inclusion) == head.root, "the index")
    key, bits = index_key("name", subject), [bit for bit, _ in proof.path]
    need(all(below > above for below, above in zip(bits, bits[1:])), "steps out of order")
    if not hasattr(proof, "listed"):
        if proof.other is None:
            need(proof.index == sha256(b""), "the index is not empty")
        else:
            alike = proof.other != key and all(key[bit // 8] >> (7 - bit % 8) & 1 == proof.other[bit // 8] >> (7 - bit % 8) & 1 for bit in bits)
            need(alike and climb(proof.other, proof.value, proof.path) == proof.index, "absent")
        return []
    need(climb(key, proof.listed, proof.path) == proof.index, "the answer")
    need((proof.since, proof.before) == (0, 0), "not from the beginning")
    least, frontier = 0, Frontier(0, [])
    for position, leaf in proof.pointers:
        need(least <= position < head.size - 1, "positions out of order")
        least = position + 1
        frontier.push(leaf_hash(position.to_bytes(8, "big") + leaf))
    need(frontier.count.to_bytes(8, "big") + frontier.root() == proof.listed, "the list")
    return list(proof.pointers)


def further(about, said, note, head, release):
    """Each further statement in the order of the list, proven under the checkpoint of the release."""
    for (position, leaf), item in zip(about, said):
        try:
            evidence = Proof(item["proof"])
            if evidence.note.text != text_of(note) or evidence.index != position:
                raise Refused("name-list-differs", f"entry {position}")
            evidence.check(leaf, head)
            statement = Statement(item["statement"])
        except Refused as why:
            raise Refused("name-list-differs", why) from why
        if statement.leaf != leaf or index_key("name", release.subject) not in keys(item["statement"]):
            raise Refused("name-list-differs", f"entry {position}")
        yield position, statement


def text_of(note):
    return note.decode().rpartition("\n\n")[0] + "\n"


def status(release, entry, said):
    """What the release is after the publisher's other statements (status)."""
    state, replaced, withdrawn = "released", False, False
    for _, statement in said:
        record = statement.record
        weights, about = record.get("weights_digest"), record.get("release", {})
        if statement.kind == "release" or statement.kind in ("amend", "stage", "supersede", "withdraw") and (
            about.get("entry") != entry or weights != release.record["weights"]["digest"]
        ):
            return "conflicting"
        replaced |= statement.kind == "supersede"
        if statement.kind == "withdraw":
            withdrawn = True
        if statement.kind == "stage" and record["access"]["stage"] in PUBLIC:
            withdrawn = False
        if statement.kind in ("amend", "stage"):
            state = "amended"
    return "withdrawn" if withdrawn else "superseded" if replaced else state
