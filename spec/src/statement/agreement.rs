//! A release and the manifest that it names must say the same.

use core::fmt;

use super::Release;
use crate::canonical::FieldPath;
use crate::hash::Digest;
use crate::manifest::{FilePath, Manifest};

impl Release {
    /// Checks that the manifest is the one named, and that digests, counts and documents agree with it.
    pub fn check_manifest(&self, manifest: &Manifest) -> Result<(), ManifestMismatch> {
        let digest = |field, expected: Digest, found: Digest| {
            if expected == found { Ok(()) } else { Err(ManifestMismatch::Digest { field, expected, found }) }
        };
        let count = |field, expected: u64, found: u64| {
            if expected == found { Ok(()) } else { Err(ManifestMismatch::Count { field, expected, found }) }
        };
        digest("manifest", self.manifest, manifest.digest())?;
        digest("weights.digest", self.weights.digest, manifest.weights_digest())?;
        count("weights.files", self.weights.files, manifest.weights_files())?;
        count("weights.bytes", self.weights.bytes, manifest.weights_bytes())?;
        digest("tree.digest", self.tree.digest, manifest.tree_digest())?;
        self.check_documents(manifest)?;
        self.check_safeguards(manifest)
    }

    /// A document whose name is a path of the manifest is that file.
    fn check_documents(&self, manifest: &Manifest) -> Result<(), ManifestMismatch> {
        for (field, reference) in self.references() {
            let Ok(path) = reference.name.as_str().parse::<FilePath>() else { continue };
            match manifest.file(&path) {
                Some(file) if file.sha256 != reference.sha256 => {
                    let (expected, found) = (reference.sha256, file.sha256);
                    return Err(ManifestMismatch::Document { field, path, expected, found });
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn check_safeguards(&self, manifest: &Manifest) -> Result<(), ManifestMismatch> {
        for (position, safeguard) in self.safety.safeguards.iter().enumerate() {
            match &safeguard.file {
                Some(path) if manifest.file(path).is_none() => {
                    let field = FieldPath::new(format!("safety.safeguards[{position}].file"));
                    return Err(ManifestMismatch::FileMissing { field, path: path.clone() });
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Where a release and a manifest do not agree.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ManifestMismatch {
    /// A digest of the release is another than the manifest's.
    Digest {
        /// The field of the release.
        field: &'static str,
        /// By the release.
        expected: Digest,
        /// By the manifest.
        found: Digest,
    },
    /// A number of the release is another than the manifest's.
    Count {
        /// The field of the release.
        field: &'static str,
        /// By the release.
        expected: u64,
        /// By the manifest.
        found: u64,
    },
    /// A document of the release is a file of the manifest with another content.
    Document {
        /// The field of the release.
        field: FieldPath,
        /// The file.
        path: FilePath,
        /// By the release.
        expected: Digest,
        /// By the manifest.
        found: Digest,
    },
    /// A file that the release names is not in the manifest.
    FileMissing {
        /// The field of the release.
        field: FieldPath,
        /// The file.
        path: FilePath,
    },
}

impl ManifestMismatch {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Digest { .. } => "manifest-digest-differs",
            Self::Count { .. } => "manifest-count-differs",
            Self::Document { .. } => "manifest-document-differs",
            Self::FileMissing { .. } => "manifest-file-missing",
        }
    }
}

impl fmt::Display for ManifestMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Digest { field, expected, found } => {
                write!(f, "{field}: the release says {expected}, the manifest gives {found}")
            }
            Self::Count { field, expected, found } => {
                write!(f, "{field}: the release says {expected}, the manifest gives {found}")
            }
            Self::Document { field, path, expected, found } => {
                write!(f, "{field}: the release says {path} is {expected}, the manifest says {found}")
            }
            Self::FileMissing { field, path } => write!(f, "{field}: {path} is not in the manifest"),
        }
    }
}

impl core::error::Error for ManifestMismatch {}
