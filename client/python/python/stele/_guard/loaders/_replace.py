"""How a function is replaced."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


def everywhere(original: Any, replacement: Any) -> None:
    """In every module that has it under whatever name, since ``from x import y`` gives a module a reference of its own."""
    for module in list(sys.modules.values()):
        names = getattr(module, "__dict__", None) if isinstance(module, ModuleType) else None
        for name, value in list((names or {}).items()):
            if value is original:
                setattr(module, name, replacement)
