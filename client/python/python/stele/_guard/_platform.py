"""What a guard needs of the machine."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from pathlib import Path
from typing import Optional

from .._error import VerifyError

_F_ADD_SEALS = 1033
_ALL_SEALS = 0xF


def check(folder: Optional[Path]) -> Path:
    """Raises ``VerifyError`` where a guard could not keep its promise here; else the folder in which it keeps private copies."""
    _check_sealed_memory()
    folder = Path(os.path.realpath(folder if folder is not None else tempfile.gettempdir()))
    _check_private(folder)
    return folder


def check_policy(path: Optional[Path]) -> None:
    """Raises ``VerifyError`` where any user of this machine may change the file that says what is trusted, by the rule of the program ``stele``."""
    if path is None:
        return
    path = Path(os.path.realpath(path))
    for place in [path, *path.parents]:
        mode = os.stat(place).st_mode
        if mode & stat.S_IWOTH and (place == path or not mode & stat.S_ISVTX):
            raise unsupported("anybody on this machine may change what is trusted", str(place), f"chmod o-w {place}")


def unsupported(why: str, found: str, hint: str) -> VerifyError:
    """What cannot be promised here."""
    return VerifyError(f"a guard cannot keep its promise here: {why}", "guard-unsupported", [("found", found)], hint, 10)


def _check_sealed_memory() -> None:
    hint = "run it on Linux 3.17 or later with /proc, or verify before with `stele verify`"
    if not sys.platform.startswith("linux") or not hasattr(os, "memfd_create"):
        raise unsupported("it needs memory that can be sealed, which Linux has", sys.platform, hint)
    import fcntl

    try:
        descriptor = os.memfd_create("stele", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    except OSError as error:
        raise unsupported("it needs memory that can be sealed", str(error), hint) from None
    try:
        os.write(descriptor, b"stele")
        fcntl.fcntl(descriptor, _F_ADD_SEALS, _ALL_SEALS)
        with open(f"/proc/self/fd/{descriptor}", "rb") as again:
            # By what it is, and not by what it holds: before the seals another process of this user may have written into it.
            if not os.path.samestat(os.fstat(descriptor), os.fstat(again.fileno())):
                raise unsupported("it needs /proc/self/fd", "another file", hint)
        try:
            os.pwrite(descriptor, b"other", 0)
        except OSError:
            return
        raise unsupported("it needs memory that can be sealed", "a seal that does not hold", hint)
    except OSError as error:
        raise unsupported("it needs memory that can be sealed, and /proc", str(error), hint) from None
    finally:
        os.close(descriptor)


def _check_private(folder: Path) -> None:
    """Nobody else can replace a folder that is made in this one: not in it, and not in one above it."""
    hint = "name another folder with workdir=, one that only you can write to"
    for place in [folder, *folder.parents]:
        try:
            found = os.stat(place)
        except OSError as error:
            raise unsupported(f"private copies cannot be kept in {folder}", str(error), hint) from None
        writable = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        # In a folder with the sticky bit only the owner of an entry renames it.
        if writable and not found.st_mode & stat.S_ISVTX:
            raise unsupported(f"private copies cannot be kept in {folder}", f"others can write to {place}", hint)
        if found.st_uid not in (0, os.getuid()):
            raise unsupported(f"private copies cannot be kept in {folder}", f"{place} is another user's", hint)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise unsupported(f"private copies cannot be kept in {folder}", "it cannot be written to", hint)
