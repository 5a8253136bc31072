"""Holds the vectors of reports of monitors against a second reading of the chapter on coverage.

    coverage_vectors.py SPEC/VECTORS/COVERAGE
"""

import json
import pathlib
import re
import sys

from bundle_bytes import Refused as NoCbor
from bundle_bytes import document as read_document
from index_replay import sha256
from name_proof import Policy, Refused, check, check_note, need
from name_proof import Note
from report import Report

EMPTY = sha256(b"")


def main():
    folder, report = pathlib.Path(sys.argv[1]), Report()
    vectors = json.loads((folder / "reports.json").read_text())
    policy = Policy(vectors["policy"])
    refused = [case for case in vectors["cases"] if "refuse" in case]
    accepted = [case["comment"] for case in refused if shown(bytes.fromhex(case["file"]), policy) is not None]
    report.check(refused and not accepted, f"{len(refused)} reports are refused", accepted)
    for case in vectors["cases"]:
        if "refuse" not in case:
            file = bytes.fromhex(case["file"])
            found = shown(file, policy)
            report.check(found == case["logs"], case["comment"], found)
            cut = [length for length in range(len(file)) if shown(file[:length], policy) is not None]
            report.check(not cut, f"{case['comment']}: no beginning of it is a report", cut)
    report.finish("coverage-vectors")


def shown(file, policy):
    """What a report shows of each log; none where it is refused."""
    try:
        document = read_document(file, strings=True)
        need(set(document) == {"coverage", "logs"} and document["coverage"] == "stele/coverage@v1", 1, "another document")
        logs = [read_log(log, policy) for log in document["logs"]]
        need(0 < len(logs) <= 16, 1, "no log, or too many")
        ascending([log["origin"] for log in logs])
        return logs
    except (NoCbor, Refused):
        return None


def read_log(log, policy):
    need(set(log) == {"heads", "lists"} and 0 < len(log["heads"]) <= 64 and len(log["lists"]) <= 1024, 1, "not a log")
    heads, before, read = [], None, 0
    for head in log["heads"]:
        need(set(head) == {"note", "path", "read", "index"}, 1, "not a head")
        note = Note(head["note"].decode())
        origin, (size, root) = note.text.split("\n")[0], check_note(note, policy)
        if before:
            need(before[0] == origin and before[1] < size, 2, "not a larger tree of the log")
            need(is_prefix(before[1], before[2], size, root, head["path"]), 2, "not a beginning of it")
        else:
            need(head["path"] == [], 2, "a path before the first")
        need(read <= head["read"] <= size, 3, "a range that cannot be")
        heads.append([size, read, head["read"]])
        before, read = (origin, size, root), head["read"]
    ascending([one["subject"] for one in log["lists"]])
    used = {one["head"] for one in log["lists"]}
    need(all(at in used or head["index"] == b"" for at, head in enumerate(log["heads"])), 3, "an index for nothing")
    return {"origin": before[0], "heads": heads, "lists": [read_list(one, log["heads"], heads, policy) for one in log["lists"]]}


def read_list(one, notes, heads, policy):
    need(set(one) == {"head", "peaks", "answer", "subject"} and one["head"] < len(heads), 4, "not a list, or under no head")
    head, size = notes[one["head"]], heads[one["head"]][0]
    need(b"\n\n" not in head["index"] + one["answer"] and head["index"].startswith(b"index "), 4, "lines of another part")
    need(re.match(rb"list |absent", one["answer"]), 4, "no answer")
    text = b"stele/name-proof@v1\n" + one["subject"].encode() + b"\n" + head["index"] + one["answer"] + b"\n" + head["note"]
    listed = re.match(rb"list ([1-9][0-9]*) ", one["answer"])
    count = int(listed[1]) if listed else 0
    need(len(one["peaks"]) == count.bit_count(), 4, "a frontier of another size")
    kind, _, subject = one["subject"].partition(" ")
    check(text, kind, subject, policy, (size, count, one["peaks"]))
    return {"subject": one["subject"], "size": size, "count": count}


def is_prefix(old, old_root, new, new_root, path):
    """RFC 9162 §2.1.4.2, for 0 < old < new."""
    path = list(path)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    if not path:
        return False
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for hash in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = sha256(b"\x01" + hash + fr), sha256(b"\x01" + hash + sr)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = sha256(b"\x01" + sr + hash)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and (fr, sr) == (old_root, new_root)


def ascending(names):
    need(all(one.encode() < other.encode() for one, other in zip(names, names[1:])), 1, "names out of order")


main()
