"""Sealed copies of files that are kept to be opened again."""

from __future__ import annotations

import os
import threading
from typing import Callable, Dict, Tuple

#: The digest of a bundle, and a path in its release: by the record its bytes are the same every time.
_Key = Tuple[bytes, str]


class Sealed:
    """Descriptors of sealed copies, of at most so many bytes together; the one that was opened longest ago goes first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: Dict[_Key, int] = {}
        self._lock = threading.Lock()

    def open(self, key: _Key, copy: Callable[[], int]) -> int:
        """A descriptor of the copy, the caller's to close. ``copy`` makes one whose content was verified, where none is kept."""
        with self._lock:
            kept = self._kept.pop(key, None)
            if kept is not None:
                self._kept[key] = kept
                return os.dup(kept)
        made = copy()
        with self._lock:
            if key not in self._kept and os.fstat(made).st_size <= self._most:
                self._kept[key] = os.dup(made)
                while sum(os.fstat(one).st_size for one in self._kept.values()) > self._most:
                    os.close(self._kept.pop(next(iter(self._kept))))
        return made

    def close(self) -> None:
        """Lets all of them go. What is mapped stays until it is not."""
        with self._lock:
            for descriptor in self._kept.values():
                os.close(descriptor)
            self._kept.clear()
