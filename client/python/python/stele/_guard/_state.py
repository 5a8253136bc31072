"""Which guard is active. It holds for all threads, since loaders read shards in threads of their own."""

from __future__ import annotations

import os
import threading
from typing import Callable, ContextManager, List, Optional, Protocol, Union

from .._error import VerifyError

PathLike = Union[str, "os.PathLike[str]"]


class ActiveGuard(Protocol):
    """What a loader asks of a guard."""

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


lock = threading.RLock()
active: List[ActiveGuard] = []


def current() -> Optional[ActiveGuard]:
    """The guard that was started last and not stopped."""
    with lock:
        return active[-1] if active else None
