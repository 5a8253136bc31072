"""The README's table of standards, held against a run: standards.py README CHECKS TABLE.

CHECKS has a line for each check of the run: the script, a tab, and its line. Each program that a row names has the version that is pinned here; each script
of a row took something and refused something that was changed. TABLE is written: the rows with how many of each this run had.
"""

import re
import sys
from pathlib import Path

from report import Report

HERE = Path(__file__).resolve().parent.parent

# The scripts that judge a row, by how its first cell begins.
SCRIPTS = {
    "COSE_Sign1, SCITT signed statement": ["statement", "transparent", "pyscitt"],
    "COSE receipt": ["receipt-vectors", "receipts-go", "receipts-node", "receipts-served", "scitt"],
    "in-toto statement": ["exports"],
    "CycloneDX": ["exports"],
    "SPDX": ["exports"],
    "CNCF ModelPack": ["oci"],
    "OpenSSF Model Signing": ["oms", "oms-release"],
    "C2PA manifests": ["c2pa"],
}

# What a check of `exports` is about stands at its beginning.
PROGRAM = {"in-toto statement": "in-toto-attestation", "CycloneDX": "cyclonedx-python-lib", "SPDX": "spdx-python-model"}

REFUSED = re.compile(r"refuse|is not (read|verified)|ends with [1-9]|proves nothing|does not sign|signs no")


def pins():
    """Program to versions, from every file that pins one."""
    found = {}
    patterns = [
        ("python/*.txt", r"^([\w.-]+)==([\d.]+)$"),
        ("*/go.mod", r"([\w.-]+) v([\d.]+)(?: // indirect)?$"),
        ("run", r"(@[\w-]+/[\w-]+)@([\d.]+)"),
    ]
    for files, pattern in patterns:
        for file in HERE.glob(files):
            for name, version in re.findall(pattern, file.read_text(), re.MULTILINE):
                found.setdefault(name, set()).add(version)
    return found


def rows(readme):
    """The rows of the table whose head begins with `standard`."""
    lines = iter(readme.splitlines())
    for line in lines:
        if line.startswith("| standard |"):
            break
    next(lines)
    for line in lines:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in line.strip("|").split(" | ")]


def main(readme, checks, table):
    report, known = Report(), pins()
    lines = [line.split("\t", 1) for line in Path(checks).read_text().splitlines()]
    written = ["| standard | what there is | read by | taken | changed, and refused |", "|---|---|---|---|---|"]
    seen = set()
    for standard, artifact, read_by, _ in rows(Path(readme).read_text()):
        key = next((key for key in SCRIPTS if standard.startswith(key)), None)
        if not report.check(key is not None, f"{standard}: a script judges it"):
            continue
        seen.add(key)
        named = re.findall(r"(@?[\w./-]+) (\d+(?:\.\d+)+)", read_by)
        # What Debian has is pinned nowhere.
        other = {name: (version, known[name]) for name, version in named if name in known and version not in known[name]}
        pinned = [name for name, _ in named if name in known]
        report.check(pinned and not other, f"{standard}: {', '.join(pinned)} as the README names them", other)
        own = [line for name, line in lines if name in SCRIPTS[key] and PROGRAM.get(key, "") in line]
        refused = [line for line in own if line.startswith("ok ") and REFUSED.search(line)]
        taken = [line for line in own if line.startswith("ok ") and not REFUSED.search(line)]
        failed = [line for line in own if line.startswith("FAIL")]
        report.check(taken and refused and not failed, f"{standard}: {len(taken)} taken, {len(refused)} changed and refused", failed)
        written.append(f"| {standard} | {artifact} | {read_by} | {len(taken)} | {len(refused)} |")
    report.check(seen == set(SCRIPTS), "every script's standard is in the table", sorted(set(SCRIPTS) - seen))
    Path(table).write_text("\n".join(written) + "\n")
    report.finish("standards")


main(*sys.argv[1:])
