//! A folder against a verified release: what of the record is here, and what lies beside it; then the digests of what is here.

use std::path::{Path, PathBuf};

use stele_spec::hints::{Hints, Link, PieceSize, links};
use stele_spec::manifest::{FilePath, Manifest, ManifestFile, PathError};
use stele_spec::verify::{Cause, FolderContents, Found, MAX_CAUSE, VerifiedRelease, loadable_by_name};

use super::hash::{HashError, Job, Progress, hash_unknown};
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

    /// Hashes copies in place of what was found: `copy` says where that of a file is. Of a file of another length than the record's there is none.
    pub fn copied<E>(mut self, mut copy: impl FnMut(&ManifestFile, &Path) -> Result<PathBuf, E>) -> Result<Self, E> {
        for (file, found) in &mut self.here {
            if file.size == found.size {
                found.open = copy(file, &found.open)?;
            }
        }
        Ok(self)
    }

    /// Hashes the files of the record.
    pub fn hash<'s>(mut self, shortcuts: impl Into<Shortcuts<'s>>, progress: Progress<'_>) -> FolderContents {
        hash_into(&self.here, shortcuts.into(), progress, &mut self.contents);
        self.contents
    }
}

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
fn hash_into(
    here: &[(&ManifestFile, walk::Found)],
    shortcuts: Shortcuts<'_>,
    progress: Progress<'_>,
    contents: &mut FolderContents,
) {
    let (same_length, other): (Vec<_>, Vec<_>) = here.iter().partition(|(file, found)| file.size == found.size);
    for (file, found) in other {
        let cause = cause(&found.open, found.size, file);
        contents.add(file.path.to_string(), Found::File { size: found.size, sha256: None, cause });
    }
    let jobs: Vec<Job> =
        same_length.iter().map(|(_, found)| Job { path: found.open.clone(), size: found.size }).collect();
    let links: Vec<_> = same_length.iter().map(|(file, _)| links_of(file, shortcuts.hints)).collect();
    let expected: Vec<_> = same_length.iter().map(|(file, _)| file.sha256).collect();
    let hashed = hash_unknown(&jobs, &links, &expected, shortcuts.cache, progress);
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
    matches!(error, HashError::Read(_) | HashError::Changed)
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
