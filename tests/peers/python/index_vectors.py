"""Holds the vectors of the index against the second reading in index_replay.py.

    index_vectors.py SPEC/VECTORS/INDEX
"""

import pathlib
import sys

from index_replay import index_key, patricia, sha256
from report import Report


def main():
    folder = pathlib.Path(sys.argv[1])
    report = Report()

    found = [(words[1:], index_key(words[1], words[2]).hex()) for words in lines(folder / "key.txt") if words[0] == "key"]
    wrong = [words for words, key in found if words[2] != key]
    report.check(found and not wrong, f"{len(found)} keys of the index are what Python makes of their subjects", wrong)

    values, roots, wrong = {}, 0, []
    for words in lines(folder / "tree.txt"):
        if words[0] == "set":
            values[bytes.fromhex(words[1])] = int(words[2]).to_bytes(8, "big") + bytes.fromhex(words[3])
        elif words[0] == "root":
            root = patricia(sorted(values), values) if values else sha256(b"")
            roots, values = roots + 1, {}
            if root.hex() != words[1]:
                wrong.append(words[1])
    report.check(roots and not wrong, f"{roots} roots of the index are what Python makes of their keys", wrong)
    report.finish("index-vectors")


def lines(path):
    return [line.split() for line in path.read_text().splitlines() if line and not line.startswith("#")]


main()
