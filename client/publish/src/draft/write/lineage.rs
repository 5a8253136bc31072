//! `[[lineage]]`: the parents that the folder names.

use std::collections::HashSet;

use stele_model_files::hub_name::HubName;
use stele_spec::finding::DeclaredBase;

use crate::draft::facts::Facts;
use crate::draft::quantized::Quantized;
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
    let word = facts.card.first("base_model_relation");
    let word = word.filter(|word| ["adapter", "merge", "quantized", "finetune"].contains(&word.as_str()));
    let relation = match (word, facts.adapter()) {
        (Some(word), _) => Some((word, "base_model_relation of the model card".to_owned())),
        (None, Some(path)) => Some(("adapter".to_owned(), path.to_string())),
        _ if parents.len() > 1 => None,
        _ => match Quantized::of(facts) {
            Quantized::Yes { from, may_be_trained: false, .. } => {
                Some(("quantized".to_owned(), format!("the quantization that {from} says")))
            }
            _ => None,
        },
    };
    for base in facts.base_paths.iter().take(MAX_PATHS) {
        sheet.comment(&format!(
            "{} names a path, {}: which model was it? Add a [[lineage]] for it.",
            base.file, base.name
        ));
    }
    for Named { base, purl } in &parents {
        sheet.item("lineage");
        match &relation {
            Some((relation, from)) => sheet.text("relation", relation, from),
            None => sheet.decide("relation", "finetune, adapter, merge, quantized, distilled, converted or other"),
        }
        let from = base.file.as_str();
        let purl = match purl {
            Some(purl) => purl.clone(),
            None => format!("DECIDE: the package URL of what {from} calls {}", base.name),
        };
        let digest = quoted("DECIDE: the dirHash1 over the parent's files");
        sheet.line("parent", &format!("{{ purl = {}, digest = {digest} }}", quoted(&purl)), from);
        let revision =
            facts.adapters.iter().find(|(path, _)| *path == base.file).and_then(|(_, config)| config.revision.as_ref());
        if let Some(revision) = revision {
            sheet.comment(&format!("{from} says the revision {revision} of it."));
        }
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
    if let Some(name) = &facts.config.loaded_from {
        sheet.comment(&format!(
            "config.json was saved from {name} (_name_or_path), which may be a parent or any folder."
        ));
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

/// A base model that files name.
pub(super) struct Named<'a> {
    pub(super) base: &'a DeclaredBase,
    /// Its package URL; nothing where a person has to say it.
    purl: Option<String>,
}

/// The parents that card, adapter configs and GGUF headers name, each once.
pub(super) fn parents(facts: &Facts) -> Vec<Named<'_>> {
    let mut seen = HashSet::new();
    let named = facts.bases.iter().map(|base| match HubName::of(&base.name) {
        HubName::Model(name) => {
            let key = name.to_ascii_lowercase();
            (key, Named { base, purl: Some(format!("pkg:huggingface/{name}")) })
        }
        HubName::NoOwner(name) => (name.to_ascii_lowercase(), Named { base, purl: None }),
        HubName::Elsewhere if base.name.starts_with("pkg:") => {
            (base.name.clone(), Named { base, purl: Some(base.name.clone()) })
        }
        HubName::Elsewhere => (base.name.clone(), Named { base, purl: None }),
    });
    named.filter(|(key, _)| seen.insert(key.clone())).map(|(_, named)| named).take(MAX_PARENTS).collect()
}
