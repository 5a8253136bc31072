//! The draft as text: facts as values, decisions as `"DECIDE: ..."`, each explained in place.

use std::fmt::Write as _;

use stele_spec::name::{Model, Publisher, Variant, Version};
use stele_spec::statement::{Artifact, ComponentId, DangerousDomain, OpennessClaim, Stage};

use super::{Facts, licences};

/// The names that the command line gives.
#[derive(Debug)]
pub(crate) struct Names {
    /// Who releases it.
    pub(crate) publisher: Publisher,
    /// The model.
    pub(crate) model: Option<Model>,
    /// The version.
    pub(crate) version: Option<Version>,
    /// Which object.
    pub(crate) variant: Option<Variant>,
}

/// The text of a `release.toml`.
pub(crate) fn release_toml(names: &Names, facts: &Facts) -> String {
    let mut draft = Draft(String::new());
    draft.comment(
        "The release of a model, for `stele publish`. Drafted from what the folder says; a comment says where from.",
    );
    draft.comment(
        "Every value that begins with DECIDE is yours to replace: publish refuses the file while one is left.",
    );
    draft.comment(
        "Not written here: issued_at (the first publish writes it), and the digests of the files, the weights and the",
    );
    draft.comment("tree (publish computes them). A document that is a file of this folder needs only its name.");
    draft.blank();
    scratch(&mut draft, facts);
    draft.section("publisher");
    draft.text("name", names.publisher.as_str(), "");
    model(&mut draft, names, facts);
    license(&mut draft, facts);
    documents(&mut draft, facts);
    openness(&mut draft);
    access(&mut draft);
    rationale(&mut draft);
    obligations(&mut draft, facts);
    safety(&mut draft, facts);
    components(&mut draft, facts);
    lineage(&mut draft, facts);
    hosts(&mut draft, facts);
    draft.0
}

/// TOML being written.
struct Draft(String);

impl Draft {
    fn blank(&mut self) {
        self.0.push('\n');
    }

    fn comment(&mut self, text: &str) {
        let _ = writeln!(self.0, "# {}", one_line(text));
    }

    fn section(&mut self, name: &str) {
        let _ = write!(self.0, "\n[{name}]\n");
    }

    fn line(&mut self, name: &str, value: &str, from: &str) {
        let from = if from.is_empty() { String::new() } else { format!(" # from {}", one_line(from)) };
        let _ = writeln!(self.0, "{name} = {value}{from}");
    }

    fn text(&mut self, name: &str, value: &str, from: &str) {
        self.line(name, &quoted(value), from);
    }

    fn decide(&mut self, name: &str, what: &str) {
        self.line(name, &quoted(&format!("DECIDE: {what}")), "");
    }

    /// A document of the folder, or a decision.
    fn document(&mut self, name: &str, path: Option<&str>, what: &str) {
        match path {
            Some(path) => self.line(name, &format!("{{ name = {} }}", quoted(path)), ""),
            None => self.line(name, &format!("{{ name = {} }}", quoted(&format!("DECIDE: {what}"))), ""),
        }
    }
}

fn scratch(draft: &mut Draft, facts: &Facts) {
    draft.comment("Whether it was trained from nothing. If not, each parent is a [[lineage]] below.");
    if parents(facts).is_empty() {
        draft.decide("from_scratch", "true, or false and [[lineage]] below");
    } else {
        draft.line("from_scratch", "false", "the parents that the folder names");
    }
}

fn model(draft: &mut Draft, names: &Names, facts: &Facts) {
    draft.section("model");
    draft.comment(
        "Lower case a to z, 0 to 9, and single - . _ between: a coordinate is bound to these weights for ever.",
    );
    match (&names.model, suggested_name(facts)) {
        (Some(name), _) => draft.text("name", name.as_str(), ""),
        (None, Some(name)) => draft.decide("name", &format!("the model's name; the folder says {name}")),
        (None, None) => draft.decide("name", "the model's name, such as tiny"),
    }
    match &names.version {
        Some(version) => draft.text("version", version.as_str(), ""),
        None => draft.decide("version", "its version, such as 1.0.2"),
    }
    match &names.variant {
        Some(variant) => draft.text("variant", variant.as_str(), ""),
        None => draft.decide("variant", "which object of the version, such as base, instruct, instruct-gguf-q4_k_m"),
    }
    let quantization =
        facts.config.quantization.clone().or_else(|| facts.gguf.as_ref()?.quantization.map(str::to_owned));
    draft.comment(&format!("What kind of object it is: {}.", Artifact::TEXTS.join(", ")));
    match (&quantization, facts.is_adapter) {
        (Some(_), _) => draft.text("artifact", Artifact::Quantized.as_str(), "the quantization below"),
        (None, true) => draft.text("artifact", Artifact::Adapter.as_str(), "adapter_config.json"),
        (None, false) => {
            let hint = if facts.has_chat_template { " (there is a chat template: instruct?)" } else { "" };
            draft.decide("artifact", &format!("one of the words above{hint}"));
        }
    }
    match facts.formats.as_slice() {
        [] => draft.line("formats", "[\"DECIDE: the formats of the weights, such as safetensors\"]", ""),
        formats => draft.line("formats", &list(formats), "the files"),
    }
    if let Some(quantization) = quantization {
        let from = if facts.config.quantization.is_some() { "config.json" } else { "the GGUF header" };
        draft.text("quantization", &quantization, from);
    }
    if let Some((parameters, from)) = facts.parameters.filter(|(count, _)| *count < 1 << 53) {
        draft.line("parameters", &parameters.to_string(), from);
    }
    let gguf = facts.gguf.as_ref();
    if let Some(architecture) = &facts.config.architecture {
        draft.text("architecture", architecture, "config.json");
    } else if let Some(architecture) = gguf.and_then(|header| header.architecture.as_ref()) {
        draft.text("architecture", architecture, "the GGUF header");
    }
    match facts.card.first("pipeline_tag").and_then(modalities) {
        Some(modalities) => draft.line("modalities", &list(modalities), "pipeline_tag of the model card"),
        None => draft.comment("modalities = [\"text\"]"),
    }
    draft.comment("family = \"Tiny\"  # the name it is marketed under; never an identity");
    if let Some(name) = &facts.origin.huggingface {
        let revision = facts.origin.revision.as_ref().map(|revision| format!("@{revision}")).unwrap_or_default();
        draft.text("purl", &format!("pkg:huggingface/{name}{revision}"), "where the folder came from");
    }
    for (what, value) in [
        ("model_type of config.json", facts.config.model_type.as_deref()),
        ("torch_dtype of config.json", facts.config.dtype.as_deref()),
        ("name in the GGUF header", gguf.and_then(|header| header.name.as_deref())),
    ] {
        if let Some(value) = value {
            draft.comment(&format!("{what}: {value}"));
        }
    }
    for field in ["tags", "datasets", "language", "library_name"] {
        if !facts.card.all(field).is_empty() {
            draft.comment(&format!("{field} of the model card: {}", facts.card.all(field).join(", ")));
        }
    }
    if facts.config.runs_code || !facts.code.is_empty() {
        draft.comment("Careful: this release holds code that loading it may run; auditors report that:");
        facts.code.iter().take(10).for_each(|path| draft.comment(&format!("  {path}")));
        if facts.config.runs_code {
            draft.comment("  auto_map in config.json");
        }
    }
}

fn license(draft: &mut Draft, facts: &Facts) {
    draft.section("license");
    draft.comment("An SPDX expression; a licence that SPDX does not list is LicenseRef- and a name.");
    let tag = facts.card.first("license").or_else(|| facts.gguf.as_ref()?.license.as_deref());
    // `license: other` has its name beside it.
    let tag = match tag {
        Some("other") => facts.card.first("license_name").or(tag),
        tag => tag,
    };
    let said = tag.and_then(licences::of_tag);
    let written = facts.licence_files.iter().find_map(|(path, spdx)| Some((path, (*spdx)?)));
    let agree = |a: &str, b: &str| a.trim_end_matches("-only") == b.trim_end_matches("-only");
    let mut restricted = None;
    match (said, written) {
        (Some((card, _)), Some((path, file))) if !agree(&card, file) => {
            draft.decide("spdx", &format!("the model card says {card}, {path} looks like {file}"));
        }
        (Some((spdx, restricts)), _) => {
            draft.text("spdx", &spdx, "the model card or the GGUF header");
            restricted = restricts;
        }
        (None, Some((path, spdx))) => {
            draft.text("spdx", spdx, &format!("how {path} begins; check it"));
            restricted = Some(false);
        }
        (None, None) => draft.decide("spdx", "the licence of the weights, such as Apache-2.0"),
    }
    draft.comment("Whether some uses are forbidden, by the licence or by a policy that it binds to.");
    match restricted {
        Some(restricted) => draft.line("use_restricted", &restricted.to_string(), "the licence"),
        None => draft.decide("use_restricted", "true or false"),
    }
    draft.comment("The text: a file of this folder, or { name = \"...\", sha256 = \"...\", uri = \"https://...\" }.");
    match facts.licence_files.as_slice() {
        [(path, _)] => draft.document("text", Some(path.as_str()), ""),
        [] => draft.document("text", None, "put the licence's text into the folder and name it here"),
        several => {
            let names: Vec<_> = several.iter().map(|(path, _)| path.as_str()).collect();
            draft.document("text", None, &format!("one of {}", names.join(", ")));
        }
    }
}

fn documents(draft: &mut Draft, facts: &Facts) {
    draft.section("model_card");
    match &facts.card_file {
        Some(path) => draft.text("name", path.as_str(), "the folder"),
        None => draft.decide("name", "write a model card, README.md, into the folder and name it here"),
    }
}

fn openness(draft: &mut Draft) {
    draft.section("openness");
    draft.comment(&format!(
        "What you claim: {}. Auditors compute it from the components and licences.",
        OpennessClaim::TEXTS.join(", ")
    ));
    draft.decide("claim", "one of the words above");
    draft.comment("By which definition: OSAID-1.0, MOF-1.0 (then also class = \"I\", \"II\" or \"III\"), or none.");
    draft.decide("basis", "OSAID-1.0, MOF-1.0 or none");
}

fn access(draft: &mut Draft) {
    draft.section("access");
    draft.comment(&format!("Who can have the weights: {}.", Stage::TEXTS.join(", ")));
    draft.comment("From gated-download on copies are out that nobody can call back, and [[hosts]] must say where.");
    draft.decide("stage", "one of the words above");
    draft.comment("The first day of it.");
    draft.decide("since", "a day, such as 2026-06-25");
}

fn rationale(draft: &mut Draft) {
    draft.section("rationale");
    draft.comment("Why public weights are justified; one or more short texts in each list.");
    for (name, what) in [
        ("benefits", "what good you expect of it"),
        ("risks", "which harm you considered"),
        ("alternatives_rejected", "which other ways to release it you rejected, and why"),
    ] {
        draft.line(name, &format!("[{}]", quoted(&format!("DECIDE: {what}"))), "");
    }
    draft.comment("text = { name = \"rationale.pdf\", sha256 = \"...\", uri = \"https://...\" }");
}

fn obligations(draft: &mut Draft, facts: &Facts) {
    draft.section("obligations");
    draft.comment("Where people report incidents: mailto: or a page.");
    draft.decide("incident_channel", "such as mailto:incidents@acme.example");
    match &facts.use_policy {
        Some(path) => draft.document("use_policy", Some(path.as_str()), ""),
        None => draft.comment("use_policy = { name = \"USE_POLICY.md\" }"),
    }
    draft.comment("attribution = \"How you want to be named.\"");
    draft.comment("monitoring = \"What to watch for where it is deployed.\"");
}

fn safety(draft: &mut Draft, facts: &Facts) {
    draft.section("safety");
    draft.comment("The safety report: { name = \"...\" } of a file here, or { none = \"why there is none\" }.");
    match &facts.safety_report {
        Some(path) => draft.document("report", Some(path.as_str()), ""),
        None => draft.line("report", "{ none = \"DECIDE: why there is no safety report\" }", ""),
    }
    draft.comment("Each safeguard that results were got with; travels says whether somebody with the files has it.");
    match &facts.system_prompt {
        Some(path) => {
            draft.0.push_str("\n[[safety.safeguards]]\n");
            draft.text("id", "system-prompt", "the folder");
            draft.text("type", "system-prompt", "");
            draft.line("travels", "true", "");
            draft.text("file", path.as_str(), "");
        }
        None => {
            for line in ["[[safety.safeguards]]", "id = \"refusals\"", "type = \"refusal-tuning\"", "travels = true"] {
                draft.comment(line);
            }
        }
    }
    draft.section("not_evaluated");
    draft.comment(
        "Each dangerous capability: why it was not evaluated; or delete the line and give an [[evaluations]] of it.",
    );
    for domain in DangerousDomain::TEXTS {
        draft.decide(domain, "why not, or delete this line and evaluate");
    }
    draft.blank();
    draft.comment("One for each result:");
    for line in [
        "[[evaluations]]",
        "id = \"cyber-bare\"",
        "class = \"dangerous-capability\"  # capability, dangerous-capability, safety, other",
        "domain = \"cyber-abuse\"",
        "subject = \"this-release\"  # or the weights digest of what was run",
        "configuration = \"bare-weights\"  # bare-weights, with-template, with-safeguards, hosted",
        "metric = \"solved tasks\"",
        "value = \"0\"",
        "evaluator = \"Bureau of Model Tests\"",
        "date = \"2026-06-10\"",
        "effect = \"What the result changed about the release.\"",
        "dataset = { name = \"CTF set\", revision = \"2026-05\" }",
        "result = { name = \"cyber.json\" }  # a file here, or with sha256 and uri",
    ] {
        draft.comment(line);
    }
    for path in facts.evaluations.iter().take(10) {
        draft.comment(&format!("A file of results in the folder: {path}"));
    }
}

fn components(draft: &mut Draft, facts: &Facts) {
    draft.blank();
    draft.comment(
        "What is included: yes, partial or no, of the 17 components of the Model Openness Framework and five more.",
    );
    draft.comment("Each may have license, ref (a file here, or an address) and reason (why not, or only in part).");
    let first = |path: Option<&str>| path.map(str::to_owned);
    for component in ComponentId::ALL {
        let there = match component {
            ComponentId::ModelParametersFinal => first(facts.weights.first().map(|path| path.as_str())),
            ComponentId::ModelCard => first(facts.card_file.as_ref().map(|path| path.as_str())),
            ComponentId::UsagePolicy => first(facts.use_policy.as_ref().map(|path| path.as_str())),
            ComponentId::SystemPrompts => first(facts.system_prompt.as_ref().map(|path| path.as_str())),
            _ => None,
        };
        let _ = write!(draft.0, "\n[components.{component}]\n");
        match there {
            Some(path) => {
                draft.text("included", "yes", "the folder");
                draft.text("ref", &path, "");
            }
            None => draft.decide("included", "yes, partial or no"),
        }
    }
}

fn lineage(draft: &mut Draft, facts: &Facts) {
    draft.blank();
    draft.comment(
        "One for each parent. A parent in this log: parent = { coordinate = \"...\", entry = 3, leaf_hash = \"...\" }.",
    );
    draft.comment(
        "Another: its package URL and the dirHash1 over its files as you got them (find . -type f -printf '%P\\0' |",
    );
    draft.comment(
        "LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum); parent_weights is the same over its weights alone.",
    );
    let parents = parents(facts);
    let relation = match facts.card.first("base_model_relation") {
        Some(word @ ("adapter" | "merge" | "quantized" | "finetune")) => {
            Some((word, "base_model_relation of the model card"))
        }
        _ if facts.is_adapter => Some(("adapter", "adapter_config.json")),
        _ if parents.len() > 1 => None,
        _ if facts.config.quantization.is_some() => Some(("quantized", "quantization_config")),
        _ => None,
    };
    for parent in &parents {
        draft.0.push_str("\n[[lineage]]\n");
        match relation {
            Some((relation, from)) => draft.text("relation", relation, from),
            None => draft.decide("relation", "finetune, adapter, merge, quantized, distilled, converted or other"),
        }
        let purl = format!("pkg:huggingface/{parent}");
        let digest = quoted("DECIDE: the dirHash1 over the parent's files");
        draft.line("parent", &format!("{{ purl = {}, digest = {digest} }}", quoted(&purl)), "the folder");
        draft.decide("parent_weights", "the dirHash1 over the parent's weights");
        draft.decide("tool", "what made this of it, with its version; or none");
        let word = quoted("DECIDE: true or false");
        draft.comment("What of the parent's is carried on in this folder.");
        draft.line(
            "carries",
            &format!("{{ license = {word}, use_policy = {word}, model_card = {word}, risk_notes = {word} }}"),
            "",
        );
    }
    if parents.is_empty() {
        for line in [
            "[[lineage]]",
            "relation = \"finetune\"  # adapter, merge, quantized, distilled, converted, other",
            "parent = { purl = \"pkg:huggingface/acme/base\", digest = \"...\" }",
            "parent_weights = \"...\"",
            "tool = \"trl 0.19.0\"",
            "carries = { license = true, use_policy = true, model_card = true, risk_notes = true }",
        ] {
            draft.comment(line);
        }
    }
}

fn hosts(draft: &mut Draft, facts: &Facts) {
    draft.blank();
    draft.comment(
        "Where the files can be had, from the stage gated-download on. A host is a locator, never an identity.",
    );
    let origin = &facts.origin;
    let known = match (&origin.huggingface, &origin.git) {
        (Some(name), _) => Some(("huggingface", format!("https://huggingface.co/{name}"))),
        (None, Some(url)) => Some(("git", url.clone())),
        (None, None) => None,
    };
    match known {
        Some((kind, locator)) => {
            draft.0.push_str("\n[[hosts]]\n");
            draft.text("type", kind, "where the folder came from");
            draft.text("locator", &locator, "");
            match &origin.revision {
                Some(revision) => draft.text("revision", revision, "where the folder came from"),
                None => draft.decide("revision", "the commit"),
            }
            draft.decide("gated", "whether one has to ask first: true or false");
            draft.decide("since", "the first day there, such as 2026-06-25");
        }
        None => {
            if let Some(revision) = &origin.revision {
                draft.comment(&format!("The folder was downloaded from Hugging Face at the commit {revision}."));
            }
            for line in [
                "[[hosts]]",
                "type = \"huggingface\"  # modelscope, git, oci, ollama, kaggle; https, s3, torrent, other need no revision",
                "locator = \"https://huggingface.co/acme/tiny\"",
                "revision = \"the commit\"",
                "gated = false",
                "since = \"2026-06-25\"",
            ] {
                draft.comment(line);
            }
        }
    }
}

/// The names of parents on Hugging Face, as card, adapter config and GGUF header give them.
fn parents(facts: &Facts) -> Vec<String> {
    let mut parents: Vec<String> = facts.card.all("base_model").to_vec();
    parents.extend(facts.gguf.iter().flat_map(|header| header.base_models.iter().cloned()));
    parents.retain(|name| {
        let mut parts = name.split('/');
        let word = |part: Option<&str>| {
            part.is_some_and(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_graphic()))
        };
        word(parts.next()) && word(parts.next()) && parts.next().is_none()
    });
    parents.dedup();
    parents
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

/// A TOML basic string. What the folder says is anybody's text.
fn quoted(text: &str) -> String {
    toml::Value::from(one_line(text)).to_string()
}

/// Text on one line, without what does not show: a comment must not end early, a value must be a line.
fn one_line(text: &str) -> String {
    crate::page::printable(&text.replace(['\n', '\r', '\t'], " ")).trim().to_owned()
}
