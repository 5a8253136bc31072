"""A second reading of transition proofs, from spec/text/transition.md and the chapter on the index. It shares no code with Stele.

    transition.py SPEC/VECTORS/TRANSITION    holds the vectors against it
"""

import hashlib
import pathlib
import sys

from report import Report

HEADER = b"stele/transition@v1\n"
MAX_BYTES = 167_772_160
MAX_BETWEEN = 1_022


class Malformed(Exception):
    """Bytes that are no proof."""


class Refused(Exception):
    """A proof that shows nothing about these entries."""


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def bit_of(key, bit):
    return key[bit // 8] >> (7 - bit % 8) & 1


def first_difference(one, other):
    """The first bit at which two keys differ; they do."""
    number = int.from_bytes(one, "big") ^ int.from_bytes(other, "big")
    return 256 - number.bit_length()


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, length):
        if self.at + length > len(self.data):
            raise Malformed("short")
        taken = self.data[self.at : self.at + length]
        self.at += length
        return taken


def parse(data):
    """The node of a proof: a tuple that begins with its kind."""
    if len(data) > MAX_BYTES:
        raise Malformed("too-long")
    if not data.startswith(HEADER):
        raise Malformed("header")
    reader = Reader(data)
    reader.take(len(HEADER))
    root = node(reader, None)
    if reader.at != len(data):
        raise Malformed("trailing")
    return root


def node(reader, above):
    kind = reader.take(1)[0]
    if kind == 0:
        return "pruned", reader.take(32)
    if kind == 1:
        bit = reader.take(1)[0]
        if above is not None and bit <= above:
            raise Malformed("bits")
        left = node(reader, bit)
        return "inner", bit, left, node(reader, bit)
    if kind in (2, 3):
        key, count = reader.take(32), int.from_bytes(reader.take(8), "big")
        if count == 0:
            raise Malformed("no-pointer")
        if kind == 3:
            return "other", key, count, reader.take(32)
        return "touched", key, count, [reader.take(32) for _ in range(count.bit_count())]
    if kind == 4:
        if above is not None:
            raise Malformed("empty")
        return ("empty",)
    raise Malformed("node")


def push(count, peaks, leaf):
    """A list of `count` pointers with one more."""
    peaks = list(peaks)
    while count & 1:
        leaf, count = sha256(b"\x01", peaks.pop(), leaf), count >> 1
    return peaks + [leaf]


def list_root(peaks):
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = sha256(b"\x01", peak, root)
    return root


def leaf_hash(key, count, root):
    return sha256(b"\x00\x20", key, b"\x28", count.to_bytes(8, "big"), root)


def inner_hash(bit, left, right):
    varint = bytes([bit]) if bit < 128 else bytes([bit, 1])
    return sha256(b"\x01", varint, left, right)


def tree(parts):
    """The root over parts from left to right, each a place and a hash."""
    if not parts:
        return sha256()
    if len(parts) == 1:
        return parts[0][1]
    # The whole parts where its first place and its last one do.
    bit = first_difference(parts[0][0], parts[-1][0])
    split = next(i for i, (place, _) in enumerate(parts) if bit_of(place, bit))
    return inner_hash(bit, tree(parts[:split]), tree(parts[split:]))


def reach(shown, keys):
    """Steps 3 and 4: the parts that are shown, from left to right, each [place, kind, ...]; and a key among them."""
    kind = shown[0]
    if not keys:
        if kind != "pruned":
            raise Refused({"inner": "node-surplus", "empty": "empty-shown"}.get(kind, "key-foreign"))
        return [[None, *shown]], None
    if kind == "pruned":
        raise Refused("key-missing")
    if kind == "empty":
        return [], None
    if kind in ("touched", "other"):
        key = shown[1]
        if (kind == "touched") != (key in keys):
            raise Refused("key-foreign" if kind == "touched" else "list-missing")
        return [[key, *shown]], key
    _, bit, left, right = shown
    ones = {key for key in keys if bit_of(key, bit)}
    left, left_key = reach(left, keys - ones)
    right, right_key = reach(right, ones)
    if left_key is not None and right_key is not None:
        good = first_difference(left_key, right_key) == bit and not bit_of(left_key, bit) if left_key != right_key else False
    else:
        good = not bit_of(left_key, bit) if left_key is not None else bit_of(right_key, bit)
    if not good:
        raise Refused("key-misplaced")
    for parts, sibling in ((left, right_key), (right, left_key)):
        if parts[0][1] == "pruned" and parts[0][0] is None:
            turned = int.from_bytes(sibling, "big") ^ 1 << (255 - bit)
            parts[0][0] = turned.to_bytes(32, "big")
    return left + right, left_key if left_key is not None else right_key


def part_hash(part):
    place, kind, *rest = part
    if kind == "pruned":
        return rest[0]
    if kind == "other":
        return leaf_hash(*rest)
    key, count, peaks = rest
    return leaf_hash(key, count, list_root(peaks))


def check(shown, old, entries):
    """The position and root that follow `old`, a position and a root, over entries: positions, leaf hashes and keys."""
    if len(entries) > MAX_BETWEEN:
        raise Refused("too-many-entries")
    for expected, (position, _, _) in enumerate(entries, old[0] + 1):
        if position != expected:
            raise Refused("entry-out-of-order")
    touched = {}
    for position, leaf, keys in entries:
        for key in set(keys):
            touched.setdefault(key, []).append(sha256(b"\x00", position.to_bytes(8, "big"), leaf))
    parts, _ = reach(shown, set(touched))
    if len(parts) == 1 and parts[0][0] is None:
        parts[0][0] = bytes(32)
    found = tree([(part[0], part_hash(part)) for part in parts])
    if found != old[1]:
        raise Refused("old-root")
    lists = {part[0]: (part[3], part[4]) for part in parts if part[1] == "touched"}
    new = {part[0]: part_hash(part) for part in parts if part[1] != "touched"}
    for key, pointers in touched.items():
        count, peaks = lists.get(key, (0, []))
        for pointer in pointers:
            peaks, count = push(count, peaks, pointer), count + 1
        new[key] = leaf_hash(key, count, list_root(peaks))
    return old[0] + len(entries) + 1, tree(sorted(new.items()))


def lines(path):
    return [line.split(" ") for line in path.read_text().splitlines() if line and not line.startswith("#")]


def main():
    folder, report = pathlib.Path(sys.argv[1]), Report()

    count, wrong = 0, []
    for _, code, *data in lines(folder / "malformed.txt"):
        count += 1
        try:
            parse(bytes.fromhex("".join(data)))
            wrong.append(f"{code}: read")
        except Malformed as malformed:
            if str(malformed) != code:
                wrong.append(f"{code}: {malformed}")
    report.check(count and not wrong, f"{count} sequences of bytes are no transition proof, each for the reason given", wrong)

    old, entries, proof = None, [], None
    counts, wrong = {"next": 0, "refuse": 0}, []
    for words in lines(folder / "proofs.txt"):
        match words:
            case ["old", position, root]:
                old, entries = (int(position), bytes.fromhex(root)), []
            case ["listed", position, leaf, *keys]:
                entries.append((int(position), bytes.fromhex(leaf), [bytes.fromhex(key) for key in keys]))
            case ["proof", data]:
                proof = parse(bytes.fromhex(data))
            case [verdict, *expected]:
                counts[verdict] += 1
                try:
                    position, root = check(proof, old, entries)
                    found = ["next", str(position), root.hex()]
                except Refused as refused:
                    found = ["refuse", str(refused)]
                if found != words:
                    wrong.append(f"{' '.join(words)}: {' '.join(found)}")
    report.check(
        counts["next"] and counts["refuse"] and not wrong,
        f"{counts['refuse']} transitions are refused, each for the reason given, and {counts['next']} lead where Stele says",
        wrong,
    )
    report.finish("transition-vectors")


if __name__ == "__main__":
    main()
