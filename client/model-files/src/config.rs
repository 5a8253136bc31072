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
    /// `auto_map`: the config would execute code of the folder.
    pub runs_code: bool,
}

impl Config {
    /// Reads a config as Python does.
    pub fn parse(bytes: &[u8]) -> Result<Self, NotJson> {
        let value = Json::parse(bytes)?;
        let string = |name: &str| value.get(name).and_then(Json::as_str).map(short);
        Ok(Self {
            architecture: value.get("architectures").and_then(|list| list.as_list()?.first()?.as_str()).map(short),
            model_type: string("model_type"),
            dtype: string("torch_dtype").or_else(|| string("dtype")),
            quantization: value.get("quantization_config").and_then(quantization),
            runs_code: names_code(&value),
        })
    }
}

/// Whether there is an `auto_map`, also in the configuration of a part.
fn names_code(value: &Json) -> bool {
    match value {
        Json::Map(fields) => fields.iter().any(|(name, value)| name == "auto_map" || names_code(value)),
        Json::List(values) => values.iter().any(names_code),
        _ => false,
    }
}

/// `base_model_name_or_path` of an `adapter_config.json`.
pub fn adapter_base(bytes: &[u8]) -> Result<Option<String>, NotJson> {
    Ok(Json::parse(bytes)?.get("base_model_name_or_path").and_then(Json::as_str).map(short))
}

/// `gptq, 4 bits`.
fn quantization(config: &Json) -> Option<String> {
    let method = config.get("quant_method").and_then(Json::as_str);
    let bits = config.get("bits").and_then(Json::as_u64).or_else(|| {
        let flag = |name: &str| config.get(name).and_then(Json::as_bool).unwrap_or(false);
        if flag("load_in_4bit") { Some(4) } else { flag("load_in_8bit").then_some(8) }
    });
    match (method, bits) {
        (Some(method), Some(bits)) => Some(format!("{}, {bits} bits", short(method))),
        (Some(method), None) => Some(short(method)),
        (None, Some(bits)) => Some(format!("{bits} bits")),
        (None, None) => None,
    }
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
                "quantization_config": {"quant_method": "gptq", "bits": 4}, "auto_map": {}}"#,
        );
        let config = config.unwrap();
        assert_eq!(config.architecture.as_deref(), Some("LlamaForCausalLM"));
        assert_eq!(config.quantization.as_deref(), Some("gptq, 4 bits"));
        assert!(config.runs_code);
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
