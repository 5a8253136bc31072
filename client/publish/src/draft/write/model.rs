//! `[model]`: its names, and what the folder says of its kind.

use stele_model_files::parameters::Parameters;
use stele_spec::finding::CodeReference;
use stele_spec::name::Model;
use stele_spec::statement::Artifact;

use super::names::Names;
use super::values::is_texts;
use crate::draft::answers::Answers;
use crate::draft::facts::Facts;
use crate::draft::quantized::Quantized;
use crate::form::{Answer, FormWriter, inline, quoted};

pub(super) fn write(sheet: &mut FormWriter, names: &Names, facts: &Facts, answers: &Answers) {
    sheet.section("model");
    sheet.comment(
        "Lower case a to z, 0 to 9, and single - . _ between: a coordinate is bound to these weights for ever.",
    );
    // The names of an earlier release are those of this one only under the same publisher.
    let old = answers.old.as_ref().filter(|old| {
        let publisher = old.coordinate.as_ref().map(|coordinate| &coordinate.publisher);
        names.publisher.is_none() || publisher == names.publisher.as_ref()
    });
    let of_old = |path: &str| old.and_then(|old| old.source.answer(path));
    let of_preset = |path: &str| answers.preset_parent().and_then(|preset| preset.answer(path));
    let name = of_old("model.name").or_else(|| of_preset("model.name"));
    match (&names.model, name, suggested_name(facts)) {
        (Some(name), _, _) => sheet.text("name", name.as_str(), ""),
        (None, Some(answer), _) => sheet.answered("name", &answer),
        (None, None, Some((name, from))) => sheet.decide("name", &format!("the model's name; {from} says {name}")),
        (None, None, None) => sheet.decide("name", "the model's name, such as tiny"),
    }
    match (&names.version, of_old("model.version").as_ref().and_then(|version| version.value.as_str())) {
        (Some(version), _) => sheet.text("version", version.as_str(), ""),
        (None, Some(old)) => sheet.decide("version", &format!("its version; the one before is {old}")),
        (None, None) => sheet.decide("version", "its version, such as 1.0.2"),
    }
    match (&names.variant, of_old("model.variant")) {
        (Some(variant), _) => sheet.text("variant", variant.as_str(), ""),
        (None, Some(answer)) => sheet.answered("variant", &answer),
        (None, None) => {
            sheet.decide("variant", "which object of the version, such as base, instruct, instruct-gguf-q4_k_m");
        }
    }
    let quantized = Quantized::of(facts);
    let is_quantized = artifact(sheet, names, facts, answers, &quantized);
    match facts.formats.as_slice() {
        [] => sheet.line("formats", "[\"DECIDE: the formats of the weights, such as safetensors\"]", ""),
        formats => sheet.line("formats", &list(formats), "the files"),
    }
    match &quantized {
        Quantized::Yes { how, from, .. } if facts.adapter().is_none() => sheet.text("quantization", how, from),
        Quantized::Open(why) if facts.adapter().is_none() => match answers.of_old("model.quantization") {
            Some(answer) => sheet.answered("quantization", &answer),
            None => sheet.decide("quantization", &format!("how, or delete this line where it is not quantized; {why}")),
        },
        Quantized::No if is_quantized => sheet.decide("quantization", "how, such as int8: no file says it"),
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
    let tag = facts.card.first("pipeline_tag");
    let said = tag.as_deref().and_then(modalities);
    let open = tag.as_deref().filter(|tag| is_of_any_kind(tag) && !is_of_text(facts));
    match (said, open) {
        (Some(modalities), None) => sheet.line("modalities", &list(modalities), "pipeline_tag of the model card"),
        (_, open) => match answers.find("model.modalities").filter(|answer| is_texts(&answer.value)) {
            Some(answer) => sheet.answered("modalities", &answer),
            None if let Some(tag) = open => {
                let kind = facts.config.model_type.as_deref().or(facts.config.architecture.as_deref());
                let kind = kind.map(|kind| format!(", and config.json says {kind}")).unwrap_or_default();
                let what = format!(
                    "DECIDE: text, image, audio or video, each that it takes or gives: pipeline_tag is {tag}{kind}"
                );
                sheet.line("modalities", &list(&[&what]), "");
            }
            None => sheet.comment("modalities = [\"text\"]"),
        },
    }
    match answers.find_text("model.family", |_| true) {
        Some(answer) => sheet.answered("family", &answer),
        None => sheet.comment("family = \"Tiny\"  # the name it is marketed under; never an identity"),
    }
    if let Some(name) = &facts.origin.huggingface {
        let revision = facts.origin.revision.as_ref().map(|revision| format!("@{revision}")).unwrap_or_default();
        let purl = format!("pkg:huggingface/{name}{revision}");
        match &facts.origin.doubt {
            None => sheet.text("purl", &purl, "where the folder came from"),
            Some(doubt) => {
                sheet.decide("purl", &format!("{purl} if these are its weights, or delete this line: {doubt}"))
            }
        }
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
    if !facts.named_code.is_empty() || !facts.code.is_empty() {
        sheet.comment("Careful: this release holds code that loading it may run; auditors report that:");
        facts.code.iter().take(10).for_each(|path| sheet.comment(&format!("  {path}")));
        for (file, CodeReference { field, .. }) in facts.named_code.iter().take(10) {
            sheet.comment(&format!("  {field} in {file}"));
        }
    }
}

/// `artifact`: what files say, what was said before, what the variant is called. Whether it is written as quantized.
fn artifact(sheet: &mut FormWriter, names: &Names, facts: &Facts, answers: &Answers, quantized: &Quantized) -> bool {
    sheet.comment(&format!("What kind of object it is: {}.", Artifact::TEXTS.join(", ")));
    let is_word = |text: &str| Artifact::from_text(text).is_some();
    // Another variant is another object.
    let is_same =
        |old: &Answer| names.variant.as_ref().is_none_or(|variant| old.value.as_str() == Some(variant.as_str()));
    let old = answers.of_old("model.variant").filter(is_same).and_then(|_| answers.of_old("model.artifact"));
    let old = old.filter(|old| old.value.as_str().is_some_and(is_word));
    let said = match (quantized, facts.adapter()) {
        (_, Some(path)) => Some((Artifact::Adapter, path.to_string())),
        (Quantized::Yes { may_be_trained: false, .. }, None) => {
            Some((Artifact::Quantized, "the quantization below".to_owned()))
        }
        _ => None,
    };
    if let Some((artifact, from)) = said {
        match old.filter(|old| old.value.as_str() != Some(artifact.as_str())) {
            Some(old) => {
                let (found, before) = (artifact.as_str(), inline(&old.value));
                sheet.decide("artifact", &format!("{found} by {from}; {} says {before}", old.from));
            }
            None => sheet.text("artifact", artifact.as_str(), &from),
        }
        return false;
    }
    let why = match quantized {
        Quantized::Open(why) => Some(why.clone()),
        Quantized::No if !facts.adapters.is_empty() || !facts.gguf_adapters.is_empty() => {
            Some("there is an adapter beside other weights: one object each?".to_owned())
        }
        _ => None,
    };
    let preset = answers.preset_parent().and_then(|preset| preset.answer("model.artifact"));
    if let Some(answer) = old.or(preset) {
        sheet.answered("artifact", &answer);
        return answer.value.as_str() == Some(Artifact::Quantized.as_str());
    }
    // A variant is named by its kind first: `instruct-onnx`. What needs a parent or a quantization is not taken from a name.
    let word = names.variant.as_ref().and_then(|variant| variant.as_str().split(['-', '_', '.']).next());
    let named = word.filter(|word| ["base", "instruct", "checkpoint", "distilled"].contains(word));
    let template = if facts.has_chat_template { " (there is a chat template: instruct?)" } else { "" };
    match (why.or_else(|| facts.made_of_others.clone()), quantized, named) {
        (Some(why), _, _) => sheet.decide("artifact", &format!("one of the words above; {why}")),
        (None, Quantized::Yes { how, .. }, None) => sheet.decide(
            "artifact",
            &format!("quantized if {how} was made of another model, base or instruct if it was trained so"),
        ),
        (None, _, Some(word)) => {
            // Both are called base: what nothing was made of yet, and what was trained further without instructions.
            if let (Some(base), "base") = (facts.bases.first(), word) {
                sheet.comment(&format!(
                    "{} names {} as a base: a model that follows instructions is instruct.",
                    base.file, base.name
                ));
            }
            sheet.text("artifact", word, "the name of the variant");
        }
        (None, _, None) => sheet.decide("artifact", &format!("one of the words above{template}")),
    }
    false
}

/// The name that the folder's origin or header gives, made to fit the grammar, and which of them. Converters write the name of the base into a
/// fine-tune's header, where its card has none: such a name is not offered.
fn suggested_name(facts: &Facts) -> Option<(String, &str)> {
    let hub =
        facts.origin.huggingface.as_deref().and_then(|name| Some((name.rsplit('/').next()?, "the folder's origin")));
    let of_header = || {
        let model = facts.gguf.first()?;
        let name = model.header().name.as_deref()?;
        let is_of_base =
            facts.bases.iter().any(|base| base.name.rsplit('/').next().is_some_and(|base| alike(base, name)));
        (!is_of_base).then_some((name, model.path().as_str()))
    };
    let (name, from) = hub.or_else(of_header)?;
    let fitting = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_') { c } else { '-' };
    let name: String = name.to_ascii_lowercase().chars().map(fitting).collect();
    name.parse::<Model>().is_ok().then_some((name, from))
}

/// Whether two names differ in case and in what separates their words alone.
fn alike(one: &str, other: &str) -> bool {
    let words =
        |name: &str| name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    words(one) == words(other)
}

/// Whether a tag is said of models of any kind that give vectors.
fn is_of_any_kind(pipeline: &str) -> bool {
    matches!(pipeline, "feature-extraction" | "sentence-similarity")
}

/// How the types of models that read text alone begin.
const OF_TEXT: [&str; 37] = [
    "albert",
    "bart",
    "bert",
    "bigbird",
    "camembert",
    "cohere",
    "convbert",
    "deberta",
    "distilbert",
    "electra",
    "ernie",
    "eurobert",
    "falcon",
    "flaubert",
    "gemma",
    "glm",
    "gpt",
    "jinabert",
    "llama",
    "longformer",
    "luke",
    "mistral",
    "mobilebert",
    "modernbert",
    "mpnet",
    "mt5",
    "nomicbert",
    "olmo",
    "opt",
    "phi",
    "qwen2",
    "qwen3",
    "roberta",
    "rwkv",
    "t5",
    "xlm",
    "xlnet",
];

/// Parts of the types of models that look or listen too.
const OF_MORE: [&str; 13] = [
    "3v",
    "4v",
    "audio",
    "clip",
    "gemma3forcond",
    "gemma3n",
    "llama4",
    "mistral3",
    "multimodal",
    "omni",
    "speech",
    "vision",
    "vl",
];

/// Whether `config.json` or a header says a model that reads text alone.
fn is_of_text(facts: &Facts) -> bool {
    let header = || facts.gguf.first()?.header().architecture.as_deref();
    let kind = facts.config.model_type.as_deref().or(facts.config.architecture.as_deref()).or_else(header);
    kind.is_some_and(|kind| {
        let kind: String = kind.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
        // The text model of Gemma 3 alone is `gemma3_text`.
        kind != "gemma3"
            && OF_TEXT.iter().any(|begin| kind.starts_with(begin))
            && !OF_MORE.iter().any(|part| kind.contains(part))
    })
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
