#!/usr/bin/env bash
# gguf 0.19.0 and transformers 5.24.0 (PyPI, with numpy 2.4.6): a folder of a model has places for its chat template: the key `chat_template` of
# tokenizer_config.json, in which older versions of Transformers wrote it, the file chat_template.jinja, in which newer ones do, and additional_chat_templates/
# for those with names. Transformers takes the file before the key; `gguf.SpecialVocab`, with which converters fill the header of a GGUF file, takes the
# key before the file, also where the key is null and the model then has none. It reads the folder of templates only beside the file; Transformers
# does always, and then drops that of the key. Neither says a word of what it passes over.
#
# Who is hurt: who mends a template by adding chat_template.jinja to a folder that has the key: the model as GGUF goes on with the old one, and a prompt
# that was tested with the one is another in the other. A record of both files says which templates there were, not which one was used. Remove the key.
#
# Seen 2026-11-30, Python 3.11: the lines at the end: where the templates are, what each of the two reads.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile transformers==5.24.0 gguf==0.19.0 numpy==2.4.6
cat >"$work/read.py" <<'PY'
import json, pathlib, sys
import gguf
from tokenizers import Tokenizer, models
from transformers import AutoTokenizer

folders = {
    "file": ({}, {"chat_template.jinja": "of the file"}),
    "key": ({"chat_template": "of the key"}, {}),
    "key, file": ({"chat_template": "of the key"}, {"chat_template.jinja": "of the file"}),
    "null, file": ({"chat_template": None}, {"chat_template.jinja": "of the file"}),
    "file, folder": ({}, {"chat_template.jinja": "of the file", "additional_chat_templates/tool_use.jinja": "for tools"}),
    "folder": ({}, {"additional_chat_templates/tool_use.jinja": "for tools"}),
    "key, folder": ({"chat_template": "of the key"}, {"additional_chat_templates/tool_use.jinja": "for tools"}),
}
for name, (config, files) in folders.items():
    folder = pathlib.Path(sys.argv[1], name)
    folder.mkdir()
    Tokenizer(models.WordLevel({"hello": 0}, unk_token="hello")).save(str(folder / "tokenizer.json"))
    config = {"tokenizer_class": "PreTrainedTokenizerFast"} | config
    for path, text in (files | {"tokenizer_config.json": json.dumps(config)}).items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text)
    header = gguf.SpecialVocab(folder).chat_template
    if isinstance(header, list):
        header = {one["name"]: one["template"] for one in header}
    print(f"{name}: transformers {AutoTokenizer.from_pretrained(folder).chat_template}, gguf {header}")
PY
found=$(HF_HUB_OFFLINE=1 "$work/venv/bin/python" "$work/read.py" "$work" 2>"$work/err") || { cat "$work/err"; exit 1; }
echo "$found"
[[ $found == "file: transformers of the file, gguf of the file
key: transformers of the key, gguf of the key
key, file: transformers of the file, gguf of the key
null, file: transformers of the file, gguf None
file, folder: transformers {'default': 'of the file', 'tool_use': 'for tools'}, gguf {'default': 'of the file', 'tool_use': 'for tools'}
folder: transformers {'tool_use': 'for tools'}, gguf None
key, folder: transformers {'tool_use': 'for tools'}, gguf of the key" ]]
