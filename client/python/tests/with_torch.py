"""What needs torch: several gigabytes, so it is run by hand, `client/python/test --with-torch`, and not by `.ci/run`.

Real models of transformers, peft and sentence_transformers are released, attacked and loaded.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import models
import numpy as np
import pytest
import torch
from conftest import Released, publish, refused
from peft import LoraConfig, PeftConfig, PeftModel, get_peft_model
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules.transformer import Transformer
from sentence_transformers.sentence_transformer.modules.pooling import Pooling
from test_guard_attacks import ATTACKS
from transformers import AutoModel, AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, pipeline

import stele

#: What the first row of the embeddings holds in the model that was released, and in another one.
RIGHT, WRONG = 1.0, 1000.0


def write(folder: Path, value: float) -> None:
    config = LlamaConfig(
        hidden_size=4, intermediate_size=8, num_attention_heads=1, num_hidden_layers=1, num_key_value_heads=1, vocab_size=3
    )
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        model.get_input_embeddings().weight[0] = value
    model.save_pretrained(folder)
    models.words().save(str(folder / "tokenizer.json"))
    PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), unk_token="[UNK]", pad_token="[UNK]").save_pretrained(folder)
    torch.save(model.state_dict(), folder / "state.pt")
    # The path of the base would be another one on each machine.
    adapter = LoraConfig(target_modules=["q_proj"], r=2, base_model_name_or_path="acme/tiny")
    get_peft_model(model, adapter).save_pretrained(folder / "adapter")
    (folder / "adapter/README.md").unlink(missing_ok=True)
    torch.jit.trace(torch.nn.Identity(), torch.zeros(1)).save(str(folder / "identity.jit.pt"))
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n# tiny\n")


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Released:
    home = tmp_path_factory.mktemp("trained")
    write(home / "tiny", RIGHT)
    return publish(home / "tiny", home / "network")


@pytest.fixture(scope="session")
def evil(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evil") / "tiny"
    write(folder, WRONG)
    return folder


@pytest.fixture
def mine(trained: Released, tmp_path: Path) -> Path:
    return trained.copy(tmp_path / "tiny")


def first(model: torch.nn.Module) -> float:
    return float(model.get_input_embeddings().weight[0][0])


def by_path(path: Path) -> float:
    return float(torch.load(path)["model.embed_tokens.weight"][0][0])


def by_map(path: Path) -> float:
    return float(torch.load(str(path), mmap=True)["model.embed_tokens.weight"][0][0])


def by_open_file(path: Path) -> float:
    with open(path, "rb") as opened:
        return float(torch.load(opened)["model.embed_tokens.weight"][0][0])


def test_every_hook_fits_the_versions_that_are_pinned(trained: Released) -> None:
    script = (
        "import importlib, stele; from stele._guard._hooks import HOOKS, _hooked\n"
        f"stele.guard({str(trained.policy)!r}, 'enforce')\n"
        "for name in HOOKS:\n    importlib.import_module(name)\n"
        "assert _hooked == set(HOOKS), set(HOOKS) - _hooked\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done


def test_the_model_is_loaded_and_works(trained: Released, mine: Path) -> None:
    with stele.guard(trained.policy, "enforce"):
        model = AutoModelForCausalLM.from_pretrained(mine)
        assert model.name_or_path == model.config.name_or_path == str(mine)
        assert first(model) == first(AutoModel.from_pretrained(mine)) == RIGHT
        generate = pipeline("text-generation", str(mine))
        assert generate("hello", max_new_tokens=1)
    # What was loaded stays, when the private copy is gone.
    assert first(model) == RIGHT and model(torch.tensor([[0, 1]])).logits.shape == (1, 2, 3)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_other_weights_are_not_loaded(trained: Released, mine: Path, evil: Path, attack) -> None:
    attack(mine / "model.safetensors", evil / "model.safetensors")
    (evil / "model.safetensors").exists() or write(evil, WRONG)
    with stele.guard(trained.policy, "enforce"), pytest.raises(stele.VerifyError):
        AutoModelForCausalLM.from_pretrained(mine)


def test_without_a_guard_the_other_weights_are_loaded(mine: Path, evil: Path) -> None:
    """The attacks above are no empty threat."""
    (mine / "model.safetensors").write_bytes((evil / "model.safetensors").read_bytes())
    assert first(AutoModelForCausalLM.from_pretrained(mine)) == WRONG


def test_weights_that_change_after_the_check_are_those_of_the_check(trained: Released, mine: Path, evil: Path) -> None:
    import safetensors.torch

    bytes_of_evil = (evil / "model.safetensors").read_bytes()
    held = os.open(mine / "model.safetensors", os.O_RDWR)
    with stele.guard(trained.policy, "enforce"):
        opened = safetensors.safe_open(mine / "model.safetensors", framework="pt")
        # In place and through a descriptor that was there before: a loader that maps the file would see it.
        os.pwrite(held, bytes_of_evil, 0)
        assert float(opened.get_tensor("model.embed_tokens.weight")[0][0]) == RIGHT
        with refused("bytes-differ"):
            safetensors.torch.load_file(mine / "model.safetensors")
    os.close(held)


def test_an_added_adapter_decides_nothing(trained: Released, mine: Path) -> None:
    (mine / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "base_model_name_or_path": "evil/other"}))
    with stele.guard(trained.policy, "enforce"):
        for load in (AutoModelForCausalLM.from_pretrained, AutoModel.from_pretrained, lambda path: pipeline("text-generation", str(path))):
            with refused("unrecorded"):
                load(mine)


@pytest.mark.parametrize("load", [by_path, by_map, by_open_file], ids=lambda load: load.__name__)
def test_torch_load(trained: Released, mine: Path, evil: Path, load) -> None:
    path = mine / "state.pt"
    with stele.guard(trained.policy, "enforce"):
        assert load(path) == RIGHT
        path.write_bytes((evil / "state.pt").read_bytes())
        with refused("bytes-differ"):
            load(path)
    assert load(path) == WRONG


def test_what_is_in_memory_is_the_callers(trained: Released, mine: Path) -> None:
    with stele.guard(trained.policy, "enforce"):
        assert torch.load(io.BytesIO((mine / "state.pt").read_bytes()))


def test_torchscript(trained: Released, mine: Path) -> None:
    with stele.guard(trained.policy, "enforce"):
        assert torch.jit.load(str(mine / "identity.jit.pt"))(torch.ones(1)) == 1
        with open(mine / "identity.jit.pt", "ab") as opened:
            opened.write(b"x")
        with refused("bytes-differ"):
            torch.jit.load(mine / "identity.jit.pt")


def test_a_name_of_torch_load_that_was_imported_before(trained: Released, mine: Path) -> None:
    script = (
        "import sys; from torch import load as mine; import stele\n"
        f"stele.guard({str(trained.policy)!r}, 'enforce')\n"
        f"path = {str(mine / 'state.pt')!r}; mine(path); open(path, 'ab').write(b'x')\n"
        "try:\n    mine(path); sys.exit(1)\nexcept stele.VerifyError:\n    pass\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done


def test_an_adapter_of_peft(trained: Released, mine: Path) -> None:
    base = AutoModelForCausalLM.from_pretrained(mine)
    with stele.guard(trained.policy, "enforce", [f"{mine}/adapter"]):
        assert PeftModel.from_pretrained(base, mine / "adapter").peft_config
    (mine / "adapter/modeling_x.py").write_text("")
    for load in (lambda: PeftModel.from_pretrained(base, model_id=mine / "adapter"), lambda: PeftConfig.from_pretrained(mine / "adapter")):
        with stele.guard(trained.policy, "enforce", [f"{mine}/adapter"]), refused("unrecorded"):
            load()


def test_sentence_transformers(trained: Released, tmp_path: Path, mine: Path) -> None:
    made = SentenceTransformer(modules=[Transformer(str(mine)), Pooling(4)], device="cpu")
    made.save(str(tmp_path / "sentences"))
    released = publish(tmp_path / "sentences", tmp_path / "network")
    with stele.guard(released.policy, "enforce"):
        model = SentenceTransformer(str(released.folder), device="cpu")
        assert np.asarray(model.encode("hello")).shape == (4,)
        (released.folder / "modules.json").write_text("[]")
    with stele.guard(released.policy, "enforce"), refused("bytes-differ"):
        SentenceTransformer(str(released.folder), device="cpu")
