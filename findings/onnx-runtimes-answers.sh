#!/usr/bin/env bash
# tract 0.23.9, openvino 2026.4.1 and onnxruntime 1.32.0 (PyPI, with onnx 1.23.2 and numpy 2.4.6): of ONNX models that all three load, the two with which models run on devices give other
# answers, without a word, as if an attribute or an input were not there. In tract an LSTM, GRU or RNN of `direction` "reverse" runs forward ("bidirectional" is right). OpenVINO leaves out an LSTM's
# peepholes (the input `P`), both leave out its `input_forget`, and both leave out `left_window_size` of `Attention` (opset 25), the sliding window of many language
# models: all is looked at. And with a past (`past_key`, `past_value`) tract lets `is_causal` count from the first position of the past, and not from that of
# the new ones (Attention-24, `is_causal`), so that these do not see most of it.
#
# Who is hurt: who evaluates a model with one runtime and ships it for another: the file has the recorded digest, and is another model on the device; a sequence of one
# step, or one that is no longer than the window, shows nothing.
#
# Seen 2026-12-01, Python 3.11: the lines at the end: whether tract and OpenVINO give the answer of ONNX Runtime, or that which it gives to the model without the attribute or input.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check tract==0.23.9 openvino==2026.4.1 onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6
cat >"$work/answer.py" <<'PY'
import sys
import numpy, onnx, onnxruntime, openvino, tract
from onnx import TensorProto, helper, numpy_helper

path = sys.argv[1] + "/model.onnx"
runtimes = {
    "reference": lambda values: onnxruntime.InferenceSession(path).run(None, values)[0],
    "tract": lambda values: tract.onnx().load(path).into_model().into_runnable().run(list(values.values()))[0].to_numpy(),
    "OpenVINO": lambda values: openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(values)[0],
}


def some(shape):
    return numpy.random.default_rng(sum(shape)).normal(size=shape).astype(numpy.float32)


def answers(operator, inputs, weights=(), outputs=1, opset=25, **attributes):
    """The first output by each runtime, for inputs and weights of these shapes; None is one that is left out."""
    values = {f"in{n}": some(shape) for n, shape in enumerate(inputs) if shape}
    kept = {f"w{n}": some(shape) for n, shape in enumerate(weights) if shape}
    names = [f"in{n}" if shape else "" for n, shape in enumerate(inputs)] + [f"w{n}" if shape else "" for n, shape in enumerate(weights)]
    results = [f"out{n}" for n in range(outputs)]
    node = helper.make_node(operator, names, results, **attributes)
    given = [helper.make_tensor_value_info(name, TensorProto.FLOAT, value.shape) for name, value in values.items()]
    made = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [f"{name}{n}" for n in range(4)]) for name in results]
    graph = helper.make_graph([node], "one", given, made, [numpy_helper.from_array(value, name) for name, value in kept.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=11)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
    return {name: run(values) for name, run in runtimes.items()}


def same(one, another):
    return bool(numpy.allclose(one, another, atol=1e-3))


def compare(name, found, without=None):
    said = []
    for runtime in ("tract", "OpenVINO"):
        good = same(found[runtime], found["reference"])
        plain = without is not None and same(found[runtime], without["reference"])
        said.append(f"{runtime} {'yes' if good else 'as if without' if plain else 'no'}")
    print(f"{name}: {', '.join(said)}")


def recurrent(operator, gates, more=(), count=1, **attributes):
    weights = [(count, gates * 3, 2), (count, gates * 3, 3), *more]
    return answers(operator, [(5, 1, 2)], weights, opset=22, hidden_size=3, **attributes)


for operator, gates in (("LSTM", 4), ("GRU", 3), ("RNN", 1)):
    forward = recurrent(operator, gates)
    compare(operator, forward)
    compare(f"{operator}, reverse", recurrent(operator, gates, direction="reverse"), forward)
    compare(f"{operator}, bidirectional", recurrent(operator, gates, count=2, direction="bidirectional"))
    if operator == "LSTM":
        compare("LSTM, peepholes", recurrent(operator, gates, more=[None, None, None, None, (1, 9)]), forward)
        compare("LSTM, input_forget", recurrent(operator, gates, input_forget=1), forward)
heads = [(1, 2, 6, 8)] * 3
full = answers("Attention", heads, is_causal=1)
compare("Attention, causal", full)
compare("Attention, causal, window", answers("Attention", heads, is_causal=1, left_window_size=2), full)
past = [(1, 2, 3, 8)] * 3 + [None] + [(1, 2, 4, 8)] * 2
compare("Attention, past", answers("Attention", past, outputs=3))
compare("Attention, past, causal", answers("Attention", past, outputs=3, is_causal=1))
PY
found=$("$work/venv/bin/python" "$work/answer.py" "$work")
echo "$found"
[[ $found == 'LSTM: tract yes, OpenVINO yes
LSTM, reverse: tract as if without, OpenVINO yes
LSTM, bidirectional: tract yes, OpenVINO yes
LSTM, peepholes: tract yes, OpenVINO as if without
LSTM, input_forget: tract as if without, OpenVINO as if without
GRU: tract yes, OpenVINO yes
GRU, reverse: tract as if without, OpenVINO yes
GRU, bidirectional: tract yes, OpenVINO yes
RNN: tract yes, OpenVINO yes
RNN, reverse: tract as if without, OpenVINO yes
RNN, bidirectional: tract yes, OpenVINO yes
Attention, causal: tract yes, OpenVINO yes
Attention, causal, window: tract as if without, OpenVINO as if without
Attention, past: tract yes, OpenVINO yes
Attention, past, causal: tract no, OpenVINO yes' ]]
