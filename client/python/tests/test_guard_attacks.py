"""Somebody changes the files while they are opened: what is loaded is what was verified, or nothing."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Callable

import loaders
import models
import numpy as np
import pytest
from conftest import ROOT, Released, refused

import stele


def other(path: Path, write: Callable) -> Path:
    """A file of the same kind with other values, beside another one."""
    made = path.with_name(f"evil-{path.name}")
    write(made, models.EVIL)
    return made


def overwrite(path: Path, evil: Path) -> None:
    """In place: the inode stays."""
    path.write_bytes(evil.read_bytes())


def rename_over(path: Path, evil: Path) -> None:
    evil.replace(path)


def flip_link(path: Path, evil: Path) -> None:
    link = path.with_name("link")
    link.symlink_to(evil)
    link.replace(path)


def truncate(path: Path, evil: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def remove(path: Path, evil: Path) -> None:
    path.unlink()


ATTACKS = [overwrite, rename_over, flip_link, truncate, remove]


@pytest.fixture(params=loaders.ALL, ids=lambda loader: loader.__name__)
def loader(request: pytest.FixtureRequest) -> Callable:
    return request.param


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_what_was_attacked_before_is_not_opened(
    released: Released, folder: Path, loader: Callable, attack: Callable
) -> None:
    name, write = loaders.ALL[loader]
    evil = other(released.copy(folder.with_name("elsewhere")) / name, write)
    attack(folder / name, evil)
    with stele.guard(released.policy, "enforce"):
        with pytest.raises(stele.VerifyError):
            loader(folder)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_what_is_attacked_between_check_and_use_is_what_was_checked(
    released: Released, folder: Path, loader: Callable, attack: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The attack comes when the guard has decided, and before the loader opens anything."""
    name, write = loaders.ALL[loader]
    evil = other(released.copy(folder.with_name("elsewhere")) / name, write)
    held = os.open(folder / name, os.O_RDWR)
    attacked = []
    decided = stele.Guard._decided

    def then_attack(*arguments):
        result = decided(*arguments)
        attack(folder / name, evil)
        # And through a descriptor that was opened before everything.
        os.pwrite(held, b"\xff" * 64, 0)
        attacked.append(result)
        return result

    monkeypatch.setattr(stele.Guard, "_decided", then_attack)
    try:
        with stele.guard(released.policy, "enforce"):
            loaded = loader(folder)
    finally:
        os.close(held)
    assert attacked and np.array_equal(loaded, models.WEIGHT)


def test_files_that_change_all_the_time_are_loaded_right_or_not_at_all(released: Released, folder: Path) -> None:
    path = folder / models.SHARD
    good, evil = path.read_bytes(), other(folder.with_name(models.SHARD), models.shard).read_bytes()
    assert len(good) == len(evil) and good != evil
    stopped = threading.Event()

    def swap() -> None:
        held = os.open(path, os.O_RDWR)
        turn = 0
        while not stopped.is_set():
            os.pwrite(held, evil if turn % 2 else good, 0)
            if turn % 3 == 0:
                beside = path.with_name(".beside")
                beside.write_bytes(good if turn % 2 else evil)
                beside.replace(path)
                os.close(held)
                held = os.open(path, os.O_RDWR)
            turn += 1
        os.close(held)

    thread = threading.Thread(target=swap)
    thread.start()
    right = wrong = 0
    try:
        with stele.guard(released.policy, "enforce"):
            while (right < 20 or wrong < 20) and right + wrong < 20_000:
                try:
                    assert np.array_equal(loaders.by_safe_open(folder), models.WEIGHT)
                    right += 1
                except stele.VerifyError:
                    wrong += 1
    finally:
        stopped.set()
        thread.join()
    assert right > 0 and wrong > 0


def test_sealed_memory_cannot_be_written_by_its_own_process(released: Released, folder: Path) -> None:
    with stele.guard(released.policy, "enforce") as guard:
        with guard.file("test", folder / models.SHARD) as path:
            for flags in (os.O_RDWR, os.O_WRONLY, os.O_WRONLY | os.O_TRUNC):
                descriptor = None
                with pytest.raises(OSError):
                    descriptor = os.open(path, flags)
                    os.pwrite(descriptor, b"x", 0)
                if descriptor is not None:
                    os.close(descriptor)
            with pytest.raises(OSError):
                os.truncate(path, 0)
            assert Path(path).read_bytes() == (released.folder / models.SHARD).read_bytes()


#: Opens the sealed copies of another process of the same user while they are made, and writes into what it can.
WRITER = """
import os, sys
place = f"/proc/{sys.argv[1]}/fd"
print("ready", flush=True)
while os.path.isdir(place):
    try:
        for name in os.listdir(place):
            if not os.readlink(f"{place}/{name}").startswith("/memfd:stele"):
                continue
            copy = os.open(f"{place}/{name}", os.O_RDWR)
            try:
                # The number may have gone to another file between the two: release.stele is opened and closed all the time.
                if not os.readlink(f"/proc/self/fd/{copy}").startswith("/memfd:stele"):
                    continue
                open(sys.argv[3], "w").close()
                for at in range(0, 8 << 20, 4096):
                    os.pwrite(copy, b"evil", at)
            finally:
                os.close(copy)
    except OSError:
        pass
    if os.path.exists(sys.argv[2]):
        break
"""


@pytest.mark.parametrize("leases", [True, False])
def test_a_process_of_the_same_user_that_writes_into_a_copy_while_it_is_made(
    released: Released, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, leases: bool
) -> None:
    """The copy is hashed while it is written. Who opens it meanwhile is noticed by the lease, and where there is none all is hashed once more."""
    if not leases:
        call = fcntl.fcntl

        def without(descriptor: int, command: int, argument: int = 0) -> int:
            if command == fcntl.F_SETLEASE:
                raise OSError("no leases here")
            return call(descriptor, command, argument)

        monkeypatch.setattr(fcntl, "fcntl", without)
    stop, opened = tmp_path / "stop", tmp_path / "opened"
    command = [sys.executable, "-c", WRITER, str(os.getpid()), str(stop), str(opened)]
    writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    right = wrong = 0
    try:
        assert writer.stdout.readline() == "ready\n"
        with stele.guard(released.policy, "enforce"):
            while (right + wrong < 20 or not (opened.exists() if leases else wrong)) and right + wrong < 5_000:
                try:
                    loaded = loaders.safetensors.numpy.load_file(folder / models.LARGE)["lm_head.weight"]
                    assert not loaded.any()
                    right += 1
                except stele.VerifyError as error:
                    # A write that a seal refuses sets the time of the copy all the same.
                    assert error.code in ("bytes-differ", "file-unreadable")
                    wrong += 1
    finally:
        stop.touch()
        writer.communicate()
    assert opened.exists() and (leases or wrong), "nobody attacked"


def test_private_copies_are_readable_by_their_owner_alone_and_go_with_the_guard(
    released: Released, folder: Path, tmp_path: Path
) -> None:
    workdir = tmp_path / "work"
    workdir.mkdir(mode=0o700)
    with stele.guard(released.policy, "enforce", workdir=workdir):
        loaders.by_onnxruntime(folder)
        modes = {path.stat().st_mode & 0o777 for path in workdir.rglob("*")}
        assert modes == {0o400, 0o500}
    assert list(workdir.iterdir()) == []


def test_a_file_of_the_record_under_another_name_is_refused(released: Released, folder: Path) -> None:
    """Both are recorded, and each only where it is."""
    first, second = sorted(folder.glob("model-*.safetensors"))
    second.replace(first)
    with stele.guard(released.policy, "enforce"):
        with refused("bytes-differ"):
            loaders.by_safe_open(folder)


def test_a_file_that_the_record_does_not_name_is_refused(released: Released, folder: Path) -> None:
    models.shard(folder / "model.safetensors", models.EVIL)
    with stele.guard(released.policy, "enforce"), refused("unrecorded"):
        loaders.safetensors.numpy.load_file(folder / "model.safetensors")


def test_another_release_in_the_place_of_the_expected_one(released: Released, folder: Path) -> None:
    expected = {"*": "acme.example/other@*"}
    with stele.guard(released.policy, "enforce", expected):
        with refused("other-coordinate"):
            loaders.by_safe_open(folder)
    for expected in ({"*": "acme.example/tiny@1.*"}, {"*": "acme.example"}):
        with stele.guard(released.policy, "enforce", expected):
            assert np.array_equal(loaders.by_safe_open(folder), models.WEIGHT)


def test_a_folder_without_its_bundle_is_refused(released: Released, folder: Path) -> None:
    (folder / "release.stele").unlink()
    with stele.guard(released.policy, "enforce"):
        with refused("bundle-missing"):
            loaders.by_gguf(folder)


def test_a_policy_that_names_another_log_refuses_the_folder(released: Released, folder: Path, tmp_path: Path) -> None:
    vectors = json.loads((ROOT / "spec/vectors/bundle/bundles.json").read_text())
    policy = tmp_path / "policy"
    policy.write_text(vectors["policies"]["two of three"])
    with stele.guard(policy, "enforce"):
        with pytest.raises(stele.VerifyError) as raised:
            loaders.by_gguf(folder)
    assert raised.value.exit == 6
