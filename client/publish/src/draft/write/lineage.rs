//! `[[lineage]]`: the parents that the folder names.

use std::collections::HashSet;

use stele_model_files::bases::is_merge;
use stele_model_files::hub_name::HubName;
use stele_model_files::tool::Tool;
use stele_spec::finding::DeclaredBase;
use stele_spec::manifest::FilePath;
use stele_spec::name::{Coordinate, Publisher};
use toml::{Table, Value};

use super::names::Names;
use crate::draft::answers::{Answers, PresetParent};
use crate::draft::facts::Facts;
use crate::draft::quantized::Quantized;
use crate::form::{Answer, AnsweredBy, FormWriter, quoted};
use crate::short_forms::{CARRIED, MADE};

/// The most parents that are written: what names more is no model that a person completes by hand.
const MAX_PARENTS: usize = 100;
/// The most paths in the place of base models that are asked about.
const MAX_PATHS: usize = 20;

pub(super) fn write(sheet: &mut FormWriter, names: &Names, facts: &Facts, answers: &Answers) {
    sheet.blank();
    sheet.comment(
        "One for each parent. A parent in this log: parent = { coordinate = \"publisher/model@version#variant\" } and no more:",
    );
    sheet.comment("publish looks up its entry and its weights, and proves them. Another: its package URL, and folder = \"...\" with its");
    sheet.comment("files as you got them, beside this file or an absolute path: publish computes digest and parent_weights. Or both by hand:");
    sheet.comment(
        "digest is the dirHash1 over its files (find . -type f -printf '%P\\0' | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum),",
    );
    sheet.comment("and parent_weights is the same over its weights alone. Where you never had its bytes, as where a service trained on it,");
    sheet.comment("write in the place of folder: listing = \"FILE\" with the answer of its hub to /api/models/NAME/tree/COMMIT?recursive=true,");
    sheet.comment("and @COMMIT after the package URL; or unknown = \"why nothing is known of them\". Auditors will report such a parent.");
    earlier(sheet, names, answers);
    let mut named = parents(facts);
    let mut before: Vec<Before> = before(answers);
    let how = how(facts, named.len());
    for base in facts.base_paths.iter().take(MAX_PATHS) {
        sheet.comment(&format!(
            "{} names a path, {}: which model was it? Add a [[lineage]] for it.",
            base.file, base.name
        ));
    }
    if let Some(parent) = &answers.parent {
        let at = named.iter().position(|base| base.is(&parent.coordinate)).or((named.len() == 1).then_some(0));
        let base = at.map(|at| named.remove(at));
        let known = before.iter().position(|old| old.coordinate() == Some(parent.coordinate.to_string().as_str()));
        let known = known.map(|at| before.remove(at));
        of_preset(sheet, facts, parent, base.as_ref(), known.as_ref());
    }
    for base in &named {
        let known = before.iter().position(|old| old.is(base)).map(|at| before.remove(at));
        of_file(sheet, facts, base, &how, known.as_ref(), &before);
    }
    // What files name takes the place of what was said before; where they name nothing, it goes on.
    if named.is_empty() && answers.parent.is_none() {
        for old in &before {
            sheet.item("lineage");
            for name in ["relation", "parent", "parent_weights", "tool", "carries", "recipe"] {
                old.go_on(sheet, name);
            }
        }
    }
    if let Some(name) = &facts.config.loaded_from {
        sheet.comment(&format!(
            "config.json was saved from {name} (_name_or_path), which may be a parent or any folder."
        ));
    }
    if named.is_empty() && before.is_empty() && answers.parent.is_none() {
        for line in [
            "[[lineage]]",
            "relation = \"finetune\"  # adapter, merge, quantized, distilled, converted, other",
            "parent = { purl = \"pkg:huggingface/acme/base\", folder = \"../base\" }",
            "tool = \"trl 0.19.0\"",
            "carries = [\"license\", \"use_policy\", \"model_card\", \"risk_notes\"]",
        ] {
            sheet.comment(line);
        }
    }
}

/// That an earlier version is no parent by itself, and how it is said that it is one, and that this takes its place.
fn earlier(sheet: &mut FormWriter, names: &Names, answers: &Answers) {
    let Some(old) = answers.old.as_ref().and_then(|old| old.coordinate.as_ref()) else { return };
    let is_same = |publisher: &Publisher| *publisher == old.publisher;
    let model = names.model.as_ref().is_none_or(|model| *model == old.model);
    let version = names.version.as_ref().is_none_or(|version| *version != old.version);
    if !(names.publisher.as_ref().is_none_or(is_same) && model && version) {
        return;
    }
    sheet
        .comment(&format!("The version before this is {old}. Where this was trained further from it, it is a parent:"));
    for line in [
        "[[lineage]]".to_owned(),
        "relation = \"finetune\"".to_owned(),
        format!("parent = {{ coordinate = \"{old}\" }}"),
        "tool = \"...\"".to_owned(),
        "carries = [\"license\", \"model_card\"]".to_owned(),
    ] {
        sheet.comment(&line);
    }
    sheet.comment(&format!("That this takes its place is said after publishing: stele supersede {old} --by THIS"));
}

/// How the model came of its parent, by what the files say.
enum How {
    /// This, and what says so.
    Said(&'static str, String),
    /// A person has to say, for this reason.
    Open(String),
}

/// What is written of how the model came of its parent.
enum Asked {
    /// What files say.
    Fact(&'static str, String),
    /// What was answered before.
    Answered(Answer),
    /// A person has to say.
    Open(String),
}

/// How the model came of its parents. That a base model is named says by itself not what was done with it.
fn how(facts: &Facts, parents: usize) -> How {
    const RELATIONS: [&str; 4] = ["adapter", "merge", "quantized", "finetune"];
    let card = facts.card_file.as_ref().map_or("the model card", |path| path.as_str());
    let word = facts.card.first("base_model_relation");
    let word = word.as_deref().and_then(|word| RELATIONS.into_iter().find(|relation| *relation == word));
    let by_files = by_files(facts);
    match (word, by_files) {
        (Some(word), Some((found, from))) if word != found => {
            How::Open(format!("{found} by {from}; base_model_relation in {card} says {word}"))
        }
        // Repositories of converted files call themselves quantized, as the hub has no other word.
        (Some("quantized"), None) => How::Open(format!(
            "quantized by base_model_relation in {card}, and no file says how: quantized, converted or another"
        )),
        (Some(word), _) => How::Said(word, format!("base_model_relation in {card}")),
        (None, Some((found, from))) => How::Said(found, from),
        (None, None) => How::Open(asked(facts, parents, card)),
    }
}

/// What weights and adapter configs say themselves.
fn by_files(facts: &Facts) -> Option<(&'static str, String)> {
    if let Some(path) = facts.adapter() {
        return Some(("adapter", path.to_string()));
    }
    if let Some(base) = facts.bases.iter().chain(&facts.base_paths).find(|base| is_merge(&base.file)) {
        return Some(("merge", base.file.to_string()));
    }
    match Quantized::of(facts) {
        Quantized::Yes { from, may_be_trained: false, .. } => {
            Some(("quantized", format!("the quantization that {from} says")))
        }
        _ => None,
    }
}

/// The question, with what files let suppose.
fn asked(facts: &Facts, parents: usize, card: &str) -> String {
    let tags = facts.card.all("tags");
    let merged = tags.iter().find(|tag| ["merge", "mergekit"].contains(&tag.as_str()));
    let supposed = match (&facts.exporter, facts.formats.as_slice(), merged) {
        (_, _, Some(tag)) if parents > 1 => format!("; merge by the tag {tag} in {card}?"),
        (Some((tool, path)), ["onnx"], _) => format!("; {path} was exported by {}: converted?", tool.as_str()),
        (_, ["safetensors" | "pytorch"] | ["pytorch", "safetensors"], _) if parents == 1 => "; finetune?".to_owned(),
        _ => String::new(),
    };
    format!("finetune, adapter, merge, quantized, distilled, converted or other: no file says it{supposed}")
}

/// A parent that the files name, with what was said of it before.
fn of_file(
    sheet: &mut FormWriter,
    facts: &Facts,
    named: &Named<'_>,
    how: &How,
    known: Option<&Before>,
    others: &[Before],
) {
    let Named { base, purl } = named;
    sheet.item("lineage");
    let before = known.and_then(|known| known.text("relation").map(|said| (said, known)));
    let relation = match (how, before) {
        (How::Said(relation, from), Some((said, known))) if said != *relation => {
            Asked::Open(format!("{relation} by {from}; {} says {said}", known.from))
        }
        (How::Said(relation, from), _) => Asked::Fact(relation, from.clone()),
        (How::Open(_), Some((said, known))) => Asked::Answered(known.says(said.into())),
        (How::Open(why), None) => Asked::Open(why.clone()),
    };
    relation_and_tool(sheet, facts, known, &relation);
    let from = base.file.as_str();
    match known {
        Some(known) => {
            known.go_on(sheet, "parent");
            known.go_on(sheet, "parent_weights");
        }
        None => {
            let before: Vec<String> = others.iter().take(3).map(Before::shown).collect();
            let before = match (others.first(), before.is_empty()) {
                (Some(other), false) => format!("; {} says {}", other.from, before.join(", ")),
                _ => String::new(),
            };
            let purl = match purl {
                Some(purl) => purl.clone(),
                None => format!("DECIDE: the package URL of what {from} calls {}", base.name),
            };
            if !purl.contains(['@', ' ']) {
                sheet.comment("@ and the commit behind its name says which state of it: without one auditors report reference-floating.");
            }
            let folder = quoted(&format!(
                "DECIDE: the folder with its files as you got them, or listing or unknown in its place{before}"
            ));
            sheet.line("parent", &format!("{{ purl = {}, folder = {folder} }}", quoted(&purl)), from);
        }
    }
    let revision =
        facts.adapters.iter().find(|(path, _)| *path == base.file).and_then(|(_, config)| config.revision.as_ref());
    if let Some(revision) = revision {
        sheet.comment(&format!("{from} says the revision {revision} of it."));
    }
    carries(sheet, known);
}

/// The parent that a preset names: publish looks it up in the log.
fn of_preset(
    sheet: &mut FormWriter,
    facts: &Facts,
    parent: &PresetParent,
    base: Option<&Named<'_>>,
    known: Option<&Before>,
) {
    sheet.item("lineage");
    let relation = match (parent.relation, how(facts, 1)) {
        (Some(relation), _) => Asked::Answered(parent.source.says(relation.as_str().into())),
        (None, How::Said(relation, from)) => {
            Asked::Open(format!("{relation} by {from}; {} says another", parent.source.name))
        }
        (None, How::Open(why)) => Asked::Open(why),
    };
    relation_and_tool(sheet, facts, known, &relation);
    let coordinate = parent.coordinate.to_string();
    match base.filter(|base| !base.is(&parent.coordinate) && known.is_none()) {
        // Who is called what on a hub is not known to a log: the person says whether both names are of one model.
        Some(Named { base, .. }) => sheet.line(
            "parent",
            &format!(
                "{{ coordinate = {} }}",
                quoted(&format!("DECIDE: {coordinate} if it is what {} calls {}", base.file, base.name))
            ),
            "",
        ),
        None => {
            let named = Table::from_iter([("coordinate".to_owned(), Value::from(coordinate))]);
            sheet.answered("parent", &parent.source.says(named.into()));
        }
    }
    carries(sheet, known);
}

/// What made a model of its parent.
enum Made<'a> {
    /// This, by a file.
    By(&'a Tool, &'a FilePath),
    /// What was said before.
    AsBefore(&'a Before),
    /// A person has to say; with what is known.
    Open(String),
}

fn made<'a>(facts: &'a Facts, known: Option<&'a Before>) -> Made<'a> {
    let exported = facts.exporter.as_ref().filter(|_| facts.formats == ["onnx"]);
    // What wrote a GGUF file is not what saved the configuration beside it.
    let saved = facts.tool.as_ref().filter(|_| !facts.formats.iter().any(|format| ["gguf", "onnx"].contains(format)));
    match (exported.or(saved.filter(|(tool, _)| tool.made_it())), known) {
        (Some((tool, path)), _) => Made::By(tool, path),
        (None, Some(known)) if known.field("tool").is_some() => Made::AsBefore(known),
        _ => Made::Open(saved.map(|(tool, path)| format!("; {} saved {path}", tool.as_str())).unwrap_or_default()),
    }
}

/// `relation` and `tool`, which are one question where nothing answers either.
fn relation_and_tool(sheet: &mut FormWriter, facts: &Facts, known: Option<&Before>, relation: &Asked) {
    let made = made(facts, known);
    match (relation, &made) {
        (Asked::Open(why), Made::Open(saved)) => {
            return sheet.decide(
                MADE,
                &format!("how and with what, such as finetune by trl 0.19.0, or merge by none: {why}{saved}"),
            );
        }
        (Asked::Open(why), _) => sheet.decide("relation", why),
        (Asked::Answered(answer), _) => sheet.answered("relation", answer),
        (Asked::Fact(relation, from), _) => sheet.text("relation", relation, from),
    }
    match made {
        Made::By(tool, path) => sheet.text("tool", tool.as_str(), path.as_str()),
        Made::AsBefore(known) => known.go_on(sheet, "tool"),
        Made::Open(saved) => sheet.decide("tool", &format!("what made this of it, with its version; or none{saved}")),
    }
}

fn carries(sheet: &mut FormWriter, known: Option<&Before>) {
    match known.filter(|known| known.field("carries").is_some()) {
        Some(known) => known.go_on(sheet, "carries"),
        None => {
            sheet.comment("What of the parent's is carried on in this folder; none of it is [].");
            sheet.line("carries", &format!("[{}]", quoted(&format!("DECIDE: some of {}", CARRIED.join(", ")))), "");
        }
    }
}

/// A parent of the earlier release.
struct Before {
    fields: Table,
    from: String,
}

/// The parents of the earlier release.
fn before(answers: &Answers) -> Vec<Before> {
    let lineage = answers.of_old("lineage");
    let parents = lineage.iter().filter_map(|lineage| lineage.value.as_array()).flatten().filter_map(Value::as_table);
    parents.map(|fields| Before { fields: fields.clone(), from: answers.old_name().to_owned() }).collect()
}

impl Before {
    fn field(&self, name: &str) -> Option<&Value> {
        self.fields.get(name)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.field(name)?.as_str()
    }

    /// Its coordinate, where it is in the log.
    fn coordinate(&self) -> Option<&str> {
        let parent = self.field("parent")?;
        parent.as_str().or_else(|| parent.get("coordinate")?.as_str())
    }

    /// Its name, for a person.
    fn shown(&self) -> String {
        let purl = || self.field("parent")?.get("purl")?.as_str();
        self.coordinate().or_else(purl).unwrap_or("another parent").to_owned()
    }

    /// Whether it is what a file names: by its package URL without a version, or by the model of its coordinate.
    fn is(&self, named: &Named<'_>) -> bool {
        if let Some(coordinate) = self.coordinate() {
            return coordinate.parse().is_ok_and(|coordinate| named.is(&coordinate));
        }
        let purl = self.field("parent").and_then(|parent| parent.get("purl")?.as_str());
        let bare = |purl: &str| purl.split(['@', '?', '#']).next().unwrap_or_default().to_ascii_lowercase();
        purl.is_some_and(|purl| named.purl.as_deref().is_some_and(|named| bare(named) == bare(purl)))
    }

    /// A value, as its answer.
    fn says(&self, value: Value) -> Answer {
        Answer { value, from: self.from.clone(), by: AnsweredBy::Carried }
    }

    /// Writes a field as it was said.
    fn go_on(&self, sheet: &mut FormWriter, name: &str) {
        let Some(value) = self.field(name) else { return };
        let mut value = value.clone();
        // The entry of a parent is looked up again: the log may be another.
        if let (Some(parent), true) = (value.as_table_mut(), name == "parent")
            && parent.contains_key("coordinate")
        {
            parent.remove("entry");
            parent.remove("leaf_hash");
        }
        let answer = self.says(value);
        match name {
            "parent_weights" if self.coordinate().is_some() => {}
            "parent_weights" | "recipe" => sheet.goes_with(name, &answer),
            _ => sheet.answered(name, &answer),
        }
    }
}

/// A base model that files name.
pub(super) struct Named<'a> {
    pub(super) base: &'a DeclaredBase,
    /// Its package URL; nothing where a person has to say it.
    purl: Option<String>,
}

impl Named<'_> {
    /// Whether a release of the log bears its name. Who owns a name on a hub is not who holds one in the log.
    fn is(&self, coordinate: &Coordinate) -> bool {
        let name = self.purl.as_deref().unwrap_or(&self.base.name);
        let name = name.split(['@', '?', '#']).next().unwrap_or_default().to_ascii_lowercase();
        name.rsplit('/').next() == Some(coordinate.model.as_str())
    }
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
