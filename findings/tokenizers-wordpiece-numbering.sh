#!/usr/bin/env bash
# tokenizers 0.23.3 (PyPI): `BertWordPieceTokenizer.train`, with which vocabularies for BERT and its kin are made, makes another one in each process: of
# the same texts, with the same options, in the same order, on one thread too. The pieces that begin with `##` take their numbers in the order of a hash map
# that is seeded anew in each process, and equal counts are decided by those numbers: so most pieces have another number, some are in one
# vocabulary and not in the other, and texts are split otherwise. Plain BPE is the same each time, which is
# what makes one expect it of the other. There is no seed to set.
#
# Who is hurt: who publishes the corpus and the command in the place of the tokenizer: nobody can make it again. And weights that were trained with one belong
# to it alone: with a tokenizer from the same corpus, of the same size, each row of the embeddings is another piece's, and nothing complains. Record
# the digest of tokenizer.json with the weights.
#
# Seen 2026-11-30, Python 3.11: the lines at the end; 6 processes make 6 vocabularies of WordPiece, and one of plain BPE.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check tokenizers==0.23.3
cat >"$work/train.py" <<'PY'
import json, random, sys
from tokenizers import BertWordPieceTokenizer, Tokenizer, models, pre_tokenizers, trainers

chance = random.Random(1)
words = ["".join(chance.choice("aaeeiioubcdfglmnprst") for _ in range(chance.randint(3, 9))) for _ in range(3000)]
texts = [" ".join(chance.choices(words, weights=[1 / (n + 1) for n in range(len(words))], k=12)) for _ in range(2500)]
word_piece = BertWordPieceTokenizer()
word_piece.train_from_iterator(texts, vocab_size=1500, show_progress=False)
pairs = Tokenizer(models.BPE())
pairs.pre_tokenizer = pre_tokenizers.Whitespace()
pairs.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=1500, show_progress=False))
split = [word_piece.encode(text).tokens for text in texts]
json.dump({"WordPiece": word_piece.get_vocab(), "BPE": pairs.get_vocab(), "split": split}, open(sys.argv[1], "w"), sort_keys=True)
PY
for process in 1 2 3 4 5 6; do
    RAYON_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false "$work/venv/bin/python" "$work/train.py" "$work/$process.json"
done
cat >"$work/compare.py" <<'PY'
import json, sys

runs = [json.load(open(path)) for path in sys.argv[1:]]
for kind in ("WordPiece", "BPE"):
    sizes = {len(run[kind]) for run in runs}
    print(f"{kind}: {len({json.dumps(run[kind]) for run in runs})} vocabularies of {sizes} pieces")
first = runs[0]
numbers = [sum(first["WordPiece"].get(piece) != number for piece, number in run["WordPiece"].items()) for run in runs[1:]]
pieces = [len(set(first["WordPiece"]) - set(run["WordPiece"])) for run in runs[1:]]
texts = [sum(one != other for one, other in zip(first["split"], run["split"])) for run in runs[1:]]
print("numbers that differ from those of the first:", numbers)
print("pieces that only the first has:", pieces)
print("texts split otherwise, of 2500:", texts)
assert max(numbers) > 100 and max(pieces) > 0 and max(texts) > 0
PY
found=$("$work/venv/bin/python" "$work/compare.py" "$work"/?.json)
echo "$found"
[[ $found == 'WordPiece: 6 vocabularies of {1500} pieces
BPE: 1 vocabularies of {1500} pieces
'* ]]
