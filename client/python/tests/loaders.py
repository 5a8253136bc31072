"""How each loader opens the model, and what it then holds."""

from __future__ import annotations

from pathlib import Path

import gguf
import models
import numpy as np
import onnxruntime
import safetensors
import safetensors.numpy


def by_safe_open(folder: Path) -> np.ndarray:
    with safetensors.safe_open(folder / models.SHARD, framework="np") as opened:
        return opened.get_tensor("model.weight")


def by_pread(folder: Path) -> np.ndarray:
    with safetensors.safe_open(folder / models.SHARD, framework="np", backend="pread") as opened:
        return opened.get_tensor("model.weight")


def by_load_file(folder: Path) -> np.ndarray:
    return safetensors.numpy.load_file(folder / models.SHARD)["model.weight"]


def by_gguf(folder: Path) -> np.ndarray:
    (tensor,) = gguf.GGUFReader(folder / "tiny.gguf").tensors
    return np.array(tensor.data)


def by_onnxruntime(folder: Path) -> np.ndarray:
    session = onnxruntime.InferenceSession(folder / "tiny.onnx", providers=["CPUExecutionProvider"])
    return session.run(None, {"x": np.zeros((3, 4), np.float32)})[0]


#: For each loader the file whose bytes it ends up with, and what writes such a file with other values.
ALL = {
    by_safe_open: (models.SHARD, models.shard),
    by_pread: (models.SHARD, models.shard),
    by_load_file: (models.SHARD, models.shard),
    by_gguf: ("tiny.gguf", models.quantized),
    by_onnxruntime: ("tiny.onnx.data", lambda path, values: _data(path, values)),
}


def _data(path: Path, values: np.ndarray) -> None:
    path.write_bytes(values.tobytes())
