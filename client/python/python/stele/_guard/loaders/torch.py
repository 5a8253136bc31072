"""``torch.load`` and ``torch.jit.load``."""

from __future__ import annotations

import functools
import os
from types import ModuleType
from typing import Any, Callable, Optional

from ..._error import VerifyError
from .. import _state
from . import _replace


def _hook(module: ModuleType) -> None:
    for name, original in [("torch.load", module.serialization.load), ("torch.jit.load", module.jit.load)]:
        _replace.everywhere(original, _guarded(name, original))


def _guarded(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def load(f: Any, *arguments: Any, **named: Any) -> Any:
        guard = _state.current()
        if guard is None:
            return original(f, *arguments, **named)
        if isinstance(f, (str, os.PathLike)):
            with guard.file(name, f) as path:
                return original(path, *arguments, **named)
        opened = _file_of(f)
        if opened is None or not guard.guards(opened):
            return original(f, *arguments, **named)
        if not os.path.isfile(opened):
            guard.refuse(name, opened, VerifyError(
                "an open file without a path cannot be guarded", "guard-unsupported", [("found", opened)], "give the path", 10
            ))
            return original(f, *arguments, **named)
        with guard.file(name, opened) as path:
            if path == opened:
                return original(f, *arguments, **named)
            # The verified copy in place of what was opened before, from where that one stands.
            with open(path, "rb") as copy:
                copy.seek(f.tell())
                return original(copy, *arguments, **named)

    return load


def _file_of(f: Any) -> Optional[str]:
    """Where an open file is; None for what is only in memory, whose bytes are the caller's."""
    try:
        descriptor = f.fileno()
    except (AttributeError, OSError, ValueError):
        return None
    path = getattr(f, "name", None)
    return path if isinstance(path, str) else f"/proc/self/fd/{descriptor}"


HOOKS = {"torch": _hook}
