"""The loaders that a guard knows: for each module what is done once it was imported."""

from __future__ import annotations

from types import ModuleType
from typing import Callable, Dict

from . import gguf, onnxruntime, pretrained, safetensors, torch

#: By the names of modules. A hook raises ``AttributeError`` for a version whose parts have other names.
HOOKS: Dict[str, Callable[[ModuleType], None]] = {
    **safetensors.HOOKS,
    **gguf.HOOKS,
    **onnxruntime.HOOKS,
    **torch.HOOKS,
    **pretrained.HOOKS,
}
