//! The files of a parent that no log has, hashed: what they are, by the bytes that its user got.

use std::path::Path;

use stele_explain::{Exit, Explain, Failure, explain};
use stele_model_files::roles::Roles;
use stele_spec::manifest::{Manifest, ManifestError};
use stele_verify::folder::locate::snapshot_of;
use stele_verify::folder::walk;

use crate::release;
use crate::release_file::ReleaseFile;

/// Hashes the folder of each parent that names one.
pub fn hash_parents(file: &mut ReleaseFile, progress: &(dyn Fn(u64) + Sync)) -> Result<(), Failure> {
    let folders: Vec<_> = file.parent_folders().map(|(at, folder)| (at.to_owned(), folder.to_owned())).collect();
    for (at, folder) in folders {
        file.set_parent(&at, &manifest_of(&at, &folder, progress)?);
    }
    Ok(())
}

fn manifest_of(at: &str, folder: &Path, progress: &(dyn Fn(u64) + Sync)) -> Result<Manifest, Failure> {
    let snapshot = snapshot_of(folder)?;
    let folder = snapshot.as_deref().unwrap_or(folder);
    let refused = |why| ParentFolderError { at: at.to_owned(), folder: folder.display().to_string(), why };
    // Nothing of a parent is published but what its files hash to, so that links may lead anywhere: into the cache that it was got into.
    let files = walk::walk_to_verify(folder, "", &|_| false)?.into_publishable(folder)?;
    let roles = Roles::of_files(&files);
    let hashed = release::hash(folder, &files, &roles, progress)?;
    let manifest = Manifest::new(hashed.files).map_err(|error| refused(Unfit::Files(error)))?;
    match manifest.weights_files() {
        0 => Err(refused(Unfit::NoWeights { files: manifest.files().len() }).into()),
        _ => Ok(manifest),
    }
}

/// A folder that is not the files of a model.
#[derive(Debug, thiserror::Error)]
#[error("{at}: {folder} is not the folder of a parent: {why}")]
pub struct ParentFolderError {
    at: String,
    folder: String,
    why: Unfit,
}

/// Why it is not.
#[derive(Debug, thiserror::Error)]
enum Unfit {
    /// The files make no manifest.
    #[error("{0}")]
    Files(ManifestError),
    /// No file is weights.
    #[error("none of its {files} files is known for weights")]
    NoWeights {
        /// How many files there are.
        files: usize,
    },
}

impl Explain for ParentFolderError {
    explain! {
        Self { .. } => Exit::BadInput, "parent-folder",
            hint: "name the folder with the parent's files as you got them, or give digest and parent_weights; nothing has been sent";
    }
}
