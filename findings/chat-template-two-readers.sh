#!/usr/bin/env bash
# jinja2 3.1.6 (PyPI, with which Transformers renders chat templates) and @huggingface/jinja 0.5.11 (npm, with which Transformers.js does): one
# template, one conversation, two prompts, without an error in either. `strip('\n')`, which templates of reasoning models call on what the model
# thought, takes the newlines away in Python, and in JavaScript the indentation of the first line as well: `strip` and `lstrip` do not look
# at their argument there. A message without content is "None" in the one and nothing in the other; arguments of a tool call that are a map are
# written in two notations; two maps of the same members are equal in Python and not in JavaScript; and -7 % 3 is 2 and -1.
#
# Who is hurt: who evaluates with one and serves with the other from one recorded template. A test that renders with Python says nothing of the rest.
#
# Seen 2026-11-29, Python 3.11, Node 20.20: five of six lines differ.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check jinja2==3.1.6
mkdir "$work/node"
(cd "$work/node" && npm init --yes >npm.out && npm install --silent @huggingface/jinja@0.5.11)
cat >"$work/chat.jinja" <<'JINJA'
{{- messages[0].role }}|
{{ messages[0].thought.strip('\n') }}|
{{ messages[0].content }}|
{{ messages[0].arguments }}|
{{ messages[0].arguments == {'city': none} }}|
{{ -7 % 3 }}|
JINJA
echo '{"messages": [{"role": "assistant", "thought": "\n    if x:\n        y\n", "content": null, "arguments": {"city": null}}]}' >"$work/chat.json"
cat >"$work/render.py" <<'PY'
import json, sys
from jinja2.sandbox import ImmutableSandboxedEnvironment

template, chat = open(sys.argv[1]).read(), json.load(open(sys.argv[2]))
print(ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True).from_string(template).render(**chat))
PY
python=$("$work/venv/bin/python" "$work/render.py" "$work/chat.jinja" "$work/chat.json")
cat >"$work/node/render.mjs" <<'JS'
import { readFileSync } from 'node:fs'
import { Template } from '@huggingface/jinja'

const [template, chat] = process.argv.slice(2).map((path) => readFileSync(path, 'utf8'))
console.log(new Template(template).render(JSON.parse(chat)))
JS
node=$(node "$work/node/render.mjs" "$work/chat.jinja" "$work/chat.json")
printf 'Python:\n%s\nJavaScript:\n%s\n' "$python" "$node"
[[ $python == "assistant|
    if x:
        y|
None|
{'city': None}|
True|
2|" && $node == 'assistant|
if x:
        y|
|
{"city": null}|
false|
-1|' ]]
