//! `[[lineage]]`: the parents that the folder names.

use std::collections::HashSet;

use crate::draft::Facts;
use crate::form::{FormWriter, quoted};

/// The most parents that are written: what names more is no model that a person completes by hand.
const MAX_PARENTS: usize = 100;
/// The most paths in the place of base models that are asked about.
const MAX_PATHS: usize = 20;

pub(super) fn write(sheet: &mut FormWriter, facts: &Facts) {
    sheet.blank();
    sheet.comment(
        "One for each parent. A parent in this log: parent = { coordinate = \"publisher/model@version#variant\" } and no",
    );
    sheet.comment("parent_weights: publish looks up its entry and its weights, and proves them.");
    sheet.comment(
        "Another: its package URL and the dirHash1 over its files as you got them (find . -type f -printf '%P\\0' |",
    );
    sheet.comment(
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
    for base in facts.base_paths.iter().take(MAX_PATHS) {
        sheet.comment(&format!(
            "{} names a path, {}: which model was it? Add a [[lineage]] for it.",
            base.file, base.name
        ));
    }
    for parent in &parents {
        sheet.item("lineage");
        match relation {
            Some((relation, from)) => sheet.text("relation", relation, from),
            None => sheet.decide("relation", "finetune, adapter, merge, quantized, distilled, converted or other"),
        }
        let purl = format!("pkg:huggingface/{parent}");
        let digest = quoted("DECIDE: the dirHash1 over the parent's files");
        sheet.line("parent", &format!("{{ purl = {}, digest = {digest} }}", quoted(&purl)), "the folder");
        sheet.decide("parent_weights", "the dirHash1 over the parent's weights");
        sheet.decide("tool", "what made this of it, with its version; or none");
        let word = quoted("DECIDE: true or false");
        sheet.comment("What of the parent's is carried on in this folder.");
        sheet.line(
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
            sheet.comment(line);
        }
    }
}

/// The names of parents on Hugging Face, as card, adapter config and GGUF header give them.
pub(super) fn parents(facts: &Facts) -> Vec<&str> {
    let is_name = |name: &str| {
        let mut parts = name.split('/');
        let word = |part: Option<&str>| {
            part.is_some_and(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_graphic()))
        };
        word(parts.next()) && word(parts.next()) && parts.next().is_none()
    };
    let mut seen = HashSet::new();
    let names = facts.bases.iter().map(|base| base.name.as_str());
    names.filter(|name| is_name(name) && seen.insert(*name)).take(MAX_PARENTS).collect()
}
