"""Proofs, signed notes, checkpoints, and the policy that accepts them.

The chapters proof, note, checkpoint, cosignature, policy and merkle.
"""

import re
import unicodedata

from bundle_bytes import SPACES, Refused, decimal, ed25519, enrolled, from_base64, mldsa, sha256


class Proof:
    def __init__(self, data):
        try:
            header, split, note = data.partition(b"\n\n")
            lines = header.decode().split("\n")
            if not split or lines.pop(0) != "c2sp.org/tlog-proof@v1" or not lines:
                raise ValueError("no header")
            if lines[0].startswith("extra ") and len(from_base64(lines.pop(0)[6:])) > 65536:
                raise ValueError("extra data over its limit")
            if not lines or not lines[0].startswith("index "):
                raise ValueError("no index")
            self.index = decimal(lines.pop(0)[6:])
            self.path = [from_base64(line) for line in lines]
            if len(self.path) > 63 or any(len(each) != 32 for each in self.path):
                raise ValueError("no path")
            self.note = Note(note)
        except ValueError as why:
            raise Refused("proof-malformed", why) from why

    def check(self, leaf, head):
        """Inclusion (merkle; RFC 9162 2.1.3.2)."""
        first, second, root = self.index, head.size - 1, leaf
        if self.index >= head.size:
            raise Refused("not-in-log", f"{self.index} of {head.size}")
        for sibling in self.path:
            if second == 0:
                raise Refused("not-in-log", "a hash too many")
            if first % 2 or first == second:
                root = sha256(b"\1" + sibling + root)
                while first % 2 == 0 and first:
                    first, second = first // 2, second // 2
            else:
                root = sha256(b"\1" + root + sibling)
            first, second = first // 2, second // 2
        if second or root != head.root:
            raise Refused("not-in-log")


class Note:
    """c2sp.org/signed-note; lines are (name, key ID, signature)."""

    def __init__(self, data):
        text, split, lines = data.decode().rpartition("\n\n")
        self.text, self.lines = text + "\n", []
        if not split or not lines.endswith("\n") or any(char < " " and char != "\n" for char in data.decode()):
            raise ValueError("no note")
        for line in lines[:-1].split("\n"):
            dash, name, signature = line.split(" ")
            raw = from_base64(signature)
            if dash != "—" or not key_name(name) or len(raw) < 5:
                raise ValueError("no signature line")
            self.lines.append((name, raw[:4], raw[4:]))
        if len(self.lines) > 72 or len({line[:2] for line in self.lines}) != len(self.lines):
            raise ValueError("too many lines, or two of one key")


class Checkpoint:
    def __init__(self, text):
        try:
            self.origin, size, root, *extensions = text[:-1].split("\n")
            self.size, self.root, self.extensions = decimal(size), from_base64(root), extensions
            if not self.origin or self.size >= 1 << 63 or len(self.root) != 32 or not all(extensions):
                raise ValueError("a line of the checkpoint")
        except ValueError as why:
            raise Refused("checkpoint-malformed", why) from why


class Key:
    """A verifier key: name+hash+base64(type, key)."""

    LENGTHS = {1: 32, 4: 32, 6: 1312}

    def __init__(self, text, types):
        name, identity, encoded = text.split("+", 2)
        raw = from_base64(encoded)
        self.name, self.type, self.public = name, raw[0] if raw else 0, raw[1:]
        self.id = sha256(name.encode() + b"\n" + raw)[:4]
        if (
            not key_name(name)
            or self.type not in types
            or len(self.public) != self.LENGTHS[self.type]
            or identity != self.id.hex()
        ):
            raise ValueError("no key")
        if self.type != 6 and not enrolled(self.public):
            raise ValueError("a key without an owner")

    def verify(self, signature, text, head):
        """None if the signature does not hold, else the time it states, 0 where there is none (cosignature)."""
        if self.type == 1:
            return 0 if ed25519(self.public, signature, text.encode()) else None
        time, signature = int.from_bytes(signature[:8], "big"), signature[8:]
        if self.type == 4:
            holds = ed25519(self.public, signature, f"cosignature/v1\ntime {time}\n{text}".encode())
        else:
            name, origin, zero = self.name.encode(), head.origin.encode(), bytes(8)
            message = b"subtree/v1\n\0" + bytes([len(name)]) + name + time.to_bytes(8, "big") + bytes([len(origin)]) + origin
            holds = mldsa(self.public, signature, message + zero + head.size.to_bytes(8, "big") + head.root)
        return time if holds and time < 1 << 63 else None


class Policy:
    """c2sp.org/tlog-policy, and what the chapter adds."""

    def __init__(self, data):
        self.logs, self.witnesses, self.groups, self.quorum = [], {}, {}, None
        self.addresses, self.members = {}, set()
        number = 0
        try:
            if len(data) > 256 << 10 or not data.endswith(b"\n") or re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", data):
                raise ValueError("too long, without its last newline, or with a control character")
            for number, line in enumerate(data[:-1].split(b"\n"), 1):
                found = [word for word in re.split(rb"[ \t]+", line) if word]
                if found and not found[0].startswith(b"#"):
                    self.line(found[0], found[1:])
            if self.quorum is None or max(len(self.logs), len(self.witnesses), len(self.groups)) > 128:
                raise ValueError("no quorum, or too many lines")
        except (ValueError, IndexError) as why:
            raise Refused("policy-malformed", f"line {number}: {why}") from why

    def line(self, keyword, rest):
        if keyword == b"log" and 1 <= len(rest) <= 2:
            key = Key(rest[0].decode(), (1, 6))
            if any(each.public == key.public for each in self.logs):
                raise ValueError("a key twice")
            address = rest[1].rstrip(b"/") if rest[1:] else None
            if address is not None and self.addresses.setdefault(key.name, address) != address:
                raise ValueError("two addresses of one log")
            self.logs.append(key)
        elif keyword == b"witness" and 2 <= len(rest) <= 3:
            key = Key(rest[1].decode(), (4, 6))
            if any(each.public == key.public for each in self.witnesses.values()):
                raise ValueError("a key twice")
            self.witnesses[self.new(rest[0])] = key
        elif keyword == b"group" and len(rest) >= 3:
            name, k, members = self.new(rest[0]), rest[1], rest[2:]
            k = {b"all": len(members), b"any": 1}.get(k) or decimal(k.decode())
            for member in members:
                if not self.defined(member) or member in self.members:
                    raise ValueError("a member that is not defined, or twice")
                self.members.add(member)
            if not 1 <= k <= len(members):
                raise ValueError("a threshold that cannot be met")
            self.groups[name] = (k, members)
        elif keyword == b"quorum" and len(rest) == 1 and self.quorum is None and (rest[0] == b"none" or self.defined(rest[0])):
            self.quorum = rest[0]
        else:
            raise ValueError("no line of a policy")

    def new(self, name):
        if name == b"none" or self.defined(name):
            raise ValueError("a name twice, or none")
        return name

    def defined(self, name):
        return name in self.witnesses or name in self.groups

    def accept(self, note):
        head = Checkpoint(note.text)
        lines = {(name, identity): signature for name, identity, signature in note.lines}
        keys = [key for key in self.logs if key.name == head.origin]
        if not keys:
            raise Refused("unknown-log", head.origin)
        signed = [key for key in keys if (key.name, key.id) in lines]
        if any(key.verify(lines[key.name, key.id], note.text, head) is None for key in signed):
            raise Refused("bad-log-signature")
        if not signed:
            raise Refused("other-log-key")
        if head.extensions and all(key.type == 6 for key in signed):
            raise Refused("checkpoint-malformed", "extension lines that nobody signed")

        cosigned, times = set(), {}
        for name, key in self.witnesses.items():
            if (key.name, key.id) in lines and not any(key.public == log.public for log in keys):
                time = key.verify(lines[key.name, key.id], note.text, head)
                if time is None:
                    raise Refused("bad-cosignature", key.name)
                cosigned.add(name)
                if time:
                    times[key.name] = max(time, times.get(key.name, time))
        if not self.met(self.quorum, cosigned):
            raise Refused("quorum-missing")
        head.cosigned = cosigned
        head.time = sorted(times.values())[(len(times) - 1) // 2] if times else None
        return head

    def index_cosigners(self, head):
        """The names in the keys of those that cosigned, of the group that the chapter names."""
        inside = self.inside(b"index-cosigners") if b"index-cosigners" in self.groups else set()
        return {self.witnesses[name].name for name in inside & head.cosigned}

    def inside(self, name):
        if name in self.groups:
            return set().union(*(self.inside(member) for member in self.groups[name][1]))
        return {name}

    def met(self, name, cosigned):
        if name in self.groups:
            k, members = self.groups[name]
            return sum(self.met(member, cosigned) for member in members) >= k
        return name == b"none" or name in cosigned


def key_name(value):
    control = any(unicodedata.category(char) == "Cc" for char in value)
    return 1 <= len(value.encode()) <= 255 and "+" not in value and not set(value) & set(SPACES) and not control
