#!/usr/bin/env bash
# gguf 0.19.0 (PyPI, with numpy 2.4.6): `gguf.Metadata`, with which llama.cpp's converter fills the header of a model, calls a fine-tune by the name of
# its base. Where the card does not say `name`, it takes `_name_or_path` of config.json, in which older versions of Transformers left the model that
# training had begun from: what lies in the folder `acme-helper-7B` becomes `general.name` "Base 2 7b Hf" of `general.organization` "Other Labs".
# Two licences of a card become `general.license` "mit,cc-by-nc-4.0", and that is no SPDX expression, which the specification of GGUF (docs/gguf.md of
# ggml, general metadata) asks for. A base whose id has no owner (`gpt2`) is counted, and has a name and no address.
#
# Who is hurt: who takes name, maker or licence of a model from its header: the maker named there never saw it. And a lineage that is read from
# `general.base_model.*.repo_url` lacks a base that the card names.
#
# Seen 2026-11-30, Python 3.11: the lines at the end.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check gguf==0.19.0 numpy==2.4.6
mkdir "$work/acme-helper-7B"
cat >"$work/acme-helper-7B/README.md" <<'MD'
---
license: [mit, cc-by-nc-4.0]
base_model: [other-labs/Base-2-7b-hf, gpt2]
---
# Acme Helper
MD
echo '{"_name_or_path": "other-labs/Base-2-7b-hf", "model_type": "llama"}' >"$work/acme-helper-7B/config.json"
cat >"$work/convert.py" <<'PY'
import pathlib, sys
import gguf, numpy

path = sys.argv[1] + "/helper.gguf"
writer = gguf.GGUFWriter(path, "llama")
gguf.Metadata.load(model_path=pathlib.Path(sys.argv[1], "acme-helper-7B"), total_params=6_738_415_616).set_gguf_meta_model(writer)
writer.add_tensor("w", numpy.zeros(32, numpy.float32))
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
for name, field in gguf.GGUFReader(path).fields.items():
    if name.startswith("general.") and name != "general.architecture":
        print(name, field.contents())
PY
found=$("$work/venv/bin/python" "$work/convert.py" "$work")
echo "$found"
[[ $found == 'general.name Base 2 7b Hf
general.organization Other Labs
general.finetune hf
general.basename Base-2
general.size_label 7B
general.license mit,cc-by-nc-4.0
general.base_model.count 2
general.base_model.0.name Base 2 7b Hf
general.base_model.0.organization Other Labs
general.base_model.0.repo_url https://huggingface.co/other-labs/Base-2-7b-hf
general.base_model.1.name Gpt2' ]]
