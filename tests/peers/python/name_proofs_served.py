"""Asks a running log about every name in it and holds the answers against a replay of its entries; then damages them.

    name_proofs_served.py PUBLIC POLICY LOG-URL

PUBLIC is the folder that the log serves.
"""

import pathlib
import sys
import urllib.error
import urllib.parse
import urllib.request

from index_replay import entries, leaf_hash, subjects
from name_proof import Frontier, NameProof, Policy, Refused, check, check_note, cosigners, hash_of, path_root
from report import Report


def main():
    public, policy, url = pathlib.Path(sys.argv[1]), Policy(pathlib.Path(sys.argv[2]).read_text()), sys.argv[3]
    size = int((public / "checkpoint").read_text().split("\n")[1])
    log, lists = list(entries(public, size)), {}
    for position, entry in enumerate(log):
        for subject in dict.fromkeys(subjects(entry)):
            lists.setdefault(subject, []).append((position, leaf_hash(entry)))
    report = Report()
    report.check(lists, "there are names to ask about")

    wrong, proofs = [], {}
    for subject, pointers in lists.items():
        proofs[subject] = content = ask(url, subject)
        if check(content, *subject, policy) != (size, pointers):
            wrong.append(subject)
    report.check(not wrong, f"{len(lists)} lists are what a replay of the entries finds", wrong)

    nobody = [("name", "nobody.example"), ("about", "nobody.example/a@1#b"), ("under", "nobody.example/a"), ("digest", "0" * 64)]
    for subject in nobody:
        proofs[subject] = ask(url, subject)
    absent = [subject for subject in nobody if check(proofs[subject], *subject, policy) == (size, [])]
    report.check(absent == nobody, "what nobody said is proven to be absent", absent)

    subject, pointers = max(lists.items(), key=lambda item: len(item[1]))
    middle = pointers[len(pointers) // 2][0]
    frontier = Frontier(0, [])
    for position, leaf in pointers:
        if position < middle:
            frontier.push(leaf_hash(position.to_bytes(8, "big") + leaf))
    kept = (middle, frontier.count, frontier.peaks)
    rest = check(ask(url, subject, middle), *subject, policy, kept)
    report.check(rest == (size, [pointer for pointer in pointers if pointer[0] >= middle]), "a monitor is shown the rest", rest)

    _, root = check_note(NameProof(proofs[subject]).note, policy)
    for position, leaf in pointers[:4]:
        entry = get(f"{url}/entries/{position}")
        path = [hash_of(line) for line in get(f"{url}/entries/{position}/inclusion?size={size}").decode().split()]
        included = leaf_hash(entry) == leaf and path_root(leaf, position, size, path) == root
        report.check(included and subject in subjects(entry), f"entry {position} is in the tree, and about {subject[1]}")

    for what, content, asked in damages(proofs, subject, nobody[0]):
        report.check(refused(content, asked, policy), f"refused: {what}")
    for what, sample in (("a list", subject), ("an absence", nobody[0])):
        content = proofs[sample]
        # A line that is of nobody known is no damage, so here everybody who signed must have.
        strict = policy.wanting(cosigners(NameProof(content).note, policy))
        flips = range(len(content) * 8)
        passed = [bit for bit in flips if not refused(flipped(content, bit), sample, strict)]
        report.check(not refused(content, sample, strict), f"{what}, undamaged, is not refused")
        report.check(not passed, f"refused: {what} with any one of {len(flips)} bits flipped", passed[:9])
    beyond = [query for query in ("from=99999999", "more=1") if status(f"{address(url, subject)}&{query}") not in (400, 409)]
    report.check(not beyond, "a question that has no answer gets none", beyond)
    report.finish("name-proofs")


def damages(proofs, subject, nobody):
    """Whole lines of a proof left out, doubled and moved; and present and absent exchanged."""
    content = proofs[subject].decode()
    head, _, note = content.partition("\n\n")
    lines = head.split("\n")
    first = next(at for at, line in enumerate(lines) if line.startswith("from ")) + 1
    join = lambda lines: ("\n".join(lines) + "\n\n" + note).encode()
    for at in range(first, len(lines)):
        yield f"pointer {at - first} left out", join(lines[:at] + lines[at + 1 :]), subject
        yield f"pointer {at - first} twice", join(lines[: at + 1] + lines[at:]), subject
        if at > first:
            yield f"pointers {at - first - 1} and {at - first} exchanged", join(
                lines[: at - 1] + [lines[at], lines[at - 1]] + lines[at + 1 :]
            ), subject
    for at in range(len(lines)):
        yield f"line {at + 1} left out", join(lines[:at] + lines[at + 1 :]), subject
    absent, _, absent_note = proofs[nobody].decode().partition("\n\n")
    absent = absent.split("\n")
    yield "a list for who has none", join([lines[0], absent[1], *lines[2:]]), nobody
    yield "the absence of another, for who has a list", ("\n".join([absent[0], lines[1], *absent[2:]]) + "\n\n" + absent_note).encode(), subject
    start = next(at for at, line in enumerate(lines) if line.startswith("list "))
    yield "an empty index, for who has a list", join([*lines[:start], "absent"]), subject
    yield "the answer to another question", proofs[nobody], subject


def flipped(content, bit):
    return content[: bit // 8] + bytes([content[bit // 8] ^ 1 << bit % 8]) + content[bit // 8 + 1 :]


def refused(content, subject, policy):
    try:
        check(content, *subject, policy)
    except Refused:
        return True
    return False


def ask(url, subject, since=0):
    return get(f"{address(url, subject)}&from={since}")


def address(url, subject):
    kind, text = subject
    return f"{url}/lookup/{kind}/proof?{'hex' if kind == 'digest' else 'name'}={urllib.parse.quote(text, safe='')}"


def get(address):
    with urllib.request.urlopen(address, timeout=20) as answer:
        return answer.read()


def status(address):
    try:
        with urllib.request.urlopen(address, timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


main()
