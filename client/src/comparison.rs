//! The bytes on this disk against a manifest that is proven.
//!
//! A partial download is normal: what is missing is listed and is no difference. A file of the manifest with another
//! content, or one that is no regular file, is.

use std::path::Path;

use stele_host::exit::{Exit, Explain};
use stele_spec::hash::Digest;
use stele_spec::manifest::{FilePath, Manifest, ManifestFile};

use crate::error::Failure;
use crate::folder::{self, Oddity};
use crate::hash_files::{HashError, Hashed, Job, Want, hash_all};
use crate::progress::Progress;
use crate::target::folders_above;

/// How many names of each kind are listed for a person.
pub(crate) const LISTED: usize = 10;

/// What lies on the disk, by the manifest.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    /// How many files the manifest has.
    pub(crate) of: usize,
    /// The files that match.
    pub(crate) matching: Vec<FilePath>,
    /// Their bytes together.
    pub(crate) bytes: u64,
    /// The files of the manifest that are not there.
    pub(crate) missing: Vec<FilePath>,
    /// The files that are another content.
    pub(crate) differing: Vec<Difference>,
    /// The files of the manifest in whose place something unusable is.
    pub(crate) unusable: Vec<(String, String, bool)>,
    /// What is there and not in the manifest, and what it is if it is no file.
    pub(crate) extra: Vec<(String, Option<String>)>,
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
    /// On the disk.
    pub(crate) found: Content,
}

/// Compares a folder.
pub(crate) fn of_folder(root: &Path, manifest: &Manifest) -> Result<Comparison, Failure> {
    let walk = folder::walk(root)?;
    let mut comparison = Comparison { of: manifest.files().len(), ..Comparison::default() };
    let (mut jobs, mut listed) = (Vec::new(), Vec::new());
    for found in walk.files {
        match manifest.file(&found.path) {
            Some(file) => {
                jobs.push(Job { path: found.open, size: found.size });
                listed.push(file);
            }
            None => comparison.extra.push((found.path.to_string(), None)),
        }
    }
    for (path, oddity) in walk.odd {
        let path = path.trim_end_matches('/').to_owned();
        let is_io = matches!(oddity, Oddity::Unreadable(_));
        if manifest.files().iter().any(|file| hides(&path, &file.path)) {
            comparison.unusable.push((path, oddity.to_string(), is_io));
        } else {
            comparison.extra.push((path, Some(oddity.to_string())));
        }
    }
    comparison.hash(&jobs, &listed);
    let mut seen: Vec<&FilePath> = listed.iter().map(|file| &file.path).collect();
    seen.sort();
    let stands = |path: &FilePath| comparison.unusable.iter().any(|(odd, ..)| hides(odd, path));
    let missing = manifest.files().iter().map(|file| &file.path);
    let missing = missing.filter(|path| seen.binary_search(path).is_err() && !stands(path)).cloned().collect();
    comparison.missing = missing;
    Ok(comparison)
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
    let job = Job { path: path.to_owned(), size };
    let progress = Progress::of(job.size);
    let hashed = match hash_all(std::slice::from_ref(&job), Want::Sha256, &progress).pop() {
        Some(Ok(hashed)) => hashed,
        Some(Err(error)) => {
            return Err(unusable(error.to_string(), matches!(error, HashError::Read(_) | HashError::Changed)).into());
        }
        None => return Err(unusable("it was not hashed".into(), true).into()),
    };
    let same = |file: &&ManifestFile| Content::of(file) == Content::found(&hashed);
    let mut comparison = Comparison { of: manifest.files().len(), ..Comparison::default() };
    match (manifest.files().iter().find(same), named) {
        (Some(renamed), named) => {
            let file = named.filter(|file| same(file)).unwrap_or(renamed);
            comparison.matching.push(file.path.clone());
            comparison.bytes = file.size;
        }
        (None, Some(file)) => comparison.differing.push(Difference {
            path: file.path.clone(),
            expected: Content::of(file),
            found: Content::found(&hashed),
        }),
        (None, None) => {
            let (path, digest) = (path.display().to_string(), hashed.sha256);
            return Err(ComparisonError::NotOfTheRelease { path, digest }.into());
        }
    }
    Ok(comparison)
}

impl Comparison {
    fn hash(&mut self, jobs: &[Job], files: &[&ManifestFile]) {
        let progress = Progress::of(jobs.iter().map(|job| job.size).sum());
        for (file, result) in files.iter().zip(hash_all(jobs, Want::Sha256, &progress)) {
            match result {
                Ok(found) if Content::of(file) == Content::found(&found) => {
                    self.bytes += file.size;
                    self.matching.push(file.path.clone());
                }
                Ok(found) => self.differing.push(Difference {
                    path: file.path.clone(),
                    expected: Content::of(file),
                    found: Content::found(&found),
                }),
                Err(error) => {
                    let is_io = matches!(error, HashError::Read(_) | HashError::Changed);
                    self.unusable.push((file.path.to_string(), error.to_string(), is_io));
                }
            }
        }
    }

    /// What keeps the bytes from being the record's, the worst first.
    pub(crate) fn problem(&self) -> Option<ComparisonError> {
        if !self.differing.is_empty() {
            return Some(ComparisonError::Differs { files: self.differing.clone(), of: self.of });
        }
        if !self.unusable.is_empty() {
            let is_io = self.unusable.iter().any(|(.., is_io)| *is_io);
            let files = self.unusable.iter().map(|(path, problem, _)| (path.clone(), problem.clone())).collect();
            return Some(ComparisonError::Unusable { files, is_io });
        }
        self.matching.is_empty().then_some(ComparisonError::Nothing { of: self.of })
    }
}

/// Why the bytes are not the record's.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ComparisonError {
    /// Other bytes.
    #[error("{} of the {of} files of the record {} other bytes here", .files.len(), if .files.len() == 1 { "has" } else { "have" })]
    Differs {
        /// Which.
        files: Vec<Difference>,
        /// How many files the record has.
        of: usize,
    },
    /// A file that cannot be hashed.
    #[error("files of the record cannot be verified here")]
    Unusable {
        /// Path and problem.
        files: Vec<(String, String)>,
        /// Whether the machine failed.
        is_io: bool,
    },
    /// A single file that the release does not have.
    #[error("{path} is not a file of this release")]
    NotOfTheRelease {
        /// As it was named.
        path: String,
        /// What it is.
        digest: Digest,
    },
    /// No file of the manifest is there.
    #[error("none of the {of} files of the record is here")]
    Nothing {
        /// How many files the record has.
        of: usize,
    },
}

impl Explain for ComparisonError {
    fn exit(&self) -> Exit {
        match self {
            Self::Differs { .. } | Self::NotOfTheRelease { .. } => Exit::BytesDiffer,
            Self::Unusable { is_io: true, .. } => Exit::Io,
            Self::Unusable { .. } | Self::Nothing { .. } => Exit::BadInput,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Differs { .. } => "bytes-differ",
            Self::NotOfTheRelease { .. } => "not-of-the-release",
            Self::Unusable { is_io: true, .. } => "file-unreadable",
            Self::Unusable { .. } => "file-unusable",
            Self::Nothing { .. } => "no-files",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Differs { files, .. } if files.iter().all(|file| file.found.size < file.expected.size) => {
                "they are shorter than the record: the download may not be finished; fetch them again"
            }
            Self::Differs { .. } => {
                "do not load these files: fetch them again, from another mirror; if they differ there too, tell the publisher"
            }
            Self::NotOfTheRelease { .. } => "do not use it as a part of this release; is this the right release.stele?",
            Self::Unusable { .. } => "stop whatever writes to them, or put regular files in their place, and try again",
            Self::Nothing { .. } => "name the folder that holds the files, or --no-hash to check the evidence alone",
        };
        Some(hint.into())
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Differs { files, .. } => {
                let facts = files.iter().take(LISTED).flat_map(|file| {
                    [
                        ("file", file.path.to_string()),
                        ("expected", file.expected.to_string()),
                        ("found", file.found.to_string()),
                    ]
                });
                let mut facts: Vec<_> = facts.collect();
                if files.len() > LISTED {
                    facts.push(("more", (files.len() - LISTED).to_string()));
                }
                facts
            }
            Self::Unusable { files, .. } => {
                let shown: Vec<_> =
                    files.iter().take(LISTED).map(|(path, problem)| format!("{path}: {problem}")).collect();
                vec![("expected", "regular files".into()), ("found", shown.join("; "))]
            }
            Self::NotOfTheRelease { digest, .. } => {
                vec![("expected", "the digest of a file of the release".into()), ("found", digest.to_string())]
            }
            Self::Nothing { .. } => Vec::new(),
        }
    }
}
