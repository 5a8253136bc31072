//! A small but real model folder: what a loader expects of a sharded safetensors model, the same bytes for the same seed.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use stele_probe::failure::{During, Failure, Step};

const VOCABULARY: usize = 256;
const HIDDEN: usize = 64;
const INNER: usize = 128;

/// The names of the weight files, in the order of the index.
pub const SHARDS: [&str; 2] = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];

/// Writes a model into a folder that is made. Other seeds give other weights and the same documents.
pub fn write(folder: &Path, seed: u64) -> Step {
    fs::create_dir_all(folder).during(format!("making {}", folder.display()))?;
    let mut files = vec![
        ("README.md", include_str!("README.txt").as_bytes().to_vec()),
        ("LICENSE", include_str!("MIT.txt").as_bytes().to_vec()),
        ("config.json", pretty(&config())),
        ("generation_config.json", pretty(&json!({"bos_token_id": 1, "eos_token_id": 2, "do_sample": false}))),
        ("tokenizer.json", pretty(&tokenizer())),
        ("tokenizer_config.json", pretty(&json!({"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "<unk>"}))),
        ("model.safetensors.index.json", pretty(&index())),
    ];
    let mut random = Random(seed);
    for (name, tensors) in SHARDS.into_iter().zip(shards()) {
        files.push((name, safetensors(&tensors, &mut random)));
    }
    for (name, bytes) in files {
        fs::write(folder.join(name), bytes).during(format!("writing {name}"))?;
    }
    Ok(())
}

/// Changes one bit in the middle of a file.
pub fn flip_one_bit(file: &Path) -> Step {
    let mut bytes = fs::read(file).during(format!("reading {}", file.display()))?;
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte ^= 1;
    }
    // Put in place of the old file, never into it: it may be a link to somebody's only copy.
    let flipped = file.with_extension("flipped");
    fs::write(&flipped, bytes).during(format!("writing {}", flipped.display()))?;
    fs::rename(&flipped, file).during(format!("writing {}", file.display()))
}

/// The largest file that holds weights, or else the largest file: the one to damage.
pub fn largest_weights(folder: &Path) -> Step<PathBuf> {
    let mut files = Vec::new();
    list(folder, &mut files)?;
    let weights = |path: &PathBuf| {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        ["safetensors", "gguf", "bin", "pt", "pth", "onnx"].contains(&extension)
    };
    let size = |path: &PathBuf| fs::metadata(path).map_or(0, |metadata| metadata.len());
    let largest = files.into_iter().max_by_key(|path| (weights(path), size(path), path.clone()));
    largest.ok_or_else(|| Failure::new(format!("{} holds no files", folder.display())))
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> Step {
    for entry in fs::read_dir(folder).during(format!("reading {}", folder.display()))? {
        let path = entry.during(format!("reading {}", folder.display()))?.path();
        if path.is_dir() { list(&path, files)? } else { files.push(path) }
    }
    Ok(())
}

/// Copies a folder and everything in it; symbolic links are followed.
pub fn copy(from: &Path, to: &Path) -> Step {
    place(from, to, &|from, to| fs::copy(from, to).map(drop))
}

/// Makes a folder like another: small files are copied, large ones hard-linked where the disk allows it.
pub fn copy_or_link(from: &Path, to: &Path) -> Step {
    place(from, to, &|from, to| {
        let large = fs::metadata(from)?.len() > 1 << 20;
        if large && fs::canonicalize(from).and_then(|real| fs::hard_link(real, to)).is_ok() {
            return Ok(());
        }
        fs::copy(from, to).map(drop)
    })
}

fn place(from: &Path, to: &Path, file: &dyn Fn(&Path, &Path) -> std::io::Result<()>) -> Step {
    fs::create_dir_all(to).during(format!("making {}", to.display()))?;
    for entry in fs::read_dir(from).during(format!("reading {}", from.display()))? {
        let entry = entry.during(format!("reading {}", from.display()))?;
        let (source, target): (PathBuf, PathBuf) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            place(&source, &target, file)?;
        } else {
            file(&source, &target).during(format!("copying {}", source.display()))?;
        }
    }
    Ok(())
}

type Tensor = (&'static str, Vec<usize>);

fn shards() -> [Vec<Tensor>; 2] {
    [
        vec![
            ("model.embed_tokens.weight", vec![VOCABULARY, HIDDEN]),
            ("model.layers.0.input_layernorm.weight", vec![HIDDEN]),
            ("model.layers.0.self_attn.k_proj.weight", vec![HIDDEN, HIDDEN]),
            ("model.layers.0.self_attn.o_proj.weight", vec![HIDDEN, HIDDEN]),
            ("model.layers.0.self_attn.q_proj.weight", vec![HIDDEN, HIDDEN]),
            ("model.layers.0.self_attn.v_proj.weight", vec![HIDDEN, HIDDEN]),
        ],
        vec![
            ("lm_head.weight", vec![VOCABULARY, HIDDEN]),
            ("model.layers.0.mlp.down_proj.weight", vec![HIDDEN, INNER]),
            ("model.layers.0.mlp.gate_proj.weight", vec![INNER, HIDDEN]),
            ("model.layers.0.mlp.up_proj.weight", vec![INNER, HIDDEN]),
            ("model.layers.0.post_attention_layernorm.weight", vec![HIDDEN]),
            ("model.norm.weight", vec![HIDDEN]),
        ],
    ]
}

/// The format: `u64` little-endian length of the header, the header (JSON, padded to 8 bytes), the tensors.
fn safetensors(tensors: &[Tensor], random: &mut Random) -> Vec<u8> {
    let mut header = Map::new();
    header.insert("__metadata__".into(), json!({"format": "pt"}));
    let mut end = 0;
    for (name, shape) in tensors {
        let start = end;
        end += 4 * shape.iter().product::<usize>();
        header.insert((*name).into(), json!({"dtype": "F32", "shape": shape, "data_offsets": [start, end]}));
    }
    let mut header = Value::Object(header).to_string();
    while !header.len().is_multiple_of(8) {
        header.push(' ');
    }
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.into_bytes());
    bytes.extend((0..end / 4).flat_map(|_| random.weight().to_le_bytes()));
    bytes
}

fn index() -> Value {
    let mut map = Map::new();
    let mut total = 0;
    for (file, tensors) in SHARDS.into_iter().zip(shards()) {
        for (name, shape) in tensors {
            total += 4 * shape.iter().product::<usize>();
            map.insert(name.into(), file.into());
        }
    }
    json!({"metadata": {"total_size": total}, "weight_map": map})
}

fn config() -> Value {
    json!({
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": HIDDEN,
        "intermediate_size": INNER,
        "num_attention_heads": 4,
        "num_key_value_heads": 4,
        "num_hidden_layers": 1,
        "vocab_size": VOCABULARY,
        "max_position_embeddings": 128,
        "rms_norm_eps": 1e-5,
        "hidden_act": "silu",
        "tie_word_embeddings": false,
        "torch_dtype": "float32",
        "bos_token_id": 1,
        "eos_token_id": 2,
    })
}

fn tokenizer() -> Value {
    let special = ["<unk>", "<s>", "</s>"].map(str::to_owned);
    let words = special.into_iter().chain((3..VOCABULARY).map(|id| format!("w{id}")));
    let vocabulary: Map<String, Value> = words.zip(0..VOCABULARY).map(|(word, id)| (word, id.into())).collect();
    json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": [],
        "normalizer": null,
        "pre_tokenizer": {"type": "Whitespace"},
        "post_processor": null,
        "decoder": null,
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "<unk>"},
    })
}

fn pretty(value: &Value) -> Vec<u8> {
    format!("{value:#}\n").into_bytes()
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in [-0.05, 0.05).
    fn weight(&mut self) -> f32 {
        let unit = (self.next() >> 40) as f32 / (1u32 << 24) as f32;
        (unit - 0.5) / 10.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_is_the_same_model_and_another_seed_is_other_weights_only() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for (name, seed) in [("a", 1), ("b", 1), ("c", 2)] {
            write(&at(name), seed).unwrap();
        }
        for entry in fs::read_dir(at("a")).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let read = |model: &str| fs::read(at(model).join(&name)).unwrap();
            assert_eq!(read("a"), read("b"), "{name}");
            assert_eq!(read("a") == read("c"), !SHARDS.contains(&name.as_str()), "{name}");
        }
    }

    #[test]
    fn the_shards_are_safetensors() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), 1).unwrap();
        for shard in SHARDS {
            let bytes = fs::read(folder.path().join(shard)).unwrap();
            let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
            let header: Map<String, Value> = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
            let ends = header.values().filter_map(|tensor| tensor["data_offsets"][1].as_u64());
            assert_eq!(ends.max().unwrap() as usize, bytes.len() - 8 - length);
        }
    }
}
