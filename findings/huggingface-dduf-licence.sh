#!/usr/bin/env bash
# huggingface_hub 2.4.0 (PyPI): `export_folder_as_dduf` makes one file of a diffusion model, to be passed on alone. It takes what ends
# in .json, .model, .safetensors or .txt, and leaves the rest out without a word (a line at the level of debugging). So LICENSE, LICENSE.md,
# NOTICE and README.md, whose first lines name licence and base, are gone, and so is chat_template.jinja; LICENSE.txt is kept. What
# lies two folders deep is left out as well, weights too: `text_encoder/fp16/model.safetensors`.
#
# Who is hurt: who passes such a file on under a licence that asks for its text and its NOTICE to go with the work, as Apache-2.0 does, and
# who looks in it for the licence. A folder that was recorded as a whole is no longer whole in the one file, which its reader finds good.
#
# Seen 2026-11-29, Python 3.11: 10 files in the folder; 4 in the archive; no output; `read_dduf_file` accepts it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check huggingface_hub==2.4.0
cat >"$work/export.py" <<'PY'
import pathlib, struct, sys
from huggingface_hub import export_folder_as_dduf, read_dduf_file

root, archive = pathlib.Path(sys.argv[1], "model"), sys.argv[1] + "/model.dduf"
header = b'{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
weights = struct.pack("<Q", len(header)) + header + bytes(4)
files = {
    "model_index.json": b'{"_class_name": "Pipeline", "text_encoder": ["transformers", "CLIPTextModel"]}',
    "text_encoder/config.json": b"{}",
    "text_encoder/model.safetensors": weights,
    "text_encoder/fp16/model.safetensors": weights,
    "text_encoder/chat_template.jinja": b"{{ messages }}",
    "README.md": b"---\nlicense: apache-2.0\nbase_model: acme/base\n---\n",
    "LICENSE": b"text\n",
    "LICENSE.md": b"text\n",
    "LICENSE.txt": b"text\n",
    "NOTICE": b"text\n",
}
for name, data in files.items():
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(data)
export_folder_as_dduf(archive, root)
kept = set(read_dduf_file(archive))
print("kept:", sorted(kept))
print("left out:", sorted(set(files) - kept))
assert kept == {"model_index.json", "text_encoder/config.json", "text_encoder/model.safetensors", "LICENSE.txt"}
PY
"$work/venv/bin/python" "$work/export.py" "$work" >"$work/out" 2>"$work/err"
cat "$work/out"
# Nobody is told.
[[ ! -s $work/err ]]
