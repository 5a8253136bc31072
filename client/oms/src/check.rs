//! A model on a disk, held against what was signed (section 8.4).
//!
//! What was signed is always checked, also where it is left aside by name: a path that is left aside only excuses what was not signed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use stele_explain::printable::one_line;
use stele_explain::{Exit, Explain, explain};
use stele_spec::hash::Digest;
use stele_verify::folder::hash::{HashError, Progress};
use stele_verify::folder::loadable::{in_skipped, of_file};

use crate::bundle::SignedModel;
use crate::digest;
use crate::name::{DEFAULT_IGNORED, SINGLE_FILE, is_within};
use crate::statement::{Expected, Method};
use crate::walk::{Found, Links, Model, Walk, WalkError, walk};

/// What a caller accepts.
#[derive(Debug, Clone, Default)]
pub struct CheckOptions {
    /// Paths that are no files of the model, as long as no loader takes what is there.
    pub beside: Vec<String>,
    /// Paths in the model that are left aside, beside those that the signer left aside.
    pub ignored: Vec<String>,
    /// Take symbolic links as the files that they lead to, also where the signer followed none: bytes decide.
    pub allow_symlinks: bool,
    /// Accept what was not signed.
    pub ignore_unsigned_files: bool,
}

/// Each file that was signed, and each that lies there, in exactly one list.
#[derive(Debug, Default)]
pub struct Report {
    /// There, with the bytes that were signed.
    pub matching: Vec<String>,
    /// There, with other bytes.
    pub differing: Vec<Difference>,
    /// Not there.
    pub missing: Vec<String>,
    /// There, and no file that can be read; with why.
    pub unusable: Vec<(String, Unusable)>,
    /// There, and not signed: also what the signer left aside and a loader takes.
    pub unsigned: Vec<String>,
    /// Left aside.
    pub ignored: Vec<String>,
}

/// A file with other bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its path.
    pub name: String,
    /// What was signed.
    pub expected: String,
    /// What is here.
    pub found: String,
}

/// Why something cannot be checked.
#[derive(Debug)]
pub struct Unusable {
    /// In words.
    pub why: String,
    /// Whether the machine failed, so that trying again may help.
    pub is_io: bool,
    /// Whether it was signed.
    pub is_signed: bool,
}

/// Why a model could not be checked at all.
pub type CheckError = WalkError;

impl SignedModel {
    /// Hashes the files of a model that were signed, and says what of it is as it was signed.
    pub fn check(&self, model: &Path, options: &CheckOptions, progress: Progress<'_>) -> Result<Report, CheckError> {
        let signed = self.statement().files();
        let model = Model::at(model)?;
        let walk = match &model {
            Model::Folder(root) => walk(root, self.links(options), &|name| self.is_ignored(name, options))?,
            Model::File(path, size) => self.only_file(&model, path, *size),
        };
        let (loaded, ignored) =
            walk.ignored.into_iter().partition(|name| self.leaves_aside_what_is_loaded(&model, name, options));
        let mut report = Report { ignored, unsigned: loaded, ..Report::default() };
        let (found, unsigned): (Vec<Found>, Vec<Found>) =
            walk.files.into_iter().partition(|file| signed.contains_key(&file.name));
        self.hash(&found, &mut report, progress);
        for file in unsigned {
            // An empty file has no part that could have been signed.
            let is_without_parts = matches!(self.statement().method(), Method::Shards { .. }) && file.size == 0;
            if is_without_parts { &mut report.ignored } else { &mut report.unsigned }.push(file.name);
        }
        for (name, oddity) in walk.odd {
            let is_io = matches!(oddity, crate::walk::Oddity::Unreadable(_));
            let is_signed = signed.contains_key(&name);
            report.unusable.push((name, Unusable { why: oddity.to_string(), is_io, is_signed }));
        }
        let there: BTreeSet<&str> = found
            .iter()
            .map(|file| file.name.as_str())
            .chain(report.unusable.iter().map(|(name, _)| name.as_str()))
            .collect();
        report.missing = signed.keys().filter(|name| !there.contains(name.as_str())).cloned().collect();
        if options.ignore_unsigned_files {
            let (kept, excused) = report.unusable.into_iter().partition(|(_, unusable)| unusable.is_signed);
            let excused: Vec<(String, Unusable)> = excused;
            report.unusable = kept;
            report.ignored.extend(report.unsigned.drain(..).chain(excused.into_iter().map(|(name, _)| name)));
            report.ignored.sort();
        }
        Ok(report)
    }

    fn links(&self, options: &CheckOptions) -> Links {
        match self.statement().allow_symlinks() || options.allow_symlinks {
            true => Links::Followed,
            false => Links::Refused,
        }
    }

    /// Whether a path and all that is below it is left aside. A folder in which a signed file lies is not.
    fn is_ignored(&self, name: &str, options: &CheckOptions) -> bool {
        let signed = self.statement().files();
        let ignored = self.statement().ignored().iter().chain(&options.ignored).chain(&options.beside);
        let ignored = ignored.map(String::as_str);
        if !is_within(name, ignored.chain(DEFAULT_IGNORED)) || signed.contains_key(name) {
            return false;
        }
        let below = format!("{name}/");
        signed.range(below.clone()..).next().is_none_or(|(first, _)| !first.starts_with(&below))
    }

    /// Whether a loader takes what the signer, or this program, left aside and the caller does not: a program, a configuration, weights.
    fn leaves_aside_what_is_loaded(&self, model: &Model, name: &str, options: &CheckOptions) -> bool {
        let excused = options.ignored.iter().map(String::as_str).chain(DEFAULT_IGNORED);
        let Model::Folder(root) = model else { return false };
        if is_within(name, excused) {
            return false;
        }
        let open = root.join(name);
        if open.is_dir() { !in_skipped(name, &open).is_empty() } else { of_file(name, &open).is_some() }
    }

    /// A model that is one file: by its own name, or as the model_signing tool calls it.
    fn only_file(&self, model: &Model, path: &Path, size: u64) -> Walk {
        let own = model.name().unwrap_or_default();
        let is_unnamed = self.statement().files().contains_key(SINGLE_FILE);
        let name = if is_unnamed { SINGLE_FILE } else { own }.to_owned();
        Walk { files: vec![Found { name, open: path.to_owned(), size }], ..Walk::default() }
    }

    fn hash(&self, found: &[Found], report: &mut Report, progress: Progress<'_>) {
        let signed = self.statement().files();
        match self.statement().method() {
            Method::Files => {
                let files: Vec<&Found> = found.iter().collect();
                for (file, hashed) in files.iter().zip(digest::whole(&files, progress)) {
                    let expected = signed.get(&file.name);
                    let is_match = |digest: &Digest| expected == Some(&Expected::Whole(*digest));
                    sort(report, file, hashed, is_match, |digest| (said(expected), digest.to_string()));
                }
            }
            Method::Shards { size } => {
                // A file of another length differs; it is not hashed.
                let mut of_length: Vec<&Found> = Vec::new();
                for file in found {
                    match signed.get(&file.name) {
                        Some(Expected::Parts { length, .. }) if *length == file.size => of_length.push(file),
                        expected => report.differing.push(Difference {
                            name: file.name.clone(),
                            expected: said(expected),
                            found: format!("{} bytes", file.size),
                        }),
                    }
                }
                for (file, hashed) in of_length.iter().zip(digest::parts(&of_length, size, progress)) {
                    let expected = match signed.get(&file.name) {
                        Some(Expected::Parts { digests, .. }) => digests.as_slice(),
                        _ => &[],
                    };
                    let is_match = |digests: &Vec<Digest>| digests == expected;
                    sort(report, file, hashed, is_match, |digests| first_difference(expected, &digests, size));
                }
            }
        }
    }
}

/// Puts a hashed file into its list.
fn sort<T>(
    report: &mut Report,
    file: &Found,
    hashed: Result<T, HashError>,
    is_match: impl Fn(&T) -> bool,
    difference: impl Fn(T) -> (String, String),
) {
    let name = file.name.clone();
    match hashed {
        Ok(found) if is_match(&found) => report.matching.push(name),
        Ok(found) => {
            let (expected, found) = difference(found);
            report.differing.push(Difference { name, expected, found });
        }
        Err(error) => {
            let is_io = !matches!(error, HashError::NotAFile);
            report.unusable.push((name, Unusable { why: error.to_string(), is_io, is_signed: true }));
        }
    }
}

fn said(expected: Option<&Expected>) -> String {
    match expected {
        Some(Expected::Whole(digest)) => digest.to_string(),
        Some(Expected::Parts { length, .. }) => format!("{length} bytes"),
        None => String::new(),
    }
}

fn first_difference(expected: &[Digest], found: &[Digest], size: u64) -> (String, String) {
    let at = expected.iter().zip(found).position(|(expected, found)| expected != found).unwrap_or_default();
    let part = |digests: &[Digest]| digests.get(at).map_or_else(String::new, Digest::to_string);
    let from = u64::try_from(at).unwrap_or(u64::MAX).saturating_mul(size);
    (format!("{} from byte {from} on", part(expected)), part(found))
}

impl Report {
    /// Whether all that was signed is here, and nothing else.
    pub fn is_exact(&self) -> bool {
        self.differing.is_empty() && self.missing.is_empty() && self.unusable.is_empty() && self.unsigned.is_empty()
    }

    /// The worst that is wrong, as an error.
    pub fn require(&self) -> Result<(), Mismatch> {
        if let [first, ..] = self.differing.as_slice() {
            return Err(Mismatch::Differs { first: first.clone(), count: self.differing.len() });
        }
        if let [(name, unusable), ..] = self.unusable.as_slice() {
            let (name, why, is_io) = (one_line(name).to_string(), unusable.why.clone(), unusable.is_io);
            return Err(Mismatch::Unusable { name, why, is_io, count: self.unusable.len() });
        }
        if !self.missing.is_empty() {
            return Err(Mismatch::Missing { names: self.missing.clone() });
        }
        if !self.unsigned.is_empty() {
            return Err(Mismatch::Unsigned { names: self.unsigned.clone() });
        }
        Ok(())
    }

    /// How often each list has something, by its name.
    pub fn counts(&self) -> BTreeMap<&'static str, usize> {
        [
            ("matching", self.matching.len()),
            ("differing", self.differing.len()),
            ("missing", self.missing.len()),
            ("unusable", self.unusable.len()),
            ("unsigned", self.unsigned.len()),
            ("ignored", self.ignored.len()),
        ]
        .into()
    }
}

/// Why a model is not the one that was signed.
#[derive(Debug, thiserror::Error)]
pub enum Mismatch {
    /// Files have other bytes.
    #[error("{} has other bytes than were signed{}", one_line(&.first.name), more(*count))]
    Differs {
        /// The first of them.
        first: Difference,
        /// How many.
        count: usize,
    },
    /// Something is no file that can be checked.
    #[error("{name} cannot be checked: {why}{}", more(*count))]
    Unusable {
        /// The first of them.
        name: String,
        /// Why.
        why: String,
        /// Whether the machine failed.
        is_io: bool,
        /// How many.
        count: usize,
    },
    /// Signed files are not here.
    #[error("{} of the signed files {} missing", names.len(), if names.len() == 1 { "is" } else { "are" })]
    Missing {
        /// All of them.
        names: Vec<String>,
    },
    /// Files lie here that were not signed.
    #[error("{} here {} not signed", files(names.len()), if names.len() == 1 { "was" } else { "were" })]
    Unsigned {
        /// All of them.
        names: Vec<String>,
    },
}

impl Explain for Mismatch {
    explain! {
        Self::Differs { first, .. } => Exit::BytesDiffer, "bytes-differ", hint: "do not load it; get the model again",
            "expected": first.expected, "found": first.found;
        Self::Unusable { is_io: true, .. } => Exit::Io, "file-unreadable", hint: "check owner and mode of the files, and that nobody writes to them, and verify again";
        Self::Unusable { .. } => Exit::BadInput, "file-unusable", hint: "put a regular file in its place, or move it away";
        Self::Missing { names } => Exit::Incomplete, "incomplete", hint: "get the whole model", facts: some_of(names);
        Self::Unsigned { names } => Exit::Unrecorded, "unrecorded",
            hint: "move them away; --ignore-path PATH accepts what you know, --ignore-unsigned-files all of them", facts: some_of(names);
    }
}

fn more(count: usize) -> String {
    if count > 1 { format!(", and {} more", count - 1) } else { String::new() }
}

fn files(count: usize) -> String {
    if count == 1 { "1 file".to_owned() } else { format!("{count} files") }
}

fn some_of(names: &[String]) -> Vec<(&'static str, String)> {
    let mut facts: Vec<_> = names.iter().take(20).map(|name| ("file", one_line(name).to_string())).collect();
    if names.len() > 20 {
        facts.push(("more", (names.len() - 20).to_string()));
    }
    facts
}
