//! Saying something about a release that is in the log: the way from a form to an entry, the same for every kind.
//!
//! In this order, and nothing is sent before the last: the form and the options are read; every release that they name is
//! looked up and proven under the policy; documents get the digests of their files; what the log has already is not said
//! twice; the fields are checked; `issued_at` is written into the form; the statement is signed and submitted. What comes back
//! is proven, shown, and kept as a receipt.

use std::path::{Path, PathBuf};
use stele_terminal::output::complain;

use serde_json::json;
use stele_spec::finding::Finding;
use stele_spec::key::SecretKey;
use stele_spec::name::{Coordinate, Publisher};
use stele_spec::statement::{
    Amend, EvaluationReport, FieldError, Incident, Kind, StageMove, Statement, Supersede, Timestamp, Withdraw, sign,
};
use toml::Value;

use crate::asking::local_state;
use crate::cli::Say;
use crate::draft_file;
use crate::error::Failure;
use crate::foresight;
use crate::form::{self, Form, FormError, Given, Sheet, Shelf, Subject};
use crate::issued_at::now;
use crate::key::read_secret;
use crate::output::Output;
use crate::page::Page;
use crate::policy_file;
use crate::publish_error::PublishError;
use crate::receipt;
use crate::refused;
use crate::statement_page;
use stele_log_client::api::LogClient;
use stele_log_client::index_end::Incomplete;
use stele_log_client::log_url;
use stele_log_client::proven_entries::Record;
use stele_log_client::statements::Logged;

/// What is to be said, as the command line gives it.
#[derive(Debug)]
pub(crate) struct Saying {
    /// Of which kind.
    pub(crate) kind: Kind,
    /// Who speaks, where that is not the release's publisher.
    pub(crate) speaker: Option<Publisher>,
    /// What it is about, if the command line names it.
    pub(crate) subject: Option<Subject>,
    /// The fields that options give.
    pub(crate) given: Vec<Given>,
}

impl Saying {
    /// What a command line says, with the options of its verb still to come.
    pub(crate) fn new(kind: Kind, say: &Say, speaker: Option<Publisher>) -> Result<Self, Failure> {
        let subject = say.release.as_deref().map(Subject::read).transpose()?;
        Ok(Self { kind, speaker, subject, given: Vec::new() })
    }

    /// A text that an option may give.
    pub(crate) fn text(&mut self, path: &'static str, value: Option<&str>, option: &'static str) {
        self.given.extend(value.map(|value| Given { path, value: value.into(), option }));
    }

    /// A value that an option may give.
    pub(crate) fn value(&mut self, path: &'static str, value: Option<Value>, option: &'static str) {
        self.given.extend(value.map(|value| Given { path, value, option }));
    }

    /// A document that an option may give by its file.
    pub(crate) fn document(
        &mut self,
        path: &'static str,
        file: Option<&Path>,
        uri: Option<&str>,
        option: &'static str,
    ) -> Result<(), Failure> {
        if let Some(file) = file {
            self.given.push(Given { path, value: form::named_file(file, uri)?, option });
        }
        Ok(())
    }

    /// The form to complete, with what is known in it.
    pub(crate) fn draft(self, say: &Say, write: impl FnOnce(&mut Sheet, &Head)) -> Result<Output, Failure> {
        let kind = self.kind;
        let head = Head { kind, coordinate: self.subject.map(|subject| subject.coordinate), speaker: self.speaker };
        let mut sheet = Sheet::with(self.given);
        write(&mut sheet, &head);
        let target = say.said.output.clone().unwrap_or_else(|| PathBuf::from(format!("{kind}.toml")));
        let next = format!("stele {} --form {} --key FILE", verb(kind), target.display());
        draft_file::write_draft(sheet.into_text(), &target, &next, &[])
    }

    /// Says it.
    pub(crate) fn say(self, say: &Say) -> Result<Output, Failure> {
        let key = read_secret(say.key.as_deref().unwrap_or(Path::new("")))?;
        let loaded = policy_file::load(say.said.trust.policy.as_deref())?;
        let log = LogClient::new(
            log_url::log_url(say.said.trust.log.as_deref(), Some(&loaded.policy))?,
            say.said.wait,
            complain,
        );
        let mut record =
            Record::new(&log, &loaded.policy).accepting(Incomplete::by(say.said.trust.accept_incomplete_answer));
        let folder = self.subject.as_ref().and_then(|subject| subject.folder.clone());
        let kind = self.kind;
        let mut form = self.into_form(say.form.as_deref())?;

        resolve(&mut form, kind, &mut record)?;
        form.fill_from(&Shelf::of(&form, folder.as_deref()))?;
        let written = form.has("issued_at");
        form.default("issued_at", now().to_string());
        let statement = read(&form, kind)?;
        if let Some(there) = said_before(&mut record, &statement, written)? {
            form.keep_issued_at(there.statement().issued_at(), written)?;
            return told(&there, &mut record, say.said.output.as_deref(), None);
        }
        receipt::check_place(say.said.output.as_deref())?;
        let findings = foresight::of_statement(&mut record, &statement)?;
        form.keep_issued_at(statement.issued_at(), written)?;
        let logged = submit(&mut record, &statement, &key, say.said.expect.as_deref())?;
        local_state(false).keep_own(&mut record, &logged)?;
        told(&logged, &mut record, say.said.output.as_deref(), Some(&findings))
    }

    /// The form of the command line: the file, if one is named, and the options over it.
    fn into_form(self, file: Option<&Path>) -> Result<Form, Failure> {
        let mut form = match file {
            Some(file) => Form::read(file, "a form: `--draft` writes one")?,
            None => Form::of_options(),
        };
        form.default("kind", self.kind.as_str());
        if let Some(subject) = self.subject.filter(|subject| !names(&form, &subject.coordinate)) {
            form.give("release", subject.to_value(), "the release")?;
        }
        for Given { path, value, option } in self.given {
            form.give(path, value, option)?;
        }
        if let Some(speaker) = &self.speaker {
            form.give("publisher.name", speaker.as_str().into(), "--as")?;
        }
        Ok(form)
    }
}

/// What stands at the beginning of a form.
pub(crate) struct Head {
    /// The kind.
    kind: Kind,
    /// What it is about, if that is known.
    coordinate: Option<Coordinate>,
    /// Who speaks, if that is known and not the release's publisher.
    speaker: Option<Publisher>,
}

impl Head {
    /// Writes it: what the form is for, and which release.
    pub(crate) fn write(&self, sheet: &mut Sheet, what: &str) {
        sheet.comment(&format!("{what}, for `stele {} --form FILE --key FILE`.", verb(self.kind)));
        sheet.comment("Every value that begins with DECIDE is yours to replace: it is refused while one is left.");
        sheet.comment(
            "Not written here: issued_at (written in before it is sent), the entry of the release and its weights",
        );
        sheet.comment("digest (looked up in the log, and proven). A document beside this file needs only its name.");
        sheet.blank();
    }

    /// The line that names the release.
    pub(crate) fn release(&self, sheet: &mut Sheet) {
        sheet.comment("Which release: publisher/model@version#variant.");
        match &self.coordinate {
            Some(coordinate) => sheet.text("release", &coordinate.to_string(), ""),
            None => sheet.decide("release", "its coordinate"),
        }
    }

    /// What it is about, if that is known.
    pub(crate) fn coordinate(&self) -> Option<&Coordinate> {
        self.coordinate.as_ref()
    }

    /// The section that names a speaker who is not the release's publisher.
    pub(crate) fn speaker(&self, sheet: &mut Sheet) {
        sheet.section("publisher");
        sheet.comment("Who speaks: a name that your key holds in this log.");
        match &self.speaker {
            Some(speaker) => sheet.text("name", speaker.as_str(), ""),
            None => sheet.decide("name", "your name, such as watch.example"),
        }
    }
}

/// The verb that says a kind.
fn verb(kind: Kind) -> &'static str {
    match kind {
        Kind::Evaluation => "evaluate",
        Kind::Observation => "observe",
        Kind::Publisher => "keys",
        Kind::Release => "publish",
        kind => kind.as_str(),
    }
}

/// Whether the form names this release already.
fn names(form: &Form, coordinate: &Coordinate) -> bool {
    let named = form.text("release").or_else(|| form.text("release.coordinate"));
    named == Some(coordinate.to_string().as_str())
}

/// Looks up and proves every release that the form names, and fills in what follows from the one it is about.
fn resolve(form: &mut Form, kind: Kind, record: &mut Record) -> Result<(), Failure> {
    let about = match kind {
        Kind::Incident => "affected",
        _ => "release",
    };
    if !form.has(about) {
        return Err(FormError::Missing {
            what: "which release it is about",
            hint: "name publisher/model@version#variant, a release.stele, or the folder that has one",
        }
        .into());
    }
    let mut subjects = form::resolve(form, "release", record)?;
    subjects.extend(form::resolve(form, "affected.*", record)?);
    form::resolve(form, "by", record)?;
    let Some(release) = subjects.first().and_then(|logged| logged.statement().release()) else { return Ok(()) };
    match kind {
        Kind::Incident => {}
        Kind::Evaluation => form.default("evaluation.subject", release.weights.digest.to_string()),
        _ => {
            form.default("weights_digest", release.weights.digest.to_string());
            form.default("publisher.name", release.publisher.name.as_str());
        }
    }
    Ok(())
}

/// Reads the fields as a statement of the kind, and checks them.
fn read(form: &Form, kind: Kind) -> Result<Statement, FormError> {
    if !form.has("publisher.name") {
        return Err(FormError::Missing {
            what: "who speaks",
            hint: "name yourself: --as NAME, or name under [publisher] in the form; it must be claimed in this log",
        });
    }
    let statement = match kind {
        Kind::Amend => Statement::Amend(Box::new(form.typed::<Amend>()?)),
        Kind::Stage => Statement::Stage(Box::new(form.typed::<StageMove>()?)),
        Kind::Supersede => Statement::Supersede(Box::new(form.typed::<Supersede>()?)),
        Kind::Withdraw => Statement::Withdraw(Box::new(form.typed::<Withdraw>()?)),
        Kind::Incident => Statement::Incident(Box::new(form.typed::<Incident>()?)),
        Kind::Evaluation => Statement::Evaluation(Box::new(form.typed::<EvaluationReport>()?)),
        Kind::Publisher | Kind::Release | Kind::Observation => {
            return Err(FormError::Missing {
                what: "this kind in a form of its own",
                hint: "it has a verb of its own",
            });
        }
    };
    let problems: Vec<FieldError> = statement.problems();
    form.check(&problems)?;
    Ok(statement)
}

/// The newest statement of the same speaker, kind and subject, if it says the very same. A time that was not written down
/// yet may be that one's: whoever lost the answer says it again and gets the entry that is there.
fn said_before(record: &mut Record, statement: &Statement, written: bool) -> Result<Option<Logged>, Failure> {
    let Some(coordinate) = statement.coordinate() else { return Ok(None) };
    let same_matter = |other: &Statement| match (other, statement) {
        (Statement::Incident(other), Statement::Incident(ours)) => other.id == ours.id,
        (Statement::Evaluation(other), Statement::Evaluation(ours)) => other.evaluation.id == ours.evaluation.id,
        _ => true,
    };
    let newest = record.newest(&coordinate, |other| {
        other.kind() == statement.kind() && other.publisher() == statement.publisher() && same_matter(other)
    })?;
    let Some(there) = newest else { return Ok(None) };
    let ours = if written { statement.clone() } else { at(statement, there.statement().issued_at()) };
    Ok((*there.statement() == ours).then_some(there))
}

/// The same, said at another time.
fn at(statement: &Statement, issued_at: Timestamp) -> Statement {
    let mut statement = statement.clone();
    match &mut statement {
        Statement::Amend(inner) => inner.issued_at = issued_at,
        Statement::Stage(inner) => inner.issued_at = issued_at,
        Statement::Supersede(inner) => inner.issued_at = issued_at,
        Statement::Withdraw(inner) => inner.issued_at = issued_at,
        Statement::Incident(inner) => inner.issued_at = issued_at,
        Statement::Evaluation(inner) => inner.issued_at = issued_at,
        Statement::Publisher(inner) => inner.issued_at = issued_at,
        Statement::Release(inner) => inner.issued_at = issued_at,
        Statement::Observation(inner) => inner.issued_at = issued_at,
    }
    statement
}

fn submit(
    record: &mut Record,
    statement: &Statement,
    key: &SecretKey,
    expect: Option<&Path>,
) -> Result<Logged, Failure> {
    let signed = sign(statement, key).map_err(PublishError::Statement)?;
    refused::submit(record, &signed, expect)
}

/// The page of an entry, its place, and its receipt; with what auditors will report, if it was sent now.
fn told(
    logged: &Logged,
    record: &mut Record,
    output: Option<&Path>,
    sent: Option<&[Finding]>,
) -> Result<Output, Failure> {
    let receipt = receipt::write(logged, record, output)?;
    let head = logged.proven().head();
    let witnesses: Vec<_> = head.cosigned().iter().map(|cosigned| cosigned.witness.clone()).collect();
    let mut page = Page(statement_page::of(logged.signed()));
    page.blank();
    let new = sent.is_some();
    let before = if new { "" } else { ", as it was before: nothing was sent" };
    page.row("entry", &format!("{} of log {}{before}", logged.position(), head.value().origin()));
    let policy = record.policy();
    page.row(
        "witnesses",
        &format!("{} of {} cosigned: {}", witnesses.len(), policy.witnesses().len(), witnesses.join(", ")),
    );
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
pub(crate) fn completes<T>(kind: Kind, write: impl FnOnce(&mut Sheet, &Head), answers: &[(&str, &str)]) -> T
where
    T: serde::de::DeserializeOwned + serde::Serialize + PartialEq + std::fmt::Debug,
{
    use stele_spec::hash::Digest;

    let head = Head { kind, coordinate: Some("acme.example/tiny@1.0.2#instruct".parse().unwrap()), speaker: None };
    let mut sheet = Sheet::default();
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
    read(&form, kind).unwrap();
    let typed: T = form.typed().unwrap();
    std::fs::write(&path, toml::to_string(&typed).unwrap()).unwrap();
    assert_eq!(Form::read(&path, "a form").unwrap().typed::<T>().unwrap(), typed);
    typed
}
