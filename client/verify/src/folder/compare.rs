//! The files of a disk against a verified release: each is read once, and what has another length than recorded is not read.

use std::fs::File;
use std::path::Path;

use stele_explain::Failure;
use stele_spec::bundle::MAX_BUNDLE;
use stele_spec::hash::Digest;
use stele_spec::hints::{Hints, Link};
use stele_spec::manifest::{FilePath, Manifest};
use stele_spec::policy::Policy;
use stele_spec::verify::{
    Allow, Cause, Extra, FolderContents, FolderMismatch, FolderReport, Found, Unusable, VerifiedRelease,
    loadable_by_name, verify,
};

use super::digest_cache::DigestCache;
use super::hash::{CopyInto, HashError, Hashed, Job, Progress, hash_copying, hash_linked, hash_unknown};
use super::hints;
use super::locate::{self, TargetKind, absolute, folders_above};
use super::shortcuts::Shortcuts;
use super::survey::{CopyError, Survey, cause, is_io, links_of};
use super::walk::FolderError;
use crate::bounded_read::read;

/// Verifies a folder, one file, or a snapshot in a Hugging Face cache, by the bundle beside or above it.
///
/// `Ok` means that the bundle verifies, that all files of the path that belong to the release are there and equal, and that nothing beside
/// them would be loaded; and that the release is in force, as far as the bundle knows ([`VerifiedRelease::require_in_force`]). A caller that
/// insists on a publisher, a signer or a time goes on with [`VerifiedRelease::require`].
pub fn verify_folder(path: &Path, policy: &Policy) -> Result<(VerifiedRelease, FolderReport), Failure> {
    verify_folder_allowing(path, policy, Allow::default())
}

/// The same, where a part of the files, what lies beside them or a withdrawal is accepted.
pub fn verify_folder_allowing(
    path: &Path,
    policy: &Policy,
    allow: Allow,
) -> Result<(VerifiedRelease, FolderReport), Failure> {
    verify_folder_by(path, policy, allow, None)
}

/// The same, where files that are unchanged since they were hashed need not be hashed again.
pub fn verify_folder_by(
    path: &Path,
    policy: &Policy,
    allow: Allow,
    cache: Option<&DigestCache>,
) -> Result<(VerifiedRelease, FolderReport), Failure> {
    let target = locate::find(path, None)?;
    let release = verify(&read(&target.bundle, MAX_BUNDLE as u64, "a release.stele")?, policy)?;
    let hints = hints::read(&target.bundle).ok().flatten();
    let shortcuts = Shortcuts { hints: hints.as_ref(), cache };
    let report = match &target.kind {
        TargetKind::Folder(folder) => {
            let within = locate::place_of(folder, &target.bundle, false, release.manifest())?;
            release.check(&read_part(folder, &within, &release, shortcuts, &|_| {})?)
        }
        TargetKind::File(file) => check_file(file, target.bundle.parent(), &release, shortcuts, &|_| {})?,
        TargetKind::Bundle => release.check(&FolderContents::new()),
    };
    report.require(allow)?;
    if !allow.withdrawn {
        release.require_in_force()?;
    }
    Ok((release, report))
}

/// Reads a folder that should hold a whole release.
pub fn read_folder<'s>(
    path: &Path,
    release: &VerifiedRelease,
    shortcuts: impl Into<Shortcuts<'s>>,
    progress: Progress<'_>,
) -> Result<FolderContents, FolderError> {
    read_part(path, "", release, shortcuts, progress)
}

/// Reads a folder of a release; `within` is its path in the release, and empty for the whole release. Shortcuts change how long it takes.
pub fn read_part<'s>(
    root: &Path,
    within: &str,
    release: &VerifiedRelease,
    shortcuts: impl Into<Shortcuts<'s>>,
    progress: Progress<'_>,
) -> Result<FolderContents, FolderError> {
    Ok(Survey::of(root, within, release)?.hash(shortcuts, progress))
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
) -> Result<FolderReport, Failure> {
    recorded_by(path, recorded, release, hints, |job, links| hash_linked(job, links, &|_| {}))
}

/// Copies one file into an empty one and compares the copy with what is recorded at a path, in one pass. What is compared is what was written there; whether
/// somebody else writes there meanwhile is the caller's to know.
///
/// # Errors
/// As [`check_recorded`]; or the copy cannot be written.
pub fn copy_recorded(
    path: &Path,
    recorded: &FilePath,
    release: &VerifiedRelease,
    hints: Option<&Hints>,
    into: &File,
) -> Result<FolderReport, Failure> {
    let place = |_, _: &File| into.try_clone().map(CopyInto::Empty);
    recorded_by(path, recorded, release, hints, |job, links| hash_copying(job, links, &place, &|_| {}))
}

fn recorded_by(
    path: &Path,
    recorded: &FilePath,
    release: &VerifiedRelease,
    hints: Option<&Hints>,
    hash: impl FnOnce(&[Job], &[Option<Vec<Link>>]) -> Vec<Result<Hashed, HashError>>,
) -> Result<FolderReport, Failure> {
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
        found = match hash(std::slice::from_ref(&job), &[links_of(file, hints)]).pop() {
            Some(Ok(hashed)) => Found::File { size: hashed.size, sha256: Some(hashed.sha256), cause: Cause::Unknown },
            // That says nothing of the file.
            Some(Err(HashError::Copy(source))) => return Err(CopyError { path: path.to_owned(), source }.into()),
            Some(Err(error)) => return Err(unusable(error.to_string(), is_io(&error)).into()),
            None => return Err(unusable("it was not hashed".into(), true).into()),
        };
    }
    let report = release.check_file(Some(recorded), &found).ok_or_else(not_recorded)?;
    report.require(Allow::default())?;
    Ok(report)
}

/// Compares one file. Below the folder of its bundle, `root`, a recorded path is compared with what is recorded there and with nothing
/// else. Anywhere else a file is any of the release that has its bytes, or else the one that its path ends with.
pub fn check_file<'s>(
    path: &Path,
    root: Option<&Path>,
    release: &VerifiedRelease,
    shortcuts: impl Into<Shortcuts<'s>>,
    progress: Progress<'_>,
) -> Result<FolderReport, Failure> {
    let shortcuts = shortcuts.into();
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
        let links = likely.and_then(|file| links_of(file, shortcuts.hints));
        let expected: Vec<Digest> = likely.map(|file| file.sha256).into_iter().collect();
        // What it should be is not known where several have its length.
        let cache = shortcuts.cache.filter(|_| likely.is_some());
        match hash_unknown(std::slice::from_ref(&job), &[links], &expected, cache, progress).pop() {
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
