//! `config.json`, as Transformers writes it.

use stele_spec::finding::{Json, NotJson};

/// What a config says of the model.
#[derive(Debug, Default, PartialEq)]
pub struct Config {
    /// `architectures[0]`.
    pub architecture: Option<String>,
    /// `model_type`.
    pub model_type: Option<String>,
    /// `torch_dtype` or `dtype`.
    pub dtype: Option<String>,
    /// `quantization_config`, in short.
    pub quantization: Option<String>,
    /// The numbers of bits of a weight in `quantization_config`, where it says one for all.
    pub bits: Option<u64>,
    /// `pretrained_cfg.license`, as timm writes it.
    pub license: Option<String>,
    /// `_name_or_path`: what it was loaded from when it was saved. A hint: it may be any folder.
    pub loaded_from: Option<String>,
}

impl Config {
    /// Reads a config as Python does.
    pub fn parse(bytes: &[u8]) -> Result<Self, NotJson> {
        let value = Json::parse(bytes)?;
        let quantized = quantization_config(&value, 0);
        let string = |name: &str| value.get(name).and_then(Json::as_str).map(short);
        Ok(Self {
            architecture: value.get("architectures").and_then(|list| list.as_list()?.first()?.as_str()).map(short),
            model_type: string("model_type"),
            dtype: string("torch_dtype").or_else(|| string("dtype")),
            quantization: quantized.and_then(quantization),
            bits: quantized.and_then(bits),
            license: value.get("pretrained_cfg").and_then(|of| of.get("license")?.as_str()).map(short),
            loaded_from: string("_name_or_path").filter(|name| !name.trim().is_empty()),
        })
    }
}

/// What an `adapter_config.json` says.
#[derive(Debug, Default, PartialEq)]
pub struct AdapterConfig {
    /// The base model, and the field that names it: `base_model_name_or_path` of PEFT, `model` of mlx-lm, `model_name` of AdapterHub.
    pub base: Option<(&'static str, String)>,
    /// `revision`: of the base model.
    pub revision: Option<String>,
}

impl AdapterConfig {
    /// Reads a config as Python does.
    pub fn parse(bytes: &[u8]) -> Result<Self, NotJson> {
        let value = Json::parse(bytes)?;
        let string = |name: &str| value.get(name).and_then(Json::as_str).map(short);
        let base = ["base_model_name_or_path", "model", "model_name"].into_iter();
        Ok(Self {
            base: base.filter_map(|field| Some((field, string(field)?))).next(),
            revision: string("revision").filter(|name| !name.is_empty()),
        })
    }
}

/// The deepest that a part of a model has its configuration: `thinker_config.text_config`.
const MAX_PARTS: u32 = 3;

/// `quantization_config`, of the model or of a part of it (`text_config`).
fn quantization_config(config: &Json, depth: u32) -> Option<&Json> {
    if let Some(found) =
        config.get("quantization_config").filter(|found| found.as_map().is_some_and(|map| !map.is_empty()))
        && !is_of_cache(found)
    {
        return Some(found);
    }
    // Of MLX, which names no method.
    if let Some(found) =
        config.get("quantization").filter(|found| found.get("bits").is_some_and(|bits| bits.as_u64().is_some()))
    {
        return Some(found);
    }
    if depth == MAX_PARTS {
        return None;
    }
    let parts = config.as_map()?.iter().filter(|(name, _)| name.ends_with("_config") && *name != "quantization_config");
    parts.filter_map(|(_, part)| quantization_config(part, depth + 1)).next()
}

/// Whether it is the cache of a running model that is quantized, and no weight.
fn is_of_cache(config: &Json) -> bool {
    let is_said = |name: &str| {
        config.get(name).is_some_and(|value| match value {
            Json::Map(fields) => !fields.is_empty(),
            Json::Null => false,
            _ => true,
        })
    };
    let method = config.get("quant_method").and_then(Json::as_str);
    method.is_none_or(|method| method == "compressed-tensors")
        && is_said("kv_cache_scheme")
        && !is_said("config_groups")
        && !is_said("quant_algo")
        && bits(config).is_none()
}

/// `gptq, 4 bits`.
fn quantization(config: &Json) -> Option<String> {
    let method = config.get("quant_method").and_then(Json::as_str);
    match (method, bits(config)) {
        (Some(method), Some(bits)) => Some(format!("{}, {bits} bits", short(method))),
        (Some(method), None) => Some(short(method)),
        (None, Some(bits)) => Some(format!("{bits} bits")),
        (None, None) => config.get("bits").map(|_| "several numbers of bits".to_owned()),
    }
}

/// The bits of a weight: said once, by a flag, or the same in every group of `config_groups`.
fn bits(config: &Json) -> Option<u64> {
    let said = ["bits", "num_bits", "w_bit", "nbits"].iter().find_map(|name| config.get(name).and_then(Json::as_u64));
    // MLX says beside it which layers have another number.
    let layers = config.as_map().into_iter().flat_map(|map| map.values());
    if layers.filter_map(|layer| layer.get("bits")?.as_u64()).any(|bits| Some(bits) != said) && said.is_some() {
        return None;
    }
    let flag = |name: &str| config.get(name).and_then(Json::as_bool).unwrap_or(false);
    let flagged = if flag("load_in_4bit") { Some(4) } else { flag("load_in_8bit").then_some(8) };
    said.or(flagged).or_else(|| {
        let groups = config.get("config_groups").and_then(Json::as_map)?;
        let mut each = groups.values().map(|group| group.get("weights")?.get("num_bits")?.as_u64());
        let first = each.next()??;
        each.all(|bits| bits == Some(first)).then_some(first)
    })
}

fn short(text: &str) -> String {
    text.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_config_says_architecture_type_and_quantization() {
        let config = Config::parse(
            br#"{"architectures": ["LlamaForCausalLM"], "model_type": "llama", "torch_dtype": "bfloat16", "x": NaN,
                "quantization_config": {"quant_method": "gptq", "bits": 4}}"#,
        );
        let config = config.unwrap();
        assert_eq!(config.architecture.as_deref(), Some("LlamaForCausalLM"));
        assert_eq!(config.quantization.as_deref(), Some("gptq, 4 bits"));
    }

    #[test]
    fn quantization_is_found_in_a_part_and_its_bits_in_groups() {
        let of = |config: &str| Config::parse(config.as_bytes()).unwrap();
        let groups = r#"{"quant_method": "compressed-tensors", "config_groups": {"group_0": {"weights": {"num_bits": 4}}, "group_1": {"weights": {"num_bits": N}}}}"#;
        let same = groups.replace('N', "4");
        let nested = of(&format!(r#"{{"text_config": {{"quantization_config": {same}}}}}"#));
        assert_eq!(nested.quantization.as_deref(), Some("compressed-tensors, 4 bits"));
        let mixed = of(&format!(r#"{{"quantization_config": {}}}"#, groups.replace('N', "8")));
        assert_eq!((mixed.quantization.as_deref(), mixed.bits), (Some("compressed-tensors"), None));
        let deep =
            of(r#"{"thinker_config": {"text_config": {"quantization_config": {"quant_method": "awq", "bits": 4}}}}"#);
        assert_eq!(deep.quantization.as_deref(), Some("awq, 4 bits"));
        assert_eq!(of(r#"{"quantization_config": {}}"#).quantization, None);
    }

    #[test]
    fn mlx_says_bits_without_a_method_and_a_quantized_cache_is_no_quantization() {
        let of = |config: &str| {
            let config = Config::parse(config.as_bytes()).unwrap();
            (config.quantization, config.bits)
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(of(r#"{"quantization": {"group_size": 64, "bits": 4}}"#), (some("4 bits"), Some(4)));
        let mixed = r#"{"quantization": {"group_size": 64, "bits": 4, "lm_head": {"group_size": 64, "bits": 8}}}"#;
        assert_eq!(of(mixed), (some("several numbers of bits"), None));
        assert_eq!(of(r#"{"quantization": "none"}"#), (None, None));
        let cache = r#"{"quantization_config": {"quant_method": "compressed-tensors", "config_groups": GROUPS, "kv_cache_scheme": {"num_bits": 8}}}"#;
        assert_eq!(of(&cache.replace("GROUPS", "{}")), (None, None));
        let groups = r#"{"group_0": {"weights": {"num_bits": 4}}}"#;
        assert_eq!(of(&cache.replace("GROUPS", groups)), (some("compressed-tensors, 4 bits"), Some(4)));
    }

    #[test]
    fn another_shape_is_a_fact_less_and_no_error() {
        assert_eq!(
            Config::parse(br#"{"architectures": "x", "model_type": 3, "quantization_config": []}"#).unwrap(),
            Config::default()
        );
        assert!(Config::parse(b"{").is_err());
    }
}
