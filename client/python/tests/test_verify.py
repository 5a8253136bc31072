"""The library: bundles, folders, policies and errors."""

from __future__ import annotations

import base64
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import models
import pytest
from conftest import COORDINATE, ROOT, Released, refused

import stele

VECTORS = json.loads((ROOT / "spec/vectors/bundle/bundles.json").read_text())


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["comment"].replace(" ", "-")[:60])
def test_the_vectors_of_the_format(case: dict) -> None:
    policy = stele.Policy.parse(VECTORS["policies"][case["policy"]])
    bundle = base64.b64decode(case["bundle"])
    if "refuse" in case:
        with refused(case["refuse"]) as raised:
            stele.verify(bundle, policy)
        assert raised.value.exit > 0 and raised.value.hint
    else:
        release, accepted = stele.verify(bundle, policy), case["accept"]
        assert (release.entry, release.completeness, release.status) == tuple(accepted[name] for name in ("entry", "completeness", "state"))
        assert len(release.index_cosigners) == accepted["index_cosigners"]
        refusal = {"withdrawn": "withdrawn", "conflicting": "release-conflict"}.get(release.status)
        if refusal is None:
            release.require_in_force()
        else:
            with refused(refusal):
                release.require_in_force()


def test_a_release_says_what_its_record_says(released: Released) -> None:
    release = stele.verify((released.folder / "release.stele").read_bytes(), released.policy)
    assert release.coordinate == COORDINATE
    assert (release.publisher, release.model, release.version, release.variant) == ("acme.example", "tiny", "1.0.0", "base")
    assert {file.path: file.role for file in release.files}[models.SHARD] == "weights"
    assert len(release.checkpoint.witnesses) >= 2 and release.checkpoint.time > 1_700_000_000
    assert release.checkpoint.tree_size > release.entry
    release.require(publisher="acme.example", signer=release.signer, coordinate=COORDINATE)
    with refused("other-publisher"):
        release.require(publisher="evil.example")
    with refused("evidence-too-old"):
        release.require(not_before=release.checkpoint.time + 1)
    with pytest.raises(ValueError, match="signer"):
        release.require(signer="no key id")


def test_a_folder_is_what_was_released(released: Released) -> None:
    verified = stele.verify_folder(released.folder, released.policy)
    assert verified.release.coordinate == COORDINATE
    assert verified.report.of == len(verified.report.matching) == len(verified.release.files)
    assert verified.report.weights == verified.release.weights_digest
    one = stele.verify_folder(released.folder / models.SHARD, stele.Policy.load(released.policy))
    assert one.report.matching == [models.SHARD]


def test_what_is_unchanged_is_hashed_once(released: Released, folder: Path, tmp_path: Path) -> None:
    def cached(rehash: bool = False) -> int:
        return stele.verify_folder(folder, released.policy, rehash=rehash).cached

    assert cached() == 0
    # A file as young as the check is not kept.
    time.sleep(2.2)
    assert cached() == 0
    if cached() == 0:
        pytest.skip("the files are short, or on a file system whose times are not relied on")
    assert cached(rehash=True) == 0 and cached() > 0
    path = folder / models.SHARD
    content, found = bytearray(path.read_bytes()), path.stat()
    content[-1] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    with refused("bytes-differ"):
        stele.verify_folder(folder, released.policy)


def test_a_flipped_byte_is_told_with_both_digests(released: Released, folder: Path) -> None:
    path = folder / models.SHARD
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with refused("bytes-differ") as raised:
        stele.verify_folder(folder, released.policy)
    error = raised.value
    assert error.exit == 1 and "expected" in error.facts and "found" in error.facts and error.hint
    again = pickle.loads(pickle.dumps(error))
    assert (again.code, again.facts, again.hint, again.exit) == (error.code, error.facts, error.hint, error.exit)


def test_what_is_missing_or_beside_is_refused_unless_it_is_allowed(released: Released, folder: Path) -> None:
    (folder / models.SHARD).unlink()
    with refused("incomplete") as raised:
        stele.verify_folder(folder, released.policy)
    assert raised.value.exit == 15
    assert stele.verify_folder(folder, released.policy, allow_missing=True).report.missing == [models.SHARD]
    (folder / "modeling_tiny.py").write_text("import os\n")
    with refused("unrecorded") as raised:
        stele.verify_folder(folder, released.policy, allow_missing=True)
    assert raised.value.exit == 16
    report = stele.verify_folder(folder, released.policy, allow_missing=True, allow_extra=True).report
    assert [(extra.path, extra.role) for extra in report.extra] == [("modeling_tiny.py", "code")]


def test_without_a_policy_nothing_is_verified(released: Released, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with refused("policy-missing") as raised:
        stele.verify_folder(released.folder)
    assert raised.value.exit == 6
    monkeypatch.setenv("STELE_POLICY", str(tmp_path / "none"))
    with refused("policy-missing"):
        stele.verify_folder(released.folder)
    with refused("policy-invalid"):
        stele.Policy.parse("no policy")
    with pytest.raises(TypeError, match="policy: expected"):
        stele.verify_folder(released.folder, 7)


def test_the_policy_is_found_where_the_program_finds_it(
    released: Released, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = tmp_path / "home/.config/stele"
    settings.mkdir(parents=True)
    program = Path(sys.executable).parent / "stele"

    def places() -> list:
        """What the package finds, and what the program does."""
        shown = json.loads(subprocess.run([program, "config", "--json"], capture_output=True, check=True).stdout)
        theirs = [row["value"] for row in shown["settings"] if row["name"] == "policy"]
        return [str(stele.Policy.find().path), theirs[0]]

    (settings / "policy").write_bytes(released.policy.read_bytes())
    assert stele.Policy.find().path == settings / "policy"
    (settings / "mine").write_bytes(released.policy.read_bytes())
    (settings / "config.toml").write_text('policy = "mine"\n')
    assert places() == [str(settings / "mine")] * 2
    monkeypatch.setenv("STELE_POLICY", str(released.policy))
    assert stele.Policy.find().path == released.policy
    monkeypatch.delenv("STELE_POLICY")
    (settings / "config.toml").write_text("policy = 1\n")
    with refused("config-bad-value"):
        stele.Policy.find()
    (settings / "config.toml").write_text("policy = \n")
    with refused("config-malformed"):
        stele.verify_folder(released.folder)


def test_other_threads_run_while_files_are_hashed(released: Released) -> None:
    turns, stopped = [0], threading.Event()

    def spin() -> None:
        while not stopped.is_set():
            turns[0] += 1
            time.sleep(0)

    interval = sys.getswitchinterval()
    thread = threading.Thread(target=spin)
    thread.start()
    # From here on another thread runs only when this one lets it.
    sys.setswitchinterval(1000)
    try:
        before = turns[0]
        stele.verify_folder(released.folder, released.policy)
        after = turns[0]
    finally:
        sys.setswitchinterval(interval)
        stopped.set()
        thread.join()
    assert after > before


def test_a_pipe_in_the_place_of_a_bundle_hangs_nobody(released: Released, folder: Path) -> None:
    (folder / "release.stele").unlink()
    os.mkfifo(folder / "release.stele")
    with pytest.raises(stele.VerifyError):
        stele.verify_folder(folder, released.policy)


def test_a_file_on_which_another_process_holds_a_lease_is_waited_for(released: Released, folder: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    if not hasattr(fcntl, "F_SETLEASE"):
        pytest.skip("no leases on this system")
    held = os.open(folder / models.SHARD, os.O_RDWR)
    asked = []

    def give_up(*_: object) -> None:
        asked.append(time.monotonic())
        fcntl.fcntl(held, fcntl.F_SETLEASE, fcntl.F_UNLCK)

    before = signal.signal(signal.SIGIO, give_up)
    try:
        fcntl.fcntl(held, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        program = Path(sys.executable).parent / "stele"
        done = subprocess.run([program, "verify", folder, "--policy", released.policy], capture_output=True, text=True)
    finally:
        os.close(held)
        signal.signal(signal.SIGIO, before)
    assert done.returncode == 0 and asked, done


def test_the_program_comes_with_the_package(released: Released) -> None:
    for command in ([Path(sys.executable).parent / "stele"], [sys.executable, "-m", "stele"]):
        done = subprocess.run([*command, "verify", released.folder, "--policy", released.policy], capture_output=True, text=True)
        assert done.returncode == 0 and done.stdout.startswith("verified"), done
        done = subprocess.run([*command, "verify", released.folder / "none"], capture_output=True, text=True)
        assert done.returncode == 7, done
