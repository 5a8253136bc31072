"""Private folders with verified copies, each made once."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import threading
from pathlib import Path
from typing import Dict, Optional, Set, Tuple

from .._native import Release

#: The roots of all views of this process, by which what lies in one is known.
_roots: Set[str] = set()


def is_inside(path: str) -> bool:
    """Whether a path is in a view, whose files were verified when it was made."""
    above = os.path.abspath(path)
    while True:
        if above in _roots:
            return True
        parent = os.path.dirname(above)
        if parent == above:
            return False
        above = parent


class Views:
    """The private folders of a guard."""

    def __init__(self, workdir: Path) -> None:
        self._workdir = workdir
        self._made: Dict[Tuple[bytes, str], str] = {}
        self._lock = threading.Lock()
        # A process that was forked off does not remove what its parent reads.
        self._owner = os.getpid()

    def folder(
        self, release: Release, key: bytes, folder: Path, within: str, bundle: Path, allow_missing: bool, name: str
    ) -> str:
        """The verified copy of a folder of a release; ``key`` is the digest of its bundle.

        Two releases never share a view, and one release is copied once: by its record its bytes are the same every time.
        """
        with self._lock:
            made = self._made.get((key, within))
            if made is None:
                made = self._make(release, folder, within, bundle, allow_missing, name)
                self._made[(key, within)] = made
            return os.path.join(made, within) if within else made

    def _make(
        self, release: Release, folder: Path, within: str, bundle: Path, allow_missing: bool, name: str
    ) -> str:
        # mkdtemp makes a folder that only its owner reads (mode 0700).
        outer = tempfile.mkdtemp(prefix="stele-", dir=self._workdir)
        root = os.path.join(outer, _plain(name))
        try:
            os.mkdir(root, 0o700)
            release._copy(folder, within, root, allow_missing, bundle)
            _set_modes(outer, 0o500)
        except BaseException:
            _remove(outer)
            raise
        _roots.add(root)
        return root

    def remove(self) -> None:
        """Removes all of them."""
        with self._lock:
            for root in self._made.values() if os.getpid() == self._owner else ():
                _roots.discard(root)
                _remove(os.path.dirname(root))
            self._made.clear()


def _plain(name: str) -> str:
    """A name of a folder that loaders and modules of theirs can bear."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name).strip(".")
    return plain[:64] or "model"


def _set_modes(top: str, mode: int) -> None:
    for folder, _, _ in os.walk(top):
        os.chmod(folder, mode)


def _remove(top: Optional[str]) -> None:
    if top is not None and os.path.isdir(top):
        _set_modes(top, 0o700)
        shutil.rmtree(top, ignore_errors=True)
