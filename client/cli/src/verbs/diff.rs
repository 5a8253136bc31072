//! `stele diff A B`: what changed between two releases, or between two statements.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stele_explain::Failure;
use stele_explain::printable::one_line;
use stele_spec::statement::{Ancestor, Parent};

use crate::Output;
use crate::args::DiffArgs;
use crate::loaded_statement::LoadedStatement;
use crate::log_args::LogContext;
use crate::render::difference::{Change, between};
use crate::render::page::Page;
use crate::subject::Subject;

/// The most changes of one part that a person is shown.
const LISTED: usize = 50;

/// The parts, in the order in which they matter to a reader; what is in none of them is the rest.
const PARTS: [(&str, &[&str]); 10] = [
    ("what it is", &["kind", "publisher", "model", "release", "by"]),
    ("weights", &["weights", "weights_digest", "tree"]),
    ("licence", &["license"]),
    ("model card", &["model_card"]),
    ("evidence", &["evaluations", "not_evaluated", "safety", "evidence", "evaluation"]),
    ("components and openness", &["components", "openness"]),
    ("access", &["access", "hosts"]),
    ("lineage", &["lineage", "from_scratch"]),
    ("obligations and documents", &["obligations", "rationale", "docs", "legal", "support"]),
    ("files", &["files"]),
];

pub(crate) fn run(args: DiffArgs) -> Result<Output, Failure> {
    let (first, second) = (Subject::parse(&args.first)?, Subject::parse(&args.second)?);
    let origin = first.origin().or_else(|| second.origin());
    let asked = match first.needs_log() || second.needs_log() {
        true => Some(LogContext::of(&args.asking, origin.as_ref())?),
        false => None,
    };
    let log = asked.as_ref().map(LogContext::log).transpose()?;
    let (first, second) = (first.load(log.as_ref())?, second.load(log.as_ref())?);
    let changes = between(&value(&first), &value(&second));
    let files_known = first.manifest.is_some() && second.manifest.is_some();
    let text = text(&changes, &[&first, &second]);
    Ok(Output { text, json: document(&args, &changes, files_known, &[&first, &second]), failure: None })
}

/// A release as it stands, with its files; any other statement as it is.
fn value(loaded: &LoadedStatement) -> Value {
    let mut value = match loaded.release() {
        Some(release) => json!(release),
        None => json!(loaded.statement()),
    };
    if let (Some(fields), Some(manifest)) = (value.as_object_mut(), &loaded.manifest) {
        fields.insert("files".into(), json!(manifest.files()));
    }
    value
}

fn name(loaded: &LoadedStatement) -> String {
    let coordinate = loaded.statement().coordinate().map(|coordinate| coordinate.to_string());
    let name = coordinate.unwrap_or_else(|| loaded.statement().publisher().to_string());
    let kind = loaded.statement().kind();
    let entry = loaded.position.map(|position| format!(", entry {position}")).unwrap_or_default();
    let amended = match &loaded.release_status {
        Some(release_status) if release_status.history.events().len() > 1 => {
            format!(", {}", release_status.history.state())
        }
        _ => String::new(),
    };
    let verified = if loaded.position.is_none() { ", not verified" } else { "" };
    format!("{name} ({kind}{entry}{amended}{verified})")
}

fn text(changes: &[Change], sides: &[&LoadedStatement; 2]) -> String {
    let [first, second] = sides;
    let mut page = Page(format!("- {}\n+ {}\n", one_line(&name(first)), one_line(&name(second))));
    if changes.is_empty() {
        page.section("nothing differs in what the records say");
    }
    let part_of = |change: &Change| PARTS.iter().position(|(_, fields)| fields.contains(&change.part()));
    let rest = PARTS.len();
    for at in 0..=rest {
        let of_part: Vec<_> = changes.iter().filter(|change| part_of(change).unwrap_or(rest) == at).collect();
        if of_part.is_empty() {
            continue;
        }
        page.section(PARTS.get(at).map_or("the statement itself", |(title, _)| title));
        for change in of_part.iter().take(LISTED) {
            page.0.push_str(&change.lines());
        }
        if of_part.len() > LISTED {
            page.row("", &format!("and {} more", of_part.len() - LISTED));
        }
        if of_part.iter().any(|change| change.part() == "lineage") {
            unseen(sides).iter().for_each(|line| page.row("", line));
        }
    }
    page.section("what of the files was compared");
    page.row("", &compared(sides));
    page.0
}

/// The parents of either side whose bytes its publisher never had, each once.
fn unseen(sides: &[&LoadedStatement; 2]) -> Vec<String> {
    let lineage = |side: &&LoadedStatement| match side.release() {
        Some(release) => release.lineage.clone(),
        None => side.statement().lineage().to_vec(),
    };
    let ancestors: Vec<Ancestor> = sides.iter().flat_map(lineage).collect();
    let lines = ancestors.iter().filter_map(|ancestor| match &ancestor.parent {
        Parent::Unseen(parent) => Some(format!("{}: {}", parent.purl, parent.bytes)),
        Parent::Logged(_) | Parent::Unlogged(_) => None,
    });
    lines.collect::<BTreeSet<_>>().into_iter().collect()
}

/// Whether files were compared, and how.
fn compared(sides: &[&LoadedStatement; 2]) -> String {
    let [first, second] = sides;
    if let (Some(first), Some(second)) = (&first.manifest, &second.manifest) {
        let (first, second) = (first.files().len(), second.files().len());
        return format!(
            "the lists of {first} and {second} files in the records; the files were not read (`stele verify` reads them)"
        );
    }
    let lacks = |side: &&&LoadedStatement| side.manifest.is_none();
    let why = |side: &&LoadedStatement| match side.statement().manifest_digest() {
        Some(_) => format!("the manifest of {} is not at hand", name(side)),
        None => format!("{} names none", name(side)),
    };
    let why: Vec<String> = sides.iter().filter(lacks).map(why).collect();
    format!("nothing: {}", why.join("; "))
}

fn document(args: &DiffArgs, changes: &[Change], files_known: bool, sides: &[&LoadedStatement; 2]) -> Value {
    let side = |text: &str, loaded: &LoadedStatement| {
        json!({
            "given": text,
            "name": name(loaded),
            "kind": loaded.statement().kind().to_string(),
            "coordinate": loaded.statement().coordinate().map(|coordinate| coordinate.to_string()),
            "entry": loaded.position,
            "verified": loaded.position.is_some(),
        })
    };
    let [first, second] = sides;
    json!({
        "first": side(&args.first, first),
        "second": side(&args.second, second),
        "records_same": changes.is_empty(),
        "manifests_compared": files_known,
        "files_read": false,
        "changes": changes.iter().map(Change::json).collect::<Vec<_>>(),
    })
}
