"""A real release: a log and its witnesses, a publisher, and a folder with its ``release.stele``, by the real programs."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import models
import pytest

import stele

ROOT = Path(__file__).resolve().parents[3]
PROGRAMS = Path(os.environ.get("STELE_PROGRAMS", ROOT / "target/debug"))
COORDINATE = "acme.example/tiny@1.0.0#base"


@dataclass(frozen=True)
class Released:
    """A folder that was released, and the policy by which it is verified. Tests copy it and leave it as it is."""

    folder: Path
    policy: Path

    def copy(self, to: Path) -> Path:
        shutil.copytree(self.folder, to)
        return to


def publish(folder: Path, home: Path) -> Released:
    """Releases a folder in a network of its own, which is left in ``home`` and stopped."""
    command = [PROGRAMS / "quickstart", "--keep", home, folder]
    # Without the variable of cargo the program builds nothing.
    environment = {name: value for name, value in os.environ.items() if name != "CARGO"}
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return Released(home / "model", home / "policy")


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Released:
    home = tmp_path_factory.mktemp("released")
    models.write(home / "tiny")
    return publish(home / "tiny", home / "network")


@pytest.fixture
def folder(released: Released, tmp_path: Path) -> Path:
    """A copy of the released folder, for a test to do with what it likes."""
    return released.copy(tmp_path / "tiny")


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A user without settings, whose home is empty and who reaches no hub."""
    for name in ("STELE_POLICY", "STELE_GUARD", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "HF_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture(autouse=True)
def no_guard_is_left() -> None:
    yield
    from stele._guard import _state

    left = list(_state.active)
    for guard in left:
        guard.stop()
    assert not left, "a test left a guard"


def refused(code: str):
    """A block in which ``VerifyError`` of this code is raised."""
    return pytest.raises(stele.VerifyError, match=rf"\[{code}\]")
