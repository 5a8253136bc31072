//! `stele lineage`: what a release was made of, all the way up, and what was made of it.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stele_clock::{Clock as _, SystemClock};
use stele_explain::{Exit, Explain, Failure, explain};
use stele_log_client::age::{self, CheckpointAge};
use stele_log_client::lineage::{self, Lineage};
use stele_log_client::log_view::LogView;
use stele_log_client::release_lookup::ReleaseLookup;
use stele_log_client::statements::{Lack, StatementSource as _};
use stele_spec::name::Coordinate;
use stele_spec::statement::{Parent, Release};

use crate::Output;
use crate::args::LineageArgs;
use crate::log_args::{LogContext, is_of};
use crate::render::lifecycle;
use crate::render::lineage_drawing::{self, Root};
use crate::render::page::printable;
use crate::subject::Subject;

/// The most descendants that are looked at.
const MAX_CHILDREN: usize = 100;

pub(crate) fn run(args: LineageArgs) -> Result<Output, Failure> {
    let subject = Subject::parse(&args.what)?;
    let asked = LogContext::of(&args.asking, subject.origin().as_ref())?;
    let log = asked.log()?;
    subject.origin().map_or(Ok(()), |own| is_of(&own, &log))?;
    let loaded = subject.load(Some(&log))?;
    let Some(released) = loaded.statement().release() else {
        return Err(NoLineage { kind: loaded.statement().kind().to_string() }.into());
    };
    let coordinate = released.coordinate();
    let release_status = log.release_status(&coordinate)?;
    // A release that this log does not have, or has as another, is what its file says.
    let is_here = release_status.history.release().is_some_and(|(_, there)| there == released);
    let release = release_status.history.current().filter(|_| is_here).unwrap_or(released);
    let lineage = lineage::collect(release, |parent| log.release_status(parent).map(Some))?;
    let children = children(&log, &coordinate)?;
    let (title, history) = (coordinate.to_string(), Some(&release_status.history).filter(|_| is_here));
    let root = Root { title: &title, history };
    let text = if args.dot {
        lineage_drawing::dot(&lineage, &root)
    } else if args.mermaid {
        lineage_drawing::mermaid(&lineage, &root)
    } else {
        text(&root, release, release.lineage != released.lineage, &lineage, &children, &log)
    };
    let mut json = document(&coordinate, release, &lineage, &children, &log);
    if let Some(fields) = json.as_object_mut().filter(|_| is_here) {
        fields.insert("lifecycle".into(), lifecycle::json(&release_status));
    }
    Ok(Output { text, json, failure: None })
}

/// A release that names this one as its parent.
struct Child {
    coordinate: Coordinate,
    entry: u64,
    relation: String,
}

/// What the log names as made of a coordinate, and says so itself: in its release, or as an amendment has left that.
fn children(log: &LogView<'_>, parent: &Coordinate) -> Result<(Vec<Child>, bool), Failure> {
    let listing = log.releases(&ReleaseLookup::Children(parent), MAX_CHILDREN)?;
    let mut looked_at = BTreeSet::new();
    let mut children = Vec::new();
    for coordinate in listing.statements.iter().filter_map(|logged| logged.signed().statement().coordinate()) {
        if !looked_at.insert(coordinate.clone()) {
            continue;
        }
        let release_status = log.release_status(&coordinate)?;
        let (Some((entry, _)), Some(release)) = (release_status.history.release(), release_status.history.current())
        else {
            continue;
        };
        let names = |named: &Parent| matches!(named, Parent::Logged(logged) if logged.coordinate == *parent);
        if let Some(named) = release.lineage.iter().find(|ancestor| names(&ancestor.parent)) {
            children.push(Child { coordinate, entry, relation: named.relation.to_string() });
        }
    }
    Ok((children, listing.cut))
}

fn text(
    root: &Root<'_>,
    release: &Release,
    is_amended: bool,
    lineage: &Lineage,
    (children, cut): &(Vec<Child>, bool),
    log: &LogView<'_>,
) -> String {
    let coordinate = printable(&release.coordinate().to_string());
    let mut text = lineage_drawing::tree(lineage, root);
    if is_amended {
        text.push_str(&format!("amended: from what to what is in `stele history {coordinate}`\n"));
    }
    if release.from_scratch {
        text.push_str("trained from scratch: it has no parents\n");
    }
    if !children.is_empty() {
        text.push_str(&format!("\nmade of it ({}):\n", Lack::Unindexed.text()));
        for child in children {
            let coordinate = printable(&child.coordinate.to_string());
            text.push_str(&format!("  {coordinate} ({}, entry {})\n", child.relation, child.entry));
        }
    }
    if *cut {
        text.push_str("  and more\n");
    }
    let head = log.head();
    let age = CheckpointAge::of(head, SystemClock.unix_seconds()).text();
    text.push_str(&format!("\nas of {age}, tree head of size {}, asked now\n", head.size()));
    text
}

fn document(
    coordinate: &Coordinate,
    release: &Release,
    lineage: &Lineage,
    (children, cut): &(Vec<Child>, bool),
    log: &LogView<'_>,
) -> Value {
    let mut document = json!({
        "coordinate": coordinate.to_string(),
        "from_scratch": release.from_scratch,
        "children": children.iter().map(|child| json!({
            "coordinate": child.coordinate.to_string(),
            "entry": child.entry,
            "relation": child.relation,
        })).collect::<Vec<_>>(),
        "children_cut": cut,
        "children_complete": false,
    });
    let as_of = age::head_json(log.head(), SystemClock.unix_seconds());
    if let (Some(fields), Value::Object(lineage)) = (document.as_object_mut(), lineage_drawing::json(lineage)) {
        fields.extend(lineage);
        fields.insert("as_of".into(), as_of);
    }
    document
}

/// A statement that has no lineage.
#[derive(Debug, thiserror::Error)]
#[error("a statement of the kind {kind} has no lineage")]
pub(crate) struct NoLineage {
    kind: String,
}

impl Explain for NoLineage {
    explain! {
        Self { .. } => Exit::BadInput, "not-a-release", hint: "name a release";
    }
}
