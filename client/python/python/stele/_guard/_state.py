"""Which guard is active. It holds for all threads, since loaders read shards in threads of their own."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import Callable, ContextManager, Iterator, List, Optional, Protocol, Union

from .._error import VerifyError

PathLike = Union[str, "os.PathLike[str]"]


class ActiveGuard(Protocol):
    """What a loader asks of a guard."""

    mode: str

    def file(self, loader: str, path: PathLike) -> ContextManager[str]:
        """The path from which a loader reads the verified content of one file, for as long as the block lasts."""

    def beside(self, loader: str, path: PathLike) -> str:
        """The path of a file in a verified copy of its folder."""

    def folder(self, loader: str, name: PathLike, download: Callable[[str], str]) -> str:
        """A verified copy of a folder."""

    def refuse(self, loader: str, name: PathLike, error: VerifyError) -> None:
        """Says that something cannot be guarded: raises it, or warns."""

    def guards(self, path: PathLike) -> bool:
        """Whether a path is one of those that are guarded."""


class _Several:
    """Several guards at once: each that guards a path has to accept it, and what the strictest of them gives is opened."""

    mode = "enforce"

    def __init__(self, guards: List[ActiveGuard]) -> None:
        # The strictest last. One that was started later takes nothing away from another.
        self._guards = sorted(guards, key=lambda guard: guard.mode == "enforce")

    @contextlib.contextmanager
    def file(self, loader: str, path: PathLike) -> Iterator[str]:
        opened = os.fsdecode(path)
        with contextlib.ExitStack() as held:
            for guard in self._of(path):
                opened = held.enter_context(guard.file(loader, path))
            yield opened

    def beside(self, loader: str, path: PathLike) -> str:
        opened = os.fsdecode(path)
        for guard in self._of(path):
            opened = guard.beside(loader, path)
        return opened

    def folder(self, loader: str, name: PathLike, download: Callable[[str], str]) -> str:
        opened = os.fsdecode(name)
        for guard in self._of(name):
            opened = guard.folder(loader, name, download)
        return opened

    def refuse(self, loader: str, name: PathLike, error: VerifyError) -> None:
        for guard in self._guards:
            guard.refuse(loader, name, error)

    def guards(self, path: PathLike) -> bool:
        return bool(self._of(path))

    def _of(self, path: PathLike) -> List[ActiveGuard]:
        return [guard for guard in self._guards if guard.guards(path)]


lock = threading.RLock()
active: List[ActiveGuard] = []


def current() -> Optional[ActiveGuard]:
    """The guard that is active, or all that are."""
    with lock:
        return _Several(active) if len(active) > 1 else active[0] if active else None
