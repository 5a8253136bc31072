#!/usr/bin/env bash
# inspect-ai 0.3.285 (PyPI): `eval_set` runs what a folder of logs does not hold yet, and reports all of it. Whether it holds a task is decided by the
# task's name, arguments and version, the model, the names of the solvers, the options and limits (`task_identifier` in _eval/evalset.py). The data set does
# not count but for how many samples it has, nor do the scorer and the code of a solver. So where every answer was changed, or every question, or the
# scorer, or what a solver does, the call runs nothing, gives the old log, and says that all is done: accuracy 1.00, where an empty folder gives 0.00. With
# one question more it runs that one, and keeps the scores of the others as they were: 1.00 in the place of 0.25. Another version or argument is noticed.
#
# Who is hurt: who mends a benchmark, reruns, and publishes: the score is that of the broken one, in a log that names today's file. And who compares two
# logs by the data set that they name: name, place, size and ids are there, and no digest. Use an empty folder, or count the task's `version` up.
#
# Seen 2026-11-30, Python 3.11: the lines at the end.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME="$work/home" XDG_DATA_HOME="$work/home/data" XDG_CACHE_HOME="$work/home/cache" XDG_CONFIG_HOME="$work/home/config"
mkdir -p "$HOME"
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile inspect-ai==0.3.285
cat >"$work/run.py" <<'PY'
import json
from inspect_ai import Task, eval_set, task
from inspect_ai.dataset import json_dataset
from inspect_ai.log import read_eval_log
from inspect_ai.model import ModelOutput
from inspect_ai.scorer import includes, match
from inspect_ai.solver import solver

change = None


@solver
def answerer():
    async def solve(state, generate):
        state.output = ModelOutput.from_content("mockllm/model", "no" if change == "solver" else "yes")
        return state

    return solve


@task
def quiz():
    answers = {"answers": ["no", "no", "no"], "answers, and a question more": ["no", "no", "no", "yes"]}.get(change, ["yes", "yes", "yes"])
    asked = "another" if change == "questions" else "question"
    with open("quiz.json", "w") as file:
        json.dump([{"id": number, "input": f"{asked} {number}", "target": answer} for number, answer in enumerate(answers)], file)
    scorer = includes() if change == "scorer" else match()
    return Task(dataset=json_dataset("quiz.json"), solver=answerer(), scorer=scorer, version=2 if change == "version" else 1)


def said(folder):
    done, [log] = eval_set(quiz(), log_dir=folder, model="mockllm/model", display="none", log_dir_allow_dirty=True)
    [score] = log.results.scores
    first = read_eval_log(log.location).samples[0].input
    return log.eval.eval_id, f"{first}, {score.name} {score.metrics['accuracy'].value:.2f} of {log.eval.dataset.samples}{'' if done else ', not done'}"


before, line = said("logs")
print(f"the first run: {line}")
for change in ("nothing", "answers", "questions", "scorer", "solver", "version", "answers, and a question more"):
    run, line = said("logs")
    print(f"{change}: {'the old log' if run == before else 'a new log'}: {line}; in an empty folder: {said('empty/' + change)[1]}")
PY
cd "$work"
found=$(venv/bin/python run.py 2>err | grep -v '^Completed all tasks' | grep .)
echo "$found"
[[ $found == 'the first run: question 0, match 1.00 of 3
nothing: the old log: question 0, match 1.00 of 3; in an empty folder: question 0, match 1.00 of 3
answers: the old log: question 0, match 1.00 of 3; in an empty folder: question 0, match 0.00 of 3
questions: the old log: question 0, match 1.00 of 3; in an empty folder: another 0, match 1.00 of 3
scorer: the old log: question 0, match 1.00 of 3; in an empty folder: question 0, includes 1.00 of 3
solver: the old log: question 0, match 1.00 of 3; in an empty folder: question 0, match 0.00 of 3
version: a new log: question 0, match 1.00 of 3; in an empty folder: question 0, match 1.00 of 3
answers, and a question more: a new log: question 0, match 1.00 of 4; in an empty folder: question 0, match 0.25 of 4' ]]
