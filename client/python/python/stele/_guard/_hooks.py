"""Where loaders are met: modules that are here are hooked at once, others when they are imported.

A hook stays for the life of the process. While no guard is active it calls what it stands for, and does nothing else.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
import threading
from types import ModuleType
from typing import Any, Optional, Sequence, Set

from . import _state
from ._platform import unsupported
from .loaders import HOOKS

_hooked: Set[str] = set()


def install() -> None:
    """Hooks every loader that is known."""
    for name in HOOKS:
        module = sys.modules.get(name)
        # A module that another thread imports right now is hooked by the finder, or was imported before it was there.
        if module is not None:
            _hook(module)
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


def _hook(module: ModuleType) -> None:
    if module.__name__ in _hooked:
        return
    try:
        HOOKS[module.__name__](module)
    except AttributeError as error:
        _refuse(module.__name__, error)
        return
    _hooked.add(module.__name__)


def _refuse(name: str, error: AttributeError) -> None:
    """A version whose parts have other names."""
    guard = _state.current()
    if guard is not None:
        found = f"{name}: {error}"
        guard.refuse(name, name, unsupported(f"{name} is of a version that it does not know", found, "see docs/python.md for versions that it knows"))


class _Finder(importlib.abc.MetaPathFinder):
    """Finds what the other finders find, and hooks it once it was executed."""

    def __init__(self) -> None:
        self._busy = threading.local()

    def find_spec(
        self, fullname: str, path: Optional[Sequence[str]], target: Optional[ModuleType] = None
    ) -> Optional[importlib.machinery.ModuleSpec]:
        if fullname not in HOOKS or getattr(self._busy, "name", None) == fullname:
            return None
        self._busy.name = fullname
        try:
            for finder in sys.meta_path:
                find = getattr(finder, "find_spec", None)
                spec: Optional[importlib.machinery.ModuleSpec] = find(fullname, path, target) if find is not None and finder is not self else None
                if spec is not None:
                    if spec.loader is not None:
                        spec.loader = _Loader(spec.loader)
                    return spec
        finally:
            self._busy.name = None
        return None


class _Loader(importlib.abc.Loader):
    """Another loader, whose module is hooked after it was executed."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> Optional[ModuleType]:
        module: Optional[ModuleType] = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        _hook(module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)


