#!/usr/bin/env bash
# tokenizers 0.23.3 (PyPI) and @huggingface/tokenizers 0.2.0 (npm), both of one publisher: one tokenizer.json, one text, two lists of tokens,
# and no error in either. JavaScript does not look at `truncation`, nor at `single_word` of an added token, and puts one token where
# a post-processor's template names one that stands for two. Where no token is for unknown characters, Python joins what stood on both
# sides of one ("hel lo" is hello), JavaScript does not. And where the bytes of some characters have tokens and those of others have not,
# Python writes the unknown token behind the bytes that follow it: of the text é, space, é it makes é, é, unknown.
#
# Who is hurt: who evaluates or embeds with one and serves with the other from the same recorded file: what the model reads is not the same.
#
# Seen 2026-11-29, Python 3.11, Node 20.20: with each of the five settings the two differ, and without them they agree.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check tokenizers==0.23.3
mkdir "$work/node"
(cd "$work/node" && npm init --yes >npm.out && npm install --silent @huggingface/tokenizers@0.2.0)
cat >"$work/cases.py" <<'PY'
import json, sys

words = ["<unk>", "<s>", "[X]", *"abcdefghijklmnopqrstuvwxyz", "he", "hel", "lo", "hello", "th", "the", "<0xC3>", "<0xA9>"]
vocabulary = {word: number for number, word in enumerate(words)}
merges = [["t", "h"], ["th", "e"], ["h", "e"], ["he", "l"], ["l", "o"], ["hel", "lo"]]


def tokenizer(model={}, **rest):
    bpe = {"type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None, "end_of_word_suffix": None}
    bpe |= {"fuse_unk": False, "byte_fallback": False, "ignore_merges": False, "vocab": vocabulary, "merges": merges} | model
    parts = ("truncation", "padding", "normalizer", "pre_tokenizer", "post_processor", "decoder")
    return {"version": "1.0", "added_tokens": [], "model": bpe} | dict.fromkeys(parts) | rest


the = {"id": vocabulary["the"], "content": "the", "single_word": True, "lstrip": False, "rstrip": False, "normalized": False, "special": False}
start = {"SpecialToken": {"id": "<s>", "type_id": 0}}
sequence = [{"Sequence": {"id": name, "type_id": 0}} for name in "AB"]
template = {"type": "TemplateProcessing", "single": [start, sequence[0]], "pair": [start, *sequence]}
template["special_tokens"] = {"<s>": {"id": "<s>", "ids": [1, 2], "tokens": ["<s>", "[X]"]}}
cases = {
    "none of these": (tokenizer(), "hello the"),
    "truncation": (tokenizer(truncation={"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0}), "hello the hello the"),
    "single_word": (tokenizer({"merges": merges[2:]}, added_tokens=[the]), "lathe"),
    "template": (tokenizer(post_processor=template), "hello"),
    "no unknown token": (tokenizer({"unk_token": None}), "hel lo"),
    "some bytes": (tokenizer({"byte_fallback": True}), "é é"),
}
json.dump(cases, open(sys.argv[1], "w"))
PY
python3 "$work/cases.py" "$work/cases.json"
cat >"$work/read.py" <<'PY'
import json, sys
from tokenizers import Tokenizer

for name, (tokenizer, text) in json.load(open(sys.argv[1])).items():
    print(name + ":", *Tokenizer.from_str(json.dumps(tokenizer)).encode(text).tokens)
PY
python=$("$work/venv/bin/python" "$work/read.py" "$work/cases.json")
cat >"$work/node/read.mjs" <<'JS'
import { readFileSync } from 'node:fs'
import { Tokenizer } from '@huggingface/tokenizers'

for (const [name, [tokenizer, text]] of Object.entries(JSON.parse(readFileSync(process.argv[2])))) {
  console.log(`${name}:`, ...new Tokenizer(tokenizer, {}).encode(text).tokens)
}
JS
node=$(node "$work/node/read.mjs" "$work/cases.json")
printf 'Python:\n%s\nJavaScript:\n%s\n' "$python" "$node"
[[ $python == 'none of these: hello <unk> the
truncation: hello <unk> the
single_word: l a t he
template: <s> [X] hello
no unknown token: hello
some bytes: <0xC3> <0xA9> <0xC3> <0xA9> <unk>' && $node == 'none of these: hello <unk> the
truncation: hello <unk> the <unk> hello <unk> the
single_word: l a the
template: <s> hello
no unknown token: hel lo
some bytes: <0xC3> <0xA9> <unk> <0xC3> <0xA9>' ]]
