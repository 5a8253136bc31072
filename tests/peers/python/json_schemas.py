"""Whether docs/schemas is JSON Schema, and accepts what the programs write: json_schemas.py SCHEMAS PROGRAMS HOME.

HOME is what `cargo quickstart --keep` left. The validator knows nothing of Stele and asks no network.
"""

import copy
import json
import os
import subprocess
import sys
from pathlib import Path

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from report import Report

report = Report()
schemas, programs, home = (Path(argument).resolve() for argument in sys.argv[1:])
files = {path: json.loads(path.read_text()) for path in sorted(schemas.rglob("*.json"))}
registry = Registry().with_resources(
    (path.as_uri(), Resource.from_contents(schema, default_specification=DRAFT202012)) for path, schema in files.items()
)


def references(value):
    """Every `$ref` in a schema."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        value = value.values()
    if not isinstance(value, (str, int, float, bool, type(None))):
        for inner in value:
            yield from references(inner)


for path, schema in files.items():
    name = path.relative_to(schemas)
    try:
        Draft202012Validator.check_schema(schema)
        problem = None
    except SchemaError as error:
        problem = error.message
    report.check(problem is None, f"{name} is a schema of draft 2020-12", problem)
    resolver = registry.resolver(path.as_uri())
    broken = []
    for reference in references(schema):
        try:
            resolver.lookup(reference)
        except Unresolvable:
            broken.append(reference)
    report.check(not broken, f"every reference of {name} leads somewhere", broken)


def validator(document):
    path = schemas / (document["schema"].replace("@", ".") + ".json")
    return Draft202012Validator({"$ref": path.as_uri()}, registry=registry)


def written(exit_code, program, *arguments):
    """The document that a program writes, which ends with a code."""
    environment = {**os.environ, "STELE_STATE": "/dev/null/none"}
    done = subprocess.run(
        [programs / program, "--json", *arguments], cwd=home, env=environment, capture_output=True, text=True
    )
    line = " ".join([program, *arguments])
    if not report.check(done.returncode == exit_code, f"{line} ends with {exit_code}", done.returncode):
        return
    document = json.loads(done.stdout)
    errors = [f"{error.json_path}: {error.message}" for error in validator(document).iter_errors(document)]
    report.check(not errors, f"{document['schema']} is accepted: {line}", errors)
    for field in ["schema", "ok", "exit"]:
        spoiled = copy.deepcopy(document)
        del spoiled[field]
        refused = not validator(document).is_valid(spoiled)
        report.check(refused, f"{document['schema']} without {field} is refused")


for arguments in [
    (0, "stele", "version"),
    (0, "stele", "help", "exit-codes"),
    (0, "stele", "verify", "model", "--policy", "policy", "--no-state"),
    (7, "stele", "verify", "no-such-folder", "--policy", "policy", "--no-state"),
    (0, "stele", "show", "model/release.stele"),
    (0, "stele", "inspect", "model/release.stele"),
    (0, "stele", "diff", "model", "model"),
    (0, "stele", "policy", "check", "policy"),
    (0, "stele", "policy", "lint", "policy"),
    (2, "stele", "no-such-verb"),
    (0, "stele-log", "version"),
    (0, "stele-witness", "about", "witness-1"),
    (0, "stele-witness", "logs", "list", "witness-1"),
]:
    written(*arguments)

report.finish("json-schemas")
