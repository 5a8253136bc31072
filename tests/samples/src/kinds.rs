//! Small folders as libraries write them: one for each kind of release that people make. Other seeds give other weights.

use std::fs;
use std::path::Path;

use serde_json::json;
use stele_probe::failure::{During, Step};

/// The kinds, by what wrote them.
pub const KINDS: [&str; 6] = ["finetune", "adapter", "quantization", "embedding", "onnx", "diffusers"];

/// Writes a folder of a kind. No kind has a text of its licence, as most repositories have none.
pub fn write(folder: &Path, kind: &str, seed: u8) -> Step {
    let card = |front: &str| format!("---\n{front}\nbase_model: acme/base\n---\n# Tiny\n").into_bytes();
    let config = |architecture: &str| {
        json!({"architectures": [architecture], "transformers_version": "4.57.1"}).to_string().into_bytes()
    };
    let files: Vec<(&str, Vec<u8>)> = match kind {
        "finetune" => vec![
            ("README.md", card("license: apache-2.0\npipeline_tag: text-generation\ntags: [trl, sft]")),
            ("config.json", config("LlamaForCausalLM")),
            ("generation_config.json", b"{\"transformers_version\": \"4.57.1\"}".to_vec()),
            ("tokenizer.json", b"{}".to_vec()),
            ("model.safetensors", safetensors(seed)),
        ],
        "adapter" => vec![
            ("README.md", card("license: apache-2.0\nlibrary_name: peft")),
            (
                "adapter_config.json",
                b"{\"peft_type\": \"LORA\", \"base_model_name_or_path\": \"acme/base\", \"peft_version\": \"0.18.0\"}"
                    .to_vec(),
            ),
            ("adapter_model.safetensors", safetensors(seed)),
        ],
        "quantization" => vec![
            ("README.md", card("license: apache-2.0\nbase_model_relation: quantized")),
            ("tiny-Q4_K_M.gguf", gguf(seed)),
        ],
        "embedding" => vec![
            (
                "README.md",
                card("license: apache-2.0\npipeline_tag: sentence-similarity\nlibrary_name: sentence-transformers"),
            ),
            ("config.json", config("BertModel")),
            (
                "config_sentence_transformers.json",
                b"{\"__version__\": {\"sentence_transformers\": \"5.1.0\"}}".to_vec(),
            ),
            ("modules.json", b"[]".to_vec()),
            ("1_Pooling/config.json", b"{\"word_embedding_dimension\": 4}".to_vec()),
            ("model.safetensors", safetensors(seed)),
        ],
        "onnx" => vec![
            ("README.md", card("license: apache-2.0\nlibrary_name: transformers.js")),
            ("config.json", config("BertModel")),
            ("model.onnx", onnx(seed)),
        ],
        _ => vec![
            ("README.md", card("license: openrail++\npipeline_tag: text-to-image")),
            (
                "model_index.json",
                b"{\"_class_name\": \"StableDiffusionPipeline\", \"_diffusers_version\": \"0.35.1\", \"unet\": [\"diffusers\", \"UNet2DConditionModel\"], \"vae\": [\"diffusers\", \"AutoencoderKL\"]}"
                    .to_vec(),
            ),
            ("unet/config.json", b"{\"_class_name\": \"UNet2DConditionModel\"}".to_vec()),
            ("unet/diffusion_pytorch_model.safetensors", safetensors(seed)),
            ("vae/config.json", b"{}".to_vec()),
            ("vae/diffusion_pytorch_model.safetensors", safetensors(seed.wrapping_add(1))),
        ],
    };
    for (name, bytes) in files {
        let path = folder.join(name);
        let above = path.parent().unwrap_or(folder);
        fs::create_dir_all(above).during(format!("making {}", above.display()))?;
        fs::write(&path, bytes).during(format!("writing {}", path.display()))?;
    }
    Ok(())
}

/// One tensor of four numbers: `u64` little-endian length of the header, the header, the tensor.
fn safetensors(seed: u8) -> Vec<u8> {
    let header = json!({"w": {"dtype": "I8", "shape": [4], "data_offsets": [0, 4]}}).to_string();
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &[seed; 4]].concat()
}

/// A GGUF file of one tensor, whose header says Q4_K_M: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>.
fn gguf(seed: u8) -> Vec<u8> {
    let text = |text: &str| [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat();
    let mut bytes = [b"GGUF".as_slice(), &3_u32.to_le_bytes(), &1_u64.to_le_bytes(), &2_u64.to_le_bytes()].concat();
    bytes.extend([text("general.architecture"), 8_u32.to_le_bytes().to_vec(), text("llama")].concat());
    bytes.extend([text("general.file_type"), 4_u32.to_le_bytes().to_vec(), 15_u32.to_le_bytes().to_vec()].concat());
    bytes.extend([text("token_embd.weight"), 1_u32.to_le_bytes().to_vec(), 32_u64.to_le_bytes().to_vec()].concat());
    bytes.extend([0_u32.to_le_bytes().as_slice(), &0_u64.to_le_bytes()].concat());
    bytes.resize(bytes.len().next_multiple_of(32), 0);
    bytes.extend([seed; 128]);
    bytes
}

/// A model of ONNX without a node, exported by PyTorch; its graph is named by the seed.
fn onnx(seed: u8) -> Vec<u8> {
    let field = |number: u8, bytes: &[u8]| [&[number << 3 | 2, bytes.len() as u8], bytes].concat();
    let graph = field(2, format!("graph-{seed}").as_bytes());
    [vec![0x08, 0x08], field(2, b"pytorch"), field(3, b"2.9.0"), field(7, &graph)].concat()
}
