"""Replays a log from its entry bundles and recomputes the index root of every index entry: a second reading of the
specification of the index, in a page of Python.

    index_replay.py PUBLIC

PUBLIC is the folder that a log serves.
"""

import base64
import hashlib
import pathlib
import sys

import cbor2

from report import Report

HEADER = b"stele/index@v1\n"


def main():
    public = pathlib.Path(sys.argv[1])
    size = int((public / "checkpoint").read_text().split("\n")[1])
    report, lists, heads = Report(), {}, 0
    for position, entry in enumerate(entries(public, size)):
        if entry.startswith(HEADER):
            expected = HEADER + f"{position}\n".encode() + base64.b64encode(root(lists)) + b"\n"
            report.check(entry == expected, f"entry {position} is the index of the {len(lists)} keys before it", entry)
            heads += 1
            last = position
        else:
            for key in keys(entry):
                lists.setdefault(key, []).append(position.to_bytes(8, "big") + leaf_hash(entry))
    report.check(heads > 0 and last == size - 1, "the last entry is an index entry")
    report.check(size < 2 or len(lists) > 0, "statements were indexed")
    changed = {key: value + [bytes(40)] for key, value in lists.items()}
    report.check(root(changed) != root(lists) or not lists, "a pointer more gives another root")
    report.finish("index")


def keys(entry):
    """The keys that an entry is listed under; an index entry under none."""
    return sorted({index_key(*subject) for subject in subjects(entry)})


def subjects(entry):
    """The pairs of a kind and a subject that an entry is listed under."""
    if entry.startswith(HEADER):
        return []
    record = cbor2.loads(cbor2.loads(entry).value[2])
    kind, speaker = record["kind"], record["publisher"]["name"]
    if kind == "publisher":
        return [("name", speaker), ("under", speaker)]
    found = [subject for coordinate in about(record) for subject in around(coordinate, speaker)]
    weights = record
    for field in {"release": ("weights", "digest"), "evaluation": ("evaluation", "subject")}.get(kind, ("weights_digest",)):
        weights = weights.get(field) or {}
    return found + ([("digest", weights)] if weights else [])


def about(record):
    """The coordinates that a statement is about."""
    if record["kind"] == "release":
        model = record["model"]
        return [f"{record['publisher']['name']}/{model['name']}@{model['version']}#{model['variant']}"]
    if record["kind"] == "incident":
        return [affected["coordinate"] for affected in record["affected"]]
    return [record["subject" if record["kind"] == "observation" else "release"]["coordinate"]]


def around(coordinate, speaker):
    version = coordinate.split("#")[0]
    model = version.split("@")[0]
    publisher = model.rsplit("/", 1)[0]
    return [("name" if speaker == publisher else "about", coordinate)] + [
        ("under", prefix) for prefix in (version, model, publisher)
    ]


def index_key(kind, subject):
    return sha256(HEADER + kind.encode() + b"\n" + subject.encode())


def root(lists):
    values = {key: len(pointers).to_bytes(8, "big") + tree_root(pointers) for key, pointers in lists.items()}
    return patricia(sorted(values), values) if values else sha256(b"")


def patricia(keys, values):
    """The root over keys in order: the bit that divides them is the first in which the first and the last differ."""
    if len(keys) == 1:
        return sha256(b"\x00\x20" + keys[0] + b"\x28" + values[keys[0]])
    difference = int.from_bytes(keys[0], "big") ^ int.from_bytes(keys[-1], "big")
    bit = 256 - difference.bit_length()
    right = next(i for i, key in enumerate(keys) if key[bit // 8] >> (7 - bit % 8) & 1)
    return sha256(b"\x01" + leb128(bit) + patricia(keys[:right], values) + patricia(keys[right:], values))


def leb128(number):
    return bytes([number]) if number < 128 else bytes([number & 127 | 128, number >> 7])


def tree_root(leaves):
    """RFC 6962 §2.1."""
    if len(leaves) == 1:
        return leaf_hash(leaves[0])
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01" + tree_root(leaves[:split]) + tree_root(leaves[split:]))


def leaf_hash(leaf):
    return sha256(b"\x00" + leaf)


def sha256(content):
    return hashlib.sha256(content).digest()


def entries(public, size):
    for index in range((size + 255) // 256):
        width = min(size - 256 * index, 256)
        groups = [f"{index // 1000**i % 1000:03}" for i in range(3) if i == 0 or index >= 1000**i]
        path = public / "tile/entries" / "/".join(reversed([groups[0]] + [f"x{group}" for group in groups[1:]]))
        partial = path.with_name(path.name + ".p") / str(width)
        content = (partial if width < 256 and partial.exists() else path).read_bytes()
        for _ in range(width):
            length = int.from_bytes(content[:2], "big")
            yield content[2 : 2 + length]
            content = content[2 + length :]


if __name__ == "__main__":
    main()
