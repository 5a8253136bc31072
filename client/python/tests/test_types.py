"""The types that the package promises are those that it has."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_the_stubs_are_what_the_compiled_half_has() -> None:
    command = [sys.executable, "-m", "mypy.stubtest", "--ignore-disjoint-bases", "stele._native"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_package_is_typed(tmp_path: Path) -> None:
    check = [sys.executable, "-m", "mypy", "--strict", "--python-version", "3.10", "--cache-dir", str(tmp_path / "cache")]
    done = subprocess.run([*check, "--package", "stele"], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    user = tmp_path / "user.py"
    user.write_text("import stele\nverified = stele.verify_folder('model')\nnumber: int = verified.release.coordinate\n")
    done = subprocess.run([*check, str(user)], capture_output=True, text=True)
    assert done.returncode == 1 and "Incompatible types in assignment" in done.stdout, done.stdout
