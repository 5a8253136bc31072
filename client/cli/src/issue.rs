//! The verbs that issue a statement about a release: a draft of its form, or the statement itself, with its receipt.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use stele_explain::Failure;
use stele_log_client::api::LogClient;
use stele_log_client::log_url;
use stele_log_client::proven_entries::ProvenEntries;
use stele_log_client::statements::ProvenStatement;
use stele_publish::form::{FormWriter, Tally};
use stele_publish::form_header::{FormHeader, verb};
use stele_publish::issue::{Issue, Issued, Prepared, StatementRequest};
use stele_publish::problems::Problems;
use stele_publish::receipt;
use stele_spec::finding::Finding;
use stele_spec::manifest::Manifest;
use stele_spec::statement::Statement;
use stele_spec::status::{History, What};
use stele_terminal::volume::note;

use crate::Output;
use crate::args::Say;
use crate::draft_file;
use crate::key;
use crate::log_args::{local_state, proven_entries};
use crate::policy_file;
use crate::proposal;
use crate::rehearsal::{self, Rehearsal};
use crate::render::difference::{self, Change};
use crate::render::page::Page;
use crate::render::statement;

/// Writes the form to complete, with what is known in it.
pub(crate) fn draft(
    request: StatementRequest,
    say: &Say,
    write: impl FnOnce(&mut FormWriter, &FormHeader),
) -> Result<Output, Failure> {
    let kind = request.kind;
    let target = say.said.output.clone().unwrap_or_else(|| PathBuf::from(format!("{kind}.toml")));
    let next = format!("stele {} --form {} --key FILE", verb(kind), target.display());
    draft_file::write_draft(request.draft(write), &Tally::default(), &target, &next, &[])
}

/// Issues the statement and keeps its receipt.
pub(crate) fn issue(request: StatementRequest, say: &Say) -> Result<Output, Failure> {
    let mut problems = Problems::default();
    let sources = key::all_named(&say.key)?;
    let keys = problems.keep(key::signers_in(&sources, &say.key));
    let origin = request.subject.as_ref().and_then(|subject| subject.origin.as_ref());
    let policy = problems.keep(policy_file::load(say.said.trust.policy.as_deref())).map(|loaded| loaded.policy);
    let url = policy
        .as_ref()
        .and_then(|policy| problems.keep(log_url::log_url_of(say.said.trust.log.as_deref(), policy, origin)));
    let (Some(keys), Some(policy), Some(url)) = (keys, policy, url) else {
        return rehearsal::refused(problems, say.said.dry_run);
    };
    let log = LogClient::new(url, say.said.wait, note);
    let mut record = proven_entries(&log, &policy, say.said.trust.accept_incomplete_answer)?;
    let to = Issue {
        form: say.form.as_deref(),
        // With --dry-run the option names the place of the payload.
        output: say.said.output.as_deref().filter(|_| !say.said.dry_run),
        places: say.propose.is_none(),
        proposes: say.propose.is_some(),
        expect: say.said.expect.as_deref(),
        notify: note,
    };
    let Some(prepared) = request.prepare(&mut record, &keys, &to, &mut problems) else {
        return rehearsal::refused(problems, say.said.dry_run);
    };
    if say.said.dry_run {
        return rehearsed(&prepared, &record, say.said.output.as_deref());
    }
    if let (Some(file), None) = (&say.propose, &prepared.there) {
        return proposal::propose(&prepared.propose(&keys)?, file);
    }
    let Issued { logged, sent } = prepared.send(&mut record, &to)?;
    if sent.is_some() {
        unremembered(local_state(false).keep_own(&mut record, &logged));
    }
    render(&logged, &mut record, None, to.output, sent.as_deref())
}

/// A statement that was sent is in the log, whatever this machine can remember of it.
pub(crate) fn unremembered(kept: Result<(), impl Into<Failure>>) {
    if let Err(failure) = kept.map_err(Into::into) {
        note(&format!("warning: it was sent, and this machine cannot remember it: {}\n", failure.as_explain()));
    }
}

/// What would be said, and what it would change of the releases that it is about.
fn rehearsed(prepared: &Prepared, record: &ProvenEntries, output: Option<&Path>) -> Result<Output, Failure> {
    let statement = prepared.statement();
    let (rows, changes) = changed(statement, prepared.there.is_none(), record);
    let there = prepared.there.as_ref().map(ProvenStatement::position);
    let (title, findings) = (format!("send this {}", statement.kind()), prepared.findings.as_slice());
    Rehearsal { title, statement, output, findings, changes, earlier: None, rows, there }.output()
}

/// What a statement changes of the releases that it is about, once it is said: their states, and each field.
pub(crate) fn changed(
    statement: &Statement,
    is_new: bool,
    record: &ProvenEntries,
) -> (Vec<(&'static str, String)>, Vec<Change>) {
    let mut changes = Vec::new();
    let mut rows = Vec::new();
    for coordinate in statement.coordinates() {
        let before = || record.all().map(|logged| (logged.position(), logged.statement()));
        let then = History::fold(&coordinate, before());
        let now = History::fold(&coordinate, before().chain(is_new.then_some((u64::MAX, statement))));
        rows.push(("release", format!("{coordinate}: {} now, {} then", then.state(), now.state())));
        changes.extend(difference::between(&as_it_stands(&then), &as_it_stands(&now)));
    }
    (rows, changes)
}

/// What stands of a release: its state, its fields as amended, and what was reported.
fn as_it_stands(history: &History) -> Value {
    let incidents = history.incidents().into_iter().map(|(_, incident)| json!(incident));
    json!({
        "state": history.state().as_str(),
        "superseded_by": history.superseded_by().map(|(_, by)| by.coordinate.to_string()),
        "withdrawal": history.withdrawal().map(|(_, withdrawal)| json!(withdrawal)),
        "incidents": incidents.collect::<Vec<_>>(),
        "release": history.current(),
        "evaluations": history.events().iter().filter(|event| matches!(event.what, What::Evaluated(_))).count(),
    })
}

/// The page of an entry, its place, and its receipt; with what auditors will report, if it was sent now.
pub(crate) fn render(
    logged: &ProvenStatement,
    record: &mut ProvenEntries,
    manifest: Option<&Manifest>,
    output: Option<&Path>,
    sent: Option<&[Finding]>,
) -> Result<Output, Failure> {
    let receipt = receipt::write(logged, record, manifest, output)?;
    let head = logged.proven().head();
    let witnesses: Vec<_> = head.cosigned().iter().map(|cosigned| cosigned.witness.clone()).collect();
    let mut page = Page(statement::of(logged.signed()));
    page.blank();
    let new = sent.is_some();
    let before = if new { "" } else { ", as it was before: nothing was sent" };
    page.row("entry", &format!("{} of log {}{before}", logged.position(), head.value().origin()));
    let policy = record.policy();
    page.witnesses(head, policy);
    page.row("receipt", &receipt.display());
    let statement = logged.statement();
    Ok(Output {
        text: page.0,
        json: json!({
            "kind": statement.kind().to_string(),
            "coordinates": statement.coordinates().iter().map(ToString::to_string).collect::<Vec<_>>(),
            "publisher": statement.publisher().to_string(),
            "new": new,
            "entry": logged.position(),
            "leaf_hash": logged.leaf().to_string(),
            "log": head.value().origin().to_string(),
            "witnesses": witnesses,
            "receipt": receipt.display().to_string(),
            "warnings": sent.unwrap_or_default(),
            "statement": statement,
        }),
        failure: None,
    })
}

/// Completes the form that a verb writes, with an answer for each decision and some text for the rest, and reads it; what
/// the log would give is made up. The statement is the same when it is written as TOML and read again.
#[cfg(test)]
pub(crate) fn completes<T>(
    kind: stele_spec::statement::Kind,
    write: impl FnOnce(&mut FormWriter, &FormHeader),
    answers: &[(&str, &str)],
) -> T
where
    T: serde::de::DeserializeOwned + serde::Serialize + PartialEq + std::fmt::Debug,
{
    use stele_publish::form::Form;
    use stele_spec::hash::Digest;
    use stele_spec::statement::Kind;
    use toml::Value;

    let head = FormHeader::new(kind, Some("acme.example/tiny@1.0.2#instruct".parse().unwrap()), None);
    let mut sheet = FormWriter::default();
    write(&mut sheet, &head);
    let draft = sheet.into_text();
    let mut text = draft.clone();
    for (what, answer) in answers {
        assert!(text.contains(&format!("\"DECIDE: {what}\"")), "{what} is not asked in\n{text}");
        text = text.replace(&format!("\"DECIDE: {what}\""), &format!("\"{answer}\""));
    }
    let mut completed = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("\"DECIDE: ") {
        completed.push_str(before);
        completed.push_str("\"Some text.\"");
        rest = after.split_once('"').unwrap().1;
    }
    completed.push_str(rest);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("form.toml");
    std::fs::write(&path, &draft).unwrap();
    let undecided = Form::read(&path, "a form").unwrap_err();
    assert_eq!(undecided.as_explain().code(), "form-undecided");
    std::fs::write(&path, &completed).unwrap();
    let mut form = Form::read(&path, "a form").unwrap();
    let digest = Digest::of(b"what the log has").to_string();
    form.default("kind", kind.as_str());
    form.default("issued_at", "2026-07-01T08:00:00Z");
    form.default("publisher.name", "acme.example");
    match kind {
        Kind::Incident => {}
        Kind::Evaluation => form.default("evaluation.subject", digest.as_str()),
        _ => form.default("weights_digest", digest.as_str()),
    }
    for pattern in ["release", "by", "affected.*"] {
        let filled: Result<(), std::convert::Infallible> = form.each(pattern, |_, value| {
            let coordinate = value.clone();
            let mut table = toml::Table::new();
            table.insert("coordinate".into(), coordinate);
            table.insert("entry".into(), 3.into());
            table.insert("leaf_hash".into(), digest.as_str().into());
            *value = Value::Table(table);
            Ok(())
        });
        let Ok(()) = filled;
    }
    form.fill_documents(|_| Some(Digest::of(b"a document")));
    stele_publish::issue::statement_of(&form, kind).unwrap();
    let typed: T = form.typed().unwrap();
    std::fs::write(&path, toml::to_string(&typed).unwrap()).unwrap();
    assert_eq!(Form::read(&path, "a form").unwrap().typed::<T>().unwrap(), typed);
    typed
}
