//! Statements about a release that is in the log: the way from a form to an entry, the same for every kind.
//!
//! In this order, and nothing is sent before the last: the form and the options are read; every release that they name is
//! looked up and proven under the policy; documents get the digests of their files; what the log has already is not
//! sent twice; the fields are checked; `issued_at` is written into the form; the statement is signed and submitted. What comes back
//! is proven.

use std::path::Path;

use stele_explain::Failure;
use stele_log_client::proven_entries::ProvenEntries;
use stele_log_client::statements::ProvenStatement;
use stele_spec::finding::Finding;
use stele_spec::hash::Digest;
use stele_spec::name::{Coordinate, Publisher};
use stele_spec::statement::{
    Amend, EvaluationReport, FieldError, Incident, Kind, SignedStatement, StageMove, Statement, Supersede, Timestamp,
    Withdraw,
};
use toml::Value;

use crate::foresight;
use crate::form::{self, DocumentFolders, Form, FormError, FormWriter, OptionValue, Subject};
use crate::form_header::FormHeader;
use crate::issued_at::{check_near, now};
use crate::no_effect;
use crate::oddity;
use crate::parent_listing;
use crate::problems::Problems;
use crate::public_again;
use crate::receipt;
use crate::register;
use crate::replacement;
use crate::short_forms;
use crate::signer::Signers;
use crate::statement_proposal::StatementProposal;

/// A statement to be issued, as far as options give it.
#[derive(Debug)]
pub struct StatementRequest {
    /// Its kind.
    pub kind: Kind,
    /// Its issuer, where that is not the release's publisher.
    pub speaker: Option<Publisher>,
    /// The release that it is about, if it is named.
    pub subject: Option<Subject>,
    /// The fields that options give.
    pub given: Vec<OptionValue>,
    /// The fields that options could give, each with its option.
    options: Vec<(&'static str, &'static str)>,
    /// Whether a stage may take a withdrawal back.
    pub takes_back: bool,
}

/// How a statement is issued.
#[derive(Debug, Clone, Copy)]
pub struct Issue<'a> {
    /// The form, if there is one.
    pub form: Option<&'a Path>,
    /// Where the receipt goes; else beside the caller.
    pub output: Option<&'a Path>,
    /// Whether a receipt will be written, so that its place is looked at.
    pub places: bool,
    /// Whether it is to be proposed and not sent: then further keys sign it later.
    pub proposes: bool,
    /// The list of statements that a monitor expects, to be appended to.
    pub expect: Option<&'a Path>,
    /// Gets a line for each finding that auditors will report.
    pub notify: fn(&str),
}

/// A statement that is checked and signed, and not sent.
#[derive(Debug)]
pub struct Prepared {
    form: Form,
    /// Whether the form has its time already.
    written: bool,
    signed: SignedStatement,
    /// How many keys sign it.
    pub needed: u64,
    /// The entry that says the very same, if the log has one: nothing is sent then.
    pub there: Option<ProvenStatement>,
    /// What auditors will report of it.
    pub findings: Vec<Finding>,
}

/// A statement that is in the log.
#[derive(Debug)]
pub struct Issued {
    /// The statement with its proof.
    pub logged: ProvenStatement,
    /// What auditors will report of it; none where the log had it before and nothing was sent.
    pub sent: Option<Vec<Finding>>,
}

impl StatementRequest {
    /// About a release as a person names it; the fields that options give are still to come.
    pub fn new(kind: Kind, release: Option<&str>, speaker: Option<Publisher>) -> Result<Self, Failure> {
        let subject = release.map(Subject::read).transpose()?;
        Ok(Self { kind, speaker, subject, given: Vec::new(), options: Vec::new(), takes_back: false })
    }

    /// A text that an option may give.
    pub fn text(&mut self, path: &'static str, value: Option<&str>, option: &'static str) {
        self.value(path, value.map(Value::from), option);
    }

    /// A value that an option may give.
    pub fn value(&mut self, path: &'static str, value: Option<Value>, option: &'static str) {
        self.options.push((path, option));
        self.given.extend(value.map(|value| OptionValue { path, value, option }));
    }

    /// A document that an option may give by its file.
    pub fn document(
        &mut self,
        path: &'static str,
        file: Option<&Path>,
        uri: Option<&str>,
        option: &'static str,
    ) -> Result<(), Failure> {
        if let Some(file) = file {
            self.given.push(OptionValue { path, value: form::named_file(file, uri)?, option });
        }
        Ok(())
    }

    /// The form to complete, with what is known in it.
    pub fn draft(self, write: impl FnOnce(&mut FormWriter, &FormHeader)) -> String {
        let coordinate = self.subject.map(|subject| subject.coordinate);
        let head = FormHeader::new(self.kind, coordinate, self.speaker);
        let mut sheet = FormWriter::with(self.given);
        write(&mut sheet, &head);
        sheet.into_text()
    }

    /// Issues it: completes the form, signs and submits. What the log has already is not sent again.
    pub fn issue(self, record: &mut ProvenEntries, keys: &Signers, to: &Issue<'_>) -> Result<Issued, Failure> {
        let mut problems = Problems::default();
        let prepared = self.prepare(record, keys, to, &mut problems);
        problems.check()?;
        match prepared {
            Some(prepared) => prepared.send(record, to),
            None => Err(FormError::Missing { what: "what is to be said", hint: "`--draft` writes a form" }.into()),
        }
    }

    /// Everything that happens before a statement is sent: it is completed, checked and signed, and what auditors will report is
    /// said. Nothing is sent and nothing is written; every problem is kept, and then there is nothing to send.
    pub fn prepare(
        self,
        record: &mut ProvenEntries,
        keys: &Signers,
        to: &Issue<'_>,
        problems: &mut Problems,
    ) -> Option<Prepared> {
        let folder = self.subject.as_ref().and_then(|subject| subject.folder.clone());
        let (kind, options, takes_back) = (self.kind, self.options.clone(), self.takes_back);
        let mut form = self.into_form(to.form, problems)?;
        resolve(&mut form, kind, record, problems);
        if kind == Kind::Amend && !problems.has_unavailable() {
            short_forms::expand_parents(&mut form, problems);
            parent_listing::fill(&mut form, problems);
            form::resolve_parents(&mut form, record, problems);
        }
        form.fill_all(&DocumentFolders::of(&form, folder.as_deref()), problems);
        let written = form.has("issued_at");
        form.default("issued_at", now().to_string());
        if !problems.is_empty() {
            // What is still open gets a value that fits, so that the rest is looked at all the same.
            let mut tried = form.clone();
            let absent = tried.documents_without_digest();
            tried.stand_in(&absent);
            // Who speaks of a release is, most often, who made it.
            let named = tried.text("release.coordinate").and_then(|named| named.parse::<Coordinate>().ok());
            tried.default(
                "publisher.name",
                named.map_or_else(|| STAND_IN.to_owned(), |named| named.publisher.to_string()),
            );
            tried.default("weights_digest", Digest::of(b"").to_string());
            problems.keep(check_fields(&tried, kind, &options));
            return None;
        }
        problems.keep(check_fields(&form, kind, &options))?;
        let statement = problems.keep(statement_of(&form, kind))?;
        let there = problems.keep(said_before(record, &statement, written))?;
        if to.places {
            problems.keep(receipt::check_place(to.output));
        }
        let findings = match there {
            Some(_) => Vec::new(),
            None => problems.keep(foresight::of_statement(record, &statement, to.notify))?,
        };
        let signed = problems.keep(keys.sign(&statement))?;
        let mut needed = 1;
        // What others have still to sign keeps the time at which it was proposed.
        if there.is_none() && !to.proposes {
            problems.keep(check_near(statement.issued_at(), now()));
        }
        if there.is_none() {
            let checked = match to.proposes {
                true => register::check_alone(record, &signed),
                false => register::check(record, &signed).map(|()| needed),
            };
            needed = problems.keep(checked).unwrap_or(needed);
            match &statement {
                Statement::Supersede(supersede) => problems.keep(replacement::check(record, supersede)),
                Statement::Stage(moved) if !takes_back => problems.keep(public_again::check(record, moved)),
                _ => None,
            };
            let no_more = problems.keep(no_effect::check(record, &statement)).flatten();
            problems
                .keep(oddity::of(record, &statement))
                .unwrap_or_default()
                .iter()
                .chain(&no_more)
                .for_each(|odd| (to.notify)(&format!("warning: {odd}\n")));
        }
        problems.is_empty().then_some(Prepared { form, written, signed, needed, there, findings })
    }

    /// The form of the command line: the file, if one is named, and the options over it.
    fn into_form(self, file: Option<&Path>, problems: &mut Problems) -> Option<Form> {
        let mut form = match file {
            Some(file) => {
                let (form, open) = problems.keep(Form::read_open(file, "a form: `--draft` writes one"))?;
                open.map(|open| problems.keep(Err::<(), _>(open)));
                form
            }
            None => Form::of_options(),
        };
        form.default("kind", self.kind.as_str());
        if let Some(subject) = self.subject.filter(|subject| !names(&form, &subject.coordinate)) {
            problems.keep(form.give("release", subject.to_value(), "the release"));
        }
        for OptionValue { path, value, option } in self.given {
            problems.keep(form.give(path, value, option));
        }
        if let Some(speaker) = &self.speaker {
            problems.keep(form.give("publisher.name", speaker.as_str().into(), "--as"));
        }
        Some(form)
    }
}

impl Prepared {
    /// What is said.
    pub fn statement(&self) -> &Statement {
        self.signed.statement()
    }

    /// What is proposed: its time is written down in the form, if there is one, and the keys at hand have approved it.
    pub fn propose(self, keys: &Signers) -> Result<StatementProposal, Failure> {
        let statement = self.signed.statement().without_approvals();
        self.form.keep_issued_at(statement.issued_at(), self.written)?;
        let mut proposal = StatementProposal::new(self.needed, statement, None);
        for key in keys.all() {
            proposal.approve(key)?;
        }
        Ok(proposal)
    }

    /// Sends it, unless the log has it.
    pub fn send(self, record: &mut ProvenEntries, to: &Issue<'_>) -> Result<Issued, Failure> {
        if let Some(there) = self.there {
            self.form.keep_issued_at(there.statement().issued_at(), self.written)?;
            return Ok(Issued { logged: there, sent: None });
        }
        self.form.keep_issued_at(self.signed.statement().issued_at(), self.written)?;
        let logged = register::submit(record, &self.signed, to.expect)?;
        Ok(Issued { logged, sent: Some(self.findings) })
    }
}

/// Whether the form names this release already.
fn names(form: &Form, coordinate: &Coordinate) -> bool {
    let named = form.text("release").or_else(|| form.text("release.coordinate"));
    named == Some(coordinate.to_string().as_str())
}

/// Looks up and proves every release that the form names, and fills in what follows from the one it is about.
fn resolve(form: &mut Form, kind: Kind, record: &mut ProvenEntries, problems: &mut Problems) {
    let about = match kind {
        Kind::Incident => "affected",
        _ => "release",
    };
    if !form.has(about) {
        problems.keep(Err::<(), _>(FormError::Missing {
            what: "which release it is about",
            hint: "name publisher/model@version#variant, a release.stele, or the folder that has one",
        }));
        return;
    }
    let mut subjects = Vec::new();
    for pattern in ["release", "affected.*", "by"] {
        // A log that does not answer is not asked once for each.
        if problems.has_unavailable() {
            return;
        }
        let found = problems.keep(form::resolve(form, pattern, record)).unwrap_or_default();
        if pattern != "by" {
            subjects.extend(found);
        }
    }
    let Some(release) = subjects.first().and_then(|logged| logged.statement().release()) else { return };
    match kind {
        Kind::Incident => {}
        Kind::Evaluation => form.default("evaluation.subject", release.weights.digest.to_string()),
        _ => {
            form.default("weights_digest", release.weights.digest.to_string());
            form.default("publisher.name", release.publisher.name.as_str());
        }
    }
}

/// Everything that is wrong with the fields of a kind, together.
fn check_fields(form: &Form, kind: Kind, options: &[(&str, &str)]) -> Result<(), FormError> {
    if !form.has("publisher.name") {
        return Err(NO_SPEAKER);
    }
    let problems = match kind {
        Kind::Amend => form.problems(|amend: &Amend| Statement::Amend(Box::new(amend.clone())).problems()),
        Kind::Stage => form.problems(|stage: &StageMove| Statement::Stage(Box::new(stage.clone())).problems()),
        Kind::Supersede => form.problems(|by: &Supersede| Statement::Supersede(Box::new(by.clone())).problems()),
        Kind::Withdraw => form.problems(|back: &Withdraw| Statement::Withdraw(Box::new(back.clone())).problems()),
        Kind::Incident => form.problems(|what: &Incident| Statement::Incident(Box::new(what.clone())).problems()),
        Kind::Evaluation => {
            form.problems(|report: &EvaluationReport| Statement::Evaluation(Box::new(report.clone())).problems())
        }
        Kind::Publisher | Kind::Release | Kind::Observation => Vec::new(),
    };
    // What is missing was left out of the command line as well.
    let named =
        |problem: String| match options.iter().find(|(path, _)| problem.starts_with(&format!("{path}: required"))) {
            Some((_, option)) => format!("{problem}: {option}, or the form, gives it"),
            None => problem,
        };
    form.refuse(problems.into_iter().map(named).collect())
}

/// Why a statement by nobody is not made.
const NO_SPEAKER: FormError = FormError::Missing {
    what: "who speaks",
    hint: "name yourself: --as NAME, or name under [publisher] in the form; it must be claimed in this log",
};

/// A name in place of one that is not known yet, in a form that is only checked.
const STAND_IN: &str = "example.com";

/// Reads the fields as a statement of the kind, and checks them.
pub fn statement_of(form: &Form, kind: Kind) -> Result<Statement, FormError> {
    if !form.has("publisher.name") {
        return Err(NO_SPEAKER);
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
    let mut problems: Vec<FieldError> = statement.problems();
    problems.extend(form::approvals_by_hand(statement.approvals()));
    form.check(&problems)?;
    Ok(statement)
}

/// The newest statement of the same speaker, kind and subject, if it says the very same. A time that was not written down
/// yet may be that one's: anyone who lost the answer says it again and gets the entry that is there.
fn said_before(
    record: &mut ProvenEntries,
    statement: &Statement,
    written: bool,
) -> Result<Option<ProvenStatement>, Failure> {
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
    Ok((there.statement().without_approvals() == ours).then_some(there))
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
