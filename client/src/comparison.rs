//! The files on this disk against a manifest that is proven.
//!
//! What was asked for is a whole release, a folder of one, or one file. A file of the manifest with another content differs;
//! one that is no regular file is unusable; one that is not there is missing. What the manifest does not name is extra, and
//! matters where a loader would take it.

mod cause;
mod error;
mod weights;

use std::path::Path;

use stele_spec::hash::Digest;
use stele_spec::manifest::{FilePath, Manifest, ManifestFile};

pub(crate) use cause::Cause;
pub(crate) use error::{ComparisonError, count};
pub(crate) use weights::{Weights, WeightsState};

use crate::error::Failure;
use crate::folder::{self, Found, Oddity};
use crate::hash_files::{HashError, Hashed, Job, Want, hash_all};
use crate::loadable;
use crate::progress::Progress;
use crate::target::folders_above;

/// How many names of each kind are listed for a person.
pub(crate) const LISTED: usize = 10;

/// What of a release was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All of it.
    #[default]
    Whole,
    /// A folder of it, by its path in the release.
    Part(String),
    /// One file.
    File,
}

/// What lies on the disk, by the manifest.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    /// What was asked for.
    pub(crate) scope: Scope,
    /// How many files of the manifest that is.
    pub(crate) of: usize,
    /// The files that match.
    pub(crate) matching: Vec<FilePath>,
    /// Their bytes together.
    pub(crate) bytes: u64,
    /// The files of the manifest that are not there.
    pub(crate) missing: Vec<FilePath>,
    /// How many of them are missing since the links to them lead nowhere.
    pub(crate) dangling: usize,
    /// The files that are another content.
    pub(crate) differing: Vec<Difference>,
    /// The files of the manifest in whose place something unusable is.
    pub(crate) unusable: Vec<(String, String, bool)>,
    /// What is there and not in the manifest.
    pub(crate) extra: Vec<Extra>,
    /// The weights of the whole release.
    pub(crate) weights: Weights,
}

/// Something that the manifest does not name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Extra {
    /// Its path.
    pub(crate) path: String,
    /// What it is, if it is no file.
    pub(crate) what: Option<String>,
    /// What a loader would take it for.
    pub(crate) role: Option<&'static str>,
    /// Whether the caller allows it.
    pub(crate) is_allowed: bool,
}

impl Extra {
    /// Its path, and what it would be loaded as.
    pub(crate) fn with_role(&self) -> String {
        match (&self.what, self.role) {
            (Some(what), _) => format!("{} ({what})", self.path),
            (None, Some(role)) => format!("{} ({role})", self.path),
            (None, None) => self.path.clone(),
        }
    }
}

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Content {
    /// Its length in bytes.
    pub(crate) size: u64,
    /// Its SHA-256.
    pub(crate) sha256: Digest,
}

impl Content {
    fn of(file: &ManifestFile) -> Self {
        Self { size: file.size, sha256: file.sha256 }
    }

    fn found(hashed: &Hashed) -> Self {
        Self { size: hashed.size, sha256: hashed.sha256 }
    }
}

impl std::fmt::Display for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({} bytes)", self.sha256, self.size)
    }
}

/// A file with another content than the record's.
#[derive(Debug, Clone)]
pub(crate) struct Difference {
    /// Which.
    pub(crate) path: FilePath,
    /// By the record.
    pub(crate) expected: Content,
    /// Its length on the disk.
    pub(crate) size: u64,
    /// Its digest on the disk, where it was computed: a file of another length is not hashed.
    pub(crate) sha256: Option<Digest>,
    /// What it holds in place of the recorded bytes.
    pub(crate) cause: Cause,
}

impl Difference {
    /// What is on the disk, in words.
    pub(crate) fn found(&self) -> String {
        match self.sha256 {
            Some(sha256) => Content { size: self.size, sha256 }.to_string(),
            None => format!("another length ({} bytes), and so not hashed", self.size),
        }
    }
}

/// Compares a folder: the whole release, or where `within` is not empty the folder of that path in it. `allowed` says
/// which extra files the caller accepts.
pub(crate) fn of_folder(
    root: &Path,
    within: &str,
    manifest: &Manifest,
    allowed: &dyn Fn(&str) -> bool,
) -> Result<Comparison, Failure> {
    let is_asked = |path: &FilePath| below(within, path.as_str());
    let wanted = |folder: &str| manifest.files().iter().any(|file| hides(folder, &file.path) && is_asked(&file.path));
    let walk = folder::walk_to_verify(root, within, &wanted)?;
    let scope = if within.is_empty() { Scope::Whole } else { Scope::Part(within.to_owned()) };
    let of = manifest.files().iter().filter(|file| is_asked(&file.path)).count();
    let mut comparison = Comparison { scope, of, ..Comparison::default() };
    let extra = |path: String, what: Option<String>, role: Option<&'static str>| {
        let is_allowed = role.is_some() && allowed(&path);
        Extra { path, what, role, is_allowed }
    };
    let (mut here, mut dangling) = (Vec::new(), Vec::new());
    for found in walk.files {
        match manifest.file(&found.path) {
            Some(file) => here.push((file, found)),
            None => {
                let role = loadable::of_file(found.path.as_str(), &found.open);
                comparison.extra.push(extra(found.path.to_string(), None, role));
            }
        }
    }
    for (path, oddity) in walk.odd {
        let path = path.trim_end_matches('/').to_owned();
        let is_recorded = manifest.files().iter().any(|file| hides(&path, &file.path));
        match oddity {
            Oddity::LinkBroken if is_recorded => dangling.push(path),
            oddity if is_recorded => {
                comparison.unusable.push((path, oddity.to_string(), matches!(oddity, Oddity::Unreadable(_))));
            }
            oddity => {
                let role = of_oddity(&path, &oddity);
                comparison.extra.push(extra(path, Some(oddity.to_string()), role));
            }
        }
    }
    for (shown, open) in walk.skipped {
        let found = loadable::in_skipped(&shown, &open);
        comparison.extra.extend(found.into_iter().map(|(path, role)| extra(path, None, Some(role))));
    }
    comparison.compare(&here);
    let seen: std::collections::BTreeSet<&FilePath> = here.iter().map(|(file, _)| &file.path).collect();
    for file in manifest.files().iter().filter(|file| is_asked(&file.path) && !seen.contains(&file.path)) {
        let path = &file.path;
        if comparison.unusable.iter().any(|(odd, ..)| hides(odd, path)) {
            continue;
        }
        let below = path.as_str().get(within.len()..).unwrap_or_default().trim_start_matches('/');
        if root.join(below).is_dir() {
            comparison.unusable.push((path.to_string(), "a folder in a file's place".to_owned(), false));
            continue;
        }
        comparison.dangling += usize::from(dangling.iter().any(|link| hides(link, path)));
        comparison.missing.push(path.clone());
    }
    comparison.weigh(manifest);
    Ok(comparison)
}

/// Whether a path is in a folder of the release; every path is in the one without a name.
fn below(folder: &str, path: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// What a loader would take something for that is no file of a release: a file by its name, and a folder that was not
/// looked into for anything.
fn of_oddity(path: &str, oddity: &Oddity) -> Option<&'static str> {
    match oddity {
        Oddity::LinkToFolder => Some("not looked into"),
        Oddity::Path(stele_spec::manifest::PathError::TooDeep { .. }) => Some("not looked into"),
        Oddity::Unreadable(_) => loadable::of_name(path).or(Some("not looked into")),
        Oddity::Path(_) | Oddity::NotUtf8 | Oddity::Fifo | Oddity::Socket | Oddity::Device => loadable::of_name(path),
        Oddity::LinkOut(_) | Oddity::LinkLoop | Oddity::LinkBroken => None,
    }
}

/// Whether what is odd stands in the place of a file, or is a folder that holds it.
fn hides(odd: &str, path: &FilePath) -> bool {
    path.as_str().strip_prefix(odd).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Compares one file: the one of the manifest at its path below a folder above it, or else of its digest.
pub(crate) fn of_file(path: &Path, manifest: &Manifest) -> Result<Comparison, Failure> {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let at = |folder: &Path| {
        let below = absolute.strip_prefix(folder).ok()?.to_str()?.parse().ok()?;
        manifest.file(&below)
    };
    // The longest path wins: `text_encoder/config.json` before `config.json`.
    let named = folders_above(path).iter().rev().find_map(|folder| at(folder));
    let unusable = |problem: String, is_io| ComparisonError::Unusable {
        files: vec![(path.display().to_string(), problem)],
        is_io,
    };
    let size = std::fs::metadata(path).map_or(0, |found| found.len());
    let mut comparison = Comparison { scope: Scope::File, of: 1, ..Comparison::default() };
    let has_size = |file: &ManifestFile| file.size == size;
    let hashed = if manifest.files().iter().any(has_size) {
        let job = Job { path: path.to_owned(), size };
        let progress = Progress::of(job.size);
        match hash_all(std::slice::from_ref(&job), Want::Sha256, &progress).pop() {
            Some(Ok(hashed)) => Some(hashed),
            Some(Err(error)) => {
                return Err(
                    unusable(error.to_string(), matches!(error, HashError::Read(_) | HashError::Changed)).into()
                );
            }
            None => return Err(unusable("it was not hashed".into(), true).into()),
        }
    } else {
        if !std::fs::metadata(path).is_ok_and(|found| found.is_file()) {
            return Err(unusable("it is not a regular file".into(), false).into());
        }
        None
    };
    let same = |file: &&ManifestFile| hashed.as_ref().is_some_and(|found| Content::of(file) == Content::found(found));
    match (manifest.files().iter().find(same), named) {
        (Some(renamed), named) => {
            let file = named.filter(|file| same(file)).unwrap_or(renamed);
            comparison.matching.push(file.path.clone());
            comparison.bytes = file.size;
        }
        (None, Some(file)) => {
            let sha256 = hashed.map(|hashed| hashed.sha256);
            comparison.differing.push(difference(file, path, size, sha256));
        }
        (None, None) => {
            let (path, digest) = (path.display().to_string(), hashed.map(|hashed| hashed.sha256));
            return Err(ComparisonError::NotOfTheRelease { path, size, digest }.into());
        }
    }
    comparison.weigh(manifest);
    Ok(comparison)
}

fn difference(file: &ManifestFile, open: &Path, size: u64, sha256: Option<Digest>) -> Difference {
    let expected = Content::of(file);
    Difference { path: file.path.clone(), expected, size, sha256, cause: Cause::of(open, expected, size) }
}

impl Comparison {
    /// Lengths first: what has another one differs, and is not hashed.
    fn compare(&mut self, here: &[(&ManifestFile, Found)]) {
        let mut same_length = Vec::new();
        for (file, found) in here {
            if file.size == found.size {
                same_length.push((file, found));
            } else {
                self.differing.push(difference(file, &found.open, found.size, None));
            }
        }
        let job = |found: &Found| Job { path: found.open.clone(), size: found.size };
        let jobs: Vec<Job> = same_length.iter().map(|(_, found)| job(found)).collect();
        let progress = Progress::of(jobs.iter().map(|job| job.size).sum());
        for ((file, found), result) in same_length.into_iter().zip(hash_all(&jobs, Want::Sha256, &progress)) {
            match result {
                Ok(hashed) if Content::of(file) == Content::found(&hashed) => {
                    self.bytes += file.size;
                    self.matching.push(file.path.clone());
                }
                Ok(hashed) => {
                    self.differing.push(difference(file, &found.open, hashed.size, Some(hashed.sha256)));
                }
                Err(error) => {
                    let is_io = matches!(error, HashError::Read(_) | HashError::Changed);
                    self.unusable.push((file.path.to_string(), error.to_string(), is_io));
                }
            }
        }
        self.differing.sort_by(|a, b| a.path.cmp(&b.path));
    }

    /// The extra files that a loader would take and that the caller does not allow.
    pub(crate) fn unrecorded(&self) -> Vec<&Extra> {
        self.extra.iter().filter(|extra| extra.role.is_some() && !extra.is_allowed).collect()
    }

    /// Whether every file of the release was compared and matches.
    pub(crate) fn is_whole(&self) -> bool {
        self.scope == Scope::Whole && self.matching.len() == self.of
    }

    /// What keeps the files from being the record's, the worst first. `partial` accepts missing files as long as one is here.
    pub(crate) fn problems(&self, partial: bool) -> Vec<ComparisonError> {
        let mut problems = Vec::new();
        if !self.differing.is_empty() {
            problems.push(ComparisonError::Differs { files: self.differing.clone(), of: self.of });
        }
        if !self.unusable.is_empty() {
            let is_io = self.unusable.iter().any(|(.., is_io)| *is_io);
            let files = self.unusable.iter().map(|(path, problem, _)| (path.clone(), problem.clone())).collect();
            problems.push(ComparisonError::Unusable { files, is_io });
        }
        if !self.missing.is_empty() && (!partial || self.matching.is_empty()) {
            problems.push(ComparisonError::Incomplete {
                files: self.missing.clone(),
                of: self.of,
                matching: self.matching.len(),
                dangling: self.dangling,
            });
        }
        let unrecorded = self.unrecorded();
        if !unrecorded.is_empty() {
            problems.push(ComparisonError::Unrecorded { files: unrecorded.into_iter().cloned().collect() });
        }
        problems
    }
}

/// `a, b and 3 more`.
pub(crate) fn names(items: impl Iterator<Item = impl std::fmt::Display>, count: usize, listed: usize) -> String {
    let shown: Vec<String> = items.take(listed).map(|item| item.to_string()).collect();
    let text = shown.join(", ");
    if count > listed { format!("{text} and {} more", count - listed) } else { text }
}
