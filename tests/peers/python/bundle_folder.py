"""The files of a folder against a manifest: the second half of the chapter verify, and "Roles" of the chapter manifest."""

import errno
import hashlib
import os
import pickletools
import re
import stat
from fnmatch import fnmatchcase

from bundle_bytes import Refused


def compare(root, manifest):
    """Every path of the manifest and of the folder, in one of the lists of "The folder"."""
    recorded = {file["path"]: file for file in manifest}
    lists = {name: [] for name in ("matching", "differing", "unusable", "unreadable", "missing", "extra", "unrecorded")}
    for name, file in recorded.items():
        lists[look(os.path.join(root, name), file)].append(name)
    walk(root, "", recorded, lists)
    return lists


def judge(lists):
    worst = {"differing": "bytes-differ", "unusable": "file-unusable", "unreadable": "file-unreadable", "missing": "incomplete"}
    if lists["unreadable"]:
        worst["unusable"] = "file-unreadable"
    for name, code in (worst | {"unrecorded": "unrecorded"}).items():
        if lists[name]:
            raise Refused(code, ", ".join(lists[name]))


def look(where, file):
    try:
        with open(os.open(where, os.O_RDONLY | os.O_NONBLOCK), "rb") as opened:
            before = os.fstat(opened.fileno())
            if not stat.S_ISREG(before.st_mode):
                return "unusable"
            if before.st_size != file["size"]:
                return "differing"
            found = hashlib.file_digest(opened, "sha256").hexdigest()
            after = os.fstat(opened.fileno())
    except FileNotFoundError:
        return "missing"
    except (NotADirectoryError, IsADirectoryError):
        return "unusable"
    except OSError as why:
        return "unusable" if why.errno in (errno.ELOOP, errno.ENXIO) else "unreadable"
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        return "unreadable"
    return "matching" if found == file["sha256"] else "differing"


def walk(root, folder, recorded, lists, apart=False):
    """apart: in what does not count as a file of the folder; what a loader would take there counts all the same."""
    for entry in sorted(os.scandir(os.path.join(root, folder)), key=lambda entry: entry.name):
        name = f"{folder}/{entry.name}" if folder else entry.name
        aside = apart or entry.name == ".git" or name == ".cache" or OWN.fullmatch(name) is not None
        link = entry.is_symlink() and os.path.isdir(entry.path)
        within = any(each.startswith(f"{name}/") for each in recorded)
        if aside and KEPT.search(name):
            continue
        if entry.is_dir(follow_symlinks=False) or link and within and not aside:
            if (name.count("/") < 31 or aside) and os.access(entry.path, os.R_OK | os.X_OK):
                walk(root, name, recorded, lists, aside)
                continue
        elif name in recorded or within:
            continue
        unseen = not aside and (link or entry.is_dir(follow_symlinks=False))
        taken = unseen or not is_lost(entry, aside) and (loaded_by_name(name) or is_beside(name, recorded) or begins_weights(entry.path, name))
        if taken:
            lists["unrecorded"].append(name)
        if taken or not aside:
            lists["extra"].append(name)


OWN = re.compile(r"release\.(stele|toml)|\.release\.(stele|toml)\.[0-9a-f]{16}")
KEPT = re.compile(
    r"(^|/)\.git/(index|annex|objects|lfs|refs|logs|hooks|modules)$|^\.cache/huggingface/.*\.(metadata|lock|incomplete)$", re.DOTALL
)


def is_lost(entry, aside):
    """A link that leads in a circle; one that leads nowhere, in what does not count."""
    try:
        os.stat(entry.path)
    except OSError as why:
        return why.errno == errno.ELOOP or aside
    return False


# What a loader takes, by its name.


def loaded_by_name(path):
    name = path.rpartition("/")[2].lower()
    # A name that no path can be is looked up without its odd characters.
    plain = re.sub(r"[^a-z0-9._-]", "_", name)[-200:]
    stem = re.sub(r"(\.(7z|gz|bz2|xz|z|zst|lz4|lzma|zip|tar|tgz))+$", "", name)
    packed = stem != name and (stem in PACKED or role(re.sub(r"[^a-z0-9._-]", "_", stem)[-200:]) == "weights")
    return packed or is_like(name, LOADED) or role(path) in TAKEN or role(plain) in TAKEN


def is_beside(name, recorded):
    stem, _, ending = name.rpartition(".")
    if ending not in ("yaml", "yml"):
        return False
    folder = name.rpartition("/")[0]
    gguf = any(each.lower().endswith(".gguf") and each.rpartition("/")[0] == folder for each in recorded)
    return gguf or any(f"{stem}.{end}" in recorded for end in ("safetensors", "ckpt", "sft", "pt", "pth"))


TAKEN = "weights weights-index classifier config code tokenizer chat-template generation-config system-prompt".split()
PACKED = "model weights pytorch_model checkpoint saved_model".split()
LOADED = (
    "adapter_model.* *.cpkl *.exl2 *.lora *.rds *.sft *.th model.weights.json ndarray-cache.json tensor-cache.json checkpoint model_index.json params.json "
    "adapter_config.json modelfile feature_extractor.json hparams.json hparams.yaml model.json inference.json model.yaml model.yml "
    "recipe.yaml preprocessor.json dtypes.json manifest.json params task.json image_converter.json audio_converter.json "
    "video_converter.json mlmodel requirements.txt conda.yaml python_env.yaml vocabulary.json vocabulary.txt shared_vocabulary.json "
    "shared_vocabulary.txt source_vocabulary.json source_vocabulary.txt target_vocabulary.json target_vocabulary.txt hyperparams.yaml *.pyc *.pyd *.dylib unigram.json encoder.json bpe.codes "
    "serving.properties model-settings.json policy_preprocessor.json policy_postprocessor.json inference.yml inference_model.json "
    "bpe.vocab dict.txt tokens.txt vocab.tsv source_vocab.json target_vocab.json normalizer.json template system messages"
).split()


def role(path):
    """The first row that fits (manifest, "Roles")."""
    *above, name = path.lower().split("/")
    ending = name.rpartition(".")[2] if "." in name else ""
    document = ending in ("", "md", "txt", "rst", "html", "pdf")
    compiled = any(folder.endswith(".mlmodelc") for folder in above)
    weights = is_like(name, WEIGHT_NAMES) or ending in WEIGHTS or compiled and ".espresso." in name

    def within(*folders):
        return not set(folders).isdisjoint(above)

    rows = (
        ("code", within("__pycache__")),
        ("weights-index", is_like(name, INDEX_NAMES)),
        ("other", TRAINING.fullmatch(name)),
        ("config", name in ("fingerprint.pb", "keras_metadata.pb")),
        ("tokenizer", name == "tokenizer.bin"),
        ("classifier", weights and within("safety", "safety_checker", "classifier", "classifiers", "guard")),
        ("weights", weights),
        ("code", ending in CODE),
        ("tokenizer", is_like(name, TOKENIZER_NAMES)),
        ("generation-config", name == "generation_config.json"),
        ("chat-template", is_like(name, ("*.jinja", "*.jinja2")) or re.fullmatch(r"chat_template(\.[^.]*)?", name)),
        ("system-prompt", is_like(name, ("system_prompt*", "system-prompt*"))),
        ("licence", document and (is_like(name, LICENCE_NAMES) or re.search(LICENCE_WORD, name))),
        ("model-card", document and name.partition(".")[0] in ("readme", "model_card", "modelcard", "model-card")),
        ("safety", document and is_like(name, SAFETY_NAMES) or within("safety")),
        ("evaluation", within("eval", "evals", "evaluation", "evaluations") or name.startswith("eval_results")),
        ("config", compiled or is_like(name, CONFIG_NAMES)),
    )
    return next((role for role, fits in rows if fits), "other")


def is_like(name, patterns):
    return any(fnmatchcase(name, pattern) for pattern in patterns)


WEIGHTS = (
    "bin bmodel caffemodel cbm circle ckpt dduf dill distcp dlc engine espresso ftz ggml gguf h5 hdf5 hef jit joblib keras "
    "litertlm llamafile mar mlmodel mnn model_state msgpack nemo nexa nnue npy npz om onnx onnx_data ort ot params pb pdiparams "
    "pdmodel pdparams pickle pkl plan pt pt2 ptd pte pth ptl rknn safetensors sav skops t7 task tflite tmfile torchscript trt ubj "
    "uff vmfb weights xgb"
).split()
CODE = (
    "bash bat c cc cjs class cmd cpp cu cubin cuh cxx dll dylib egg exe go h hpp ipynb jar java jl js lua metal mjs php pl ps1 "
    "ptx py pyc pyd pyo pyx r rb rs sh so ts tsx wasm whl zsh"
).split()
WEIGHT_NAMES = ("*.onnx.data", "*.onnx_data_*", "*.onnx.data_*", "*.data-" + "[0-9]" * 5 + "-of-" + "[0-9]" * 5)
INDEX_NAMES = "?*.index.json ?*.index.?*.json variables.index *.ckpt.index *.ckpt-*.index ckpt-*.index".split()
TRAINING = re.compile(
    r"((training_args|optimizer|scheduler|rng_state|random_states|custom_checkpoint)[0-9_-]*|.*_optim_states)"
    r"\.(bin|pt|pth|pkl|safetensors|ckpt|distcp)|scaler\.pt"
)
TOKENIZER_NAMES = (
    "*.spm *.tiktoken tokenizer.model* tokenizer.json tokenizer_config.json special_tokens_map.json added_tokens.json vocab.json "
    "vocab.txt vocab.bpe merges.txt tekken.json vocab-*.json spiece.model spm.model sentencepiece.model sentencepiece.bpe.model"
).split()
LICENCE_NAMES = "license* licence* copying* notice* unlicense*".split()
LICENCE_WORD = r"(?<![a-z0-9])licen[cs]e(?![a-z0-9])"
SAFETY_NAMES = "safety* system_card* system-card* acceptable_use* use_policy* usage_policy*".split()
CONFIG_NAMES = (
    "*config*.json *config*.yaml *config*.yml *config*.toml *config*.cfg *config*.ini *config*.pbtxt modules.json "
    "model_index.json params.json modelfile saved_model.pbtxt openvino_*.xml *.ncnn.param *.prototxt *.mil *.ckpt.meta"
).split()


# What a loader takes, by how it begins.


def begins_weights(path, name):
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as opened:
            found = os.fstat(opened.fileno())
            if not stat.S_ISREG(found.st_mode):
                return False
            begin = opened.read(4096)
            if begin.startswith(b"PK\3\4"):
                opened.seek(max(0, found.st_size - 65536))
                return any(name in part for part in (begin, opened.read()) for name in (b".pkl", b".npy"))
            noted = name in (".msc", ".mdl", ".mv") and found.st_size <= 1 << 20
            if not noted and is_marked(begin) or re.fullmatch(rb"c([A-Za-z0-9._]{1,199}\n){2}.*\.", begin, re.DOTALL):
                return True
            opened.seek(0)
            return imports(opened)
    except OSError:
        return False


def is_marked(begin):
    marks = (b"GGUF", b"lmgg", b"tjgg", b"fmgg", b"\x89HDF\r\n\x1a\n", b"\x93NUMPY")
    pickled = begin[:1] == b"\x80" and begin[1:2] in (b"\2", b"\3", b"\4", b"\5")
    header = begin[8:9] == b"{" and 2 <= int.from_bytes(begin[:8], "little") <= 100_000_000
    return begin.startswith(marks) or begin[4:8] == b"TFL3" or pickled or header


def imports(opened):
    """Whether it is a pickle that imports something: the unpickler without values."""
    depth, marks, since = 0, [], None
    try:
        for step, (op, _, _) in enumerate(pickletools.genops(opened)):
            if step == 1 << 20:
                break
            taken, given = op.stack_before, op.stack_after
            if pickletools.markobject in taken:
                depth = marks.pop() - taken.index(pickletools.markobject)
            elif op.name == "POP" and marks and depth == marks[-1]:
                depth = marks.pop()
            else:
                depth -= len(taken)
            if depth < (marks[-1] if marks else 0) or op.name in PUTS and depth == 0:
                return False
            if op.name == "MARK":
                marks.append(depth)
            else:
                depth += len(given)
            if op.name in IMPORTS:
                since = 0 if since is None else since + 1
            elif since is not None and op.name != "STOP":
                if since >= 3:
                    return True
                since += 1
    except (ValueError, IndexError):
        return False
    return since is not None


PUTS = ("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE")
IMPORTS = ("GLOBAL", "INST", "STACK_GLOBAL", "OBJ", "EXT1", "EXT2", "EXT4", "PERSID", "BINPERSID")
