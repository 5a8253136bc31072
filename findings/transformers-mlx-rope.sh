#!/usr/bin/env bash
# transformers 5.24.0 and mlx-lm 0.32.2 with mlx-cpu 0.32.4 (PyPI, with numpy 2.4.6): a config.json as Llama 3.1 has it, loaded by transformers and saved
# without a change, makes another model of the same weights. `rope_theta` and `rope_scaling` have moved into `rope_parameters`: mlx-lm, which itself
# requires transformers 5, loads a `llama` with its default of 10000 in the place of 500000 and without the scaling, and does not say a word.
# Of its modules that read `rope_theta`, 82 of 99 do not know the new place.
#
# Who is hurt: who re-saves a model (to merge, to quantize, to shard) and publishes it, and who trusts that equal weights are an equal model: the
# file of weights has the recorded digest, and each position is turned by another angle. The first token is right, the later ones are less and less.
#
# Seen 2026-11-30, Python 3.11, Linux: the lines at the end: before, after, and what the two models compute.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile transformers==5.24.0 mlx==0.32.4 mlx-cpu==0.32.4 numpy==2.4.6
# What mlx-lm asks for beside these is not needed to load this model.
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile --no-deps mlx-lm==0.32.2
mkdir "$work/before"
cat >"$work/before/config.json" <<'JSON'
{"architectures": ["LlamaForCausalLM"], "model_type": "llama", "torch_dtype": "bfloat16", "transformers_version": "4.43.0",
 "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 128,
 "rms_norm_eps": 1e-05, "max_position_embeddings": 131072, "rope_theta": 500000.0, "tie_word_embeddings": false,
 "rope_scaling": {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192, "rope_type": "llama3"}}
JSON
cat >"$work/again.py" <<'PY'
import sys
from transformers import AutoConfig

AutoConfig.from_pretrained(sys.argv[1]).save_pretrained(sys.argv[2])
PY
cat >"$work/load.py" <<'PY'
import json, pathlib, shutil, sys
import mlx.core, mlx_lm.models
from mlx.utils import tree_flatten
from mlx_lm.models.llama import Model, ModelArgs
from mlx_lm.utils import load_model

folders = [pathlib.Path(name) for name in sys.argv[1:]]
made = Model(ModelArgs.from_dict(json.load(open(folders[0] / "config.json"))))
mlx.core.save_safetensors(str(folders[0] / "model.safetensors"), dict(tree_flatten(made.parameters())), {"format": "mlx"})
shutil.copy(folders[0] / "model.safetensors", folders[1])
outputs = []
for folder in folders:
    model, _ = load_model(folder)
    print(float(model.args.rope_theta), (model.args.rope_scaling or {}).get("rope_type"))
    outputs.append(model(mlx.core.arange(100)[None])[0])
apart = mlx.core.abs(outputs[0] - outputs[1]).max(axis=1)
print("equal for the first token:", apart[0].item() < 1e-5, "for the hundredth:", apart[99].item() < 1e-2)
# The numbers of modules are of this release alone.
texts = [path.read_text() for path in pathlib.Path(mlx_lm.models.__path__[0]).glob("*.py")]
reading = [text for text in texts if "rope_theta" in text]
print(sum("rope_parameters" not in text for text in reading), "of", len(reading))
PY
cd "$work"
export HF_HUB_OFFLINE=1
venv/bin/python again.py before after 2>again.err
found=$(venv/bin/python load.py before after 2>load.err)
echo "$found"
[[ $found == '500000.0 llama3
10000.0 None
equal for the first token: True for the hundredth: False
82 of 99' ]]
# Nobody is told: nothing is said but that PyTorch is not there.
[[ $(cat again.err load.err | grep -vc 'PyTorch was not found') == 0 ]]
