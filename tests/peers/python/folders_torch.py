"""Folders as the libraries on torch write them, and those of scikit-learn, Keras and spaCy: what only a large installation has.

Each writer returns what the library itself counts and names, which is what a draft has to agree with.
"""

import json
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"

import diffusers
import joblib
import keras
import numpy as np
import peft
import sentence_transformers
import skops.io
import spacy
import torch
import transformers
from sklearn.linear_model import LogisticRegression
from spacy.training import Example

from folders_written import OPEN

FOLDERS = []
NO_PICKLE = {"spurious": ["pickle"]}
LLAMA = dict(vocab_size=64, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=64)


def folder(**facts):
    def add(write):
        FOLDERS.append((write.__name__.replace("_", " "), write, facts))
        return write

    return add


def learned(model) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def llama():
    return transformers.LlamaForCausalLM(transformers.LlamaConfig(**LLAMA))


@folder(formats=["safetensors"], architecture="LlamaForCausalLM", artifact=OPEN, **NO_PICKLE)
def transformers_llama(at: Path):
    model = llama()
    model.save_pretrained(at)
    return {"parameters": learned(model)}


@folder(formats=["safetensors"], **NO_PICKLE)
def transformers_llama_in_shards(at: Path):
    model = llama()
    model.save_pretrained(at, max_shard_size="30KB")
    shards = sorted(at.glob("model-*.safetensors"))
    return {"parameters": learned(model), "ref": shards[0].name}


@folder(formats=["safetensors"], architecture="GPT2LMHeadModel", **NO_PICKLE)
def transformers_gpt2_with_tied_embeddings(at: Path):
    model = transformers.GPT2LMHeadModel(transformers.GPT2Config(vocab_size=64, n_positions=32, n_embd=32, n_layer=2, n_head=4))
    model.save_pretrained(at)
    return {"parameters": learned(model)}


@folder(formats=["safetensors"], architecture="ResNetModel", **NO_PICKLE)
def transformers_resnet_with_statistics(at: Path):
    model = transformers.ResNetModel(transformers.ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic"))
    model.save_pretrained(at)
    return {"parameters": learned(model)}


@folder(formats=["safetensors"], architecture="SwinModel", **NO_PICKLE)
def transformers_swin_with_an_index_of_positions(at: Path):
    model = transformers.SwinModel(transformers.SwinConfig(image_size=32, patch_size=4, embed_dim=8, depths=[1, 1], num_heads=[1, 2], window_size=4))
    model.save_pretrained(at)
    return {"parameters": learned(model)}


@folder(formats=["safetensors"], spurious=["pickle", "code-in-config"])
def diffusers_pipeline(at: Path):
    unet = diffusers.UNet2DModel(sample_size=8, in_channels=1, out_channels=1, layers_per_block=1, block_out_channels=(8, 16), norm_num_groups=4, down_block_types=("DownBlock2D", "AttnDownBlock2D"), up_block_types=("AttnUpBlock2D", "UpBlock2D"))
    diffusers.DDPMPipeline(unet, diffusers.DDPMScheduler()).save_pretrained(at)
    return {"parameters": learned(unet)}


@folder(formats=["safetensors"], **NO_PICKLE)
def sentence_transformers_with_a_dense_layer(at: Path):
    base = at.parent / "bert"
    transformers.BertModel(transformers.BertConfig(vocab_size=32, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32)).save_pretrained(base)
    (base / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz"]) + "\n")
    transformers.BertTokenizer(str(base / "vocab.txt")).save_pretrained(base)
    modules = sentence_transformers.sentence_transformer.modules
    word = modules.Transformer(str(base))
    model = sentence_transformers.SentenceTransformer(modules=[word, modules.Pooling(16), modules.Dense(16, 8)])
    model.save(str(at))
    return {"parameters": learned(model)}


def lora(at: Path, base: str):
    """An adapter as peft writes it, of a model that was loaded from this name."""
    os.chdir(at.parent)
    llama().save_pretrained(base)
    model = transformers.LlamaForCausalLM.from_pretrained(base)
    peft.get_peft_model(model, peft.LoraConfig(r=4, task_type="CAUSAL_LM")).save_pretrained(at)


@folder(artifact="adapter", relation="adapter", purls=["pkg:huggingface/acme/base"], from_scratch=False, formats=["safetensors"], spdx=OPEN, **NO_PICKLE)
def peft_adapter_of_a_model(at: Path):
    lora(at, "acme/base")


@folder(artifact="adapter", purls=[], from_scratch=OPEN, formats=["safetensors"], said=["which model was it?"], **NO_PICKLE)
def peft_adapter_of_a_folder(at: Path):
    lora(at, str(at.parent / "somewhere/base"))


@folder(formats=["pytorch"], said=["to load one of these is to run it"], parameters=OPEN)
def torch_save(at: Path):
    torch.save(llama().state_dict(), at / "pytorch_model.bin")


@folder(formats=["torchscript"], parameters=OPEN)
def torch_jit(at: Path):
    torch.jit.trace(torch.nn.Linear(4, 2), torch.zeros(1, 4)).save(str(at / "model.jit"))


@folder(formats=["pt2"], parameters=OPEN)
def torch_export(at: Path):
    torch.export.save(torch.export.export(torch.nn.Linear(4, 2), (torch.zeros(1, 4),)), at / "model.pt2")


@folder(formats=["keras"], parameters=OPEN, **NO_PICKLE)
def keras_model(at: Path):
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save(at / "model.keras")


@folder(formats=["keras"], parameters=OPEN, **NO_PICKLE)
def keras_weights(at: Path):
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save_weights(at / "model.weights.h5")


def regression():
    return LogisticRegression().fit(np.eye(4), [0, 1, 0, 1])


@folder(formats=OPEN, said=["to load one of these is to run it"])
def scikit_learn_by_joblib(at: Path):
    joblib.dump(regression(), at / "model.joblib")


@folder(formats=["skops"], **NO_PICKLE)
def scikit_learn_by_skops(at: Path):
    skops.io.dump(regression(), at / "model.skops")


@folder(formats=["numpy"], said=["to load one of these is to run it"])
def numpy_objects(at: Path):
    np.save(at / "weights.npy", {"w": np.zeros(4)}, allow_pickle=True)


@folder(formats=["numpy"], **NO_PICKLE)
def numpy_numbers(at: Path):
    np.savez(at / "weights.npz", w=np.zeros(4), b=np.zeros(2))


@folder(formats=["spacy"], spurious=["pickle", "is this weights?"])
def spacy_pipeline(at: Path):
    nlp = spacy.blank("en")
    category = nlp.add_pipe("textcat")
    category.add_label("good")
    category.add_label("bad")
    texts = [("a fine day", {"cats": {"good": 1.0, "bad": 0.0}}), ("a dull day", {"cats": {"good": 0.0, "bad": 1.0}})]
    examples = [Example.from_dict(nlp.make_doc(text), cats) for text, cats in texts]
    nlp.initialize(lambda: examples)
    nlp.update(examples)
    nlp.to_disk(at)
    assert json.loads((at / "meta.json").read_text())["spacy_version"]
