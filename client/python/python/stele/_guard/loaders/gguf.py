"""``gguf.GGUFReader``."""

from __future__ import annotations

import functools
from types import ModuleType
from typing import Any

from ..._error import VerifyError
from .. import _state


def _hook(module: ModuleType) -> None:
    original = module.GGUFReader.__init__

    @functools.wraps(original)
    def guarded(self: Any, path: Any, mode: str = "r", **named: Any) -> None:
        guard = _state.current()
        if guard is None:
            original(self, path, mode, **named)
            return
        if mode == "r+" and guard.guards(path):
            error = VerifyError(
                "a file that is opened to be written cannot be guarded", "guard-unsupported", [("mode", mode)], "open it with mode='r' or 'c'", 10
            )
            guard.refuse("gguf.GGUFReader", path, error)
            original(self, path, mode, **named)
            return
        with guard.file("gguf.GGUFReader", path) as opened:
            original(self, opened, mode, **named)

    module.GGUFReader.__init__ = guarded


HOOKS = {"gguf.gguf_reader": _hook}
