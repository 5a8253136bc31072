"""Name proofs, read a second time: the text, the checks and nothing of Stele's code. A module of the scripts beside it."""

import base64
import copy
import hashlib
import re

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from index_replay import HEADER, index_key, leaf_hash, leb128, sha256

LABEL = r"(?!..--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
HOST = rf"(?:{LABEL}\.)+(?![0-9]){LABEL}"
WORD = r"[a-z0-9]+(?:[._-][a-z0-9]+)*"
PUBLISHER = rf"{HOST}(?:/{WORD})?"
VERSION = r"[a-z0-9]+(?:[._+-][a-z0-9]+)*"
MODEL = rf"{PUBLISHER}/{WORD}"
COORDINATE = rf"{MODEL}@{VERSION}#{WORD}"
SUBJECTS = {
    "name": rf"{COORDINATE}|{PUBLISHER}",
    "about": rf"{COORDINATE}|{PUBLISHER}",
    "under": rf"{MODEL}@{VERSION}|{MODEL}|{PUBLISHER}",
    "digest": r"[0-9a-f]{64}",
}
EMPTY = sha256(b"")


class Refused(Exception):
    """A proof that shows nothing, and the check that says so."""

    def __init__(self, step, why):
        super().__init__(f"step {step}: {why}")
        self.step = step


def need(holds, step, why):
    if not holds:
        raise Refused(step, why)


class NameProof:
    """Step 1: one spelling of each value, and nothing else in the text."""

    def __init__(self, content):
        self.lines = []
        try:
            head, empty, note = content.decode().partition("\n\n")
        except UnicodeDecodeError:
            raise Refused(1, "not UTF-8") from None
        need(empty, 1, "no empty line")
        self.note = Note(note)
        self.lines = head.split("\n")
        self.at = 0
        need(self.next() == "stele/name-proof@v1", 1, "another version")
        self.kind, _, self.subject = self.next().partition(" ")
        need(re.fullmatch(SUBJECTS.get(self.kind, r"(?!)"), self.subject), 1, "not a subject")
        self.index = hash_of(self.after("index "))
        self.inclusion = []
        while len(self.peek()) == 44 and " " not in self.peek():
            self.inclusion.append(hash_of(self.next()))
        need(len(self.inclusion) <= 63, 1, "an inclusion path that is too long")
        self.other, self.value, self.pointers = None, None, []
        if self.peek() == "absent":
            self.next()
            self.path = []
        elif self.peek().startswith("absent "):
            key, count, root = self.words(self.after("absent "), 3)
            self.other, self.value = hash_of(key), value_of(count, root)
            self.path = self.steps()
        else:
            count, root = self.words(self.after("list "), 2)
            self.listed = value_of(count, root)
            self.path = self.steps()
            self.since, self.before = map(number_of, self.words(self.after("from "), 2))
            need(self.before <= min(self.since, number_of(count)), 1, "more pointers before than there can be")
            while self.at < len(self.lines):
                position, leaf = self.words(self.next(), 2)
                self.pointers.append((number_of(position), hash_of(leaf)))
            need(len(self.pointers) <= min(1024, number_of(count) - self.before), 1, "too many pointers")
        need(self.at == len(self.lines), 1, "lines that are left over")

    def peek(self):
        return self.lines[self.at] if self.at < len(self.lines) else ""

    def next(self):
        need(self.at < len(self.lines), 1, "a line is missing")
        self.at += 1
        return self.lines[self.at - 1]

    def after(self, prefix):
        line = self.next()
        need(line.startswith(prefix), 1, f"expected {prefix!r}")
        return line[len(prefix) :]

    def words(self, text, count):
        words = text.split(" ")
        need(len(words) == count, 1, f"expected {count} words")
        return words

    def steps(self):
        steps = []
        while self.peek()[:1].isdigit():
            bit, sibling = self.words(self.next(), 2)
            need(number_of(bit) < 256, 1, "a bit of 256 or more")
            steps.append((number_of(bit), hash_of(sibling)))
        need(len(steps) <= 256, 1, "too many steps")
        return steps


def check(content, kind, subject, policy, kept=(0, 0, [])):
    """The positions and leaf hashes that are listed after what is kept: (tree size, count, peaks with the largest first)."""
    proof = NameProof(content)
    need((proof.kind, proof.subject) == (kind, subject), 1, "another question")
    size, root = check_note(proof.note, policy)
    need(size > 0, 3, "a tree without entries")
    entry = HEADER + f"{size - 1}\n".encode() + base64.b64encode(proof.index) + b"\n"
    need(path_root(leaf_hash(entry), size - 1, size, proof.inclusion) == root, 3, "the last entry states another index")

    key = index_key(kind, subject)
    bits = [bit for bit, _ in proof.path]
    need(all(below > above for below, above in zip(bits, bits[1:])), 4, "steps out of order")
    if hasattr(proof, "listed"):
        need(climb(key, proof.listed, proof.path) == proof.index, 4, "the index does not list that")
    elif proof.other is None:
        need(proof.index == EMPTY, 4, "the index is not empty")
    else:
        need(proof.other != key, 4, "absent by its own key")
        need(all(bit_of(key, bit) == bit_of(proof.other, bit) for bit in bits), 4, "a search ends elsewhere")
        need(climb(proof.other, proof.value, proof.path) == proof.index, 4, "the index does not have the other key")

    known, count, peaks = kept
    need(known <= size, 5, "an older tree than is known")
    if not hasattr(proof, "listed"):
        need(count == 0, 5, "a list vanished")
        return size, []
    need((proof.since, proof.before) == (known, count), 5, "it goes on elsewhere")
    least, frontier = known, Frontier(count, peaks)
    for position, leaf in proof.pointers:
        need(least <= position < size - 1, 5, "positions out of order, or beyond the index")
        least = position + 1
        frontier.push(leaf_hash(position.to_bytes(8, "big") + leaf))
    need(frontier.count.to_bytes(8, "big") + frontier.root() == proof.listed, 5, "the pointers are not the list")
    return size, proof.pointers


class Frontier:
    """The perfect subtrees of a list, largest first."""

    def __init__(self, count, peaks):
        self.count, self.peaks = count, list(peaks)

    def push(self, leaf):
        size = self.count
        while size & 1:
            leaf = sha256(b"\x01" + self.peaks.pop() + leaf)
            size >>= 1
        self.peaks.append(leaf)
        self.count += 1

    def root(self):
        if not self.peaks:
            return EMPTY
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = sha256(b"\x01" + peak + root)
        return root


def climb(key, value, path):
    here = sha256(b"\x00\x20" + key + b"\x28" + value)
    for bit, sibling in path:
        sides = (sibling, here) if bit_of(key, bit) else (here, sibling)
        here = sha256(b"\x01" + leb128(bit) + sides[0] + sides[1])
    return here


def bit_of(key, bit):
    return key[bit // 8] >> (7 - bit % 8) & 1


def path_root(leaf, position, size, path):
    """Where a path leads, from the top (RFC 6962 §2.1.1); nowhere if it is of another length."""
    if size <= 1:
        return leaf if not path else None
    if not path:
        return None
    split = 1 << (size - 1).bit_length() - 1
    if position < split:
        below = path_root(leaf, position, split, path[:-1])
        return below and sha256(b"\x01" + below + path[-1])
    below = path_root(leaf, position - split, size - split, path[:-1])
    return below and sha256(b"\x01" + path[-1] + below)


class Policy:
    """c2sp.org/tlog-policy, with Ed25519 keys; a key of another type signs nothing here."""

    def __init__(self, text):
        self.logs, self.members, self.quorum = {}, {}, "none"
        for line in text.splitlines():
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            if words[0] == "log":
                key = Key(words[1])
                self.logs.setdefault(key.name, []).append(key)
            elif words[0] == "witness":
                self.members[words[1]] = Key(words[2])
            elif words[0] == "group":
                self.members[words[1]] = (words[2], words[3:])
            elif words[0] == "quorum":
                self.quorum = words[1]

    def wanting(self, names):
        """The same policy with a quorum of all these."""
        other = copy.copy(self)
        other.members, other.quorum = {**self.members, "everybody": ("all", sorted(names))}, "everybody"
        return other

    def met(self, name, cosigned):
        member = self.members.get(name)
        if name == "none" or name in cosigned:
            return True
        if not isinstance(member, tuple):
            return False
        least, names = member
        least = {"all": len(names), "any": 1}.get(least) or int(least)
        return sum(self.met(inner, cosigned) for inner in names) >= least


class Key:
    def __init__(self, vkey):
        self.name, hash_hex, rest = vkey.split("+", 2)
        material = base64.b64decode(rest, validate=True)
        self.type, self.key = material[0], material[1:]
        self.hash = hashlib.sha256(self.name.encode() + b"\n" + material).digest()[:4]
        assert self.hash.hex() == hash_hex, vkey

    def verifies(self, signature, message):
        try:
            Ed25519PublicKey.from_public_bytes(self.key).verify(signature, message)
        except InvalidSignature:
            return False
        return True


class Note:
    """A signed note as it came: its text, and its signatures by name and key hash."""

    def __init__(self, note):
        text, empty, lines = note.rpartition("\n\n")
        need(empty and lines.endswith("\n"), 1, "not a signed note")
        self.text, self.signatures = text + "\n", []
        for line in lines[:-1].split("\n"):
            match = re.fullmatch("\u2014 (\\S+) ([A-Za-z0-9+/=]+)", line)
            need(match, 1, "not a signature line")
            try:
                signature = base64.b64decode(match[2], validate=True)
            except ValueError:
                raise Refused(1, "not base64") from None
            need(base64.b64encode(signature).decode() == match[2] and len(signature) > 4, 1, "not a signature line")
            self.signatures.append((match[1], signature[:4], signature[4:]))

    def meant(self, key):
        """The signatures that are said to be of a key."""
        return [signature for name, key_hash, signature in self.signatures if (name, key_hash) == (key.name, key.hash)]


def check_note(note, policy):
    """Step 2: size and root of a checkpoint that the log signed and the quorum cosigned."""
    match = re.fullmatch(r"([^\s+]+)\n(0|[1-9][0-9]*)\n([A-Za-z0-9+/=]+)\n(?:[^\n]+\n)*", note.text)
    need(match, 2, "not a checkpoint")
    origin, size, root = match.groups()

    message = note.text.encode()
    own = [key for key in policy.logs.get(origin, []) if key.type == 1 and note.meant(key)]
    need(own, 2, "not signed by a log of the policy")
    for key in own:
        need(all(key.verifies(signature, message) for signature in note.meant(key)), 2, "a log's signature fails")
    cosigned = cosigners(note, policy)
    need(policy.met(policy.quorum, cosigned), 2, "below the quorum")
    return int(size), hash_of(root, 2)


def cosigners(note, policy):
    """The witnesses of the policy that cosigned; a line of one of them that fails spoils the note."""
    found = set()
    for name, key in policy.members.items():
        if not isinstance(key, Key) or key.type != 4:
            continue
        for signature in note.meant(key):
            time = int.from_bytes(signature[:8], "big")
            signed = f"cosignature/v1\ntime {time}\n".encode() + note.text.encode()
            need(len(signature) == 72 and key.verifies(signature[8:], signed), 2, f"the cosignature of {name} fails")
            found.add(name)
    return found


def number_of(text):
    need(re.fullmatch(r"0|[1-9][0-9]*", text) and int(text) < 1 << 64, 1, f"not a number: {text!r}")
    return int(text)


def hash_of(text, step=1):
    need(re.fullmatch(r"[A-Za-z0-9+/]{43}=", text), step, f"not a hash: {text!r}")
    found = base64.b64decode(text)
    need(base64.b64encode(found).decode() == text, step, f"loose bits: {text!r}")
    return found


def value_of(count, root):
    need(number_of(count) > 0, 1, "an empty list")
    return number_of(count).to_bytes(8, "big") + hash_of(root)
