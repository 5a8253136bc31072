#!/usr/bin/env bash
# lm_eval 0.4.13 (PyPI): the harness writes `task_hashes` beside the scores, one a task, of what was asked: SHA-256 over the documents, the first prompt of each,
# and its target (`save_results_aggregated` in loggers/evaluation_tracker.py). What the model had to choose from, where its answer ends, what is
# taken out of the answer (`filter_list`), by which metric it counts, and the options of generation are not in it. So one hash stands beside accuracies of 1.0
# and 0.0: of the same questions once with the choices A and B, once with the texts of the answers; once with the whole answer compared, once
# with its number. Without the samples, as the command line runs by itself, there is no hash at all.
#
# Who is hurt: who puts scores of two models side by side because their hashes agree, or keeps the hash in the record of an evaluation as what was run: it is
# that of the questions. The configuration in the same file says the rest: digest that, with the samples.
#
# Seen 2026-11-30, Python 3.11: the lines at the end.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME="$work/home" HF_HOME="$work/home/hf" HF_HUB_OFFLINE=1
mkdir -p "$HOME"
python3 -m venv "$work/venv"
# Without what it needs for metrics that are not used here.
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile datasets==5.2.0 jinja2==3.1.6 sacrebleu==2.6.0 more-itertools==11.2.1 requests==2.34.2
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile --no-deps lm_eval==0.4.13 evaluate==0.4.6
cat >"$work/run.py" <<'PY'
import glob, json
from lm_eval.api.model import LM
from lm_eval.evaluator import simple_evaluate
from lm_eval.loggers import EvaluationTracker


class Short(LM):
    """Takes the shortest of the choices, and says a sentence."""

    def loglikelihood(self, requests):
        return [(-float(len(request.args[1])), False) for request in requests]

    def loglikelihood_rolling(self, requests):
        raise NotImplementedError

    def generate_until(self, requests):
        return ["It is 12." for _ in requests]


questions = [{"q": f"{n} + {12 - n} =", "right": "12", "letters": ["A", "B"], "texts": ["twelve", "two"]} for n in range(4)]
json.dump(questions, open("quiz.json", "w"))
asked = {"task": "quiz", "dataset_path": "json", "dataset_kwargs": {"data_files": {"test": "quiz.json"}}, "test_split": "test", "doc_to_text": "{{q}}"}
chosen = asked | {"output_type": "multiple_choice", "doc_to_target": 0, "metric_list": [{"metric": "acc"}]}
written = asked | {"output_type": "generate_until", "doc_to_target": "{{right}}", "metric_list": [{"metric": "exact_match"}]}
number = [{"name": "none", "filter": [{"function": "regex", "regex_pattern": "([0-9]+)"}, {"function": "take_first"}]}]
tasks = {
    "choices A, B": chosen | {"doc_to_choice": "{{letters}}"},
    "choices in words": chosen | {"doc_to_choice": "{{texts}}"},
    "the whole answer": written | {"generation_kwargs": {"until": ["\n"]}},
    "its number, sampled": written | {"generation_kwargs": {"until": ["."], "do_sample": True, "temperature": 1.0}, "filter_list": number},
}
hashes = []
for name, task in tasks.items():
    found = simple_evaluate(model=Short(), tasks=[task], log_samples=True, bootstrap_iters=0)
    EvaluationTracker(output_path=f"out/{name}").save_results_aggregated(found, found["samples"])
    [path] = glob.glob(f"out/{name}/**/results_*.json", recursive=True)
    file = json.load(open(path))
    hashes.append(file["task_hashes"]["quiz"])
    scores = {key.split(",")[0]: value for key, value in file["results"]["quiz"].items() if key in ("acc,none", "exact_match,none")}
    print(f"{name}: {scores}, hash {list(dict.fromkeys(hashes)).index(hashes[-1]) + 1}")
found = simple_evaluate(model=Short(), tasks=[task], log_samples=False, bootstrap_iters=0)
EvaluationTracker(output_path="out/without").save_results_aggregated(found, None)
[path] = glob.glob("out/without/**/results_*.json", recursive=True)
print("without samples:", json.load(open(path)).get("task_hashes"))
PY
cd "$work"
found=$(venv/bin/python run.py 2>err) || { cat err; exit 1; }
echo "$found"
[[ $found == "choices A, B: {'acc': 1.0}, hash 1
choices in words: {'acc': 0.0}, hash 1
the whole answer: {'exact_match': 0.0}, hash 2
its number, sampled: {'exact_match': 1.0}, hash 2
without samples: {}" ]]
