//! What a person should know of a folder before it is published: notes on stderr.

use stele_model_files::roles::{self, Roles, Why};
use stele_spec::finding::{CodeReference, DeclaredBase};
use stele_spec::manifest::FilePath;
use stele_verify::folder::walk::Found;

use super::facts::Facts;
use crate::publish_check;

/// How many files a note names.
const NAMED: usize = 20;

pub(super) fn add(facts: &mut Facts, files: &[Found], roles: &Roles) {
    for DeclaredBase { file, field, name } in facts.base_paths.iter().take(NAMED) {
        let note = format!("{file} names a path as {field}, {name}: which model was it? Say it under [[lineage]]");
        facts.notes.push(note);
    }
    if facts.weights.is_empty() {
        facts.notes.push(no_weights(facts));
    }
    of_roles(facts, files, roles);
    refused(facts, files, roles);
    of_loaders(facts);
    of_checkpoints(facts, files);
}

/// A form of checkpoint that keeps what was written over: with it, weights that were never meant to be released are released.
fn of_checkpoints(facts: &mut Facts, files: &[Found]) {
    let kept = files.iter().filter(|file| file.path.file_name() == "manifest.ocdbt").take(NAMED);
    facts.notes.extend(kept.map(|file| {
        let file = &file.path;
        format!("{file} is of an OCDBT checkpoint, which keeps weights that were written over or deleted: copy the newest into a new one")
    }));
}

/// That no weights were found, and how to say which they are.
pub(super) fn no_weights(facts: &Facts) -> String {
    let example = facts.without_role.first().map_or("model.ext", |(_, path)| path.as_str());
    format!(
        "no weights were found by names or contents: say which files they are under [roles], as \"{example}\" = \"weights\""
    )
}

/// Roles that a file's name does not give, and files that may be weights.
fn of_roles(facts: &mut Facts, files: &[Found], roles: &Roles) {
    for (path, assigned) in roles.files.iter().filter(|(_, assigned)| assigned.why != Why::Name).take(NAMED) {
        let why = match &assigned.why {
            Why::NamedBy(by) => format!("{by} names it as a part of itself"),
            Why::Content(content) => format!("it is {}", content.as_str()),
            Why::Name => continue,
        };
        facts.notes.push(format!("{path} is taken for {}: {why}", assigned.role));
    }
    for (part, by) in roles.parts.missing(files).take(NAMED) {
        facts.notes.push(format!("{by} names {part} as a part of itself, which is not here"));
    }
    let sized = files.iter().map(|file| (&file.path, roles.of(&file.path), file.size));
    let open = roles::questions(sized, |_| false);
    facts.notes.extend(open.iter().take(NAMED).map(|question| format!("{question} Say it under [roles]")));
}

/// Files that `publish` will refuse as they are, said before anybody decides anything about them.
fn refused(facts: &mut Facts, files: &[Found], roles: &Roles) {
    let doubts = publish_check::foreseen(files, roles);
    facts.notes.extend(doubts.iter().take(NAMED).map(|doubt| format!("{doubt}: publish will refuse it")));
    if let Some(more) = doubts.len().checked_sub(NAMED).filter(|more| *more > 0) {
        facts.notes.push(format!("publish will refuse {more} files more"));
    }
}

/// Files that run a program when they are loaded.
fn of_loaders(facts: &mut Facts) {
    let list = |files: &[FilePath]| {
        let mut names: Vec<&str> = files.iter().take(NAMED).map(FilePath::as_str).collect();
        names.extend((files.len() > NAMED).then_some("and more"));
        names.join(", ")
    };
    if !facts.pickles.is_empty() {
        let files = list(&facts.pickles);
        facts.notes.push(format!("to load one of these is to run it, they are of the pickle family: {files}"));
    }
    if !facts.code.is_empty() {
        facts.notes.push(format!("these files are programs: {}", list(&facts.code)));
    }
    for (file, CodeReference { field, runs }) in facts.named_code.iter().take(NAMED) {
        let runs = runs.chars().take(200).collect::<String>();
        facts.notes.push(format!("{file} names code to be run when the model is loaded: {runs} ({field})"));
    }
    if let Some(more) = facts.named_code.len().checked_sub(NAMED).filter(|more| *more > 0) {
        facts.notes.push(format!("and {more} pieces of code more are named to be run"));
    }
}
