"""Holds the vectors of name proofs against the second reading in name_proof.py.

    name_proof_vectors.py SPEC/VECTORS/NAMEPROOF
"""

import base64
import json
import pathlib
import sys

from index_replay import leaf_hash, subjects
from name_proof import NameProof, Policy, Refused, check
from report import Report

# Which of the chapter's checks each code belongs to.
STEPS = {
    "other-subject": 1,
    "checkpoint-refused": 2,
    "other-head": 2,
    "empty-tree": 3,
    "index-entry-not-included": 3,
    "index-says-otherwise": 4,
}


def main():
    folder, report = pathlib.Path(sys.argv[1]), Report()
    malformed = json.loads((folder / "malformed.json").read_text())["cases"]
    read = [case["comment"] for case in malformed if step(lambda: NameProof(case["text"].encode())) != 1]
    report.check(malformed and not read, f"{len(malformed)} texts are no name proof", read)

    proofs = json.loads((folder / "proofs.json").read_text())
    policy = Policy(proofs["policy"])
    entries = [base64.b64decode(entry, validate=True) for entry in proofs["entries"]]
    refused = [case for case in proofs["cases"] if "refuse" in case]
    wrong = [case["comment"] for case in refused if step(lambda: judge(case, policy)) != STEPS.get(case["refuse"], 5)]
    report.check(refused and not wrong, f"{len(refused)} name proofs are refused, each by the check that refuses it", wrong)

    shown = [case for case in proofs["cases"] if "refuse" not in case]
    for case in shown:
        size, pointers = judge(case, policy)
        kind, subject = case["subject"].split(" ")
        known = case.get("kept", {}).get("size", 0)
        replayed = [
            (position, leaf_hash(entry))
            for position, entry in enumerate(entries[:size])
            if position >= known and (kind, subject) in subjects(entry)
        ]
        as_said = [position for position, _ in pointers] == case["positions"]
        report.check(as_said and pointers == replayed, f"{case['comment']}: what a replay of the entries finds", pointers)
    report.finish("name-proof-vectors")


def judge(case, policy):
    kept = case.get("kept", {"size": 0, "count": 0, "peaks": []})
    peaks = [bytes.fromhex(peak) for peak in kept["peaks"]]
    kind, subject = case["subject"].split(" ")
    return check(case["proof"].encode(), kind, subject, policy, (kept["size"], kept["count"], peaks))


def step(judged):
    """The number of the check that refuses; 0 where none does."""
    try:
        judged()
    except Refused as refusal:
        return refusal.step
    return 0


main()
