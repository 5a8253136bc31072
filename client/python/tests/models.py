"""A small model as several libraries write it, in one folder."""

from __future__ import annotations

import json
from pathlib import Path

import gguf
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

#: What each of the formats holds.
WEIGHT = np.arange(12, dtype=np.float32).reshape(3, 4)
#: What an attacker would like to be loaded.
EVIL = WEIGHT + 1000
SHARD = "model-00001-of-00002.safetensors"
#: Large enough that to hash it takes longer than to look at it.
LARGE = "model-00002-of-00002.safetensors"


def shard(path: Path, values: np.ndarray) -> None:
    save_file({"model.weight": values}, path)


def graph(path: Path, values: np.ndarray) -> None:
    """A graph that adds its weights to its input, with the weights in a file beside it."""
    weights = numpy_helper.from_array(values, "weights")
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [3, 4])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [3, 4])
    node = helper.make_node("Add", ["x", "weights"], ["y"])
    model = helper.make_model(
        helper.make_graph([node], "tiny", [x], [y], [weights]), opset_imports=[helper.make_opsetid("", 17)], ir_version=8
    )
    onnx.save_model(
        model, str(path), save_as_external_data=True, location=f"{path.name}.data", size_threshold=0, convert_attribute=False
    )


def quantized(path: Path, values: np.ndarray) -> None:
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_name("tiny")
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_tensor("token_embd.weight", values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def words() -> Tokenizer:
    tokenizer = Tokenizer(WordLevel({"[UNK]": 0, "hello": 1, "world": 2}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    return tokenizer


def write(folder: Path) -> None:
    """The whole folder, as its publisher has it."""
    folder.mkdir()
    shard(folder / SHARD, WEIGHT)
    save_file({"lm_head.weight": np.zeros((1024, 2048), dtype=np.float32)}, folder / LARGE)
    index = {
        "metadata": {"total_size": WEIGHT.nbytes + 1024 * 2048 * 4},
        "weight_map": {"model.weight": SHARD, "lm_head.weight": LARGE},
    }
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": 4,
        "intermediate_size": 8,
        "num_attention_heads": 1,
        "num_hidden_layers": 1,
        "vocab_size": 3,
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "generation_config.json").write_text(json.dumps({"bos_token_id": 1, "eos_token_id": 2}))
    words().save(str(folder / "tokenizer.json"))
    said = {"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "[UNK]"}
    (folder / "tokenizer_config.json").write_text(json.dumps(said))
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n# tiny\n")
    quantized(folder / "tiny.gguf", WEIGHT)
    graph(folder / "tiny.onnx", WEIGHT)
