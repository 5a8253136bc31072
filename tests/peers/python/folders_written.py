"""Folders as the libraries of the trade write them, with what is true of each."""

import json
import subprocess
from pathlib import Path

import gguf
import numpy as np
import onnx
import yaml
from huggingface_hub import EvalResultEntry, ModelCard, ModelCardData, eval_result_entries_to_yaml
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

OPEN = "open"
COMMIT = "5d3c8a1f0f9e4a3c8e5c6f3d1b2a49788695a4b3"
FOLDERS = []


def folder(**facts):
    """Registers a folder with what must be drafted of it; OPEN where a person has to say."""

    def add(write):
        FOLDERS.append((write.__name__.replace("_", " "), write, facts))
        return write

    return add


def card(at: Path, text="", **fields):
    data = ModelCardData(**fields)
    ModelCard(f"---\n{data.to_yaml()}\n---\n# Tiny\n{text}").save(at / "README.md")


def tensors(at: Path, name="model.safetensors", **shapes):
    at.mkdir(parents=True, exist_ok=True)
    save_file({key: np.zeros(shape, np.float32) for key, shape in shapes.items()}, at / name)


def config(at: Path, **fields):
    (at / "config.json").write_text(json.dumps({"architectures": ["LlamaForCausalLM"], "model_type": "llama"} | fields))


def quantized(at: Path, name: str, kind=gguf.LlamaFileType.MOSTLY_Q4_K_M, type_=gguf.GGUFType.MODEL, arch="llama", base=None, n=2, **split):
    at.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(at / name, arch, **split)
    writer.add_type(type_)
    writer.add_name("Tiny")
    if kind is not None:
        writer.add_file_type(int(kind))
    if base:
        writer.add_base_model_count(1)
        writer.add_base_model_repo_url(0, f"https://huggingface.co/{base}")
    for i in range(n):
        writer.add_tensor(f"blk.{i}.w", np.zeros((16, 16), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


# Model cards, as the hub's client writes them.


@folder(spdx="Apache-2.0", use_restricted=False, purls=["pkg:huggingface/acme/base"], from_scratch=False, parameters=64)
def card_of_a_finetune(at):
    card(at, license="apache-2.0", base_model="acme/base")
    tensors(at, w=(8, 8))


@folder(spdx=OPEN, use_restricted=OPEN, purls=["pkg:huggingface/acme/a", "pkg:huggingface/acme/b"], relation=OPEN)
def card_with_lists(at):
    card(at, license=["mit", "apache-2.0"], base_model=["acme/a", "acme/b"])
    tensors(at, w=(8, 8))


@folder(spdx=OPEN, use_restricted=OPEN)
def card_with_a_family_of_licences(at):
    card(at, license="bsd")
    tensors(at, w=(8, 8))


@folder(spdx=OPEN)
def card_with_gpl(at):
    card(at, license="gpl-3.0")
    tensors(at, w=(8, 8))


@folder(spdx="LicenseRef-Acme-Community-License", use_restricted=OPEN)
def card_with_a_licence_of_its_own(at):
    card(at, license="other", license_name="Acme Community License", license_link="https://acme.example/licence")
    tensors(at, w=(8, 8))


@folder(purls=["pkg:huggingface/openai-community/gpt2"], from_scratch=False)
def card_of_a_base_without_an_owner(at):
    card(at, license="mit", base_model="gpt2")
    tensors(at, w=(8, 8))


@folder(spdx="Apache-2.0 OR MIT", use_restricted=False)
def card_with_an_expression(at):
    (at / "README.md").write_bytes(b"\r\n---\r\nlicense: >-\r\n  Apache-2.0 OR\r\n  MIT\r\n---\r\n# Tiny\r\n")
    tensors(at, w=(8, 8))


# The results are of a capability, and whoever decides here evaluates no dangerous one: an error that the publisher means.
@folder(evaluations=[("cais/hle", "20.9")], accepted=["capability-only"])
def results_of_the_hub(at):
    card(at, license="mit")
    tensors(at, w=(8, 8))
    (at / ".eval_results").mkdir()
    entries = [EvalResultEntry(dataset_id="cais/hle", task_id="default", value=20.9, date="2026-01-15T10:30:00Z")]
    (at / ".eval_results/hle.yaml").write_text(yaml.dump(eval_result_entries_to_yaml(entries)))


# Safetensors.


@folder(parameters=128, formats=["safetensors"], artifact=OPEN, ref="model-00001-of-00002.safetensors")
def shards_with_an_index(at):
    config(at)
    tensors(at, "model-00001-of-00002.safetensors", a=(8, 8))
    tensors(at, "model-00002-of-00002.safetensors", b=(8, 8))
    index = {"metadata": {"total_parameters": 128, "total_size": 512}, "weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (at / "model.safetensors.index.json").write_text(json.dumps(index))


@folder(parameters=64, ref="model-00001-of-00001.safetensors")
def consolidated_beside_shards(at):
    config(at)
    tensors(at, "consolidated.safetensors", a=(8, 8))
    tensors(at, "model-00001-of-00001.safetensors", a=(8, 8))


@folder(parameters=64)
def checkpoints_of_a_trainer(at):
    config(at)
    tensors(at, a=(8, 8))
    tensors(at / "checkpoint-500", a=(8, 8))


@folder(parameters=96, spurious=["code-in-config"])
def a_pipeline_with_variants(at):
    (at / "model_index.json").write_text(json.dumps({"_class_name": "P", "_diffusers_version": "0.30.0", "unet": ["diffusers", "U"], "vae": ["diffusers", "V"], "watermarker": ["deepfloyd_if", "W"]}))
    for part, shape in (("unet", (8, 8)), ("vae", (4, 8))):
        tensors(at / part, "diffusion_pytorch_model.safetensors", a=shape)
        tensors(at / part, "diffusion_pytorch_model.fp16.safetensors", a=shape)
        (at / part / "config.json").write_text(json.dumps({"_diffusers_version": "0.30.0", "down_block_types": ["A", "B"]}))


@folder(parameters=1024 * 1024, artifact="quantized", quantization="gptq, 4 bits")
def a_layer_of_gptq(at):
    config(at, quantization_config={"quant_method": "gptq", "bits": 4})
    save_file({"l.qweight": np.zeros((128, 1024), np.int32), "l.qzeros": np.zeros((8, 128), np.int32), "l.scales": np.zeros((8, 1024), np.float16), "l.g_idx": np.zeros(1024, np.int32)}, at / "model.safetensors")


@folder(artifact="quantized", quantization="compressed-tensors, 4 bits")
def quantization_of_a_part(at):
    config(at, text_config={"quantization_config": {"quant_method": "compressed-tensors", "config_groups": {"group_0": {"weights": {"num_bits": 4}}}}})
    tensors(at, a=(8, 8))


@folder(artifact=OPEN, quantization="fp8")
def a_model_trained_in_fp8(at):
    config(at, quantization_config={"quant_method": "fp8"})
    tensors(at, a=(8, 8))


# GGUF.


@folder(artifact="quantized", quantization="Q4_K_M", parameters=512, architecture="qwen2vl", ref="tiny-vl-q4_k_m.gguf", relation="quantized", purls=["pkg:huggingface/acme/base"])
def a_gguf_and_its_projector(at):
    quantized(at, "tiny-vl-q4_k_m.gguf", arch="qwen2vl", base="acme/base")
    quantized(at, "mmproj-tiny-vl-f16.gguf", gguf.LlamaFileType.MOSTLY_F16, gguf.GGUFType.MMPROJ, "clip", n=1)
    quantized(at, "imatrix.gguf", None, gguf.GGUFType.IMATRIX, "imatrix", n=1)


@folder(parameters=768, quantization="Q4_K_M", artifact="quantized")
def a_split_gguf(at):
    quantized(at, "tiny.gguf", n=3, split_max_tensors=1)


@folder(parameters=768, quantization="Q4_K_M", artifact="quantized")
def a_split_gguf_whose_first_piece_is_small(at):
    quantized(at, "tiny.gguf", n=3, split_max_tensors=1, small_first_shard=True)


@folder(artifact=OPEN, quantization=OPEN, parameters=512)
def several_quantizations(at):
    quantized(at, "Tiny-BF16.gguf", gguf.LlamaFileType.MOSTLY_BF16)
    quantized(at, "tiny-q8_0.gguf", gguf.LlamaFileType.MOSTLY_Q8_0)


@folder(artifact=OPEN, quantization=OPEN, parameters=64)
def safetensors_and_gguf(at):
    config(at)
    tensors(at, a=(8, 8))
    quantized(at, "tiny-q4_k_m.gguf")


@folder(artifact="adapter", relation="adapter", purls=["pkg:huggingface/acme/base"])
def an_adapter_in_gguf(at):
    quantized(at, "lora.gguf", None, gguf.GGUFType.ADAPTER, base="acme/base")


for kind in (38, 39, 40):
    name = gguf.LlamaFileType(kind).name.removeprefix("MOSTLY_")
    FOLDERS.append((f"gguf of {name}", lambda at, kind=kind: quantized(at, "t.gguf", kind), {"quantization": name, "artifact": "quantized"}))
FOLDERS.append(("gguf of a guessed type", lambda at: quantized(at, "t.gguf", 1024 + 38), {"quantization": OPEN, "artifact": OPEN}))
FOLDERS.append(("gguf of an unknown type", lambda at: quantized(at, "t.gguf", 99), {"quantization": OPEN, "artifact": OPEN}))


# Adapters, with configurations as peft writes them.
def adapter(at, base, where="", **more):
    tensors(at / where, "adapter_model.safetensors", a=(8, 8))
    (at / where / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "base_model_name_or_path": base, "r": 8} | more))


for path in ("/home/user/models/base", "C:\\models\\base", "./out", "outputs/base", "out/base", "../base", "~/base"):
    FOLDERS.append((f"adapter of {path}", lambda at, path=path: adapter(at, path), {"artifact": "adapter", "purls": [], "from_scratch": OPEN}))
FOLDERS.append(("adapter of a model", lambda at: adapter(at, "acme/base", revision=COMMIT), {"artifact": "adapter", "relation": "adapter", "purls": ["pkg:huggingface/acme/base"], "from_scratch": False}))
FOLDERS.append(("adapter in a folder", lambda at: adapter(at, "acme/base", "second"), {"artifact": "adapter", "purls": ["pkg:huggingface/acme/base"]}))
FOLDERS.append(("adapter of an address", lambda at: adapter(at, "https://huggingface.co/acme/base"), {"purls": ["pkg:huggingface/acme/base"]}))


@folder(artifact=OPEN, parameters=OPEN, purls=["pkg:huggingface/acme/base"], relation=OPEN)
def a_model_with_an_adapter_in_a_folder(at):
    config(at)
    tensors(at, a=(8, 8))
    adapter(at, "acme/base", "second")


# Clones: of what was pushed, and of what the remote is not known to have.
def git(at, *command):
    identity = ["-c", "user.name=Acme", "-c", "user.email=models@acme.example", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", at, *identity, *command], check=True)


def clone(at, url, pushed=True):
    tensors(at, a=(8, 8))
    git(at, "init", "-q", "-b", "main")
    git(at, "remote", "add", "origin", url)
    git(at, "add", "model.safetensors")
    git(at, "commit", "-q", "-m", "Weights")
    if pushed:
        git(at, "update-ref", "refs/remotes/origin/main", "HEAD")


for url in ("git@hf.co:acme/tiny", "ssh://git@hf.co/acme/tiny.git", "https://huggingface.co/acme/tiny"):
    FOLDERS.append((f"clone of {url}", lambda at, url=url: clone(at, url), {"locator": "https://huggingface.co/acme/tiny"}))
FOLDERS.append(("clone that was not pushed", lambda at: clone(at, "git@hf.co:acme/tiny", pushed=False), {"locator": OPEN}))


# Other formats.


@folder(formats=["onnx"], spurious=["pickle"])
def onnx_with_external_data(at):
    weight = numpy_helper.from_array(np.zeros((64, 64), np.float32), "w")
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 64])], [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 64])], [weight])
    onnx.save(helper.make_model(graph), at / "model.onnx", save_as_external_data=True, location="model.onnx_data", size_threshold=0)


@folder(formats=["openvino"], spurious=["pickle"])
def openvino(at):
    (at / "openvino_model.xml").write_text("<net/>")
    (at / "openvino_model.bin").write_bytes(bytes(64) + b"\x01\x02")


@folder(no_weights=True, refused="no file of the folder is known for weights")
def no_weights(at):
    (at / "model.lz4x").write_bytes(b"\x01\x02\x03\xff" * 4)
