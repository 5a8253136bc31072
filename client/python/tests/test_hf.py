"""``hf stele``, by the real ``hf``."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import models
import pytest
from conftest import Released
from test_transformers import cached

HF = Path(sys.executable).parent / "hf"


def hf(*arguments: object) -> subprocess.CompletedProcess:
    return subprocess.run([HF, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True)


def manage(action: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "stele.hf", action], capture_output=True, text=True)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_HUB_DISABLE_UPDATE_CHECK", raising=False)
    done = manage("install")
    assert done.returncode == 0, done


def test_without_it_hf_knows_no_stele() -> None:
    assert hf("stele", "verify", "acme/tiny").returncode == 2


def test_hf_stele_verifies_a_name_and_passes_the_exit_code(
    installed: None, released: Released, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    snapshot = cached(cache, folder)
    monkeypatch.setenv("HF_HUB_CACHE", str(cache))
    monkeypatch.setenv("STELE_POLICY", str(released.policy))
    done = hf("stele", "verify", "acme/tiny")
    assert done.returncode == 0 and done.stdout.startswith("verified  acme.example/tiny@1.0.0#base"), done
    assert json.loads(hf("stele", "--json", "verify", "acme/tiny").stdout)["verdict"] == "verified"
    (snapshot / "modeling_tiny.py").write_text("")
    assert hf("stele", "verify", "acme/tiny").returncode == 16
    (snapshot / models.SHARD).resolve().write_bytes(b"other")
    assert hf("stele", "verify", "acme/tiny").returncode == 1
    monkeypatch.setenv("STELE_POLICY", str(tmp_path / "none"))
    assert hf("stele", "verify", "acme/tiny").returncode == 6


class Asked(BaseHTTPRequestHandler):
    """A proxy that lets nobody through and remembers whom they wanted."""

    hosts: list = []

    def do_CONNECT(self) -> None:  # noqa: N802
        self.hosts.append(self.path)
        self.send_error(502)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list:
    Asked.hosts = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Asked)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    yield Asked.hosts
    server.shutdown()
    thread.join()
    server.server_close()


def test_hf_lists_it_and_asks_no_other_place_for_a_newer_one(installed: None, asked: list) -> None:
    assert "stele" in hf("--help").stdout
    done = hf("extensions", "list", "--format", "json")
    assert done.returncode == 0 and "hf stele" in done.stdout, done
    assert hf("stele", "version").returncode == 0
    assert not [host for host in asked if "github" in host], asked
    # Without the file that says so it would have asked.
    Path("~/.local/share/hf/extensions/hf-stele/.latest_commit").expanduser().unlink()
    hf("stele", "version")
    assert [host for host in asked if "github" in host], asked


def test_it_is_installed_again_and_removed() -> None:
    assert manage("install").returncode == manage("install").returncode == 0
    assert manage("remove").stdout.startswith("removed")
    assert manage("remove").stdout.startswith("nothing")
    assert hf("stele", "version").returncode == 2


def test_an_extension_of_somebody_else_stays(tmp_path: Path) -> None:
    folder = Path("~/.local/share/hf/extensions/hf-stele").expanduser()
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text('{"owner": "somebody"}')
    for action in ("install", "remove"):
        done = manage(action)
        assert done.returncode == 1 and "another extension" in done.stderr, done
    assert json.loads((folder / "manifest.json").read_text()) == {"owner": "somebody"}
