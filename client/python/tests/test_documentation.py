"""The recipes of docs/python.md, as a reader runs them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, Released

PAGE = (ROOT / "docs/python.md").read_text()
RECIPES = re.findall(r"<!-- run -->\n```python\n(.*?)```", PAGE, re.DOTALL)


def test_there_are_three() -> None:
    assert len(RECIPES) == 3


@pytest.mark.parametrize("number", range(3))
def test_a_recipe_runs_and_without_the_release_it_does_not(
    number: int, released: Released, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STELE_POLICY", str(released.policy))
    model = released.copy(tmp_path / "model")

    def run() -> subprocess.CompletedProcess:
        return subprocess.run([sys.executable, "-c", RECIPES[number]], cwd=tmp_path, capture_output=True, text=True)

    done = run()
    assert done.returncode == 0, done
    for path in (model / "model-00001-of-00002.safetensors", model / "tiny.gguf"):
        path.write_bytes(path.read_bytes() + b"\0")
    done = run()
    assert done.returncode != 0 and "bytes-differ" in done.stderr, done
