//! Files that were found, held against the manifest of a release.

use core::ops::Range;
use std::collections::BTreeSet;
use std::fmt;

use super::cause::Cause;
use super::contents::{FolderContents, Found, Scope};
use super::loadable::{loadable_beside, loadable_by_name};
use crate::hash::Digest;
use crate::manifest::{FilePath, Manifest, ManifestFile, Role};

/// Every path of the manifest and of the folder, in exactly one list.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct FolderReport {
    /// Which part of the release was looked for.
    pub scope: Scope,
    /// The number of files in the manifest that belong to that part.
    pub of: usize,
    /// The files that are there and equal.
    pub matching: Vec<FilePath>,
    /// The bytes of the matching files together.
    pub bytes: u64,
    /// The files of the manifest that have another content.
    pub differing: Vec<Difference>,
    /// The files of the manifest that are not there.
    pub missing: Vec<FilePath>,
    /// The number of missing files whose links lead nowhere.
    pub dangling: usize,
    /// What stands in the place of a file of the manifest and is no regular file.
    pub unusable: Vec<Unusable>,
    /// What is there and not in the manifest.
    pub extra: Vec<Extra>,
    /// What is known of the weights of the whole release.
    pub weights: WeightsFound,
    digest: Option<Digest>,
}

/// The length and digest of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content {
    /// Its length in bytes.
    pub size: u64,
    /// Its SHA-256.
    pub sha256: Digest,
}

/// A file with another content than the recorded one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its path.
    pub path: FilePath,
    /// The recorded content.
    pub expected: Content,
    /// The length found, in bytes.
    pub size: u64,
    /// The digest found; none where a file of another length was not hashed.
    pub sha256: Option<Digest>,
    /// What it holds in place of the recorded bytes.
    pub cause: Cause,
    /// Where it is damaged, in bytes from the beginning, if its unsigned hints are right. Empty where nothing says.
    pub damaged: Vec<Range<u64>>,
}

/// Something in the place of a recorded file, or of a folder that holds some, that is no regular file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    /// Its path.
    pub path: String,
    /// What it is.
    pub why: String,
    /// Whether the machine failed to read it.
    pub is_io: bool,
}

/// Something that the manifest does not name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extra {
    /// Its path.
    pub path: String,
    /// What it is, if it is no file.
    pub what: Option<String>,
    /// What a loader would take it for.
    pub role: Option<&'static str>,
    /// Whether the caller allows it.
    pub is_allowed: bool,
}

/// What is known of the weights of a release.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WeightsFound {
    /// Match, differ, or not here.
    pub state: WeightsState,
    /// The number of files of weights that are here and match.
    pub here: usize,
    /// The number of files of weights in the record.
    pub of: usize,
}

/// Whether the weights of a release are here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WeightsState {
    /// All are here and match, so that their digest is the recorded one.
    Match,
    /// One of them has another content, or is unusable.
    Differ,
    /// Some or all are not here.
    #[default]
    NotHere,
}

/// What a caller accepts. The default accepts nothing but all files of the record, alone, of a release that is in force.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Allow {
    /// Missing files, as long as one is here.
    pub missing: bool,
    /// Files that a loader would take and that the record does not name.
    pub extra: bool,
    /// A release that was withdrawn, or about which the log contradicts itself, by what its bundle has. The report of files knows nothing of it.
    pub withdrawn: bool,
}

impl FolderReport {
    /// Holds contents against a manifest.
    pub(super) fn of(manifest: &Manifest, contents: &FolderContents) -> Self {
        let within = match &contents.scope {
            Scope::Part(folder) => folder.as_str(),
            Scope::Whole | Scope::File => "",
        };
        let mut report = Self { scope: contents.scope.clone(), ..Self::default() };
        let mut dangling = Vec::new();
        for (name, found) in &contents.found {
            let path = name.trim_end_matches('/');
            let file = path.parse().ok().and_then(|path| manifest.file(&path));
            match (found, file) {
                (Found::File { size, sha256, cause }, Some(file)) => report.compare(file, *size, *sha256, *cause),
                (Found::Name { .. }, Some(file)) => {
                    let (path, why) = (file.path.to_string(), "it was not read".to_owned());
                    report.unusable.push(Unusable { path, why, is_io: false });
                }
                // A file where the record has a folder: what is recorded below it cannot be there.
                (Found::File { .. } | Found::Name { .. }, None) if path == name && is_recorded(manifest, path) => {
                    let why = "a file in the place of a folder".to_owned();
                    report.unusable.push(Unusable { path: path.to_owned(), why, is_io: false });
                }
                (Found::File { .. }, None) => {
                    let role = loadable_by_name(path).or_else(|| loadable_beside(manifest, path));
                    report.extra.push(Extra { path: path.to_owned(), what: None, role, is_allowed: false });
                }
                (Found::Name { loadable_as }, None) => {
                    let (path, role) = (path.to_owned(), loadable_as.or_else(|| loadable_beside(manifest, path)));
                    report.extra.push(Extra { path, what: None, role, is_allowed: false });
                }
                (Found::Dangling, _) if is_recorded(manifest, path) => dangling.push(path),
                (Found::Dangling, _) => {
                    let (path, what) = (path.to_owned(), Some("a symlink that leads nowhere".to_owned()));
                    report.extra.push(Extra { path, what, role: None, is_allowed: false });
                }
                (Found::Unusable { why, is_io, .. }, _) if is_recorded(manifest, path) => {
                    report.unusable.push(Unusable { path: path.to_owned(), why: why.clone(), is_io: *is_io });
                }
                (Found::Unusable { why, loadable_as, .. }, _) => {
                    let role = loadable_as.or_else(|| loadable_beside(manifest, path));
                    let (path, what) = (path.to_owned(), Some(why.clone()));
                    report.extra.push(Extra { path, what, role, is_allowed: false });
                }
            }
        }
        for difference in &mut report.differing {
            difference.damaged = contents.damaged.get(difference.path.as_str()).cloned().unwrap_or_default();
        }
        let seen: BTreeSet<&str> = contents.found.keys().map(|path| path.trim_end_matches('/')).collect();
        for file in manifest.files().iter().filter(|file| is_below(within, file.path.as_str())) {
            report.of += 1;
            let path = file.path.as_str();
            let is_there = seen.contains(path) && !dangling.contains(&path);
            if is_there || report.unusable.iter().any(|odd| covers(&odd.path, path)) {
                continue;
            }
            report.dangling += usize::from(dangling.iter().any(|link| covers(link, path)));
            report.missing.push(file.path.clone());
        }
        report.weigh(manifest);
        report
    }

    /// One file: with the recorded file at `named` and with no other; without a name, with any that has its bytes.
    pub(super) fn of_file(manifest: &Manifest, named: Option<&FilePath>, found: &Found) -> Option<Self> {
        let Found::File { size, sha256, cause } = found else { return None };
        let mut report = Self { scope: Scope::File, of: 1, ..Self::default() };
        let same = |file: &&ManifestFile| file.size == *size && Some(file.sha256) == *sha256;
        let file = match named {
            Some(path) => manifest.file(path)?,
            None => manifest.files().iter().find(same)?,
        };
        report.compare(file, *size, *sha256, *cause);
        report.weigh(manifest);
        Some(report)
    }

    fn compare(&mut self, file: &ManifestFile, size: u64, sha256: Option<Digest>, cause: Cause) {
        let expected = Content { size: file.size, sha256: file.sha256 };
        match sha256 {
            Some(sha256) if expected == (Content { size, sha256 }) => {
                self.bytes += size;
                self.matching.push(file.path.clone());
            }
            None if size == file.size => {
                let (path, why) = (file.path.to_string(), "it was not hashed".to_owned());
                self.unusable.push(Unusable { path, why, is_io: false });
            }
            sha256 => {
                let (path, damaged) = (file.path.clone(), Vec::new());
                self.differing.push(Difference { path, expected, size, sha256, cause, damaged });
            }
        }
    }

    /// The digest of the weights covers all of them, so that one that is not here leaves it unknown.
    fn weigh(&mut self, manifest: &Manifest) {
        let weights: Vec<&FilePath> =
            manifest.files().iter().filter(|file| file.role == Role::Weights).map(|file| &file.path).collect();
        let matching: BTreeSet<&FilePath> = self.matching.iter().collect();
        let here = weights.iter().filter(|path| matching.contains(*path)).count();
        let differ = |path: &&FilePath| {
            self.differing.iter().any(|file| file.path == **path)
                || self.unusable.iter().any(|odd| covers(&odd.path, path.as_str()))
        };
        let state = if weights.iter().any(differ) {
            WeightsState::Differ
        } else if here == weights.len() && here > 0 {
            WeightsState::Match
        } else {
            WeightsState::NotHere
        };
        self.digest = (state == WeightsState::Match).then(|| manifest.weights_digest());
        self.weights = WeightsFound { state, here, of: weights.len() };
    }

    /// Whether every file of the release was compared and matches.
    pub fn is_whole(&self) -> bool {
        self.scope == Scope::Whole && self.of > 0 && self.matching.len() == self.of
    }

    /// Whether all files of the release are there and equal, and nothing beside them.
    pub fn is_complete_and_exact(&self) -> bool {
        self.is_whole() && self.extra.is_empty()
    }

    /// The digest of the weights, if all of them were read and match.
    pub fn weights(&self) -> Option<Digest> {
        self.digest
    }

    /// Allows extra files by their paths.
    pub fn allow_extra(&mut self, is_allowed: &dyn Fn(&str) -> bool) {
        for extra in self.extra.iter_mut().filter(|extra| extra.role.is_some()) {
            extra.is_allowed = is_allowed(&extra.path);
        }
    }

    /// The extra files that a loader would take and that the caller does not allow.
    pub fn unrecorded(&self) -> Vec<&Extra> {
        self.extra.iter().filter(|extra| extra.role.is_some() && !extra.is_allowed).collect()
    }
}

impl Allow {
    /// Accepts missing files as long as one is here.
    #[must_use]
    pub const fn missing(self, missing: bool) -> Self {
        Self { missing, ..self }
    }

    /// Accepts files that a loader would take and that the record does not name.
    #[must_use]
    pub const fn extra(self, extra: bool) -> Self {
        Self { extra, ..self }
    }

    /// Accepts a release that was withdrawn, by what its bundle has.
    #[must_use]
    pub const fn withdrawn(self, withdrawn: bool) -> Self {
        Self { withdrawn, ..self }
    }
}

/// Whether a path is in a folder of the release; every path is in the folder without a name.
fn is_below(folder: &str, path: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// Whether something stands in the place of a file, or of a folder that holds it.
fn covers(odd: &str, path: &str) -> bool {
    path.strip_prefix(odd).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn is_recorded(manifest: &Manifest, odd: &str) -> bool {
    manifest.files().iter().any(|file| covers(odd, file.path.as_str()))
}

impl Extra {
    /// Its path, and what it would be loaded as.
    pub fn with_role(&self) -> String {
        match (&self.what, self.role) {
            (Some(what), _) => format!("{} ({what})", self.path),
            (None, Some(role)) => format!("{} ({role})", self.path),
            (None, None) => self.path.clone(),
        }
    }
}

impl Difference {
    /// What was found, in words.
    pub fn found(&self) -> String {
        match self.sha256 {
            Some(sha256) => Content { size: self.size, sha256 }.to_string(),
            None => format!("another length ({} bytes), and so not hashed", self.size),
        }
    }
}

impl WeightsState {
    /// A stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::Differ => "differ",
            Self::NotHere => "not here",
        }
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} bytes)", self.sha256, self.size)
    }
}
