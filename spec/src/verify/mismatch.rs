//! Why the files here are not the record's, or not all of them, or not alone.

use core::fmt;

use stele_explain::{Exit, Explain, explain};

use super::cause::Cause;
use super::report::{Allow, Difference, Extra, FolderReport, Unusable};
use crate::hash::Digest;
use crate::manifest::FilePath;

/// How many names an error holds.
const NAMED: usize = 3;

/// Why the bytes are not the record's.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FolderMismatch {
    /// Other bytes.
    Differs {
        /// Which.
        files: Vec<Difference>,
        /// How many files the record has.
        of: usize,
    },
    /// A file that cannot be hashed.
    Unusable {
        /// Which, and why.
        files: Vec<Unusable>,
        /// Whether the machine failed.
        is_io: bool,
    },
    /// A single file that the release does not have.
    NotOfTheRelease {
        /// As it was named.
        path: String,
        /// Its length in bytes.
        size: u64,
        /// What it is, if a file of the release has its length.
        digest: Option<Digest>,
    },
    /// Files of the record are not there.
    Incomplete {
        /// Which.
        files: Vec<FilePath>,
        /// How many files the record has.
        of: usize,
        /// How many are here and match.
        matching: usize,
        /// How many are missing since the links to them lead nowhere.
        dangling: usize,
    },
    /// Files are there that a loader would take, and the record does not name them.
    Unrecorded {
        /// Which.
        files: Vec<Extra>,
    },
}

/// `1 file`, `2 files`.
pub fn count(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// `a, b and 3 more`.
pub fn names(items: impl Iterator<Item = impl fmt::Display>, count: usize, listed: usize) -> String {
    let shown: Vec<String> = items.take(listed).map(|item| item.to_string()).collect();
    let text = shown.join(", ");
    if count > listed { format!("{text} and {} more", count - listed) } else { text }
}

impl FolderReport {
    /// What keeps the files from being the recorded ones, the worst first: differs, unusable, missing, unrecorded.
    pub fn problems(&self, allow: Allow) -> Vec<FolderMismatch> {
        let mut problems = Vec::new();
        if !self.differing.is_empty() {
            problems.push(FolderMismatch::Differs { files: self.differing.clone(), of: self.of });
        }
        if !self.unusable.is_empty() {
            let is_io = self.unusable.iter().any(|odd| odd.is_io);
            problems.push(FolderMismatch::Unusable { files: self.unusable.clone(), is_io });
        }
        if !self.missing.is_empty() && (!allow.missing || self.matching.is_empty()) {
            problems.push(FolderMismatch::Incomplete {
                files: self.missing.clone(),
                of: self.of,
                matching: self.matching.len(),
                dangling: self.dangling,
            });
        }
        let unrecorded = self.unrecorded();
        if !unrecorded.is_empty() && !allow.extra {
            problems.push(FolderMismatch::Unrecorded { files: unrecorded.into_iter().cloned().collect() });
        }
        problems
    }

    /// Refuses the worst that is not allowed. Extra files that no loader takes are always allowed.
    pub fn require(&self, allow: Allow) -> Result<(), FolderMismatch> {
        match self.problems(allow).into_iter().next() {
            Some(problem) => Err(problem),
            None => Ok(()),
        }
    }
}

impl fmt::Display for FolderMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or = |count: usize, one: &'static str, many: &'static str| if count == 1 { one } else { many };
        match self {
            Self::Differs { files, of } => {
                let (n, has) = (files.len(), or(files.len(), "has", "have"));
                let named = names(files.iter().map(|file| file.path.as_str()), n, NAMED);
                write!(f, "{n} of the {of} files of the record {has} other bytes here: {named}")
            }
            Self::Unusable { files, .. } => {
                write!(f, "{} of the record cannot be verified here", count(files.len(), "file"))
            }
            Self::NotOfTheRelease { path, .. } => write!(f, "{path} is not a file of this release"),
            Self::Incomplete { files, of, .. } => {
                let (n, is) = (files.len(), or(files.len(), "is", "are"));
                write!(f, "{n} of the {of} files of the record {is} missing here")
            }
            Self::Unrecorded { files } => {
                let (n, is) = (count(files.len(), "file"), or(files.len(), "is", "are"));
                write!(f, "{n} here that a loader may take {is} not in the record")
            }
        }
    }
}

impl core::error::Error for FolderMismatch {}

impl Explain for FolderMismatch {
    explain! {
        Self::Differs { files, .. } => Exit::BytesDiffer, "bytes-differ", hint: what_to_do(files),
            facts: first_of(files);
        Self::NotOfTheRelease { size, digest, .. } => Exit::BytesDiffer, "not-of-the-release",
            hint: "do not use it as a part of this release; is this the right release.stele?",
            "expected": "the digest of a file of the release",
            "found": digest.map_or_else(
                || format!("{size} bytes, which no file of the release has"),
                |digest| digest.to_string(),
            );
        Self::Unusable { files, is_io, .. } => if *is_io { Exit::Io } else { Exit::BadInput },
            if *is_io { "file-unreadable" } else { "file-unusable" },
            hint: "stop whatever writes to them, or put regular files in their place, and try again",
            "expected": "regular files",
            "found": names(files.iter().map(|odd| format!("{}: {}", odd.path, odd.why)), files.len(), NAMED);
        Self::Incomplete { files, matching, dangling, .. } => Exit::Incomplete, "incomplete",
            hint: match (matching, dangling) {
                (0, _) => "name the folder that holds the files, or --no-hash to check the evidence alone",
                (_, 1..) => {
                    "what their links lead to is not here: download it again, in a cache of a hub its blobs; --partial accepts a part of a release"
                }
                _ => "download the rest; --partial accepts a part of a release",
            },
            "missing": names(files.iter().map(FilePath::as_str), files.len(), NAMED);
        Self::Unrecorded { files } => Exit::Unrecorded, "unrecorded",
            hint: format!(
                "do not load this folder with them: nobody signed them; remove them, or {} if they are yours",
                allowing(files)
            ),
            "not in the record": names(files.iter().map(Extra::with_role), files.len(), NAMED);
    }
}

/// What to do about the cause of all, or about each cause, with the files that have it; what has no known cause comes first.
fn what_to_do(files: &[Difference]) -> String {
    let mut causes: Vec<Cause> = Vec::new();
    for file in files {
        if !causes.contains(&file.cause) {
            causes.push(file.cause);
        }
    }
    causes.sort_by_key(|cause| *cause != Cause::Unknown);
    if let [] | [_] = &causes[..] {
        return causes.first().copied().unwrap_or_default().hint().to_owned();
    }
    let of = |cause: &Cause| {
        let with = files.iter().filter(|file| file.cause == *cause);
        let count = with.clone().count();
        format!("{}: {}", names(with.map(|file| file.path.as_str()), count, NAMED), cause.hint())
    };
    causes.iter().map(of).collect::<Vec<_>>().join("; ")
}

/// What the first of them should be, and what they are.
fn first_of(files: &[Difference]) -> Vec<(&'static str, String)> {
    let of = |file: &Difference| {
        let of = if files.len() > 1 { format!("{}: ", file.path) } else { String::new() };
        let what = file.cause.what().map(|what| format!(", {what}")).unwrap_or_default();
        [("expected", format!("{of}{}", file.expected)), ("found", format!("{of}{}{what}", file.found()))]
    };
    files.iter().take(NAMED).flat_map(of).collect()
}

/// The options that allow these files. They are pasted into a shell: names that mean something there are left out, and many are a
/// pattern.
fn allowing(files: &[Extra]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    if files.len() <= NAMED && files.iter().all(|file| file.path.chars().all(plain)) {
        files.iter().map(|file| format!("--allow-extra '{}'", file.path)).collect::<Vec<_>>().join(" ")
    } else {
        "--allow-extra 'GLOB'".to_owned()
    }
}
