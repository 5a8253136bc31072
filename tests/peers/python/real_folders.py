"""Real folders, from a draft to a release: real_folders.py STELE STELE_LOG STELE_WITNESS PACKAGES [--all].

Each folder has the facts that are true of it. A fact that the draft has as a value is right or wrong; one that it leaves to decide, or
does not write, is open. A wrong one fails; so does one that is open and is marked as one that a draft has to know. Then somebody
decides what is left, and the folder is published to a log with a witness, verified, and found again by the digest of a file.
"""

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from folders_shipped import MORE, SHIPPED
from folders_written import FOLDERS, OPEN
from release_network import Network
from report import Report

ANSWERS = {
    "claim": '"open-weight"',
    "stage": '"open"',
    "incident_channel": '"mailto:incidents@acme.example"',
    "all-others": '"no"',
    "relation": '"other"',
    "carries": '["license"]',
    "artifact": '"base"',
    "included": '"no"',
    "from_scratch": "true",
    "use_restricted": "false",
    "spdx": '"LicenseRef-terms"',
    "formats": '["other"]',
    "use_policy": '{ name = "USE_POLICY.md" }',
    "text": '{ name = "TERMS.txt" }',
    "class": '"capability"',
    "subject": '"this-release"',
    "configuration": '"bare-weights"',
    "made": '"finetune by none"',
    "purl": '"pkg:huggingface/acme/tiny"',
    "locator": '"https://huggingface.co/acme/tiny"',
}


def drafted(stele: str, at: Path):
    out = at.parent / "release.toml"
    out.unlink(missing_ok=True)
    ran = subprocess.run([stele, "draft", at, "--publisher", "acme.example", "-o", out], capture_output=True, text=True)
    if ran.returncode != 0:
        return None, ran.stdout + ran.stderr
    return tomllib.loads(out.read_text()), ran.stdout + ran.stderr


def completed(line: str):
    """A line as somebody completes it who decides quickly."""
    name, _, value = line.partition(" = ")
    if "DECIDE" not in value or name.startswith("#"):
        return line
    value = re.sub(r'folder = "DECIDE(\\.|[^"])*"', 'folder = "base"', value)
    answer = ANSWERS.get(name) or re.sub(r'"DECIDE(\\.|[^"])*"', '"x"', value)
    return f"{name} = {answer}"


def answered(form: str) -> str:
    """A draft as somebody completes it: with the host that an open release needs, and the parent of what cannot be without one."""
    # Open weights are released with the weights, whatever else is not.
    form = re.sub(r"(\[components\.model-parameters-final\]\n(?:#.*\n)*included = )\"DECIDE[^\n]*", r'\1"yes"', form)
    lines = "".join(completed(line) + "\n" for line in form.splitlines())
    release = tomllib.loads(lines)
    made = {"quantized": "quantized by none", "adapter": "adapter by none"}.get(release["model"]["artifact"])
    if made and "lineage" not in release:
        lines = re.sub(r"^from_scratch = .*", "from_scratch = false", lines, flags=re.MULTILINE)
        lines += f'\n[[lineage]]\nmade = "{made}"\nparent = {{ purl = "pkg:huggingface/acme/base", folder = "base" }}\ncarries = []\n'
    if "hosts" not in release:
        lines += '\n[[hosts]]\ntype = "https"\nlocator = "https://models.acme.example/tiny"\n'
    return lines


def decisions(stele: str, at: Path, number: int):
    """How many decisions a first release leaves, and one that follows it; and the first, completed. With a card, as every repository has one."""
    card = at / "README.md"
    if not card.exists():
        card.write_text("---\nlicense: apache-2.0\n---\n# Tiny\n")
    old = at.parent / "old.toml"
    old.unlink(missing_ok=True)
    first = subprocess.run([stele, "--json", "draft", at, "--publisher", "acme.example", "--model", f"tiny-{number}", "--variant", "base", "--model-version", "1.0", "-o", "-"], capture_output=True, text=True)
    first = json.loads(first.stdout)
    old.write_text(answered(first["form"]))
    after = subprocess.run([stele, "--json", "draft", at, "--from", old, "--model-version", "1.1", "-o", "-"], capture_output=True, text=True)
    after = json.loads(after.stdout)
    return first["decisions"]["open"], after.get("decisions", {}).get("open"), after.get("open", after), old


def found(form: dict, fact: str):
    model, lineage = form["model"], form.get("lineage", [])
    value = {
        "spdx": lambda: form["license"]["spdx"],
        "use_restricted": lambda: form["license"]["use_restricted"],
        "from_scratch": lambda: form.get("from_scratch"),
        "purls": lambda: [parent["parent"]["purl"] for parent in lineage],
        "relation": lambda: lineage[0].get("relation") if lineage else None,
        "ref": lambda: form["components"]["model-parameters-final"].get("ref"),
        "locator": lambda: form.get("hosts", [{}])[0].get("locator"),
        "evaluations": lambda: [(item["dataset"]["name"], item["value"]) for item in form.get("evaluations", [])],
    }.get(fact, lambda: model.get(fact))()
    return OPEN if value is None or str(value).find("DECIDE") >= 0 else value


def released(network: Network, at: Path, form: Path, facts: dict):
    """Publishes, verifies and finds a folder again: exit codes, and what was said."""
    (at / "TERMS.txt").write_text("Do as you like.\n")
    # What the parent's files are, where there is one.
    (at.parent / "base").mkdir()
    (at.parent / "base/model.safetensors").write_bytes(b"the parent's weights")
    if roles := facts.get("roles"):
        form.write_text(form.read_text() + "\n[roles]\n" + "".join(f'"{path}" = "{role}"\n' for path, role in roles.items()))
    published = network.publish(at, form, facts.get("allowed", []), facts.get("accepted", []))
    if published[0] != 0:
        return [published]
    files = [file for file in at.rglob("*") if file.is_file() and file.name != "release.stele" and ".git" not in file.parts]
    largest = max(files, key=lambda file: file.stat().st_size)
    return [published, network.verify(at), network.resolve(largest)]


def row_of(report: Report, name: str, facts: dict, steps: list):
    """What a row says of publish, verify and resolve."""
    code, said = steps[0]
    if refused := facts.get("refused"):
        report.check(code != 0 and refused in said, f"{name}: publish refuses it: {refused}", said)
        return "refused", "-", "-"
    if not report.check(code == 0, f"{name}: it is published", said):
        return f"code {code}", "-", "-"
    _, (verified, page), (resolved, names) = steps
    report.check(verified == 0 and page.startswith("verified "), f"{name}: it verifies", page)
    report.check(resolved == 0 and "acme.example/tiny-" in names, f"{name}: resolve finds its largest file", names)
    return tuple("ok" if code == 0 else f"code {code}" for code, _ in steps)


class Table:
    """A row for each folder."""

    def __init__(self):
        self.rows = []

    def print(self):
        head = ("folder", "right", "open", "wrong", "decisions", "next", "publish", "verify", "resolve")
        for row in [head, *self.rows]:
            name, *rest = map(str, row)
            print("     " + name.ljust(48) + "".join(cell.rjust(11) for cell in rest))
        right, left, wrong = (sum(row[at] for row in self.rows) for at in (1, 2, 3))
        print(f"     {len(self.rows)} folders; facts: {right} right, {left} open, {wrong} wrong")
        return wrong


def judged(report: Report, name: str, facts: dict, form: dict, said: str):
    """How many facts of a draft are right, open and wrong."""
    count = {"right": 0, "open": 0, "wrong": 0}
    for fact, true in facts.items():
        if fact in ("roles", "allowed", "accepted", "refused"):
            continue
        if fact in ("spurious", "said", "no_weights"):
            words = ["no weights were found", "[roles]"] if fact == "no_weights" else true
            odd = [word for word in words if (word in said) == (fact == "spurious")]
            count["wrong" if odd else "right"] += 1
            report.check(not odd, f"{name}: {fact}", odd)
            continue
        value = found(form, fact)
        kind = "open" if value == OPEN else "right" if value == true else "wrong"
        count[kind] += 1
        # What is to be known and was left open is no error of a fact, and is one of the draft.
        report.check(value == true, f"{name}: {fact}: {kind}", value)
    return count


def main():
    stele, stele_log, stele_witness = sys.argv[1:4]
    packages = Path(sys.argv[4])
    shipped = SHIPPED + (MORE if "--all" in sys.argv else [])
    folders = [(name, lambda at, unpack=unpack: unpack(at, packages), facts) for name, unpack, facts in shipped] + FOLDERS
    if "--all" in sys.argv:
        import folders_torch

        folders += folders_torch.FOLDERS
    report, table = Report(), Table()
    most = {"first": (0, ""), "following": (0, "")}
    with tempfile.TemporaryDirectory() as place, Network(Path(place), stele, stele_log, stele_witness) as network:
        before, ready = network.size(), []
        for number, (name, write, facts) in enumerate(folders):
            at = Path(place) / f"row-{number}" / "model"
            at.mkdir(parents=True)
            # A writer adds what only the library knows of what it wrote.
            facts = facts | (write(at) or {})
            form, said = drafted(stele, at)
            if not report.check(form is not None, f"{name}: it is drafted", said):
                continue
            count = judged(report, name, facts, form, said)
            first, following, left, old = decisions(stele, at, number)
            for which, decided in (("first", first), ("following", following)):
                if report.check(decided is not None, f"{name}: a release that follows is drafted", left):
                    most[which] = max(most[which], (decided, name))
            # What a folder leaves open by itself, or has results of, is asked beyond that.
            if OPEN not in facts.values() and not facts.get("evaluations") and not facts.get("no_weights"):
                report.check(first <= 12 and following <= 3, f"{name}: at most 12 decisions, and 3 at the next: {first}, {following}", left)
            ready.append((name, at, old, facts, (*count.values(), first, following)))
        # A log takes many at once, and each waits for the witness.
        with ThreadPoolExecutor(8) as pool:
            steps = pool.map(lambda row: released(network, row[1], row[2], row[3]), ready)
            for (name, _, _, facts, counted), done in zip(ready, steps):
                table.rows.append((name, *counted, *row_of(report, name, facts, done)))
        logged = sum(row[6] == "ok" for row in table.rows)
        report.check(network.size() >= before + logged, f"the log has an entry of each of {logged} releases", network.size())
    wrong = table.print()
    print(f"     decisions: at most {most['first'][0]} at first ({most['first'][1]}), {most['following'][0]} at the next ({most['following'][1]})")
    report.check(wrong == 0, "no fact is wrong", wrong)
    report.finish("real_folders")


if __name__ == "__main__":
    main()
