//! The weights of a model as files with their digests.

use std::path::{Path, PathBuf};

use stele_explain::Failure;
use stele_model_files::roles::Roles;
use stele_spec::hash::Digest;
use stele_spec::manifest::{FilePath, Role, dir_hash1};
use stele_verify::folder::digest_cache::DigestCache;
use stele_verify::folder::hash::{Job, hash_unknown};
use stele_verify::folder::loadable;
use stele_verify::folder::walk::walk_to_verify;

use crate::progress::Progress;

/// A file with its digest.
#[derive(Debug, Clone)]
pub(crate) struct Copy {
    pub(crate) path: PathBuf,
    pub(crate) size: u64,
    pub(crate) sha256: Digest,
}

/// Files by the names under which they would be released, each with its digest; and why others have none.
#[derive(Debug, Default)]
pub(crate) struct HashedFiles {
    pub(crate) files: Vec<(FilePath, Copy)>,
    pub(crate) problems: Vec<String>,
}

impl HashedFiles {
    /// The weights of a folder: by name and by content, as `stele publish` finds them.
    pub(crate) fn weights_of(folder: &Path, cache: Option<&DigestCache>) -> Result<Self, Failure> {
        let walk = walk_to_verify(folder, "", &|_| false)?;
        let roles = Roles::of_files(&walk.files);
        let weights = walk.files.into_iter().filter(|file| roles.of(&file.path) == Role::Weights);
        Ok(Self::hash(weights.map(|file| (file.path, Job { path: file.open, size: file.size })).collect(), cache))
    }

    /// All of a folder that a loader takes: weights, configuration, tokenizer, code.
    pub(crate) fn loaded_of(folder: &Path, cache: Option<&DigestCache>) -> Result<Self, Failure> {
        let mut files = walk_to_verify(folder, "", &|_| false)?.files;
        files.retain(|file| loadable::of_file(file.path.as_str(), &file.open).is_some());
        Ok(Self::hash(
            files.into_iter().map(|file| (file.path, Job { path: file.open, size: file.size })).collect(),
            cache,
        ))
    }

    /// Hashes files.
    pub(crate) fn hash(named: Vec<(FilePath, Job)>, cache: Option<&DigestCache>) -> Self {
        let (names, jobs): (Vec<FilePath>, Vec<Job>) = named.into_iter().unzip();
        let total = jobs.iter().map(|job| job.size).sum();
        let hashed = Progress::of(total).during(|progress| hash_unknown(&jobs, &[], &[], cache, progress));
        let mut all = Self::default();
        for ((name, job), hashed) in names.into_iter().zip(jobs).zip(hashed) {
            match hashed {
                Ok(hashed) => {
                    all.files.push((name, Copy { path: job.path, size: hashed.size, sha256: hashed.sha256 }));
                }
                Err(error) => all.problems.push(format!("{name} cannot be hashed: {error}")),
            }
        }
        all.files.sort_by(|a, b| a.0.cmp(&b.0));
        all
    }

    /// The digest over all of them, as a release has it of its weights; none where one could not be hashed, or there is none.
    pub(crate) fn digest(&self) -> Option<Digest> {
        let is_whole = self.problems.is_empty() && !self.files.is_empty();
        is_whole.then(|| dir_hash1(self.files.iter().map(|(name, copy)| (copy.sha256, name))))
    }

    pub(crate) fn copies(&self) -> Vec<Copy> {
        self.files.iter().map(|(_, copy)| copy.clone()).collect()
    }
}
