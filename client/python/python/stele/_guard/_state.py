"""Which guard is active. It holds for all threads, since loaders read shards in threads of their own."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, List, Optional

if TYPE_CHECKING:
    from ._guard import Guard

lock = threading.RLock()
active: List["Guard"] = []


def current() -> Optional["Guard"]:
    """The guard that was started last and not stopped."""
    with lock:
        return active[-1] if active else None
