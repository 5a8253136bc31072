#!/usr/bin/env bash
# huggingface_hub 2.4.0 (PyPI): the client has two readers of a model card, and they do not agree on what a card says. A README.md
# whose lines end in CR alone is read by `metadata_load` (licence and base model are there) and is a card without any metadata for
# `ModelCard.load`, which logs a notice and gives an empty object. With LF or CRLF both read the same.
#
# Who is hurt: whoever asks one of them for a model's licence or base and the other in a second place: a licence gate that uses `ModelCard`
# sees a model without a licence, where the metadata of the same file names one.
#
# Seen 2026-11-28, Python 3.11:
#   LF    {'license': 'mit', 'base_model': 'acme/base'}  {'license': 'mit', 'base_model': 'acme/base'}
#   CRLF  the same
#   CR    {'license': 'mit', 'base_model': 'acme/base'}  {}
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check huggingface_hub==2.4.0
cat >"$work/read.py" <<'PY'
import pathlib, sys
from huggingface_hub import ModelCard, metadata_load

card = pathlib.Path(sys.argv[1], "README.md")
said = {"license": "mit", "base_model": "acme/base"}
for name, end, second in (("LF", "\n", said), ("CRLF", "\r\n", said), ("CR", "\r", {})):
    card.write_bytes(end.join(["---", "license: mit", "base_model: acme/base", "---", "# Tiny", ""]).encode())
    loaded, of_card = metadata_load(card), ModelCard.load(card).data.to_dict()
    print(f"{name}: {loaded} {of_card}")
    assert loaded == said and of_card == second, name
PY
"$work/venv/bin/python" "$work/read.py" "$work" 2>/dev/null
