//! A release before it is sent: its files hashed, and what will be reported of it.

#[cfg(test)]
mod tests;

use std::path::Path;

use stele_explain::Failure;
use stele_model_files::examine::{AtHand, ComputedClaims};
use stele_model_files::roles::Roles;
use stele_spec::finding::{Code, Finding};
use stele_spec::hints::Hints;
use stele_spec::manifest::{Manifest, ManifestFile};
use stele_spec::statement::{Ancestor, Parent, Release, Statement};
use stele_verify::folder::hash::{Job, Want, hash_all};
use stele_verify::folder::walk::Found;

use crate::foresight::Earlier;
use crate::publish_error::PublishError;

/// What hashing a folder gives.
#[derive(Debug)]
pub struct HashedFiles {
    /// The files of the manifest.
    pub files: Vec<ManifestFile>,
    /// By which others hash the long ones on many cores; none where none is long.
    pub hints: Option<Hints>,
}

/// Hashes the files of the folder, with all digests that a manifest holds, and takes their hints; `progress` gets the bytes done.
pub fn hash(
    folder: &Path,
    files: &[Found],
    roles: &Roles,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<HashedFiles, Failure> {
    let jobs: Vec<Job> = files.iter().map(|file| Job { path: file.open.clone(), size: file.size }).collect();
    let results = hash_all(&jobs, Want::All, progress);
    let mut hashed = Vec::new();
    let mut states = Vec::new();
    let mut failed = Vec::new();
    for (file, result) in files.iter().zip(results) {
        match result {
            Ok(found) => {
                hashed.extend(found.git_sha1.map(|git_sha1| ManifestFile {
                    role: roles.of(&file.path),
                    path: file.path.clone(),
                    size: found.size,
                    sha256: found.sha256,
                    git_sha1,
                }));
                states.push((found.sha256, found.states));
            }
            Err(error) => failed.push((file.path.to_string(), error.to_string())),
        }
    }
    if failed.is_empty() {
        Ok(HashedFiles { files: hashed, hints: Hints::of(states) })
    } else {
        Err(PublishError::Unhashed { folder: folder.to_owned(), failed }.into())
    }
}

/// What auditors and anyone who verifies will report of this release, before anything is sent: by the same rules, from the same
/// files.
///
/// A release that says it was trained from nothing, of files that name what it was made of, is refused: the files would
/// go on to say so for ever.
pub fn foreseen(
    folder: &Path,
    release: &Release,
    manifest: &Manifest,
    earlier: &Earlier,
) -> Result<ComputedClaims, Failure> {
    let names_of = |ancestor: &Ancestor| match &ancestor.parent {
        Parent::Logged(parent) => {
            let parent = earlier.release_at(parent.entry);
            let names = |parent: &Release| -> Vec<String> {
                let hosts = parent.hosts.iter().map(|host| host.locator.to_string());
                hosts.chain(parent.model.purl.iter().map(ToString::to_string)).collect()
            };
            parent.map(names).unwrap_or_default()
        }
        Parent::Unlogged(_) | Parent::Unseen(_) => Vec::new(),
    };
    let paths: Vec<_> = manifest.files().iter().map(|file| file.path.clone()).collect();
    let files = AtHand::new(folder, &paths);
    let examined = ComputedClaims::of_files(None, release, manifest, &files, release.license.spdx.as_str(), &names_of);
    let missing = examined.findings().iter().filter(|finding| finding.code == Code::ParentMissing);
    let named: Vec<_> = missing.map(|finding| finding.summary.clone()).collect();
    if release.from_scratch && !named.is_empty() {
        return Err(PublishError::NotFromScratch { named }.into());
    }
    // What the entries before it show, such as what parents lose and weights that another release has already; and what an auditor, who has no
    // files, finds by their names alone.
    let statement = Statement::Release(Box::new(release.clone()));
    let across = earlier.foresees(&statement, Some(manifest));
    let known = examined.findings().to_vec();
    let is_known =
        |finding: &Finding| known.iter().any(|one| one.code == finding.code && one.evidence == finding.evidence);
    Ok(examined.with(across.into_iter().filter(|finding| !is_known(finding))))
}
