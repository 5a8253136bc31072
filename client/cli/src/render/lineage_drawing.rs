//! An lineage as lines, as Graphviz, as Mermaid, and for a script.

#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use serde_json::{Value, json};
use stele_log_client::lineage::{Found, Lineage, Node};
use stele_spec::statement::{Parent, Relation};
use stele_spec::status::{History, State};

use crate::render::lifecycle;
use crate::render::page::{Page, printable};

/// The release that a lineage is of.
pub(crate) struct Root<'a> {
    /// Its name.
    pub(crate) title: &'a str,
    /// What became of it, where the log has it.
    pub(crate) history: Option<&'a History>,
}

/// The rows of a section: each ancestor, what happened to it, and what is wrong with the line to it.
pub(crate) fn rows(lineage: &Lineage, page: &mut Page) {
    for node in &lineage.nodes {
        let indent = "  ".repeat(node.depth - 1);
        page.row(node.named.relation.as_str(), &format!("{indent}{}", headline(node)));
        for line in details(node) {
            page.row("", &format!("{indent}  {line}"));
        }
    }
    if lineage.cut {
        page.row("", &"and more: the lineage is longer than is followed here");
    }
}

/// A tree of lines below the release.
pub(crate) fn tree(lineage: &Lineage, root: &Root<'_>) -> String {
    let mut text = printable(root.title).to_string();
    if let Some(history) = root.told() {
        let _ = write!(text, ": {}", printable(&lifecycle::state(history)));
        for line in told(history) {
            let _ = write!(text, "\n  {}", printable(&line));
        }
    }
    text.push('\n');
    for (at, node) in lineage.nodes.iter().enumerate() {
        let mut indent = String::new();
        let mut above = node.child;
        let mut bars = Vec::new();
        while let Some(child) = above {
            bars.push(if has_later_sibling(lineage, child) { "│  " } else { "   " });
            above = lineage.nodes.get(child).and_then(|node| node.child);
        }
        indent.extend(bars.into_iter().rev());
        let later = has_later_sibling(lineage, at);
        let (branch, below) = if later { ("├─ ", "│  ") } else { ("└─ ", "   ") };
        let _ = writeln!(text, "{indent}{branch}{} {}", phrase(node.named.relation), printable(&headline(node)));
        for line in details(node) {
            let _ = writeln!(text, "{indent}{below}  {}", printable(&line));
        }
    }
    if lineage.cut {
        text.push_str("and more: the lineage is longer than is followed here\n");
    }
    text
}

/// A Graphviz graph: an arrow leads from a release to what it was made of.
pub(crate) fn dot(lineage: &Lineage, root: &Root<'_>) -> String {
    let mut text = "digraph lineage {\n  rankdir=BT;\n  node [shape=box];\n".to_owned();
    let style = if root.is_trouble() { ", color=red" } else { "" };
    let _ = writeln!(text, "  release [label={}, penwidth=2{style}];", quoted(&root.label("\\n")));
    for (at, node) in lineage.nodes.iter().enumerate() {
        if !matches!(node.found, Found::Again(_)) {
            let style = match trouble(node) {
                true => ", color=red",
                false => "",
            };
            let _ = writeln!(text, "  n{at} [label={}{style}];", quoted(&label_of(node, "\\n")));
        }
        let (child, parent) = (id(node.child), id(Some(target(lineage, at))));
        let _ = writeln!(text, "  {child} -> {parent} [label={}];", quoted(node.named.relation.as_str()));
    }
    text.push_str("}\n");
    text
}

/// A Mermaid flow chart.
pub(crate) fn mermaid(lineage: &Lineage, root: &Root<'_>) -> String {
    let mut text = "flowchart BT\n".to_owned();
    let _ = writeln!(text, "  release[\"{}\"]", entities(&root.label("\n")).replace('\n', "<br/>"));
    if root.is_trouble() {
        let _ = writeln!(text, "  style release stroke:#c00");
    }
    for (at, node) in lineage.nodes.iter().enumerate() {
        if !matches!(node.found, Found::Again(_)) {
            let _ = writeln!(text, "  n{at}[\"{}\"]", entities(&label_of(node, "\n")).replace('\n', "<br/>"));
            if trouble(node) {
                let _ = writeln!(text, "  style n{at} stroke:#c00");
            }
        }
        let (child, parent) = (id(node.child), id(Some(target(lineage, at))));
        let _ = writeln!(text, "  {child} -->|{}| {parent}", node.named.relation);
    }
    text
}

/// For a script: a list, each ancestor before its own.
pub(crate) fn json(lineage: &Lineage) -> Value {
    let nodes = lineage.nodes.iter().enumerate().map(|(at, node)| {
        let found = match &node.found {
            Found::Unlogged => json!({ "found": "unlogged" }),
            Found::NotAsked => json!({ "found": "not-asked" }),
            Found::Again(before) => json!({ "found": "again", "same_as": before }),
            Found::Status(release_status) => json!({ "found": "logged", "status": lifecycle::json(release_status) }),
            Found::Other { problem, release_status } => {
                json!({ "found": "other", "problem": problem, "status": lifecycle::json(release_status) })
            }
        };
        let mut fields = json!({
            "number": at,
            "depth": node.depth,
            "child": node.child,
            "name": node.name(),
            "relation": node.named.relation.as_str(),
            "parent": node.named.parent,
            "carries": node.named.carries,
            "tool": node.named.tool,
        });
        if let (Some(fields), Some(weights)) = (fields.as_object_mut(), node.named.parent_weights) {
            fields.insert("parent_weights".into(), weights.to_string().into());
        }
        if let (Some(fields), Value::Object(found)) = (fields.as_object_mut(), found) {
            fields.extend(found);
        }
        fields
    });
    json!({ "ancestors": nodes.collect::<Vec<_>>(), "cut": lineage.cut })
}

fn has_later_sibling(lineage: &Lineage, at: usize) -> bool {
    let Some(node) = lineage.nodes.get(at) else { return false };
    lineage.nodes.iter().skip(at + 1).any(|later| later.child == node.child)
}

/// The node that an edge leads to.
fn target(lineage: &Lineage, at: usize) -> usize {
    match lineage.nodes.get(at).map(|node| &node.found) {
        Some(Found::Again(before)) => *before,
        _ => at,
    }
}

fn id(at: Option<usize>) -> String {
    at.map_or_else(|| "release".to_owned(), |at| format!("n{at}"))
}

/// Its name and its state.
fn headline(node: &Node) -> String {
    let name = node.name();
    match (&node.found, &node.named.parent) {
        (Found::Unlogged, _) => format!("{name} (in no log)"),
        (Found::NotAsked, Parent::Logged(logged)) => {
            format!("{name} (entry {}): its status is not in this evidence", logged.entry)
        }
        (Found::NotAsked, Parent::Unlogged(_) | Parent::Unseen(_)) => name,
        (Found::Again(_), _) => format!("{name} (see above)"),
        (Found::Status(release_status), Parent::Logged(logged)) => {
            format!("{name} (entry {}): {}", logged.entry, lifecycle::state(&release_status.history))
        }
        (Found::Status(_), Parent::Unlogged(_) | Parent::Unseen(_)) => name,
        (Found::Other { problem, .. }, _) => format!("{name}: WRONG: {problem}"),
    }
}

/// What a reader must know of it: withdrawal, incidents, and what its child does not carry on.
fn details(node: &Node) -> Vec<String> {
    let carries = node.named.carries;
    let kept = [
        ("licence", carries.license),
        ("use policy", carries.use_policy),
        ("model card", carries.model_card),
        ("risk notes", carries.risk_notes),
    ];
    let dropped: Vec<_> = kept.iter().filter(|(_, carried)| !carried).map(|(what, _)| *what).collect();
    let mut lines = Vec::new();
    if let Parent::Unseen(parent) = &node.named.parent {
        lines.push(parent.bytes.to_string());
    }
    if let Some(release_status) = node.release_status() {
        lines.extend(told(&release_status.history));
    }
    if !dropped.is_empty() && !matches!(node.found, Found::Again(_)) {
        lines.push(format!("not carried on: {}", dropped.join(", ")));
    }
    lines
}

/// What happened to a release, line by line.
fn told(history: &History) -> Vec<String> {
    let incidents = history.incidents();
    let incidents = incidents.iter().map(|(at, of)| format!("incident {}", lifecycle::incident_line(*at, of)));
    lifecycle::warnings(history).into_iter().chain(incidents).collect()
}

impl<'a> Root<'a> {
    /// What became of it, where that is more than its release.
    fn told(&self) -> Option<&'a History> {
        self.history.filter(|history| history.state() != State::Released || !history.incidents().is_empty())
    }

    fn is_trouble(&self) -> bool {
        self.history.is_some_and(is_trouble)
    }

    fn label(&self, newline: &str) -> String {
        label(self.title.to_owned(), self.told(), newline)
    }
}

fn label(mut label: String, history: Option<&History>, newline: &str) -> String {
    if let Some(history) = history {
        let _ = write!(label, "{newline}{}", history.state());
        let incidents = history.open_incidents().len();
        if incidents > 0 {
            let _ = write!(label, "{newline}{incidents} open incident{}", if incidents == 1 { "" } else { "s" });
        }
    }
    label
}

fn label_of(node: &Node, newline: &str) -> String {
    label(node.name(), node.release_status().map(|release_status| &release_status.history), newline)
}

fn is_trouble(history: &History) -> bool {
    matches!(history.state(), State::Withdrawn | State::Conflicting) || !history.open_incidents().is_empty()
}

/// Whether it is drawn as something to look at.
fn trouble(node: &Node) -> bool {
    match &node.found {
        Found::Other { .. } => true,
        Found::Status(release_status) => is_trouble(&release_status.history),
        _ => false,
    }
}

fn phrase(relation: Relation) -> &'static str {
    match relation {
        Relation::Finetune => "finetune of",
        Relation::Adapter => "adapter of",
        Relation::Merge => "merge with",
        Relation::Quantized => "quantized from",
        Relation::Distilled => "distilled from",
        Relation::Converted => "converted from",
        Relation::Other => "made from",
    }
}

/// A string of Graphviz.
fn quoted(text: &str) -> String {
    format!("\"{}\"", printable(text).replace('\\', "\\\\").replace('"', "\\\"").replace("\\\\n", "\\n"))
}

/// Text inside a Mermaid label.
fn entities(text: &str) -> String {
    let escape = |c: char| match c {
        '"' => "#quot;".to_owned(),
        '#' => "#35;".to_owned(),
        '<' => "#lt;".to_owned(),
        '>' => "#gt;".to_owned(),
        c => c.to_string(),
    };
    printable(text).chars().map(escape).collect()
}
