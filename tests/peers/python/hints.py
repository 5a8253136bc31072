"""Reads release.hints and walks chains of SHA-256 by the chapter *hints* alone: its compression function is written from FIPS 180-4.

    hints.py vectors HINTS.json      every case of spec/vectors/hints/hints.json
    hints.py check HINTS FILE...     the chain of each file, each state by hashlib over the beginning of the file, and that no file is left over
"""

import hashlib
import json
import sys

from bundle_bytes import Refused, document, encode

PIECE = 64 << 20


def parse(data):
    if len(data) > 16 << 20:
        raise Refused("too-long")
    value = document(data, strings=True)
    if encode(value) != data:
        raise Refused("not-canonical")
    if not isinstance(value, dict) or sorted(value) != ["files", "hints"] or value["hints"] != "stele/hints@v1":
        raise Refused("shape")
    files = value["files"]
    if not isinstance(files, list) or not files:
        raise Refused("no-file")
    found, last = {}, b""
    for file in files:
        if not isinstance(file, dict) or sorted(file) != ["sha256", "states"]:
            raise Refused("shape")
        digest, states = file["sha256"], file["states"]
        if not isinstance(digest, bytes) or len(digest) != 32 or not isinstance(states, bytes) or not states or len(states) % 32:
            raise Refused("length")
        if found and digest <= last:
            raise Refused("order")
        found[digest], last = [states[at : at + 32] for at in range(0, len(states), 32)], digest
    return found


# FIPS 180-4: the fractions of the cube roots and square roots of primes are computed, not copied.


def primes(count):
    found = []
    number = 2
    while len(found) < count:
        if all(number % prime for prime in found):
            found.append(number)
        number += 1
    return found


def root(number, power):
    """The first 32 bits of the fraction of a root."""
    low, high = 0, number << 40
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**power <= number << 32 * power else (low, middle - 1)
    return low & 0xFFFFFFFF


K = [root(prime, 3) for prime in primes(64)]
INITIAL = b"".join(root(prime, 2).to_bytes(4, "big") for prime in primes(8))


def after(state, blocks):
    words = [int.from_bytes(state[at : at + 4], "big") for at in range(0, 32, 4)]
    turn = lambda word, by: (word >> by | word << 32 - by) & 0xFFFFFFFF
    for start in range(0, len(blocks), 64):
        w = [int.from_bytes(blocks[at : at + 4], "big") for at in range(start, start + 64, 4)]
        for t in range(16, 64):
            low = turn(w[t - 15], 7) ^ turn(w[t - 15], 18) ^ w[t - 15] >> 3
            high = turn(w[t - 2], 17) ^ turn(w[t - 2], 19) ^ w[t - 2] >> 10
            w.append(w[t - 16] + low + w[t - 7] + high & 0xFFFFFFFF)
        a, b, c, d, e, f, g, h = words
        for t in range(64):
            one = h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + (e & f ^ ~e & g) + K[t] + w[t]
            two = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + (a & b ^ a & c ^ b & c)
            a, b, c, d, e, f, g, h = one + two & 0xFFFFFFFF, a, b, c, d + one & 0xFFFFFFFF, e, f, g
        words = [x + y & 0xFFFFFFFF for x, y in zip(words, (a, b, c, d, e, f, g, h))]
    return b"".join(word.to_bytes(4, "big") for word in words)


def padded(rest, size):
    return rest + b"\x80" + bytes(-(len(rest) + 9) % 64) + (8 * size).to_bytes(8, "big")


def holds(message, digest, states, piece):
    if len(states) != max(len(message) - 1, 0) // piece:
        return False
    starts = [INITIAL] + states
    for at, start in enumerate(starts):
        part = message[at * piece : (at + 1) * piece]
        is_last = at + 1 == len(starts)
        if after(start, padded(part, len(message)) if is_last else part) != (digest if is_last else starts[at + 1]):
            return False
    return True


def vectors(file):
    failed = 0
    for case in file["refused"]:
        try:
            parse(bytes.fromhex(case["hex"]))
            failed += 1
            print(f"FAIL accepted: {case['comment']}")
        except Refused as refusal:
            print(f"ok   {case['comment']}: {refusal}")
    for case in file["accepted"]:
        found = [{"sha256": digest.hex(), "states": len(states)} for digest, states in parse(bytes.fromhex(case["hex"])).items()]
        failed += found != case["files"]
    for case in file["chains"]:
        message, digest = bytes.fromhex(case["message_hex"]), bytes.fromhex(case["sha256"])
        states = [bytes.fromhex(state) for state in case["states"]]
        good = hashlib.sha256(message).digest() == digest and holds(message, digest, states, case["piece"])
        bad = holds(message, digest, [INITIAL] + states[1:], case["piece"])
        failed += not good or bad
        print(f"{'ok  ' if good and not bad else 'FAIL'} {len(message)} bytes in pieces of {case['piece']}")
    print(f"hints: {failed} failed")
    return 1 if failed or not file["chains"] or not file["refused"] else 0


def check(hints, paths):
    found = parse(open(hints, "rb").read())
    for path in paths:
        whole, states, size = hashlib.sha256(), [], 0
        with open(path, "rb") as opened:
            while part := opened.read(PIECE):
                whole.update(part)
                size += len(part)
                states.append((whole.copy(), size))
        hint = found.pop(whole.digest(), None)
        # A digest is the state after the padding: each state of the hint, padded as if the file ended there, is the digest of its beginning.
        same = hint is not None and len(hint) == (size - 1) // PIECE
        same = same and all(after(state, padded(b"", end)) == begun.digest() for state, (begun, end) in zip(hint, states))
        print(f"{'ok  ' if same else 'FAIL'} {path}")
        if not same:
            return 1
    return 1 if found else 0


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "vectors":
        sys.exit(vectors(json.load(open(sys.argv[2]))))
    if len(sys.argv) > 3 and sys.argv[1] == "check":
        sys.exit(check(sys.argv[2], sys.argv[3:]))
    sys.exit(__doc__)


if __name__ == "__main__":
    main()
