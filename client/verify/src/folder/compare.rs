//! The files of a disk against a verified release: each is read once, and what has another length than recorded is not read.

use std::path::{Path, PathBuf};

use stele_explain::Failure;
use stele_spec::bundle::MAX_BUNDLE;
use stele_spec::hash::Digest;
use stele_spec::hints::{Hints, Link, PieceSize, links};
use stele_spec::manifest::{FilePath, Manifest, ManifestFile, PathError};
use stele_spec::policy::Policy;
use stele_spec::verify::{
    Allow, Cause, Extra, FolderContents, FolderMismatch, FolderReport, Found, MAX_CAUSE, Unusable, VerifiedRelease,
    loadable_by_name, verify,
};

use super::hash::{HashError, Job, Progress, hash_linked};
use super::locate::{self, TargetKind, absolute, folders_above};
use super::walk::{self, FolderError, Oddity};
use super::{hints, loadable};
use crate::bounded_read::{read, read_if_there};

/// Verifies a folder, one file, or a snapshot in a Hugging Face cache, by the bundle beside or above it.
///
/// `Ok` means that the bundle verifies, that all files of the path that belong to the release are there and equal, and that nothing beside
/// them would be loaded. A caller that insists on a publisher, a signer or a time goes on with [`VerifiedRelease::require`].
pub fn verify_folder(path: &Path, policy: &Policy) -> Result<(VerifiedRelease, FolderReport), Failure> {
    verify_folder_allowing(path, policy, Allow::default())
}

/// The same, where a part of the files or what lies beside them is accepted.
pub fn verify_folder_allowing(
    path: &Path,
    policy: &Policy,
    allow: Allow,
) -> Result<(VerifiedRelease, FolderReport), Failure> {
    let target = locate::find(path, None)?;
    let release = verify(&read(&target.bundle, MAX_BUNDLE as u64, "a release.stele")?, policy)?;
    let hints = hints::read(&target.bundle).ok().flatten();
    let report = match &target.kind {
        TargetKind::Folder(folder) => {
            let within = locate::place_of(folder, &target.bundle, false, release.manifest())?;
            release.check(&read_part(folder, &within, &release, hints.as_ref(), &|_| {})?)
        }
        TargetKind::File(file) => check_file(file, target.bundle.parent(), &release, hints.as_ref(), &|_| {})?,
        TargetKind::Bundle => release.check(&FolderContents::new()),
    };
    report.require(allow)?;
    Ok((release, report))
}

/// Reads a folder that should hold a whole release.
pub fn read_folder(
    path: &Path,
    release: &VerifiedRelease,
    hints: Option<&Hints>,
    progress: Progress<'_>,
) -> Result<FolderContents, FolderError> {
    read_part(path, "", release, hints, progress)
}

/// Reads a folder of a release; `within` is its path in the release, and empty for the whole release. Hints change how long it takes.
pub fn read_part(
    root: &Path,
    within: &str,
    release: &VerifiedRelease,
    hints: Option<&Hints>,
    progress: Progress<'_>,
) -> Result<FolderContents, FolderError> {
    Ok(Survey::of(root, within, release)?.hash(hints, progress))
}

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
    pub fn hash(mut self, hints: Option<&Hints>, progress: Progress<'_>) -> FolderContents {
        hash_into(&self.here, hints, progress, &mut self.contents);
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
    hints: Option<&Hints>,
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
    let links: Vec<_> = same_length.iter().map(|(file, _)| links_of(file, hints)).collect();
    for ((file, found), result) in same_length.into_iter().zip(hash_linked(&jobs, &links, progress)) {
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
fn links_of(file: &ManifestFile, hints: Option<&Hints>) -> Option<Vec<Link>> {
    let states = hints?.states(&file.sha256, file.size, PieceSize::FORMAT)?;
    links(file.size, file.sha256, states, PieceSize::FORMAT)
}

/// Compares one file with the one that is recorded at a path, and with no other.
///
/// # Errors
/// Nothing is recorded there, the file cannot be hashed, or it has other bytes.
pub fn check_recorded(
    path: &Path,
    recorded: &FilePath,
    release: &VerifiedRelease,
    hints: Option<&Hints>,
) -> Result<FolderReport, FolderMismatch> {
    let not_recorded = || {
        let (path, role) = (recorded.to_string(), loadable_by_name(recorded.as_str()).or(Some("not recorded")));
        FolderMismatch::Unrecorded { files: vec![Extra { path, what: None, role, is_allowed: false }] }
    };
    let unusable = |why: String, is_io| {
        let files = vec![Unusable { path: recorded.to_string(), why, is_io }];
        FolderMismatch::Unusable { files, is_io }
    };
    let file = release.manifest().file(recorded).ok_or_else(not_recorded)?;
    let size = std::fs::metadata(path).map_err(|error| unusable(error.to_string(), true))?.len();
    let mut found = Found::File { size, sha256: None, cause: cause(path, size, file) };
    if size == file.size {
        let job = Job { path: path.to_owned(), size };
        found = match hash_linked(std::slice::from_ref(&job), &[links_of(file, hints)], &|_| {}).pop() {
            Some(Ok(hashed)) => Found::File { size: hashed.size, sha256: Some(hashed.sha256), cause: Cause::Unknown },
            Some(Err(error)) => return Err(unusable(error.to_string(), is_io(&error))),
            None => return Err(unusable("it was not hashed".into(), true)),
        };
    }
    let report = release.check_file(Some(recorded), &found).ok_or_else(not_recorded)?;
    report.require(Allow::default())?;
    Ok(report)
}

/// Compares one file. Below the folder of its bundle, `root`, a recorded path is compared with what is recorded there and with nothing
/// else. Anywhere else a file is any of the release that has its bytes, or else the one that its path ends with.
pub fn check_file(
    path: &Path,
    root: Option<&Path>,
    release: &VerifiedRelease,
    hints: Option<&Hints>,
    progress: Progress<'_>,
) -> Result<FolderReport, Failure> {
    let manifest = release.manifest();
    let recorded = root.and_then(|root| recorded_at(&absolute(path), &absolute(root), manifest));
    let named = recorded.clone().or_else(|| named_by(path, manifest));
    let unusable = |why: String, is_io| {
        let files = vec![Unusable { path: path.display().to_string(), why, is_io }];
        FolderMismatch::Unusable { files, is_io }
    };
    let metadata = std::fs::metadata(path).ok();
    let size = metadata.as_ref().map_or(0, std::fs::Metadata::len);
    let mut same_length = manifest.files().iter().filter(|file| file.size == size).peekable();
    let mut damaged = Vec::new();
    let sha256: Option<Digest> = if same_length.peek().is_some() {
        let job = Job { path: path.to_owned(), size };
        // The hints of another file would cost a second reading.
        let likely = named.as_ref().and_then(|path| manifest.file(path)).filter(|file| file.size == size);
        let likely = likely.or_else(|| same_length.next().filter(|_| same_length.peek().is_none()));
        let links = likely.and_then(|file| links_of(file, hints));
        match hash_linked(std::slice::from_ref(&job), &[links], progress).pop() {
            Some(Ok(hashed)) => {
                damaged = hashed.broken;
                Some(hashed.sha256)
            }
            Some(Err(error)) => return Err(unusable(error.to_string(), is_io(&error)).into()),
            None => return Err(unusable("it was not hashed".into(), true).into()),
        }
    } else {
        if !metadata.is_some_and(|found| found.is_file()) {
            return Err(unusable("it is not a regular file".into(), false).into());
        }
        None
    };
    let cause = named.as_ref().and_then(|path| manifest.file(path)).map_or(Cause::Unknown, |file| {
        if sha256 == Some(file.sha256) { Cause::Unknown } else { cause(path, size, file) }
    });
    let found = Found::File { size, sha256, cause };
    let not_of_it = || FolderMismatch::NotOfTheRelease { path: path.display().to_string(), size, digest: sha256 };
    let equal = if recorded.is_none() { release.check_file(None, &found) } else { None };
    let report = equal.or_else(|| release.check_file(Some(named.as_ref()?), &found));
    let mut report = report.ok_or_else(not_of_it)?;
    if let Some(difference) = report.differing.first_mut() {
        difference.damaged = damaged;
    }
    Ok(report)
}

/// The path in a manifest that a file has below a folder.
fn recorded_at(file: &Path, folder: &Path, manifest: &Manifest) -> Option<FilePath> {
    let below: FilePath = file.strip_prefix(folder).ok()?.to_str()?.parse().ok()?;
    manifest.file(&below).map(|file| file.path.clone())
}

/// The path in a manifest that a file has below a folder above it. The longest wins: `text_encoder/config.json` before `config.json`.
fn named_by(path: &Path, manifest: &Manifest) -> Option<FilePath> {
    let path = absolute(path);
    folders_above(&path).iter().rev().find_map(|folder| recorded_at(&path, folder, manifest))
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

fn is_io(error: &HashError) -> bool {
    matches!(error, HashError::Read(_) | HashError::Changed)
}

fn cause(open: &Path, size: u64, file: &ManifestFile) -> Cause {
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
