#!/usr/bin/env bash
# sacrebleu 2.6.0 (PyPI): beside each score it gives a signature, which is to be published with the score and says with what settings it was reached (README, section
# "Version Signatures"). `max_ngram_order` of `BLEU` is not in it: of the same translations 37.75, 73.60 and 92.86 stand beside one signature, for n-grams up to four, two and one.
# And the value of a smoothing is in it with two digits behind the point, of the program too: `--smooth-value 0.004` and `0.000001` are both `floor[0.00]`. For chrF the lengths of
# n-grams are in the signature (`nc`, `nw`), which is what makes one expect it of BLEU.
#
# Who is hurt: who compares the scores of two releases of a translation model, or takes one from a model card, because the signatures are equal, as they are made for. Record
# the call, too.
#
# Seen 2026-12-01, Python 3.11: the lines at the end.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check sacrebleu==2.6.0
cat >"$work/score.py" <<'PY'
from sacrebleu.metrics import BLEU, CHRF

translated = ["the cat sat on the mat today", "a dog runs in the big park"]
references = [["the cat sat on a mat today", "the dog runs in a big park"]]
settings = [(BLEU, {"max_ngram_order": order}) for order in (4, 2, 1)] + [(CHRF, {"char_order": order}) for order in (6, 2)]
for metric, one in settings:
    measure = metric(**one)
    print(one, f"{measure.corpus_score(translated, references).score:.2f}", measure.get_signature())
PY
found=$("$work/venv/bin/python" "$work/score.py")
echo 'a red car stood in front of our house' >"$work/translated"
echo 'a blue car was there before our house' >"$work/reference"
program() {
    echo "$* $("$work/venv/bin/sacrebleu" "$work/reference" --input "$work/translated" --smooth-method floor --smooth-value "$@" --width 2 --format text)"
}
found+=$'\n'$(program 0.004)$'\n'$(program 0.000001)
echo "$found"
[[ $found == "{'max_ngram_order': 4} 37.75 nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0
{'max_ngram_order': 2} 73.60 nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0
{'max_ngram_order': 1} 92.86 nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0
{'char_order': 6} 72.37 nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:2.6.0
{'char_order': 2} 91.24 nrefs:1|case:mixed|eff:yes|nc:2|nw:0|space:no|version:2.6.0
0.004 BLEU|nrefs:1|case:mixed|eff:no|tok:13a|smooth:floor[0.00]|version:2.6.0 = 1.21 44.4/12.5/0.1/0.1 "*"
0.000001 BLEU|nrefs:1|case:mixed|eff:no|tok:13a|smooth:floor[0.00]|version:2.6.0 = 0.02 44.4/12.5/0.0/0.0 "* ]]
