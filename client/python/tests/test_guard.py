"""What a guard does and says, where nobody attacks."""

from __future__ import annotations

import importlib.resources
import io
import json
import subprocess
import sys
import warnings
from datetime import timedelta
from pathlib import Path

import loaders
import models
import numpy as np
import pytest
from conftest import COORDINATE, Released, refused
from jsonschema import Draft202012Validator

import stele

SCHEMA = Draft202012Validator(json.loads((importlib.resources.files(stele) / "guard-decision.v1.json").read_text()))


def lines(path: Path) -> list:
    found = [json.loads(line) for line in path.read_text().splitlines()]
    for line in found:
        SCHEMA.validate(line)
    return found


def test_the_lines_that_others_read_are_those_of_a_guard(released: Released, folder: Path, tmp_path: Path) -> None:
    """``decisions.jsonl`` is held against the schema with all documents of the programs; here against what is written now."""
    with stele.guard(released.policy, "enforce", decisions=tmp_path / "decisions"):
        loaders.by_safe_open(folder)
        models.shard(folder / models.SHARD, models.EVIL)
        with refused("bytes-differ"):
            loaders.by_safe_open(folder)
    written = lines(tmp_path / "decisions")
    shown = lines(Path(__file__).with_name("decisions.jsonl"))
    varies = {"model", "message", "hint", "signer", "entry", "as_of"}
    assert len(written) == len(shown)
    for one, other in zip(written, shown):
        assert list(one) == list(other)
        assert {field: one[field] for field in one if field not in varies} == {field: other[field] for field in other if field not in varies}
        assert all(type(one[field]) is type(other[field]) for field in varies) and list(one["as_of"]) == list(other["as_of"])


def test_what_is_kept_is_opened_again_whatever_became_of_the_file(released: Released, folder: Path) -> None:
    size = (folder / models.SHARD).stat().st_size
    for keep in (0, size - 1, size):
        with stele.guard(released.policy, "enforce", keep=keep):
            assert np.array_equal(loaders.by_safe_open(folder), models.WEIGHT)
            good = (folder / models.SHARD).read_bytes()
            models.shard(folder / models.SHARD, models.EVIL)
            if keep == size:
                assert np.array_equal(loaders.by_safe_open(folder), models.WEIGHT)
            else:
                with refused("bytes-differ"):
                    loaders.by_safe_open(folder)
            (folder / models.SHARD).write_bytes(good)
        # With the guard it goes.
        models.shard(folder / models.SHARD, models.EVIL)
        with stele.guard(released.policy, "enforce", keep=keep), refused("bytes-differ"):
            loaders.by_safe_open(folder)
        (folder / models.SHARD).write_bytes(good)


@pytest.mark.parametrize("loader", loaders.ALL, ids=lambda loader: loader.__name__)
def test_a_released_model_is_loaded_as_ever(released: Released, folder: Path, loader, tmp_path: Path) -> None:
    with stele.guard(released.policy, "enforce", decisions=tmp_path / "decisions"):
        for _ in range(2):
            assert np.array_equal(loader(folder), models.WEIGHT)
    (line,) = lines(tmp_path / "decisions")
    assert (line["verdict"], line["release"], line["exit"]) == ("verified", COORDINATE, 0)
    assert line["as_of"]["time"].endswith("Z") and line["as_of"]["tree_size"] > line["entry"]


def test_off_by_default(folder: Path, released: Released) -> None:
    models.shard(folder / models.SHARD, models.EVIL)
    with stele.guard():
        assert np.array_equal(loaders.by_safe_open(folder), models.EVIL)
    # A guard that has ended guards nothing any more.
    with stele.guard(released.policy, "enforce"):
        pass
    assert np.array_equal(loaders.by_safe_open(folder), models.EVIL)


def test_the_environment_sets_the_mode(folder: Path, released: Released, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STELE_GUARD", "enforce")
    monkeypatch.setenv("STELE_POLICY", str(released.policy))
    models.shard(folder / models.SHARD, models.EVIL)
    with stele.guard(), refused("bytes-differ"):
        loaders.by_safe_open(folder)
    monkeypatch.setenv("STELE_GUARD", "on")
    with pytest.raises(ValueError, match="expected one of off, warn, enforce"):
        stele.guard()


def test_warn_opens_what_is_not_verified_and_says_so_once(folder: Path, released: Released, tmp_path: Path) -> None:
    models.shard(folder / models.SHARD, models.EVIL)
    with stele.guard(released.policy, "warn", decisions=tmp_path / "decisions"):
        with pytest.warns(stele.GuardWarning, match="bytes-differ") as warned:
            for _ in range(3):
                assert np.array_equal(loaders.by_safe_open(folder), models.EVIL)
    assert len(warned) == 1
    (line,) = lines(tmp_path / "decisions")
    assert (line["verdict"], line["code"], line["exit"], line["release"]) == ("unverified", "bytes-differ", 1, COORDINATE)


def test_a_refusal_is_a_line_too(folder: Path, released: Released) -> None:
    (folder / "release.stele").unlink()
    told, written = [], io.StringIO()
    for sink in (told.append, written):
        with stele.guard(released.policy, "enforce", decisions=sink), refused("bundle-missing"):
            loaders.by_gguf(folder)
    (decision,) = told
    assert decision.line() + "\n" == written.getvalue()
    line = json.loads(written.getvalue())
    SCHEMA.validate(line)
    assert (line["verdict"], line["exit"], line["release"], line["as_of"]) == ("refused", 3, None, None)
    for field in line:
        broken = {name: value for name, value in line.items() if name != field}
        assert not SCHEMA.is_valid(broken), f"the schema accepts a line without {field}"


def test_only_what_the_patterns_name_is_guarded(folder: Path, released: Released) -> None:
    models.shard(folder / models.SHARD, models.EVIL)
    with stele.guard(released.policy, "enforce", ["acme/*", "/srv/models/*"]):
        assert np.array_equal(loaders.by_safe_open(folder), models.EVIL)
    with stele.guard(released.policy, "enforce", [f"{folder}/*"]), refused("bytes-differ"):
        loaders.by_safe_open(folder)
    with pytest.raises(TypeError, match="models"):
        stele.guard(released.policy, "enforce", "acme/*")


@pytest.mark.parametrize("order", [("enforce", "warn"), ("warn", "enforce"), ("enforce", "enforce")])
def test_a_guard_that_another_package_starts_takes_nothing_away(released: Released, folder: Path, order: tuple) -> None:
    with stele.guard(released.policy, order[0]), stele.guard(released.policy, order[1]):
        assert np.array_equal(loaders.by_safe_open(folder), models.WEIGHT)
    models.shard(folder / models.SHARD, models.EVIL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stele.GuardWarning)
        with stele.guard(released.policy, order[0]), stele.guard(released.policy, order[1]):
            with refused("bytes-differ"):
                loaders.by_safe_open(folder)
        # One for other models alone guards those, and the first one the rest.
        with stele.guard(released.policy, "enforce"), stele.guard(released.policy, order[1], models=["other*"]):
            with refused("bytes-differ"):
                loaders.by_safe_open(folder)


@pytest.mark.parametrize("wrong", [{"max_age": 30}, {"keep": "1G"}, {"keep": -1}])
def test_an_argument_of_another_kind_is_refused_at_the_call(released: Released, wrong: dict) -> None:
    with pytest.raises(TypeError, match=next(iter(wrong))):
        stele.guard(released.policy, "enforce", **wrong)


def test_old_evidence_is_refused(folder: Path, released: Released) -> None:
    with stele.guard(released.policy, "enforce", max_age=timedelta(days=1)):
        loaders.by_safe_open(folder)
    with stele.guard(released.policy, "enforce", max_age=timedelta(seconds=-3600)), refused("evidence-too-old"):
        loaders.by_safe_open(folder)


def test_a_guard_without_a_policy_does_not_start(released: Released) -> None:
    for mode in ("warn", "enforce"):
        with refused("policy-missing"):
            stele.guard(mode=mode)


def test_what_cannot_be_promised_is_refused_at_start(released: Released, tmp_path: Path, folder: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    with refused("guard-unsupported") as raised:
        stele.guard(released.policy, "enforce", workdir=shared)
    assert "others can write" in str(raised.value) and raised.value.hint
    with pytest.warns(stele.GuardWarning, match="nothing is guarded"):
        guard = stele.guard(released.policy, "warn", workdir=shared)
    assert guard.mode == "off"


def test_a_policy_that_anybody_may_change_is_refused_at_start(released: Released, tmp_path: Path) -> None:
    policy = tmp_path / "policy"
    policy.write_bytes(released.policy.read_bytes())
    with stele.guard(policy, "enforce"):
        pass
    policy.chmod(0o666)
    with refused("guard-unsupported") as raised:
        stele.guard(policy, "enforce")
    assert str(policy) in str(raised.value)
    policy.chmod(0o644)
    tmp_path.chmod(0o777)
    with refused("guard-unsupported"):
        stele.guard(policy, "enforce")


def test_a_machine_without_sealed_memory_is_refused(released: Released, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    monkeypatch.delattr(os, "memfd_create")
    with refused("guard-unsupported"):
        stele.guard(released.policy, "enforce")


def test_a_loader_of_an_unknown_version_is_refused(released: Released, tmp_path: Path) -> None:
    package = tmp_path / "packages/safetensors"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("__version__ = '99'\n")
    script = (
        f"import sys; sys.path.insert(0, {str(package.parent)!r}); import stele; stele.guard({str(released.policy)!r}, 'enforce')\n"
        "try:\n    import safetensors\nexcept stele.VerifyError as error:\n    sys.exit(error.exit)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 10, done


def test_a_guard_that_starts_before_the_loaders_are_imported(released: Released, folder: Path) -> None:
    script = (
        "import sys, stele; assert 'safetensors' not in sys.modules and 'gguf' not in sys.modules\n"
        f"stele.guard({str(released.policy)!r}, 'enforce')\n"
        "from safetensors import safe_open; from gguf import GGUFReader\n"
        f"GGUFReader({str(folder / 'tiny.gguf')!r}); safe_open({str(folder / models.SHARD)!r}, 'np')\n"
        f"open({str(folder / 'tiny.gguf')!r}, 'ab').write(b'x'); open({str(folder / models.SHARD)!r}, 'ab').write(b'x')\n"
        "for load in (lambda: GGUFReader(%r), lambda: safe_open(%r, 'np')):\n"
        "    try:\n        load(); sys.exit(1)\n    except stele.VerifyError as error:\n        assert error.code == 'bytes-differ'\n"
    ) % (str(folder / "tiny.gguf"), str(folder / models.SHARD))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done


def test_a_name_that_was_imported_before_the_guard_is_guarded(released: Released, folder: Path) -> None:
    script = (
        "import sys; from safetensors import safe_open; from safetensors.numpy import load_file; import stele\n"
        f"stele.guard({str(released.policy)!r}, 'enforce')\n"
        f"path = {str(folder / models.SHARD)!r}; open(path, 'ab').write(b'x')\n"
        "for load in (lambda: load_file(path), lambda: safe_open(path, 'np')):\n"
        "    try:\n        load(); sys.exit(1)\n    except stele.VerifyError:\n        pass\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done


def test_a_file_that_is_opened_to_be_written_is_not_guarded_in_silence(released: Released, folder: Path) -> None:
    with stele.guard(released.policy, "enforce"), refused("guard-unsupported"):
        loaders.gguf.GGUFReader(folder / "tiny.gguf", "r+")


def test_a_guard_writes_no_warning_of_its_own_where_all_is_verified(released: Released, folder: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", stele.GuardWarning)
        with stele.guard(released.policy, "warn"):
            for loader in loaders.ALL:
                loader(folder)
