"""Reads a signed statement and a manifest with cbor2 alone, for the shell scripts.

    record.py fields STATEMENT.cose            one line a field: name, tab, value
    record.py files MANIFEST.cbor [ROLE]       one path a line, of every role or of one
    record.py listing MANIFEST.cbor            one line a file: size, sha256, git_sha1, path
    record.py sig-structure STATEMENT.cose     the bytes under the signature (RFC 9052 §4.4)
    record.py signature STATEMENT.cose         the signature's bytes
    record.py json FIELD.NAME < JSON           the values of a JSON text whose path ends so
    record.py json-says TEXT < JSON            whether a value of a JSON text is this text
"""

import json
import sys

import cbor2


def main():
    commands = {
        "fields": fields,
        "files": files,
        "listing": listing,
        "sig-structure": sig_structure,
        "signature": signature,
        "json": field,
        "json-says": says,
    }
    commands[sys.argv[1]](*sys.argv[2:])


def fields(path):
    protected, _, payload, _ = cbor2.loads(open(path, "rb").read()).value
    record = cbor2.loads(payload)
    print(f"kid\t{cbor2.loads(protected)[4].hex()}")
    for name, value in walk(record, ()):
        print(f"{'.'.join(name)}\t{value}")


def files(path, role=None):
    for file in manifest(path):
        if role in (None, file["role"]):
            print(file["path"])


def listing(path):
    for file in manifest(path):
        print(file["size"], file["sha256"], file["git_sha1"], file["path"])


def sig_structure(path):
    protected, _, payload, _ = cbor2.loads(open(path, "rb").read()).value
    sys.stdout.buffer.write(cbor2.dumps(["Signature1", protected, b"", payload]))


def signature(path):
    sys.stdout.buffer.write(cbor2.loads(open(path, "rb").read()).value[3])


def field(wanted):
    end = tuple(wanted.split("."))
    found = {str(value) for name, value in walk(json.load(sys.stdin), ()) if name[-len(end) :] == end}
    print("\n".join(sorted(found)))


def says(text):
    values = [str(value).strip() for _, value in walk(json.load(sys.stdin), ())]
    if text.strip() not in values:
        sys.exit(f"expected {text!r} among {values}")


def manifest(path):
    return cbor2.loads(open(path, "rb").read())["files"]


def walk(value, name):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from walk(inner, (*name, str(key)))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from walk(inner, (*name, str(index)))
    else:
        yield name, value


main()
