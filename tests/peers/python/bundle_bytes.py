"""The bytes below bundle.py: canonical CBOR, strict text, and signatures that are verified strictly."""

import base64
import hashlib
import re

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey


class Refused(Exception):
    def __init__(self, code, words=""):
        super().__init__(f"{code} {words}".strip())
        self.code = code


# Canonical CBOR (canonical, rules 1 to 7).


def document(data, strings=False):
    cbor = Cbor(data, strings=strings)
    value = cbor.value()
    if cbor.at < len(data):
        raise Refused("trailing-bytes")
    return value


class Cbor:
    def __init__(self, data, strings=False, envelope=False):
        self.data, self.at, self.strings, self.envelope = data, 0, strings, envelope

    def take(self, count):
        if count > len(self.data) - self.at:
            raise Refused("truncated", f"at byte {self.at}")
        self.at += count
        return self.data[self.at - count : self.at]

    def head(self):
        first = self.take(1)[0]
        major, value = first >> 5, first & 31
        if value >= 24:
            if value > 27 or major == 7:
                raise Refused("not-canonical", f"at byte {self.at - 1}")
            size = 1 << value - 24
            value = int.from_bytes(self.take(size), "big")
            if value < (24 if size == 1 else 1 << 4 * size) or major < 2 and value >= 1 << 53:
                raise Refused("not-canonical", f"at byte {self.at - size - 1}")
        return major, value

    def blob(self):
        major, length = self.head()
        if major != 2:
            raise Refused("not-canonical", f"no byte string before byte {self.at}")
        return self.take(length)

    def text(self):
        value = self.value()
        if not isinstance(value, str):
            raise Refused("not-canonical", f"no text before byte {self.at}")
        return value

    def value(self, depth=0):
        major, value = self.head()
        if major == 0:
            return value
        if major == 1 and self.envelope:
            return -1 - value
        if major == 2 and (self.strings or self.envelope):
            return self.take(value)
        if major == 3:
            try:
                return self.take(value).decode()
            except UnicodeDecodeError:
                raise Refused("not-canonical", "text that is not UTF-8") from None
        if major in (4, 5) and depth == 16:
            raise Refused("too-deep")
        if major == 4:
            return [self.value(depth + 1) for _ in range(value)]
        if major == 5:
            return dict(self.pairs(value, depth))
        if (major, value) in ((7, 20), (7, 21)):
            return value == 21
        raise Refused("not-canonical", f"before byte {self.at}")

    def pairs(self, count, depth):
        last = b""
        for _ in range(count):
            start = self.at
            key = self.value(depth + 1)
            before, last = last, self.data[start : self.at]
            if last <= before or type(key) not in ((str, int) if self.envelope else (str,)):
                raise Refused("not-canonical", f"the key at byte {start}")
            yield key, self.value(depth + 1)


def encode(value):
    def head(major, number):
        size = 0 if number < 24 else 1 if number < 1 << 8 else 2 if number < 1 << 16 else 4 if number < 1 << 32 else 8
        return bytes([major << 5 | (23 + size.bit_length() if size else number)]) + (
            number.to_bytes(size, "big") if size else b""
        )

    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        return head(0, value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(encode, value))
    return head(5, len(value)) + b"".join(
        key + encode(inner) for key, inner in sorted((encode(key), inner) for key, inner in value.items())
    )


# Strict text (text).


# The spaces of the chapter on text.
SPACES = "\t\n\v\f\r \u0085\u00a0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))


def sha256(data):
    return hashlib.sha256(data).digest()


def decimal(value):
    if not re.fullmatch(r"0|[1-9][0-9]{0,19}", value, re.ASCII) or int(value) >= 1 << 64:
        raise ValueError(f"no decimal: {value[:40]!r}")
    return int(value)


def from_base64(value):
    raw = base64.b64decode(value.encode("ascii"), validate=True)
    if base64.b64encode(raw).decode() != value:
        raise ValueError("another spelling of base64")
    return raw


# Signatures (key, mldsa).


PRIME, ORDER = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
CURVE = -121665 * pow(121666, -1, PRIME) % PRIME


def enrolled(key):
    """The canonical encoding of a point of the prime-order subgroup, other than the identity (key)."""
    y, sign = int.from_bytes(key, "little") & (1 << 255) - 1, key[31] >> 7
    square = (y * y - 1) * pow(CURVE * y * y + 1, -1, PRIME) % PRIME
    x = pow(square, (PRIME + 3) // 8, PRIME)
    if (x * x - square) % PRIME:
        x = x * pow(2, (PRIME - 1) // 4, PRIME) % PRIME
    if y >= PRIME or (x * x - square) % PRIME or x == 0:
        return False
    point, product, scalar = (PRIME - x if x % 2 != sign else x, y), (0, 1), ORDER
    while scalar:
        if scalar % 2:
            product = add(product, point)
        point, scalar = add(point, point), scalar // 2
    return product == (0, 1)


def add(one, other):
    (a, b), (c, d) = one, other
    both = CURVE * a * b * c * d
    return (a * d + b * c) * pow(1 + both, -1, PRIME) % PRIME, (b * d + a * c) * pow(1 - both, -1, PRIME) % PRIME


LOW = [
    bytes.fromhex(half + sign)
    for half, signs in (
        ("01" + "00" * 30, ("00",)),
        ("ec" + "ff" * 30, ("7f",)),
        ("00" * 31, ("00", "80")),
        ("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc", ("05", "85")),
        ("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03", ("7a", "fa")),
    )
    for sign in signs
]


def ed25519(key, signature, message):
    """Strictly: the key was enrolled before; R is not of small order. The library refuses an s that is not reduced."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return signature[:32] not in LOW


def mldsa(key, signature, message):
    try:
        MLDSA44PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
