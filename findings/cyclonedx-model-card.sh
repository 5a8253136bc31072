#!/usr/bin/env bash
# cyclonedx-python-lib 11.12.0 (PyPI): a CycloneDX 1.6 document of a model that is read and written again has lost the model card.
# `Bom.from_json` takes it without a word, and the writer leaves out `modelCard` of a machine-learning model and `data` of a data
# component. The library's own strict validator accepts the document before and after.
#
# Who is hurt: whoever passes a bill of materials for models through a Python tool that is built on the library: it merges, signs
# or filters, and the architecture, the data sets and the limitations of the model are gone.
#
# Seen 2026-11-29, Python 3.11: `modelCard` and `data` in the input, neither in the output, both documents valid.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check 'cyclonedx-python-lib[json-validation]==11.12.0'
cat >"$work/again.py" <<'PY'
import json

from cyclonedx.model.bom import Bom
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

card = {"modelParameters": {"task": "text-generation", "datasets": [{"type": "dataset", "name": "acme"}]}, "considerations": {"technicalLimitations": ["short texts"]}}
model = {"type": "machine-learning-model", "bom-ref": "m", "name": "tiny", "version": "1.0", "modelCard": card}
data = {"type": "data", "bom-ref": "d", "name": "acme", "data": [{"type": "dataset", "name": "acme"}]}
document = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": [model, data]}
valid = JsonStrictValidator(SchemaVersion.V1_6).validate_str
assert valid(json.dumps(document)) is None
again = JsonV1Dot6(Bom.from_json(document)).output_as_string()
assert valid(again) is None
kept = {component["name"]: sorted(component) for component in json.loads(again)["components"]}
print(kept)
assert set(kept) == {"tiny", "acme"} and "modelCard" not in kept["tiny"] and "data" not in kept["acme"]
PY
"$work/venv/bin/python" "$work/again.py"
