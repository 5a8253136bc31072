//! `stele monitor report`: what a monitor has read, as a file, and the check of such a file.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use stele_durable as durable;
use stele_explain::Failure;
use stele_log_client::moment::moment;
use stele_monitor::{Messages, check_report, report};
use stele_publish::error;
use stele_spec::checkpoint::Checkpoint;
use stele_spec::coverage::{CoveredHead, CoveredLog, MAX_COVERAGE};
use stele_spec::index::Pointer;
use stele_spec::nameproof::Complete;
use stele_spec::policy::Trusted;

use crate::Output;
use crate::policy_file;
use crate::render::page::Page;

/// What a check does not say.
const CLAIMED: &str = "that the entries were read is the word of whoever made the report, which is not signed; that the log's index is right, \
    index cosigners and auditors check";

/// What was read, and what cannot be reported of it yet.
struct Read {
    logs: Vec<CoveredLog>,
    unread: usize,
}

pub(super) fn make(
    config: &Path,
    output: Option<PathBuf>,
    policy: Option<&Path>,
    messages: Messages,
) -> Result<Output, Failure> {
    let made = report(config, policy, messages)?;
    if let Some(output) = &output {
        durable::replace_file(output, &made.bytes)?;
    }
    let read = Read { logs: made.logs, unread: made.unread };
    let file = output.map(|output| output.display().to_string());
    let mut told = told("report: what this monitor has read", &read, file.as_deref());
    if let Some(file) = file {
        told.text
            .push_str(&format!("\nwrote {file}: `stele monitor report --check` checks it, under anyone's policy\n"));
    }
    Ok(told)
}

pub(super) fn check(file: &Path, policy: Option<&Path>) -> Result<Output, Failure> {
    let policy = policy_file::load(policy)?.policy;
    let bytes = error::read(file, MAX_COVERAGE as u64, "a report of a monitor")?;
    let read = Read { logs: check_report(&bytes, &policy)?, unread: 0 };
    Ok(told("report: it proves these tree heads and lists", &read, Some(&file.display().to_string())))
}

fn told(title: &str, read: &Read, file: Option<&str>) -> Output {
    let mut page = Page::titled(title);
    for log in &read.logs {
        page.section(log.origin().as_str());
        for head in log.heads() {
            page.row("tree", &tree(head.head()));
            page.row("entries", &entries(head, !log.lists().is_empty()));
        }
        for list in log.lists() {
            let size = list.head().value().size();
            page.row(
                &list.subject().to_string(),
                &format!("{} listed, in the tree of {size}", list.kept().list().size()),
            );
        }
    }
    if read.unread > 0 {
        page.row("left out", &format!("{} watched lists that are not read to their end", read.unread));
    }
    page.section("claimed");
    page.row("", &CLAIMED);
    let json = json!({
        "file": file,
        "logs": read.logs.iter().map(log_json).collect::<Vec<_>>(),
        "lists_left_out": read.unread,
    });
    Output { text: page.0, json, failure: None }
}

fn tree(head: &Trusted<Checkpoint>) -> String {
    let time = head.time().map_or_else(|| "at an unknown time".to_owned(), |time| moment(time.seconds()));
    format!("{} entries, cosigned {time}, root {}", head.value().size(), head.value().root())
}

fn entries(head: &CoveredHead, has_lists: bool) -> String {
    let range = head.entries();
    match (range.is_empty(), has_lists) {
        (false, _) => format!("{} to {} were read, it says", range.start, range.end - 1),
        (true, true) => "by name: those of the lists below".to_owned(),
        (true, false) => "none was read, it says".to_owned(),
    }
}

fn log_json(log: &CoveredLog) -> Value {
    json!({
        "origin": log.origin().as_str(),
        "heads": log.heads().iter().map(head_json).collect::<Vec<_>>(),
        "lists": log.lists().iter().map(list_json).collect::<Vec<_>>(),
    })
}

fn head_json(head: &CoveredHead) -> Value {
    let checkpoint = head.head().value();
    json!({
        "tree_size": checkpoint.size(),
        "root": checkpoint.root().to_string(),
        "cosigned": head.head().time().map(|time| moment(time.seconds())),
        "from": head.entries().start,
        "to": head.entries().end,
    })
}

fn list_json(list: &Complete<Vec<Pointer>>) -> Value {
    json!({
        "kind": list.subject().kind().to_string(),
        "subject": list.subject().text(),
        "count": list.kept().list().size(),
        "tree_size": list.head().value().size(),
    })
}
