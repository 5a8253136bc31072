//! A folder against a verified release: what of the record is here, and what lies beside it; then the digests of what is here.

use std::convert::Infallible;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use stele_explain::{Exit, Explain, explain};
use stele_spec::hints::{Hints, Link, PieceSize, links};
use stele_spec::manifest::{FilePath, Manifest, ManifestFile, PathError};
use stele_spec::verify::{Cause, FolderContents, Found, MAX_CAUSE, VerifiedRelease, loadable_by_name};

use super::hash::{CopyInto, HashError, Hashed, Job, Progress, hash_copying, hash_unknown};
use super::loadable;
use super::shortcuts::Shortcuts;
use super::walk::{self, FolderError, Oddity};
use crate::bounded_read::read_if_there;

/// A folder that was looked through and of which nothing was hashed yet.
#[derive(Debug)]
pub struct Survey<'a> {
    here: Vec<(&'a ManifestFile, walk::Found)>,
    contents: FolderContents,
}

impl<'a> Survey<'a> {
    /// Looks through a folder of a release; `within` is its path in the release, and empty for the whole release.
    pub fn of(root: &Path, within: &str, release: &'a VerifiedRelease) -> Result<Self, FolderError> {
        let manifest = release.manifest();
        let is_asked = |path: &FilePath| is_below(within, path.as_str());
        let wanted = |folder: &str| {
            manifest.files().iter().any(|file| covers(folder, file.path.as_str()) && is_asked(&file.path))
        };
        let walk = walk::walk_to_verify(root, within, &wanted)?;
        let mut contents = FolderContents::part(within);
        let mut here: Vec<(&ManifestFile, walk::Found)> = Vec::new();
        for found in walk.files {
            match manifest.file(&found.path) {
                Some(file) => here.push((file, found)),
                None => {
                    let loadable_as = loadable::of_file(found.path.as_str(), &found.open);
                    contents.add(found.path.to_string(), Found::Name { loadable_as });
                }
            }
        }
        for (path, oddity) in walk.odd {
            let path = path.trim_end_matches('/').to_owned();
            let found = match (&oddity, loadable_by_name(&path)) {
                // Where it leads may be there when a loader looks.
                (Oddity::LinkBroken, Some(role))
                    if !manifest.files().iter().any(|file| covers(&path, file.path.as_str())) =>
                {
                    Found::Unusable { why: oddity.to_string(), is_io: false, loadable_as: Some(role) }
                }
                _ => unusable(&path, &oddity),
            };
            contents.add(path, found);
        }
        for (shown, open) in walk.skipped {
            for (path, role) in loadable::in_skipped(&shown, &open) {
                contents.add(path, Found::Name { loadable_as: Some(role) });
            }
        }
        add_folders_in_place(root, within, manifest, &here, &mut contents);
        Ok(Self { here, contents })
    }

    /// The files of the record that are here, each with where it is.
    pub fn here(&self) -> impl Iterator<Item = (&'a ManifestFile, &walk::Found)> {
        self.here.iter().map(|(file, found)| (*file, found))
    }

    /// Everything else that is here. Held against the manifest it says what the record does not name.
    pub fn beside(&self) -> &FolderContents {
        &self.contents
    }

    /// Hashes the files of the record.
    pub fn hash<'s>(mut self, shortcuts: impl Into<Shortcuts<'s>>, progress: Progress<'_>) -> FolderContents {
        let Shortcuts { hints, cache } = shortcuts.into();
        let hash = |jobs: &[Job], links: &[Option<Vec<Link>>], files: &[&ManifestFile]| {
            let expected: Vec<_> = files.iter().map(|file| file.sha256).collect();
            Ok(hash_unknown(jobs, links, &expected, cache, progress))
        };
        // Nothing is copied.
        let _: Result<(), Infallible> = hash_into(&self.here, hints, hash, &mut self.contents);
        self.contents
    }

    /// Copies the files of the record and hashes the copies, in one pass: `place` makes the file that a copy goes to. Of a file of another length than the
    /// record's there is none.
    pub fn hash_copying(
        mut self,
        place: Copying<'_>,
        hints: Option<&Hints>,
        progress: Progress<'_>,
    ) -> Result<FolderContents, CopyError> {
        let hash = |jobs: &[Job], links: &[Option<Vec<Link>>], files: &[&ManifestFile]| {
            let place = |number: usize, source: &File| match (files.get(number), jobs.get(number)) {
                (Some(file), Some(job)) => place(file, source, &job.path),
                _ => Err(io::ErrorKind::NotFound.into()),
            };
            let hashed =
                jobs.iter().zip(hash_copying(jobs, links, &place, progress)).map(|(job, hashed)| match hashed {
                    // That says nothing of the file.
                    Err(HashError::Copy(source)) => Err(CopyError { path: job.path.clone(), source }),
                    hashed => Ok(hashed),
                });
            hashed.collect()
        };
        hash_into(&self.here, hints, hash, &mut self.contents)?;
        Ok(self.contents)
    }
}

/// A copy could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot copy {}", .path.display())]
pub struct CopyError {
    /// The original.
    pub path: PathBuf,
    /// What the machine said.
    #[source]
    pub source: io::Error,
}

impl Explain for CopyError {
    explain! {
        Self { source, .. } if source.kind() == io::ErrorKind::StorageFull => Exit::Io, "disk-full",
            hint: "the files are copied: make room, or let the copies be kept on another disk";
        Self { .. } => Exit::Io, "io", hint: "check the folder in which the copies are kept, and its mode";
    }
}

/// What hashing a file came to.
type Hashing = Result<Hashed, HashError>;

/// Makes the file for a copy of a file of the record, whose original is open and was found at the path. It is called on several threads.
pub type Copying<'a> = &'a (dyn Fn(&ManifestFile, &File, &Path) -> io::Result<CopyInto> + Sync);

/// Recorded files in whose place a folder is.
fn add_folders_in_place(
    root: &Path,
    within: &str,
    manifest: &Manifest,
    here: &[(&ManifestFile, walk::Found)],
    contents: &mut FolderContents,
) {
    let seen: std::collections::BTreeSet<&FilePath> = here.iter().map(|(file, _)| &file.path).collect();
    let asked = manifest.files().iter().map(|file| &file.path).filter(|path| is_below(within, path.as_str()));
    for path in asked.filter(|path| !seen.contains(path)) {
        let below = path.as_str().get(within.len()..).unwrap_or_default().trim_start_matches('/');
        if root.join(below).is_dir() {
            let why = "a folder in a file's place".to_owned();
            contents.add(path.to_string(), Found::Unusable { why, is_io: false, loadable_as: None });
        }
    }
}

/// Lengths first: a file of another length differs, and is not hashed.
fn hash_into<E>(
    here: &[(&ManifestFile, walk::Found)],
    hints: Option<&Hints>,
    hash: impl FnOnce(&[Job], &[Option<Vec<Link>>], &[&ManifestFile]) -> Result<Vec<Hashing>, E>,
    contents: &mut FolderContents,
) -> Result<(), E> {
    let (same_length, other): (Vec<_>, Vec<_>) = here.iter().partition(|(file, found)| file.size == found.size);
    for (file, found) in other {
        let cause = cause(&found.open, found.size, file);
        contents.add(file.path.to_string(), Found::File { size: found.size, sha256: None, cause });
    }
    let jobs: Vec<Job> =
        same_length.iter().map(|(_, found)| Job { path: found.open.clone(), size: found.size }).collect();
    let links: Vec<_> = same_length.iter().map(|(file, _)| links_of(file, hints)).collect();
    let files: Vec<&ManifestFile> = same_length.iter().map(|(file, _)| *file).collect();
    let hashed = hash(&jobs, &links, &files)?;
    for ((file, found), result) in same_length.into_iter().zip(hashed) {
        let result = match result {
            Ok(hashed) => {
                let equal = hashed.sha256 == file.sha256;
                if !equal {
                    contents.add_damage(file.path.to_string(), hashed.broken);
                }
                let cause = if equal { Cause::Unknown } else { cause(&found.open, hashed.size, file) };
                Found::File { size: hashed.size, sha256: Some(hashed.sha256), cause }
            }
            Err(error) => unhashed(&error),
        };
        contents.add(file.path.to_string(), result);
    }
    Ok(())
}

/// The links of a file of the manifest that has hints.
pub(super) fn links_of(file: &ManifestFile, hints: Option<&Hints>) -> Option<Vec<Link>> {
    let states = hints?.states(&file.sha256, file.size, PieceSize::FORMAT)?;
    links(file.size, file.sha256, states, PieceSize::FORMAT)
}

/// What is no regular file, and what a loader would take it for: by its name, and a folder that was not looked into for anything.
fn unusable(path: &str, oddity: &Oddity) -> Found {
    let loadable_as = match oddity {
        Oddity::LinkBroken => return Found::Dangling,
        Oddity::LinkToFolder | Oddity::Path(PathError::TooDeep { .. }) => Some("not looked into"),
        Oddity::Unreadable(_) => loadable_by_name(path).or(Some("not looked into")),
        Oddity::Path(_) | Oddity::NotUtf8 | Oddity::Fifo | Oddity::Socket | Oddity::Device => loadable_by_name(path),
        Oddity::LinkOut(_) | Oddity::LinkLoop => None,
    };
    Found::Unusable { why: oddity.to_string(), is_io: matches!(oddity, Oddity::Unreadable(_)), loadable_as }
}

fn unhashed(error: &HashError) -> Found {
    Found::Unusable { why: error.to_string(), is_io: is_io(error), loadable_as: None }
}

pub(super) fn is_io(error: &HashError) -> bool {
    matches!(error, HashError::Read(_) | HashError::Copy(_) | HashError::Changed)
}

pub(super) fn cause(open: &Path, size: u64, file: &ManifestFile) -> Cause {
    let bytes = if size <= MAX_CAUSE { read_if_there(open, MAX_CAUSE).ok().flatten() } else { None };
    Cause::of(&bytes.unwrap_or_default(), size, file.size, &file.sha256)
}

/// Whether a path is in a folder of the release; every path is in the folder without a name.
fn is_below(folder: &str, path: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// Whether a path is that of a file, or of a folder that holds it.
fn covers(at: &str, path: &str) -> bool {
    path.strip_prefix(at).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
