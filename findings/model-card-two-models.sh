#!/usr/bin/env bash
# huggingface_hub 2.4.0 (PyPI): a model card whose `model-index` has the evaluation results of two models, loaded by `ModelCard.load` and saved
# without a change, has one model: the results of the first are now those of the second. And two results that differ in the data set's
# `args` alone become one entry, in which a score without examples stands under `num_few_shot: 25`. `metadata_load` reads the card as it is written.
#
# Who is hurt: whoever edits a tag, a licence or a link of a card through the library publishes scores that nobody measured.
#
# Seen 2026-11-29, Python 3.11:
#   before: small 25-shot 0.5, small 0-shot 0.3, large 25-shot 0.9; after: large 25-shot [0.5, 0.3, 0.9]
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check huggingface_hub==2.4.0
cat >"$work/README.md" <<'MD'
---
license: mit
model-index:
- name: small
  results:
  - task: {type: text-generation}
    dataset: {type: arc, name: ARC, args: {num_few_shot: 25}}
    metrics:
    - {type: acc, value: 0.5}
  - task: {type: text-generation}
    dataset: {type: arc, name: ARC, args: {num_few_shot: 0}}
    metrics:
    - {type: acc, value: 0.3}
- name: large
  results:
  - task: {type: text-generation}
    dataset: {type: arc, name: ARC, args: {num_few_shot: 25}}
    metrics:
    - {type: acc, value: 0.9}
---
# Two models
MD
cat >"$work/again.py" <<'PY'
import pathlib, sys
from huggingface_hub import ModelCard, metadata_load

card = pathlib.Path(sys.argv[1], "README.md")


def scores():
    return [
        (model["name"], result["dataset"]["args"]["num_few_shot"], [metric["value"] for metric in result["metrics"]])
        for model in metadata_load(card)["model-index"]
        for result in model["results"]
    ]


before = scores()
ModelCard.load(card).save(card)
after = scores()
print("before:", before)
print("after: ", after)
assert before == [("small", 25, [0.5]), ("small", 0, [0.3]), ("large", 25, [0.9])]
assert after == [("large", 25, [0.5, 0.3, 0.9])]
PY
"$work/venv/bin/python" "$work/again.py" "$work"
