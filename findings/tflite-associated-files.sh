#!/usr/bin/env bash
# ai-edge-quantizer 0.10.0 with ai-edge-litert 2.3.0 (PyPI, with numpy 2.4.6): the metadata of a TFLite model (a flatbuffer in the model, with name, author,
# `license` and, for each output, `associated_files`) names files that travel with it: labels, vocabularies, the text of a licence. They are a
# ZIP archive at the end of the model, so that one file is both ("Adding metadata to TensorFlow Lite models", section "Model with metadata format"). The
# quantizer keeps the metadata, with the names, and leaves the files out, without a word; so does `flatbuffer_utils` of the runtime, which reads a model
# and writes it again. The interpreter runs all three alike, as it looks at neither.
#
# Who is hurt: who quantizes a model and publishes it: its metadata names labels and a licence that are no longer there. An app that takes its labels from the
# model fails or shows numbers, and the licence that asks for its text to go with each copy has been parted from the copy.
#
# Seen 2026-11-30, Python 3.11: the three lines at the end.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    ai-edge-quantizer==0.10.0 ai-edge-litert==2.3.0 flatbuffers==25.12.19 numpy==2.4.6
cat >"$work/make.py" <<'PY'
import sys, zipfile
import flatbuffers, numpy
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils


def metadata():
    """ModelMetadata of metadata_schema.fbs: 0 is name, 5 is license, 6 is associated_files; of an AssociatedFile, 0 is its name."""
    builder = flatbuffers.Builder()
    files = []
    for name in ("labels.txt", "LICENSE"):
        text = builder.CreateString(name)
        builder.StartObject(4)
        builder.PrependUOffsetTRelativeSlot(0, text, 0)
        files.append(builder.EndObject())
    builder.StartVector(4, len(files), 4)
    for file in reversed(files):
        builder.PrependUOffsetTRelative(file)
    listed = builder.EndVector()
    name, terms = builder.CreateString("Acme classifier"), builder.CreateString("Apache-2.0")
    builder.StartObject(8)
    for slot, value in ((0, name), (5, terms), (6, listed)):
        builder.PrependUOffsetTRelativeSlot(slot, value, 0)
    builder.Finish(builder.EndObject(), file_identifier=b"M001")
    return bytes(builder.Output())


def buffer(content=None):
    made = schema.BufferT()
    made.data = None if content is None else numpy.frombuffer(content, numpy.uint8)
    return made


def tensor(name, shape, place):
    made = schema.TensorT()
    made.name, made.shape, made.type, made.buffer = name, shape, schema.TensorType.FLOAT32, place
    return made


weights = numpy.random.default_rng(0).normal(size=(64, 64)).astype(numpy.float32)
code, layer, graph, named, model = schema.OperatorCodeT(), schema.OperatorT(), schema.SubGraphT(), schema.MetadataT(), schema.ModelT()
code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.FULLY_CONNECTED
layer.opcodeIndex, layer.inputs, layer.outputs = 0, [0, 1, -1], [2]
layer.builtinOptionsType, layer.builtinOptions = schema.BuiltinOptions.FullyConnectedOptions, schema.FullyConnectedOptionsT()
graph.tensors = [tensor(b"x", [1, 64], 0), tensor(b"w", [64, 64], 1), tensor(b"y", [1, 64], 0)]
graph.operators, graph.inputs, graph.outputs = [layer], [0], [2]
named.name, named.buffer = b"TFLITE_METADATA", 2
model.version, model.operatorCodes, model.subgraphs, model.metadata = 3, [code], [graph], [named]
model.buffers = [buffer(), buffer(weights.tobytes()), buffer(metadata())]
flatbuffer_utils.write_model(model, sys.argv[1])
with zipfile.ZipFile(sys.argv[1], "a") as archive:
    archive.writestr("labels.txt", "cat\ndog\n")
    archive.writestr("LICENSE", "the terms\n")
PY
cat >"$work/look.py" <<'PY'
import sys, zipfile
from ai_edge_litert.interpreter import Interpreter
from ai_edge_litert.tools import flatbuffer_utils

for path in sys.argv[1:]:
    model = flatbuffer_utils.read_model(path)
    [named] = [one for one in model.metadata if one.name == b"TFLITE_METADATA"]
    content = bytes(model.buffers[named.buffer].data)
    says = [word.decode() for word in (b"Apache-2.0", b"labels.txt", b"LICENSE") if word in content]
    files = zipfile.ZipFile(path).namelist() if zipfile.is_zipfile(path) else None
    Interpreter(path).allocate_tensors()
    print(path.rsplit("/", 1)[1], content[4:8].decode(), says, files)
PY
"$work/venv/bin/python" "$work/make.py" "$work/model.tflite"
"$work/venv/bin/python" -c 'import sys
from ai_edge_litert.tools.flatbuffer_utils import read_model, write_model
write_model(read_model(sys.argv[1]), sys.argv[2])' "$work/model.tflite" "$work/again.tflite"
"$work/venv/bin/aeq" --model_file "$work/model.tflite" --recipe dynamic_wi8_afp32 --output_dir "$work/quantized" >"$work/out" 2>&1
mv "$work"/quantized/*.tflite "$work/quantized.tflite"
if grep -iE 'metadata|associated|zip|label' "$work/out"; then
    echo 'the quantizer says something of it: this has changed'
    exit 1
fi
found=$("$work/venv/bin/python" "$work/look.py" "$work/model.tflite" "$work/again.tflite" "$work/quantized.tflite" 2>"$work/err")
echo "$found"
[[ $found == "model.tflite M001 ['Apache-2.0', 'labels.txt', 'LICENSE'] ['labels.txt', 'LICENSE']
again.tflite M001 ['Apache-2.0', 'labels.txt', 'LICENSE'] None
quantized.tflite M001 ['Apache-2.0', 'labels.txt', 'LICENSE'] None" ]]
