#!/usr/bin/env bash
# mlx-lm 0.32.2 with mlx 0.32.4 and mlx-cpu 0.32.4 (PyPI): a model in several files has model.safetensors.index.json, which says of each tensor in which file it is.
# `mlx_lm.utils.load_model` does not read it: it loads all that is called `model*.safetensors`, and of a tensor that is in two files takes the one that
# it met last, in the order in which the folder happens to list its files. `save_model` of the same package writes an index and leaves in the folder what was
# there before. So a folder in which a model in 3 parts lay is, after a model in 2 parts was saved into it, the old model, the new one, or some tensors
# of each, by where the names fall in the folder: the same files, copied elsewhere, can be another model. Nothing is said.
#
# Who is hurt: who converts or edits into a folder in use, and who records such a folder with a digest for each file: all digests are right, and what is
# loaded is not what the index names. Save into an empty folder; a record of the index and of each file that it names tells what is meant.
#
# Seen 2026-11-30, Python 3.11, Linux: of 40 copies, in which the old files have other numbers, 13 are the new model, 1 is the old one, 26 are some of each.
# The numbers are another file system's elsewhere; not all are the new model.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile mlx-lm==0.32.2 mlx==0.32.4 mlx-cpu==0.32.4
cat >"$work/load.py" <<'PY'
import json, pathlib, shutil, sys
import mlx.core as mx
from mlx.utils import tree_flatten, tree_map
from mlx_lm import utils
from mlx_lm.models import llama

config = {"model_type": "llama", "hidden_size": 8, "num_hidden_layers": 1, "intermediate_size": 8, "num_attention_heads": 1}
config |= {"rms_norm_eps": 1e-5, "vocab_size": 8, "tie_word_embeddings": True}


def save(folder, parts, value):
    """A model of which each number is `value`, in so many parts."""
    model = llama.Model(llama.ModelArgs.from_dict(config))
    model.update(tree_map(lambda tensor: mx.full(tensor.shape, value), model.parameters()))
    # Parts of 5 GB otherwise.
    utils.make_shards = lambda weights: [dict(sorted(weights.items())[part::parts]) for part in range(parts)]
    utils.save_model(folder, model)


saved = pathlib.Path(sys.argv[1], "saved")
saved.mkdir()
(saved / "config.json").write_text(json.dumps(config))
save(saved, 3, 0.0)
save(saved, 2, 1.0)
index = json.loads((saved / "model.safetensors.index.json").read_text())
print("named in the index:", *sorted(set(index["weight_map"].values())))
print("in the folder:", *sorted(file.name for file in saved.glob("*.safetensors")))
seen = []
for parts in range(3, 43):
    folder = saved.parent / str(parts)
    folder.mkdir()
    for file in sorted(saved.iterdir(), reverse=parts % 2 == 0):
        shutil.copy(file, folder / file.name.replace("of-00003", f"of-{parts:05}"))
    model, _ = utils.load_model(folder)
    seen.append({tensor.mean().item() for _, tensor in tree_flatten(model.parameters())})
new, old = seen.count({1.0}), seen.count({0.0})
print("loaded, of 40: the new model", new, "times, the old one", old, "times, some of each", len(seen) - new - old, "times")
raise SystemExit(new == len(seen))
PY
found=$("$work/venv/bin/python" "$work/load.py" "$work") || { echo "$found"; exit 1; }
echo "$found"
[[ $found == 'named in the index: model-00001-of-00002.safetensors model-00002-of-00002.safetensors
in the folder: model-00001-of-00002.safetensors model-00001-of-00003.safetensors model-00002-of-00002.safetensors model-00002-of-00003.safetensors model-00003-of-00003.safetensors
'* ]]
