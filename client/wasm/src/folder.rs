//! The files that a person dropped: which of them are read and how, and what was found, in the form that the library compares.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Cursor, Read, Seek, SeekFrom};

use serde_json::{Value, json};
use stele_explain::{Exit, Explain, Failure, explain};
use stele_spec::hash::Digest;
use stele_spec::manifest::{FilePath, PathError, Role};
use stele_spec::verify::{MAX_CAUSE, archive_holds_weights, begins_archive, begins_weights, loadable_by_name, pickle};
use stele_verify::skipped::{
    MAX_NOTED, is_apple_double, is_beside_by_macos, is_noted_by_tools, is_own_of_tools, is_skipped, with_folders_above,
};
use stele_verify::{FolderContents, FolderMismatch, FolderReport, Found};

use crate::error::Misuse;
use crate::session::Session;

/// The most files that are looked at, as on a disk.
const MAX_FILES: usize = 200_000;
/// How much of a file outside the record is read at its beginning, to tell what it is.
pub const BEGINNING: u64 = 16 << 20;
/// How much of it is read at its end, where an archive has its list of files.
pub const END: u64 = 64 << 10;
/// How much of the beginning is looked at for the marks of formats.
const MARKS: usize = 4096;

/// What to do with each file of a list of `[path, size]`: `hash` it, read it to say why it `differs`, look whether a loader would take it
/// (`look`), name it without reading it (`name`), or leave it out (`skip`).
pub fn plan(session: &Session, listed: &Value) -> Result<Value, Failure> {
    let manifest = session.release().manifest();
    let listed = listed.as_array().ok_or(Misuse("a list of files"))?;
    if listed.len() > MAX_FILES {
        return Err(TooManyFiles { found: listed.len() }.into());
    }
    let mut steps = Vec::with_capacity(listed.len());
    for file in listed {
        let (path, size) = path_and_size(file)?;
        let recorded = path.parse::<FilePath>().ok().and_then(|path| manifest.file(&path));
        let step = match recorded {
            Some(file) if file.size == size => "hash",
            Some(_) if size <= MAX_CAUSE => "differs",
            _ if is_below_skipped(path) && with_folders_above(path).any(is_own_of_tools) => "skip",
            _ if is_beside_by_macos(path) && recorded.is_none() => "look",
            _ if recorded.is_some() || loadable_by_name(path).is_some() => "name",
            _ => "look",
        };
        steps.push(json!({ "step": step, "counts": recorded.is_some() || !is_below_skipped(path) }));
    }
    Ok(steps.into())
}

/// What to do with one file that was dropped alone: it may be any file of the release that has its bytes.
pub fn plan_file(session: &Session, file: &Value) -> Result<Value, Failure> {
    let (_, size) = path_and_size(file)?;
    let has_its_length = session.release().manifest().files().iter().any(|file| file.size == size);
    Ok(json!({ "step": if has_its_length { "hash" } else { "differs" } }))
}

/// What a loader would take a file for that no record names, by its name, its beginning and its end.
pub fn role_of(path: &str, size: u64, beginning: &[u8], end: &[u8]) -> Option<&'static str> {
    if is_apple_double(path, size, beginning) && !archive_holds_weights(beginning) && !archive_holds_weights(end) {
        return None;
    }
    loadable_by_name(path).or_else(|| {
        let marks = beginning.get(..MARKS).unwrap_or(beginning);
        let is_weights = if begins_archive(beginning) {
            archive_holds_weights(marks) || archive_holds_weights(end)
        } else {
            let noted = is_noted_by_tools(path) && size <= MAX_NOTED;
            !noted && begins_weights(marks) || is_old_pickle(beginning, size)
        };
        is_weights.then(|| Role::Weights.as_str())
    })
}

/// Whether a file is a pickle of a protocol without a mark, by its beginning. One that is still a pickle where the beginning ends is called
/// one: who reads all of it may find that it is none, and nobody is told that a pickle is harmless.
fn is_old_pickle(beginning: &[u8], size: u64) -> bool {
    let whole = beginning.len() as u64 >= size;
    let mut is_cut = false;
    let found = pickle::imports(Beginning { bytes: Cursor::new(beginning), is_cut: &mut is_cut }, size);
    found.unwrap_or(false) || is_cut && !whole
}

/// The beginning of a file; it notes whether more was asked for.
struct Beginning<'a> {
    bytes: Cursor<&'a [u8]>,
    is_cut: &'a mut bool,
}

impl Read for Beginning<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(buffer)?;
        *self.is_cut |= read == 0 && !buffer.is_empty();
        Ok(read)
    }
}

impl BufRead for Beginning<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let rest = self.bytes.fill_buf()?;
        *self.is_cut |= rest.is_empty();
        Ok(rest)
    }

    fn consume(&mut self, amount: usize) {
        self.bytes.consume(amount);
    }
}

impl Seek for Beginning<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = self.bytes.seek(to)?;
        *self.is_cut |= at > self.bytes.get_ref().len() as u64;
        Ok(at)
    }
}

/// Holds what was found against the record: `{"files": [...]}` of a folder, or `{"file": ...}` for one that was dropped alone.
pub fn compare(session: &Session, found: &Value) -> Result<FolderReport, Failure> {
    if let Some(file) = found.get("file") {
        return compare_file(session, file);
    }
    let manifest = session.release().manifest();
    let files = found.get("files").and_then(Value::as_array).ok_or(Misuse("the files that were found"))?;
    let mut contents = FolderContents::new();
    let mut folders: BTreeSet<&str> = BTreeSet::new();
    for file in files {
        let path = file.get("path").and_then(Value::as_str).ok_or(Misuse("the path of a file"))?;
        folders.extend(with_folders_above(path).filter(|above| *above != path));
        contents.add(path, read(file, path, session)?);
    }
    for file in manifest.files().iter().filter(|file| folders.contains(file.path.as_str())) {
        let why = "a folder in a file's place".to_owned();
        contents.add(file.path.to_string(), Found::Unusable { why, is_io: false, loadable_as: None });
    }
    Ok(session.release().check(&contents))
}

fn compare_file(session: &Session, file: &Value) -> Result<FolderReport, Failure> {
    let (path, size) = (file.get("path").and_then(Value::as_str), file.get("size").and_then(Value::as_u64));
    let (path, size) = path.zip(size).ok_or(Misuse("the name and size of a file"))?;
    let found = read(file, path, session)?;
    let digest = match &found {
        Found::File { sha256, .. } => *sha256,
        _ => {
            let why = file.get("unusable").and_then(Value::as_str).unwrap_or("it was not read").to_owned();
            let files = vec![stele_verify::Unusable { path: path.to_owned(), why, is_io: true }];
            return Err(FolderMismatch::Unusable { files, is_io: true }.into());
        }
    };
    let release = session.release();
    let recorded = path.parse::<FilePath>().ok().filter(|path| release.manifest().file(path).is_some());
    let report = release.check_file(None, &found).or_else(|| release.check_file(Some(&recorded?), &found));
    report.ok_or_else(|| FolderMismatch::NotOfTheRelease { path: path.to_owned(), size, digest }.into())
}

/// What was found at a path: `{path, size, sha256}` of a file that was hashed, `{path, size, cause}` of one that differs, `{path, role}` of
/// one that was not read, `{path, unusable}` of one that cannot be.
fn read(file: &Value, path: &str, session: &Session) -> Result<Found, Failure> {
    let text = |name: &str| file.get(name).and_then(Value::as_str);
    if let Some(why) = text("unusable") {
        let loadable_as = loadable_by_name(path).or(Some("not looked into"));
        return Ok(Found::Unusable { why: why.to_owned(), is_io: true, loadable_as });
    }
    let recorded = path.parse::<FilePath>();
    let recorded = match &recorded {
        Ok(path) => session.release().manifest().file(path),
        Err(error) => {
            let loadable_as = match error {
                PathError::TooDeep { .. } => Some("not looked into"),
                _ => loadable_by_name(path),
            };
            let why = format!("a path that a release cannot have: {error}");
            return Ok(Found::Unusable { why, is_io: false, loadable_as });
        }
    };
    if recorded.is_none() && text("sha256").is_none() && file.get("role").is_some() {
        let loadable_as = match text("role") {
            Some(role) => Some(known_role(role)?),
            None => None,
        };
        return Ok(Found::Name { loadable_as });
    }
    let size = file.get("size").and_then(Value::as_u64).ok_or(Misuse("the size of a file"))?;
    let sha256 = text("sha256").map(Digest::from_hex).transpose().map_err(|_| Misuse("a SHA-256 in hex"))?;
    let cause = text("cause").map(cause_of).transpose()?.unwrap_or_default();
    Ok(Found::File { size, sha256, cause })
}

/// Why a file differs from the recorded one of its path, by its bytes, as a word; `unknown` where they do not say.
pub fn why_differs(session: &Session, path: &str, size: u64, bytes: &[u8]) -> &'static str {
    let recorded = path.parse::<FilePath>().ok().and_then(|path| session.release().manifest().file(&path));
    let cause = recorded.map_or(Cause::Unknown, |file| Cause::of(bytes, size, file.size, &file.sha256));
    CAUSES.iter().find(|(_, known)| *known == cause).map_or("unknown", |(word, _)| word)
}

use stele_spec::verify::Cause;

/// A word for each cause, between a page and its module.
const CAUSES: [(&str, Cause); 6] = [
    ("pointer", Cause::Pointer),
    ("other-pointer", Cause::OtherPointer),
    ("line-ends", Cause::LineEnds),
    ("web-page", Cause::WebPage),
    ("shorter", Cause::Shorter),
    ("unknown", Cause::Unknown),
];

fn cause_of(word: &str) -> Result<Cause, Misuse> {
    CAUSES.iter().find(|(known, _)| *known == word).map(|(_, cause)| *cause).ok_or(Misuse("a cause"))
}

/// A role that [`role_of`] gave, as the library's own word.
fn known_role(role: &str) -> Result<&'static str, Misuse> {
    /// Every word that a loader's eyes have for a file.
    const ROLES: [&str; 9] = [
        "weights",
        "weights-index",
        "classifier",
        "config",
        "code",
        "tokenizer",
        "chat-template",
        "generation-config",
        "system-prompt",
    ];
    ROLES.into_iter().find(|known| *known == role).ok_or(Misuse("a role"))
}

fn is_below_skipped(path: &str) -> bool {
    with_folders_above(path).any(is_skipped)
}

fn path_and_size(file: &Value) -> Result<(&str, u64), Misuse> {
    let path = file.get(0).and_then(Value::as_str);
    path.zip(file.get(1).and_then(Value::as_u64)).ok_or(Misuse("the path and size of a file"))
}

/// A folder with more files than are looked at.
#[derive(Debug, thiserror::Error)]
#[error("the folder holds {found} files: too many to look through")]
pub struct TooManyFiles {
    found: usize,
}

impl Explain for TooManyFiles {
    explain! {
        Self { found } => Exit::BadInput, "folder-too-large", hint: "drop the folder of the release alone",
            "expected": format!("at most {MAX_FILES} files"), "found": found;
    }
}
