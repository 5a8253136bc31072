"""Writes what Python's json reads of many inputs, for the reader of configurations in spec/src/finding/python_json.rs.

    python3 tests/peers/python/json_vectors.py > spec/src/finding/python_json.vectors.json

Python's own limits (nesting, digits of an int) are lifted or kept away from: they differ between versions, and the reader has
none. The order of the inputs and the random ones among them are the same in every run.
"""

import json
import random
import sys

sys.set_int_max_str_digits(0)
KEPT = 32  # as in the reader

WRITTEN = [
    b'{"architectures":["X"],"time_step_limit":[0.0, Infinity],"auto_map":{"AutoModel":"acme/other--modeling_x.X"}}',
    b'[NaN, Infinity, -Infinity]', b'NaN', b'-NaN', b'+Infinity', b'Infinit', b'-Infinityx', b'nan', b'inf', b'-inf',
    b'"\\ud800"', b'"\\udc00x"', b'"\\ud83d\\ude00"', b'"\\ud83dx"', b'"\\ud83d\\ud83d\\ude00"', b'"\\ud83d\\n"',
    b'"\\ud83d\\u"', b'"\\uD83D\\uDE0"', b'"\\u12"', b'"\\u 123"', b'"\\u+123"', b'"\\u0x12"', b'"\\u00_0"',
    b'{"auto\\u005fmap": 1}', b'{"\\ud800": 1}', b'"\xed\xa0\x80"', b'"\xed\xa0\xbd\xed\xb8\x80"',
    b'18446744073709551615', b'18446744073709551616', b'-1', b'-0', b'1e400', b'-1e400', b'1E+2', b'1e-2', b'1.5e3',
    b'0.1', b'.5', b'5.', b'01', b'-', b'-01', b'1e', b'1e+', b'0x1', b'1_000', b'1' * 5000, b'1.' + b'0' * 5000,
    b'{"a": 1, "a": 2}', b'{"a": {"b": 1}, "a": []}', b'{"a": 1, "b": 2, "a": 3}',
    b'\xef\xbb\xbf{"a": 1}', b'\xef\xbb\xbf\xef\xbb\xbf{}', b'\xff\xfe{\x00}\x00', b'\xfe\xff\x00{\x00}',
    b'{\x00}\x00', b'\x00{\x00}', b'1\x00', b'\x001', b'\xff\xfe\x00\x00{\x00\x00\x00}\x00\x00\x00',
    b'\x00\x00\xfe\xff\x00\x00\x00{\x00\x00\x00}', b'{\x00\x00\x00}\x00\x00\x00', b'\x00\x00\x00{\x00\x00\x00}',
    '{"ä": "ö😀"}'.encode('utf-16'), '{"ä": "ö😀"}'.encode('utf-16-be'), '{"ä": "ö"}'.encode('utf-32-le'),
    b'{\x00}', b'"\x00\x00\xd8"\x00', b'\x00"\xd8\x3d\xde\x00\x00"', b'"\x00\x00\x00\x00\xd8\x00\x00"\x00\x00\x00', b'"\x80"', b'"\xc3\xa9"', b'"\xc3"', b'"\xf5\x80\x80\x80"', b'"\xc0\x80"',
    b'', b' ', b'{', b'}', b'[', b']', b'[1', b'[1,', b'[1,]', b'[,]', b'[1 2]', b'{"a"}', b'{"a":}', b'{"a":1,}',
    b'{a: 1}', b"{'a': 1}", b'{"a": 1} x', b'{"a": 1}\n', b'{} {}', b'// x\n{}', b'/* x */{}', b'{"a": 1 /* x */}',
    b'{"a": 1, // x\n"b": 2}', b'{"a": undefined}', b'True', b'None', b'true', b'false', b'null', b'tru', b'nulls',
    b'"a\tb"', b'"a\nb"', b'"a\x00b"', b'"a\x1fb"', b'"a\x7fb"', b'"a', b'"a\\', b'"a\\q"', b'"\\/\\b\\f\\n\\r\\t\\\\\\""',
    b'\x0b1', b'\x0c1', b'\xa01', b'\xc2\xa01', b'\xe2\x80\xa81', b'\r\n\t 1 \r\n\t ', b'[ ]', b'{ }', b'[ 1 , 2 ]',
    b'{ "a" : 1 , "b" : [ ] }', '"٣"'.encode(), '٣'.encode(), '1٣'.encode(), b'[' * 7 + b']' * 7,
    *(b'[' * n + b']' * n for n in range(KEPT - 1, KEPT + 2)), b'{"a":' * (KEPT + 1) + b'1' + b'}' * (KEPT + 1),
    b'[' * 200 + b'1' + b']' * 200, b'[' * 200 + b'1' + b']' * 199,
    *(b'[' * n + inner + b']' * n for n in (KEPT, KEPT + 1) for inner in (
        b'1,', b'{"a" 1}', b'{"a": NaN, "b": [1, {}]}', b'1 2', b'{1: 2}', b'{"a": 1}, 2, [3, []], {"b": {}}')),
]


def plain(value, depth=0):
    """As the test writes it: numbers by whether they fit, halves of surrogate pairs as they were written."""
    if depth >= KEPT or value is None:
        return None
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return str(value) if 0 <= value < 1 << 64 else "a number"
    if isinstance(value, float):
        return "a number"
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, list):
        return [plain(item, depth + 1) for item in value]
    return {plain(key): plain(item, depth + 1) for key, item in value.items()}


def inputs():
    yield from WRITTEN
    chance = random.Random(20260625)
    bits = [b"{", b"}", b"[", b"]", b":", b",", b'"', b"\\", b"u", b"d83d", b"\\ude00", b"NaN", b"Infinity", b"-", b"1", b"0", b".",
            b"e", b"+", b" ", b"\n", b'"a"', b'"auto_map"', b"true", b"null", b"\xc3\xa9", b"\x00", b"\xef\xbb\xbf", b"\xff"]
    for _ in range(150):
        yield b"".join(chance.choice(bits) for _ in range(chance.randrange(1, 12)))
    good = b'{"auto_map": {"A": ["x.X", null]}, "n": [1, -2.5e3, NaN], "s": "\\u00e9\\ud83d\\ude00"}'
    for _ in range(150):
        made = bytearray(good)
        for _ in range(chance.randrange(1, 3)):
            at = chance.randrange(len(made))
            if chance.random() < 0.5:
                del made[at]
            else:
                made[at] = chance.choice(b'{}[]:,"\\u0-19 aN\n')
        yield bytes(made)


def main():
    seen, out = set(), []
    for raw in inputs():
        if raw in seen:
            continue
        seen.add(raw)
        try:
            out.append({"hex": raw.hex(), "reads": True, "value": plain(json.loads(raw))})
        except ValueError:
            out.append({"hex": raw.hex(), "reads": False})
    text = {"comment": "What Python's json.loads reads of bytes; written by tests/peers/python/json_vectors.py.", "inputs": out}
    print(json.dumps(text, ensure_ascii=True, indent=0, separators=(",", ":")))


main()
