"""``onnxruntime.InferenceSession``, which also opens the files of weights that a graph names."""

from __future__ import annotations

import functools
import os
from types import ModuleType
from typing import Any

from .. import _state


def _hook(module: ModuleType) -> None:
    original = module.InferenceSession.__init__

    @functools.wraps(original)
    def guarded(self: Any, path_or_bytes: Any, *arguments: Any, **named: Any) -> None:
        guard = _state.current()
        if guard is not None and isinstance(path_or_bytes, (str, os.PathLike)):
            path_or_bytes = guard.beside("onnxruntime.InferenceSession", path_or_bytes)
        original(self, path_or_bytes, *arguments, **named)

    module.InferenceSession.__init__ = guarded


HOOKS = {"onnxruntime.capi.onnxruntime_inference_collection": _hook}
