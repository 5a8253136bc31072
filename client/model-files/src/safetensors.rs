//! The header of a safetensors file: eight bytes of length, then JSON (the format's own limit is 100 MB).

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The longest header that is read: a tensor needs about 100 bytes.
const MAX_HEADER: u64 = 64 << 20;

/// The item that is no tensor: texts by name, or `null` where a writer had none.
const METADATA: &str = "__metadata__";

/// What is read of a tensor in the header.
#[derive(Deserialize)]
struct Item {
    #[serde(default)]
    dtype: String,
    #[serde(default)]
    shape: Shape,
}

/// How many numbers the tensors of a file hold, by what they are in a model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tensors {
    /// All numbers of all tensors.
    pub numbers: u64,
    /// Numbers that no training changes: positions, masks, and the statistics of a normalization.
    pub buffers: u64,
    /// Numbers that are weights as they stand.
    pub plain: u64,
    /// 32-bit integers that hold several weights each (`.qweight`, `.weight_packed`).
    pub packed_words: u64,
    /// The same of MLX (`.weight` of unsigned integers).
    pub mlx_words: u64,
    /// `.biases`: of MLX they stand beside packed weights; of anything else they are weights.
    pub biases: u64,
    /// Bytes that hold two weights each (`_blocks` of MXFP4, `.weight_packed` of NVFP4).
    pub packed_pairs: u64,
    /// Bytes in the place of weights (`.weight`): one each, or two where the quantization has four bits.
    pub bytes: u64,
    /// Whether a tensor stands beside packed ones: scales, zeros, maps.
    pub has_scales: bool,
    /// Whether a tensor is a part of a LoRA, by its name.
    pub has_lora: bool,
}

impl Tensors {
    /// Whether weights are packed, or have scales beside them: the numbers are not those of the model.
    pub fn is_packed(&self) -> bool {
        self.packed_words > 0 || self.mlx_words > 0 || self.packed_pairs > 0 || self.has_scales
    }

    /// Both together; nothing where that is more than there can be.
    pub fn and(self, other: Self) -> Option<Self> {
        Some(Self {
            numbers: self.numbers.checked_add(other.numbers)?,
            buffers: self.buffers.checked_add(other.buffers)?,
            plain: self.plain.checked_add(other.plain)?,
            packed_words: self.packed_words.checked_add(other.packed_words)?,
            mlx_words: self.mlx_words.checked_add(other.mlx_words)?,
            biases: self.biases.checked_add(other.biases)?,
            packed_pairs: self.packed_pairs.checked_add(other.packed_pairs)?,
            bytes: self.bytes.checked_add(other.bytes)?,
            has_scales: self.has_scales || other.has_scales,
            has_lora: self.has_lora || other.has_lora,
        })
    }

    fn add(self, name: &str, item: &Item, numbers: u64) -> Option<Self> {
        let mut sum = self;
        sum.numbers = sum.numbers.checked_add(numbers)?;
        let last = name.rsplit('.').next().unwrap_or(name);
        sum.has_lora |= LORA.iter().any(|part| name.contains(part));
        let is_scale = SCALES.contains(&last) || name.contains(".quant_state.") || last.ends_with("_proj_scales");
        let to = match item.dtype.as_str() {
            _ if is_scale => {
                sum.has_scales = true;
                return Some(sum);
            }
            dtype if is_buffer(last, dtype, &item.shape) => &mut sum.buffers,
            "U32" if last == "weight" => &mut sum.mlx_words,
            _ if last == "biases" => &mut sum.biases,
            "I32" if matches!(last, "qweight" | "weight_packed") => &mut sum.packed_words,
            "U8" if last == "weight_packed" || last.ends_with("_blocks") => &mut sum.packed_pairs,
            "U8" | "I8" => &mut sum.bytes,
            _ => &mut sum.plain,
        };
        *to = to.checked_add(numbers)?;
        Some(sum)
    }
}

/// The last words of the names of what quantizers put beside weights.
const SCALES: [&str; 28] = [
    "SCB",
    "_scale",
    "_shift",
    "absmax",
    "comfy_quant",
    "g_idx",
    "input_amax",
    "input_global_scale",
    "input_scale",
    "nested_absmax",
    "nested_quant_map",
    "output_scale",
    "quant_map",
    "qzeros",
    "scale_input",
    "scale_weight",
    "scaled_fp8",
    "scales",
    "weight_format",
    "weight_g_idx",
    "weight_global_scale",
    "weight_scale",
    "weight_scale_2",
    "weight_scale_inv",
    "weight_shape",
    "weight_zero_point",
    "down_proj_scales",
    "gate_up_proj_scales",
];

/// Parts of the names of tensors of a LoRA, by the libraries that write them: PEFT, diffusers, and kohya's scripts.
const LORA: [&str; 5] = [".lora_A.", ".lora_down.", "lora_unet_", "lora_te_", "lora_transformer_"];

/// The last words of the names of tensors that a model saves and does not learn; those of a cache say nothing of the weights.
const BUFFERS: [&str; 11] = [
    "inv_freq",
    "k_scale",
    "masked_bias",
    "num_batches_tracked",
    "position_ids",
    "q_scale",
    "relative_position_index",
    "running_mean",
    "running_var",
    "token_type_ids",
    "v_scale",
];

/// Whether a tensor is no parameter. 64-bit integers are indices and counters, booleans are masks, and a bias of the
/// shape of a mask is that of GPT-2 and its kin.
fn is_buffer(last: &str, dtype: &str, shape: &Shape) -> bool {
    let is_mask = matches!(shape, Shape::Numbers { is_mask: true, .. });
    matches!(dtype, "I64" | "U64" | "BOOL") || BUFFERS.contains(&last) || last == "bias" && is_mask
}

/// The product of a shape; nothing where there is no shape, or none that can be.
#[derive(Default)]
enum Shape {
    #[default]
    None,
    Numbers {
        product: u64,
        /// Whether it is `[1, 1, n, n]`, as causal masks are and the biases of ConvNeXt V2, `[1, 1, 1, n]`, are not.
        is_mask: bool,
    },
    TooMany,
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Sides;

        impl<'de> Visitor<'de> for Sides {
            type Value = Shape;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the sides of a tensor")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sides: A) -> Result<Shape, A::Error> {
                let mut numbers = Some(1_u64);
                let mut count = 0;
                let mut first = [0_u64; 4];
                while let Some(side) = sides.next_element::<u64>()? {
                    numbers = numbers.and_then(|numbers| numbers.checked_mul(side));
                    if let Some(place) = first.get_mut(count) {
                        *place = side;
                    }
                    count += 1;
                }
                let is_mask = count == 4 && matches!(first, [1, 1, rows, columns] if rows == columns);
                Ok(numbers.map_or(Shape::TooMany, |product| Shape::Numbers { product, is_mask }))
            }

            fn visit_str<E>(self, _: &str) -> Result<Shape, E> {
                Ok(Shape::None)
            }
        }

        deserializer.deserialize_any(Sides)
    }
}

/// The sums over a header, taken as it is read: a header of a million tensors costs no memory.
struct Sums(Option<Tensors>);

impl<'de> Deserialize<'de> for Sums {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Items;

        impl<'de> Visitor<'de> for Items {
            type Value = Sums;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of tensors")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Sums, A::Error> {
                let mut sums = Some(Tensors::default());
                while let Some(name) = map.next_key::<String>()? {
                    if name == METADATA {
                        map.next_value::<IgnoredAny>()?;
                        continue;
                    }
                    let item: Item = map.next_value()?;
                    sums = match item.shape {
                        Shape::None => sums,
                        Shape::Numbers { product, .. } => sums.and_then(|sums| sums.add(&name, &item, product)),
                        Shape::TooMany => None,
                    };
                }
                Ok(Sums(sums))
            }
        }

        deserializer.deserialize_map(Items)
    }
}

/// What the tensors of a file hold.
pub fn tensors(path: &Path, size: u64) -> io::Result<Tensors> {
    let mut file = File::open(path)?;
    let mut length = [0; 8];
    file.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    if length > MAX_HEADER || length > size.saturating_sub(8) {
        return Err(io::Error::other(format!(
            "its header of {length} bytes is longer than the file or than {MAX_HEADER}"
        )));
    }
    let Sums(sums) = serde_json::from_reader(io::BufReader::new(file.take(length)))?;
    sums.ok_or_else(|| io::Error::other("its tensors have more numbers than there can be"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(header: &str, length: u64) -> io::Result<u64> {
        let file = tempfile::NamedTempFile::new().unwrap();
        let bytes = [&length.to_le_bytes(), header.as_bytes()].concat();
        std::fs::write(file.path(), &bytes).unwrap();
        tensors(file.path(), bytes.len() as u64).map(|tensors| tensors.numbers)
    }

    #[test]
    fn the_shapes_are_summed_and_metadata_is_no_tensor() {
        let header = r#"{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"b":{"dtype":"F32","shape":[],"data_offsets":[24,28]}}"#;
        assert_eq!(count(header, header.len() as u64).unwrap(), 7);
        // As MLX writes it where it was given none; and a key of it that a tensor has too.
        for metadata in ["null", "{}", r#"{"shape":"[9,9]","dtype":"F32"}"#] {
            let header =
                format!(r#"{{"__metadata__":{metadata},"w":{{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}}}"#);
            assert_eq!(count(&header, header.len() as u64).unwrap(), 4, "{metadata}");
        }
    }

    #[test]
    fn a_header_of_many_items_is_read_as_it_comes() {
        let items: Vec<String> = (0..200_000).map(|n| format!("\"{n}\":{{\"shape\":[2]}}")).collect();
        let header = format!("{{{}}}", items.join(","));
        let began = std::time::Instant::now();
        assert_eq!(count(&header, header.len() as u64).unwrap(), 400_000);
        assert!(began.elapsed() < std::time::Duration::from_secs(30), "{:?}", began.elapsed());
        let metadata = r#"{"__metadata__":{"shape":"none"},"a":{"shape":[3]}}"#;
        assert_eq!(count(metadata, metadata.len() as u64).unwrap(), 3);
    }

    #[test]
    fn what_a_model_does_not_learn_is_no_parameter() {
        let tensor = |name: &str, dtype: &str, shape: &str| {
            format!("\"{name}\":{{\"dtype\":\"{dtype}\",\"shape\":{shape},\"data_offsets\":[0,0]}}")
        };
        let read = |items: &[String]| {
            let header = format!("{{{}}}", items.join(","));
            let file = tempfile::NamedTempFile::new().unwrap();
            let bytes = [&(header.len() as u64).to_le_bytes(), header.as_bytes()].concat();
            std::fs::write(file.path(), &bytes).unwrap();
            tensors(file.path(), bytes.len() as u64).unwrap()
        };
        let convnext = read(&[tensor("pwconv1.weight", "F32", "[4,8]"), tensor("grn.bias", "F32", "[1,1,1,16]")]);
        assert_eq!((convnext.plain, convnext.buffers), (48, 0));
        let comfy = read(&[
            tensor("scaled_fp8", "F8_E4M3", "[2]"),
            tensor("q.weight", "F8_E4M3", "[8,8]"),
            tensor("q.scale_weight", "F32", "[]"),
            tensor("q.scale_input", "F32", "[]"),
        ]);
        assert_eq!((comfy.plain, comfy.is_packed()), (64, true));
        let mlx = read(&[
            tensor("q.weight", "U32", "[64,32]"),
            tensor("q.scales", "F16", "[64,4]"),
            tensor("q.biases", "F16", "[64,4]"),
            tensor("embed.weight", "F16", "[8,8]"),
        ]);
        assert_eq!((mlx.mlx_words, mlx.plain, mlx.biases, mlx.is_packed()), (2048, 64, 256, true));
        let cache = read(&[tensor("q.weight", "F32", "[4,4]"), tensor("k_scale", "F32", "[]")]);
        assert_eq!((cache.plain, cache.is_packed()), (16, false));
        assert!(read(&[tensor("lora_unet_down.lora_down.weight", "F16", "[4,4]")]).has_lora);
        let items = [
            tensor("embeddings.position_ids", "I64", "[1,512]"),
            tensor("h.0.attn.bias", "F32", "[1,1,16,16]"),
            tensor("h.0.attn.masked_bias", "F32", "[]"),
            tensor("bn.running_mean", "F32", "[64]"),
            tensor("bn.num_batches_tracked", "I64", "[]"),
            tensor("mask", "BOOL", "[9]"),
            tensor("h.0.attn.c_attn.bias", "F32", "[8]"),
            tensor("w", "F16", "[3,3]"),
        ];
        let read = read(&items);
        assert_eq!((read.plain, read.numbers - read.buffers), (17, 17));
        assert_eq!(read.buffers, 512 + 256 + 1 + 64 + 1 + 9);
    }

    #[test]
    fn headers_that_lie_are_refused() {
        assert!(count("{}", u64::MAX).is_err());
        assert!(count("{}", 3).is_err());
        assert!(count("{", 1).is_err());
        let huge = r#"{"a":{"shape":[18446744073709551615,2]}}"#;
        assert!(count(huge, huge.len() as u64).is_err());
    }
}
