"""``safetensors.safe_open``, by which every ``load_file`` of the package reads."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from .. import _state
from . import _replace


def _hook(module: ModuleType) -> None:
    original = module.safe_open

    class Kind(type):
        def __instancecheck__(cls, instance: Any) -> bool:
            return isinstance(instance, original)

    class safe_open(metaclass=Kind):
        __doc__ = original.__doc__

        def __new__(cls, filename: Any, *arguments: Any, **named: Any) -> Any:
            guard = _state.current()
            if guard is None:
                return original(filename, *arguments, **named)
            # The file is mapped, or opened, when the call returns: its path is not used again.
            with guard.file("safetensors.safe_open", filename) as path:
                return original(path, *arguments, **named)

    _replace.everywhere(original, safe_open)


HOOKS = {"safetensors": _hook}
