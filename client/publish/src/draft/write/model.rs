//! `[model]`: its names, and what the folder says of its kind.

use stele_model_files::parameters::Parameters;
use stele_spec::name::Model;
use stele_spec::statement::Artifact;

use super::names::Names;
use crate::draft::facts::Facts;
use crate::draft::quantized::Quantized;
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
    let quantized = Quantized::of(facts);
    sheet.comment(&format!("What kind of object it is: {}.", Artifact::TEXTS.join(", ")));
    let template = if facts.has_chat_template { " (there is a chat template: instruct?)" } else { "" };
    match (&quantized, facts.adapter()) {
        (_, Some(path)) => sheet.text("artifact", Artifact::Adapter.as_str(), path.as_str()),
        (Quantized::Yes { may_be_trained: false, .. }, None) => {
            sheet.text("artifact", Artifact::Quantized.as_str(), "the quantization below");
        }
        (Quantized::Yes { how, .. }, None) => {
            sheet.decide(
                "artifact",
                &format!("quantized if {how} was made of another model, base or instruct if it was trained so"),
            );
        }
        (Quantized::Open(why), None) => sheet.decide("artifact", &format!("one of the words above; {why}")),
        (Quantized::No, None) if !facts.adapters.is_empty() || !facts.gguf_adapters.is_empty() => {
            sheet.decide(
                "artifact",
                "one of the words above; there is an adapter beside other weights: one object each?",
            );
        }
        (Quantized::No, None) => sheet.decide("artifact", &format!("one of the words above{template}")),
    }
    match facts.formats.as_slice() {
        [] => sheet.line("formats", "[\"DECIDE: the formats of the weights, such as safetensors\"]", ""),
        formats => sheet.line("formats", &list(formats), "the files"),
    }
    match &quantized {
        Quantized::Yes { how, from, .. } if facts.adapter().is_none() => sheet.text("quantization", how, from),
        Quantized::Open(why) if facts.adapter().is_none() => {
            sheet.decide("quantization", &format!("how, or delete this line where it is not quantized; {why}"));
        }
        _ => {}
    }
    match &facts.parameters {
        Parameters::Known { count, from } if *count < 1 << 53 => sheet.line("parameters", &count.to_string(), from),
        Parameters::Open(why) => sheet.comment(&format!("parameters = ...  # not written: {why}")),
        Parameters::Known { .. } | Parameters::None => {}
    }
    let gguf = facts.gguf.first();
    let architecture = gguf.and_then(|model| Some((model.header().architecture.as_ref()?, model.path())));
    if let Some(architecture) = &facts.config.architecture {
        sheet.text("architecture", architecture, "config.json");
    } else if let Some((architecture, path)) = architecture {
        sheet.text("architecture", architecture, path.as_str());
    }
    match facts.card.first("pipeline_tag").as_deref().and_then(modalities) {
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
        ("name in the GGUF header", gguf.and_then(|model| model.header().name.as_deref())),
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
    let name = name.or_else(|| facts.gguf.first()?.header().name.as_deref())?.to_ascii_lowercase();
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
