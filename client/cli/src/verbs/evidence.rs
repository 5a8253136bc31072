//! `stele evidence`: a file that convicts somebody, checked with nothing but the keys; and what is in it.

use std::path::Path;

use serde_json::{Value, json};
use stele_explain::{Exit, Explain, Failure, explain};
use stele_publish::error;
use stele_spec::checkpoint::Checkpoint;
use stele_spec::entry::Entry;
use stele_spec::misbehaviour::{
    EvidenceError, KnownKeys, Logged, MAX_EVIDENCE, Misbehaviour, Unproven, WrongIndexStep,
};
use stele_spec::note::{SignedNote, VerifierKey};

use crate::Output;
use crate::args::{EvidenceArgs, EvidenceVerb};
use crate::extract;
use crate::policy_file;
use crate::render::page::Page;

pub(crate) fn run(args: EvidenceArgs) -> Result<Output, Failure> {
    match args.verb {
        EvidenceVerb::Verify { file, policy, vkey } => verify(&file, &keys(policy.as_deref(), vkey)?),
        EvidenceVerb::Show { file, extract } => show(&file, extract.as_deref()),
    }
}

fn keys(policy: Option<&Path>, vkeys: Vec<VerifierKey>) -> Result<KnownKeys, Failure> {
    if vkeys.is_empty() {
        return Ok(KnownKeys::of_policy(&policy_file::load(policy)?.policy));
    }
    Ok(KnownKeys::new(vkeys))
}

fn verify(file: &Path, keys: &KnownKeys) -> Result<Output, Failure> {
    let evidence = read(file)?;
    let verdict = evidence.check(keys).map_err(EvidenceFailure::Unproven)?;
    let mut page = Page::titled(&format!("proven: {}", verdict.what));
    page.row("kind", &verdict.kind);
    page.row("log", &verdict.log);
    for accused in &verdict.accused {
        page.row("convicts", accused);
    }
    for (name, value) in &verdict.facts {
        page.row(name, value);
    }
    let accused =
        verdict.accused.iter().map(|accused| json!({ "role": accused.role(), "identity": accused.identity() }));
    let facts = verdict.facts.iter().map(|(name, value)| json!({ "name": name, "value": value }));
    let json = json!({
        "proven": true,
        "kind": verdict.kind,
        "log": verdict.log.as_str(),
        "what": verdict.what,
        "accused": accused.collect::<Vec<Value>>(),
        "facts": facts.collect::<Vec<Value>>(),
    });
    Ok(Output { text: page.0, json, failure: None })
}

fn show(file: &Path, extract: Option<&Path>) -> Result<Output, Failure> {
    let evidence = read(file)?;
    let parts = parts(&evidence);
    let (mut page, mut json) = page_of(&evidence, &parts);
    if let Some(folder) = extract {
        let written = write_parts(&parts, folder)?;
        written.iter().for_each(|path| page.row("wrote", path));
        if let Some(object) = json.as_object_mut() {
            object.insert("written".into(), written.into());
        }
    }
    Ok(Output { text: page.0, json, failure: None })
}

/// What is in a file of evidence, for `stele inspect`: it verifies nothing.
pub(super) fn describe(evidence: &Misbehaviour) -> (Page, Value) {
    page_of(evidence, &parts(evidence))
}

fn page_of(evidence: &Misbehaviour, parts: &[Part]) -> (Page, Value) {
    let mut page =
        Page::titled(&format!("evidence of {}: `stele evidence verify` says whether it proves it", evidence.kind()));
    for part in parts {
        page.row(&part.name, &part.line);
    }
    let rows: Vec<Value> = parts.iter().map(|part| json!({ "part": part.name, "holds": part.line })).collect();
    (page, json!({ "proven": false, "kind": evidence.kind(), "parts": rows }))
}

/// A part of a file, with the standard files that it is made of.
struct Part {
    name: String,
    line: String,
    files: Vec<(&'static str, Vec<u8>)>,
}

fn parts(evidence: &Misbehaviour) -> Vec<Part> {
    match evidence {
        Misbehaviour::SplitView(split) => {
            let mut parts = vec![note("older", &split.older), note("newer", &split.newer)];
            if let Some(prefix) = &split.prefix {
                let line = format!("root {}, {} hashes", prefix.root, prefix.path.path().len());
                parts.push(Part { name: "newer begins with".into(), line, files: Vec::new() });
            }
            parts
        }
        Misbehaviour::ImpossibleHead(evidence) => vec![note("head", &evidence.head)],
        Misbehaviour::Rollback(evidence) => vec![note("larger", &evidence.larger), note("smaller", &evidence.smaller)],
        Misbehaviour::WrongIndexRoot(evidence) => {
            let mut parts: Vec<Part> = evidence.entries.iter().map(logged).collect();
            let line = format!("{} keys", evidence.transition.touched().len());
            parts.push(Part { name: "touched".into(), line, files: Vec::new() });
            parts
        }
        Misbehaviour::WrongIndexStep(evidence) => step(evidence),
        Misbehaviour::RegistrationViolated(evidence) => {
            let mut parts: Vec<Part> = evidence.entries.iter().map(logged).collect();
            if let Some(history) = &evidence.history {
                let line =
                    format!("{} key statements, by index entry {}", history.pointers.len(), history.index.position());
                parts.push(Part { name: "history".into(), line, files: Vec::new() });
                parts.push(logged(&history.index));
            }
            parts
        }
        Misbehaviour::SilentSwap(evidence) => {
            let mut parts = vec![logged(&evidence.first), logged(&evidence.second)];
            for key in &evidence.keys {
                parts.push(Part { name: "key".into(), line: key.key_id().to_string(), files: Vec::new() });
            }
            parts
        }
    }
}

fn note(name: &str, note: &SignedNote) -> Part {
    let signers: Vec<_> = note.signatures().iter().map(|line| line.name.to_string()).collect();
    let line = match Checkpoint::parse(note.text()) {
        Ok(head) => {
            format!("{} size {} root {}, signed {}", head.origin(), head.size(), head.root(), signers.join(", "))
        }
        Err(error) => error.to_string(),
    };
    Part { name: name.to_owned(), line, files: vec![("checkpoint", note.to_bytes())] }
}

/// The checkpoint, the entries, and the body that was refused.
fn step(evidence: &WrongIndexStep) -> Vec<Part> {
    let Ok(step) = evidence.step() else { return Vec::new() };
    let mut parts = vec![note("head", step.note())];
    if let Some(old) = step.old() {
        let line = format!("index root {}", old.index);
        parts.push(Part { name: format!("entry {}", old.entry().position), line, files: Vec::new() });
    }
    for (bytes, position) in step.entries().iter().zip(step.old_size()..) {
        let (line, kind) = entry(bytes);
        parts.push(Part { name: format!("entry {position}"), line, files: vec![(kind, bytes.to_vec())] });
    }
    let nodes = step.transition().map_or(0, |proof| proof.nodes().len());
    let line = format!("from {} to {} entries, {nodes} nodes of the old index", step.old_size(), step.end());
    parts.push(Part { name: "step".into(), line, files: vec![("add-transition", evidence.body().to_vec())] });
    parts
}

fn logged(logged: &Logged) -> Part {
    let (line, kind) = entry(&logged.entry);
    let files = vec![(kind, logged.entry.clone()), ("tlog-proof", logged.proof.to_bytes())];
    Part { name: format!("entry {}", logged.position()), line, files }
}

fn entry(bytes: &[u8]) -> (String, &'static str) {
    match Entry::parse(bytes) {
        Ok(Entry::Index(entry)) => (format!("index root {}", entry.root), "index"),
        Ok(Entry::Statement(signed)) => {
            let statement = signed.statement();
            let about = statement.coordinate().map_or_else(String::new, |coordinate| format!(" about {coordinate}"));
            (format!("{} by {}{about}, key {}", statement.kind(), statement.publisher(), signed.kid()), "cose")
        }
        Err(error) => (format!("no entry: {error}"), "bytes"),
    }
}

/// Writes the parts as the standard files that they are. Nothing is overwritten.
fn write_parts(parts: &[Part], folder: &Path) -> Result<Vec<String>, Failure> {
    let name = |part: &Part, extension: &str| format!("{}.{extension}", part.name.replace(' ', "-"));
    let files = parts
        .iter()
        .flat_map(|part| part.files.iter().map(move |(extension, bytes)| (name(part, extension), bytes.as_slice())));
    extract::write(files, folder)
}

fn read(file: &Path) -> Result<Misbehaviour, Failure> {
    let bytes = error::read(file, MAX_EVIDENCE as u64, "a file of evidence")?;
    if bytes.starts_with(OLD_TEXT) {
        return Err(EvidenceFailure::OldText { path: file.display().to_string() }.into());
    }
    Ok(Misbehaviour::parse(&bytes)
        .map_err(|error| EvidenceFailure::Malformed { path: file.display().to_string(), error })?)
}

/// How the evidence began that witnesses wrote as text before they wrote files of evidence.
pub(super) const OLD_TEXT: &[u8] = b"stele evidence v1\n";

/// Why a file convicts nobody.
#[derive(Debug, thiserror::Error)]
enum EvidenceFailure {
    /// It is none.
    #[error("{path} is not a file of evidence: {error}")]
    Malformed {
        /// The file.
        path: String,
        /// Why.
        error: EvidenceError,
    },
    /// A witness of before wrote it as text.
    #[error("{path} is a witness's evidence in its old form; expected a file of evidence")]
    OldText {
        /// The file.
        path: String,
    },
    /// It does not prove what it says.
    #[error("the evidence convicts nobody: {0}")]
    Unproven(Unproven),
}

impl Explain for EvidenceFailure {
    explain! {
        Self::Malformed { error, .. } => Exit::BadInput, error.code(), hint: "`stele inspect FILE` says what a file is";
        Self::OldText { .. } => Exit::BadInput, "evidence-old-text",
            hint: "`stele-witness evidence export DIR --out FOLDER` writes it as a file of evidence";
        Self::Unproven(error @ Unproven::UnknownLog { .. }) => Exit::WrongPolicy, error.code(),
            hint: "give the key of that log: --vkey, or --policy with a policy that has it";
        Self::Unproven(error @ Unproven::NeedsMore { .. }) => Exit::Unproven, error.code(),
            hint: "ask whoever made the file for the entries that are missing";
        Self::Unproven(error) => Exit::Unproven, error.code();
    }
}
