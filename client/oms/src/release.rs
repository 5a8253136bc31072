//! What was signed, held against the manifest of a release: both list files with their SHA-256, so that nothing is hashed for it.
//!
//! They agree where each file that was signed is a file of the release with the same bytes, and each file of the release that a loader takes was signed. What
//! the format leaves aside at the top of a folder, such as `.gitattributes`, need not be, and never may weights be left aside.

use stele_explain::printable::one_line;
use stele_explain::{Exit, Explain, explain};
use stele_spec::hash::Digest;
use stele_spec::manifest::{FilePath, Manifest, ManifestFile, Role};

use crate::bundle::SIGNATURE_FILE;
use crate::name::{DEFAULT_IGNORED, is_within};
use crate::statement::{Expected, Method, Statement};

/// How a list and a manifest agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// How many files of the release were signed.
    pub signed: usize,
    /// The files of the release that were not.
    pub unsigned: Vec<FilePath>,
    /// Whether the list has files in parts: then their lengths agree, and nothing is known of their bytes.
    pub is_in_parts: bool,
}

impl Statement {
    /// Holds the list against the manifest of a release.
    pub fn agrees_with(&self, manifest: &Manifest) -> Result<Agreement, Disagreement> {
        let mut strange = Vec::new();
        let is_in_parts = matches!(self.method(), Method::Shards { .. });
        for (name, expected) in self.files() {
            let Some(file) = name.parse().ok().and_then(|path| manifest.file(&path)) else {
                strange.push(name.clone());
                continue;
            };
            let differs =
                |signed: String, recorded: String| Err(Disagreement::Differs { name: name.clone(), signed, recorded });
            match expected {
                Expected::Whole(digest) if *digest != file.sha256 => {
                    return differs(digest.to_string(), file.sha256.to_string());
                }
                Expected::Parts { length, .. } if *length != file.size => {
                    return differs(format!("{length} bytes"), format!("{} bytes", file.size));
                }
                Expected::Whole(_) | Expected::Parts { .. } => {}
            }
        }
        if !strange.is_empty() {
            return Err(Disagreement::NotOfTheRelease { names: strange });
        }
        let is_signed = |file: &&ManifestFile| {
            // An empty file has no part that could have been signed.
            self.files().contains_key(file.path.as_str()) || is_in_parts && file.size == 0
        };
        let unsigned: Vec<&ManifestFile> = manifest.files().iter().filter(|file| !is_signed(file)).collect();
        let missing: Vec<String> =
            unsigned.iter().filter(|file| must_be_signed(file)).map(|file| file.path.to_string()).collect();
        if !missing.is_empty() {
            return Err(Disagreement::NotSigned { names: missing });
        }
        let unsigned: Vec<FilePath> = unsigned.into_iter().map(|file| file.path.clone()).collect();
        Ok(Agreement { signed: manifest.files().len() - unsigned.len(), unsigned, is_in_parts })
    }

    /// The same of one whose root digest a record names.
    pub fn has_root(&self, recorded: Digest) -> Result<(), Disagreement> {
        let found = self.root();
        if found == recorded { Ok(()) } else { Err(Disagreement::Root { recorded, found }) }
    }
}

fn must_be_signed(file: &ManifestFile) -> bool {
    let path = file.path.as_str();
    let may_be_aside = is_within(path, DEFAULT_IGNORED.into_iter().chain([SIGNATURE_FILE]));
    file.role == Role::Weights || file.role.is_loaded() && !may_be_aside
}

/// Why a signature is not one of the files of a release.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Disagreement {
    /// A file was signed with other bytes.
    #[error("the signature has other bytes of {} than the release", one_line(.name))]
    Differs {
        /// Its path.
        name: String,
        /// What was signed.
        signed: String,
        /// What the release has.
        recorded: String,
    },
    /// Files were signed that are none of the release.
    #[error("the signature has {}, and the release has not", first_of(.names))]
    NotOfTheRelease {
        /// Their paths.
        names: Vec<String>,
    },
    /// Files that a loader takes were not signed.
    #[error("the signature leaves out {} of the release, which a loader takes", first_of(.names))]
    NotSigned {
        /// Their paths.
        names: Vec<String>,
    },
    /// The root digest is another one.
    #[error("the root digest of the signature is not the one that the record names")]
    Root {
        /// What the record names.
        recorded: Digest,
        /// What the signature has.
        found: Digest,
    },
}

fn first_of(names: &[String]) -> String {
    let first = names.first().map(|name| one_line(name).to_string()).unwrap_or_default();
    match names.len() {
        0 | 1 => first,
        count => format!("{first} and {} more", count - 1),
    }
}

impl Explain for Disagreement {
    explain! {
        Self::Differs { signed, recorded, .. } => Exit::BytesDiffer, "oms-list-differs",
            hint: "the signature is of other files than the release: get the right one from its signer, or sign anew",
            "signed": signed, "released": recorded;
        Self::NotOfTheRelease { .. } => Exit::BytesDiffer, "oms-list-differs",
            hint: "who checks that signature misses these files: ask its signer to leave them aside, or release them too";
        Self::NotSigned { .. } => Exit::BytesDiffer, "oms-list-differs",
            hint: "the signature does not cover what is loaded: ask its signer for one of all files, or sign anew";
        Self::Root { recorded, found } => Exit::BytesDiffer, "oms-root-differs",
            hint: "the signature here is not the one that the release was recorded with: get that one from the publisher",
            "expected": recorded, "found": found;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stele_spec::manifest::FileDigests;

    fn manifest(files: &[(&str, &str)]) -> Manifest {
        let file = |(path, text): &(&str, &str)| {
            let path: FilePath = path.parse().unwrap();
            let FileDigests { size, sha256, git_sha1 } = FileDigests::of(text.as_bytes());
            ManifestFile { role: Role::of_path(&path), path, size, sha256, git_sha1 }
        };
        Manifest::new(files.iter().map(file).collect()).unwrap()
    }

    fn list(files: &[(&str, &str)]) -> Statement {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), Digest::of(text.as_bytes()))).collect();
        Statement::of_files("tiny", files, false, Vec::new()).unwrap()
    }

    const WEIGHTS: (&str, &str) = ("model.safetensors", "weights");
    const CARD: (&str, &str) = ("README.md", "# Tiny");
    const GIT: (&str, &str) = (".gitattributes", "* text");

    #[test]
    fn what_no_loader_takes_need_not_be_signed_and_is_named() {
        let manifest = manifest(&[WEIGHTS, CARD, GIT, (".github/run.py", "import os"), ("model.sig", "{}")]);
        let agreement = list(&[WEIGHTS]).agrees_with(&manifest).unwrap();
        assert_eq!((agreement.signed, agreement.is_in_parts), (1, false));
        let unsigned: Vec<_> = agreement.unsigned.iter().map(FilePath::as_str).collect();
        assert_eq!(unsigned, [".gitattributes", ".github/run.py", "README.md", "model.sig"]);
        assert_eq!(list(&[WEIGHTS, CARD]).agrees_with(&manifest).unwrap().signed, 2);
    }

    #[test]
    fn a_list_of_other_files_is_none_of_the_release() {
        let whole = manifest(&[WEIGHTS, CARD, ("config.json", "{}")]);
        let differs = list(&[("model.safetensors", "other"), ("config.json", "{}")]).agrees_with(&whole);
        assert!(matches!(differs, Err(Disagreement::Differs { name, .. }) if name == "model.safetensors"));
        let strange = list(&[WEIGHTS, ("config.json", "{}"), ("more.bin", "x")]).agrees_with(&whole).unwrap_err();
        assert_eq!(strange.to_string(), "the signature has more.bin, and the release has not");
        let unsigned = list(&[WEIGHTS, CARD]).agrees_with(&whole).unwrap_err();
        assert_eq!(unsigned.to_string(), "the signature leaves out config.json of the release, which a loader takes");
        // Weights may never be left aside, wherever they lie.
        let hidden = manifest(&[WEIGHTS, (".github/more.safetensors", "x")]);
        assert!(matches!(list(&[WEIGHTS]).agrees_with(&hidden), Err(Disagreement::NotSigned { .. })));
        // As the model_signing tool names the one file of a model that is a file.
        assert!(list(&[(".", "weights")]).agrees_with(&manifest(&[WEIGHTS])).is_err());
    }

    #[test]
    fn a_root_that_a_record_names_is_that_of_the_list() {
        let list = list(&[WEIGHTS]);
        assert_eq!(list.has_root(list.root()), Ok(()));
        assert!(matches!(list.has_root(Digest::of(b"")), Err(Disagreement::Root { .. })));
    }
}
