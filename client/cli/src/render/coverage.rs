//! A monitor's report, as it is written: nothing of it is checked here.

use serde_json::{Value, json};
use stele_spec::checkpoint::Checkpoint;
use stele_spec::coverage::{Coverage, LogCoverage};

use super::page::Page;

/// Which logs it is of, and what it would show of each.
pub(crate) fn page(report: &Coverage) -> (Page, Value) {
    let mut page = Page::titled("a monitor's report: `stele monitor report --check FILE` says what it proves");
    let logs: Vec<Value> = report.logs.iter().map(|log| row(log, &mut page)).collect();
    (page, json!({ "kind": "coverage", "logs": logs }))
}

fn row(log: &LogCoverage, page: &mut Page) -> Value {
    let newest = log.heads.last().and_then(|head| Checkpoint::parse(head.note.text()).ok());
    let (origin, size) = newest.map_or((None, None), |head| (Some(head.origin().to_string()), Some(head.size())));
    page.row("log", &origin.as_deref().unwrap_or("unreadable"));
    page.row("tree heads", &log.heads.len());
    if let Some(size) = size {
        page.row("newest tree", &size);
    }
    let subjects: Vec<String> = log.lists.iter().map(|list| list.subject.to_string()).collect();
    for subject in &subjects {
        page.row("list", subject);
    }
    json!({ "origin": origin, "tree_heads": log.heads.len(), "tree_size": size, "lists": subjects })
}
