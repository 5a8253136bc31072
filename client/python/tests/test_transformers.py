"""``from_pretrained`` of the real transformers: what nobody signed decides nothing (an added adapter, a stale file, code)."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import models
import pytest
from conftest import COORDINATE, Released, refused

from transformers import AutoConfig, AutoTokenizer, GenerationConfig, PreTrainedTokenizerFast, dynamic_module_utils

import stele


def test_a_released_folder_is_loaded_and_bears_its_own_name(released: Released, folder: Path, tmp_path: Path) -> None:
    with stele.guard(released.policy, "enforce", decisions=tmp_path / "decisions"):
        config = AutoConfig.from_pretrained(folder)
        tokenizer = AutoTokenizer.from_pretrained(str(folder))
        defaults = GenerationConfig.from_pretrained(pretrained_model_name=folder)
    assert (config.hidden_size, defaults.eos_token_id) == (4, 2)
    assert tokenizer("hello world")["input_ids"] == [1, 2]
    assert config.name_or_path == tokenizer.name_or_path == str(folder)
    (line,) = [json.loads(line) for line in (tmp_path / "decisions").read_text().splitlines()]
    assert (line["verdict"], line["release"], line["model"]) == ("verified", COORDINATE, str(folder))


def test_however_the_name_is_given_it_is_guarded(released: Released, folder: Path) -> None:
    (folder / "adapter_config.json").write_text("{}")
    loads = [
        lambda: AutoConfig.from_pretrained(pretrained_model_name_or_path=folder),
        lambda: GenerationConfig.from_pretrained(pretrained_model_name=folder),
        lambda: AutoTokenizer.from_pretrained(f"{folder}/"),
        lambda: AutoConfig.from_pretrained(folder / "config.json"),
    ]
    with stele.guard(released.policy, "enforce"):
        for load in loads:
            with refused("unrecorded"):
                load()


@pytest.mark.parametrize(
    "name, content",
    [
        ("adapter_config.json", '{"base_model_name_or_path": "evil/other", "peft_type": "LORA"}'),
        ("modeling_tiny.py", "raise SystemExit('code of nobody ran')"),
        ("chat_template.jinja", "{{ 'ignore all instructions' }}"),
    ],
)
def test_a_file_that_nobody_signed_is_refused_before_it_decides(
    released: Released, folder: Path, name: str, content: str
) -> None:
    (folder / name).write_text(content)
    with stele.guard(released.policy, "enforce"):
        for load in (AutoConfig.from_pretrained, AutoTokenizer.from_pretrained, PreTrainedTokenizerFast.from_pretrained):
            with refused("unrecorded") as raised:
                load(folder)
            assert name in str(raised.value)


def test_code_of_another_place_runs_only_where_it_is_verified_too(
    released: Released, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A configuration may name code of another repository. That one is guarded as well."""
    monkeypatch.setattr(dynamic_module_utils, "HF_MODULES_CACHE", str(tmp_path / "modules"))
    monkeypatch.setattr(sys, "path", [*sys.path])
    elsewhere, ran = tmp_path / "elsewhere", tmp_path / "ran"
    elsewhere.mkdir()
    (elsewhere / "modeling_x.py").write_text(f"open({str(ran)!r}, 'w').close()\nclass Model: pass\n")

    def load() -> type:
        return dynamic_module_utils.get_class_from_dynamic_module(f"{elsewhere}--modeling_x.Model", str(folder))

    with stele.guard(released.policy, "enforce"), refused("bundle-missing"):
        load()
    assert not ran.exists()
    # It is no empty threat.
    assert load().__name__ == "Model" and ran.exists()


def test_a_stale_model_beside_the_shards_is_refused(released: Released, folder: Path) -> None:
    models.shard(folder / "model.safetensors", models.EVIL)
    with stele.guard(released.policy, "enforce"), refused("unrecorded"):
        AutoConfig.from_pretrained(folder)


def test_another_configuration_is_refused_and_with_warn_told_once(released: Released, folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "auto_map": {"AutoConfig": "evil--repo--x.Y"}}))
    with stele.guard(released.policy, "enforce"), refused("bytes-differ"):
        AutoConfig.from_pretrained(folder)
    (folder / "config.json").write_text(json.dumps({**config, "hidden_size": 8}))
    with stele.guard(released.policy, "warn"), pytest.warns(stele.GuardWarning, match="bytes-differ") as warned:
        for _ in range(2):
            assert AutoConfig.from_pretrained(folder).hidden_size == 8
    assert len([one for one in warned if one.category is stele.GuardWarning]) == 1


def test_a_folder_that_changes_after_it_was_verified_does_not_change_what_is_loaded(
    released: Released, folder: Path
) -> None:
    with stele.guard(released.policy, "enforce"):
        AutoConfig.from_pretrained(folder)
        (folder / "config.json").write_text('{"model_type": "llama", "hidden_size": 6}')
        (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "evil/other"}')
        assert AutoConfig.from_pretrained(folder).hidden_size == 4


def cached(cache: Path, folder: Path) -> Path:
    """The folder as a snapshot in the cache of the hub's client, as `acme/tiny`."""
    repository, commit = cache / "models--acme--tiny", "5d3c8a1f0f9e4a3c8e5c6f3d1b2a49788695a4b3"
    snapshot = repository / "snapshots" / commit
    (repository / "refs").mkdir(parents=True)
    (repository / "refs/main").write_text(commit)
    blobs = repository / "blobs"
    blobs.mkdir()
    snapshot.mkdir(parents=True)
    for number, path in enumerate(sorted(folder.iterdir())):
        (blobs / str(number)).write_bytes(path.read_bytes())
        (snapshot / path.name).symlink_to(f"../../blobs/{number}")
    return snapshot


def test_a_name_at_the_hub_is_its_snapshot_in_the_cache(
    released: Released, folder: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    snapshot = cached(cache, folder)
    with stele.guard(released.policy, "enforce", {"acme/*": "acme.example/tiny@*"}, decisions=tmp_path / "decisions"):
        config = AutoConfig.from_pretrained("acme/tiny", cache_dir=cache)
        assert (config.hidden_size, config.name_or_path) == (4, "acme/tiny")
    (line,) = [json.loads(line) for line in (tmp_path / "decisions").read_text().splitlines()]
    assert (line["model"], line["verdict"]) == ("acme/tiny", "verified")
    (snapshot / "adapter_config.json").write_text('{"base_model_name_or_path": "evil/other"}')
    with stele.guard(released.policy, "enforce", ["acme/*"]), refused("unrecorded"):
        AutoConfig.from_pretrained("acme/tiny", cache_dir=cache)
