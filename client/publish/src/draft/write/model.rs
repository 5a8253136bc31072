//! `[model]`: its names, and what the folder says of its kind.

use stele_spec::name::Model;
use stele_spec::statement::Artifact;

use super::names::Names;
use crate::draft::Facts;
use crate::form::{FormWriter, quoted};

pub(super) fn write(sheet: &mut FormWriter, names: &Names, facts: &Facts) {
    sheet.section("model");
    sheet.comment(
        "Lower case a to z, 0 to 9, and single - . _ between: a coordinate is bound to these weights for ever.",
    );
    match (&names.model, suggested_name(facts)) {
        (Some(name), _) => sheet.text("name", name.as_str(), ""),
        (None, Some(name)) => sheet.decide("name", &format!("the model's name; the folder says {name}")),
        (None, None) => sheet.decide("name", "the model's name, such as tiny"),
    }
    match &names.version {
        Some(version) => sheet.text("version", version.as_str(), ""),
        None => sheet.decide("version", "its version, such as 1.0.2"),
    }
    match &names.variant {
        Some(variant) => sheet.text("variant", variant.as_str(), ""),
        None => sheet.decide("variant", "which object of the version, such as base, instruct, instruct-gguf-q4_k_m"),
    }
    // Of several, no one is that of the whole; nor is it beside weights that are not quantized.
    let of_gguf = match facts.quantizations.as_slice() {
        [one] if !facts.formats.contains(&"safetensors") => Some((*one).to_owned()),
        _ => None,
    };
    let quantization = facts.config.quantization.clone().or(of_gguf);
    sheet.comment(&format!("What kind of object it is: {}.", Artifact::TEXTS.join(", ")));
    match (&quantization, facts.is_adapter) {
        (Some(_), _) => sheet.text("artifact", Artifact::Quantized.as_str(), "the quantization below"),
        (None, true) => sheet.text("artifact", Artifact::Adapter.as_str(), "adapter_config.json"),
        (None, false) => {
            let hint = if facts.has_chat_template { " (there is a chat template: instruct?)" } else { "" };
            sheet.decide("artifact", &format!("one of the words above{hint}"));
        }
    }
    match facts.formats.as_slice() {
        [] => sheet.line("formats", "[\"DECIDE: the formats of the weights, such as safetensors\"]", ""),
        formats => sheet.line("formats", &list(formats), "the files"),
    }
    if let Some(quantization) = quantization {
        let from = if facts.config.quantization.is_some() { "config.json" } else { "the GGUF header" };
        sheet.text("quantization", &quantization, from);
    }
    if let Some((parameters, from)) = facts.parameters.filter(|(count, _)| *count < 1 << 53) {
        sheet.line("parameters", &parameters.to_string(), from);
    }
    let gguf = facts.gguf.as_ref();
    if let Some(architecture) = &facts.config.architecture {
        sheet.text("architecture", architecture, "config.json");
    } else if let Some(architecture) = gguf.and_then(|header| header.architecture.as_ref()) {
        sheet.text("architecture", architecture, "the GGUF header");
    }
    match facts.card.first("pipeline_tag").and_then(modalities) {
        Some(modalities) => sheet.line("modalities", &list(modalities), "pipeline_tag of the model card"),
        None => sheet.comment("modalities = [\"text\"]"),
    }
    sheet.comment("family = \"Tiny\"  # the name it is marketed under; never an identity");
    if let Some(name) = &facts.origin.huggingface {
        let revision = facts.origin.revision.as_ref().map(|revision| format!("@{revision}")).unwrap_or_default();
        sheet.text("purl", &format!("pkg:huggingface/{name}{revision}"), "where the folder came from");
    }
    for (what, value) in [
        ("model_type of config.json", facts.config.model_type.as_deref()),
        ("dtype of config.json", facts.config.dtype.as_deref()),
        ("name in the GGUF header", gguf.and_then(|header| header.name.as_deref())),
    ] {
        if let Some(value) = value {
            sheet.comment(&format!("{what}: {value}"));
        }
    }
    for field in ["tags", "datasets", "language", "library_name"] {
        if !facts.card.all(field).is_empty() {
            sheet.comment(&format!("{field} of the model card: {}", facts.card.all(field).join(", ")));
        }
    }
    if facts.config.runs_code || !facts.code.is_empty() {
        sheet.comment("Careful: this release holds code that loading it may run; auditors report that:");
        facts.code.iter().take(10).for_each(|path| sheet.comment(&format!("  {path}")));
        if facts.config.runs_code {
            sheet.comment("  auto_map in config.json");
        }
    }
}

/// The name that the folder's origin or header gives, made to fit the grammar.
fn suggested_name(facts: &Facts) -> Option<String> {
    let name = facts.origin.huggingface.as_deref().and_then(|name| name.rsplit('/').next());
    let name = name.or_else(|| facts.gguf.as_ref()?.name.as_deref())?.to_ascii_lowercase();
    let name: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_') { c } else { '-' }).collect();
    name.parse::<Model>().is_ok().then_some(name)
}

fn modalities(pipeline: &str) -> Option<&'static [&'static str]> {
    Some(match pipeline {
        "text-generation"
        | "text2text-generation"
        | "text-classification"
        | "token-classification"
        | "fill-mask"
        | "feature-extraction"
        | "sentence-similarity"
        | "summarization"
        | "translation"
        | "question-answering"
        | "text-ranking"
        | "zero-shot-classification" => &["text"],
        "image-text-to-text"
        | "image-to-text"
        | "visual-question-answering"
        | "text-to-image"
        | "document-question-answering" => &["text", "image"],
        "image-classification"
        | "object-detection"
        | "image-segmentation"
        | "image-to-image"
        | "depth-estimation"
        | "image-feature-extraction" => &["image"],
        "automatic-speech-recognition" | "text-to-speech" | "text-to-audio" | "audio-text-to-text" => {
            &["text", "audio"]
        }
        "audio-classification" | "audio-to-audio" | "voice-activity-detection" => &["audio"],
        "text-to-video" | "video-text-to-text" => &["text", "video"],
        "video-classification" => &["video"],
        _ => return None,
    })
}

fn list(items: &[&str]) -> String {
    format!("[{}]", items.iter().map(|item| quoted(item)).collect::<Vec<_>>().join(", "))
}
