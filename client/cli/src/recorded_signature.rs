//! The `model.sig` of a release: what the record says of it, and what lies here.
//!
//! A record that names the file says which bytes it has, so that it is known what was signed without the key. Whose key signed it, only that key tells.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use stele_explain::printable::one_line;
use stele_explain::{Exit, Explain, Failure, explain};
use stele_oms::{Agreement, Bundle, MAX_BUNDLE, PublicKey};
use stele_spec::hash::Digest;
use stele_spec::manifest::Manifest;
use stele_spec::statement::Weights;
use stele_verify::bounded_read::read_if_there;

/// How many files a document names.
const LISTED: usize = 1000;

/// What the record names, and what lies here. Nothing of it contradicts the record.
#[derive(Debug)]
pub(crate) struct RecordedSignature {
    path: PathBuf,
    recorded: Option<Digest>,
    recorded_root: Option<Digest>,
    here: Option<Here>,
}

/// A file.
#[derive(Debug)]
struct Here {
    digest: Digest,
    /// What it lists; or why it is not read.
    list: Result<List, String>,
}

/// What a signature lists.
#[derive(Debug)]
struct List {
    key: String,
    is_verified: bool,
    root: Digest,
    /// How it agrees with the record; of one that the record does not name, perhaps why it does not.
    agreement: Result<Agreement, String>,
}

impl RecordedSignature {
    /// Looks at a path for the signature of a release. None where the record names none, none is there and none was asked for with a key.
    pub(crate) fn at(
        path: &Path,
        weights: &Weights,
        manifest: &Manifest,
        key: Option<&PublicKey>,
    ) -> Result<Option<Self>, Failure> {
        let (recorded, recorded_root) = (weights.oms_bundle, weights.oms_root);
        let is_named = recorded.is_some() || recorded_root.is_some();
        let bytes = match read_if_there(path, MAX_BUNDLE as u64) {
            Ok(bytes) => bytes,
            // The caller did not ask for it.
            Err(_) if !is_named && key.is_none() => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let here = match bytes {
            Some(bytes) => Some(Here::read(path, &bytes, weights, manifest, key)?),
            None if key.is_some() => return Err(SignatureContradicts::Absent { path: path.to_owned() }.into()),
            None => None,
        };
        let found = Self { path: path.to_owned(), recorded, recorded_root, here };
        Ok((is_named || found.here.is_some()).then_some(found))
    }

    /// The row of a page.
    pub(crate) fn text(&self) -> String {
        let named = match (self.recorded, self.recorded_root) {
            (Some(_), _) => "the one that the record names",
            (None, Some(_)) => "of the root digest that the record names",
            (None, None) => "not named by the record",
        };
        let Some(here) = &self.here else {
            let digest = match (self.recorded, self.recorded_root) {
                (Some(bundle), _) => format!("SHA-256 {bundle}"),
                (None, root) => format!("the root digest {}", root.map(|root| root.to_string()).unwrap_or_default()),
            };
            return format!("not here; the record names one of {digest}");
        };
        let list = match &here.list {
            Ok(list) => list,
            Err(why) => return format!("{named}; not read: {why}"),
        };
        let files = match &list.agreement {
            Ok(agreement) => {
                let parts = if agreement.is_in_parts { ", in parts that were not hashed" } else { "" };
                format!("signs {}{parts}", agreed(agreement))
            }
            Err(why) => format!("NOT OF THIS RELEASE: {why}"),
        };
        let key = one_line(&list.key);
        let key = match list.is_verified {
            true => format!("by the holder of the key {key}"),
            // A hint is whatever its signer wrote: a key id is short, and has no quotation marks.
            false => {
                let hint: String = key.chars().filter(|letter| *letter != '"').take(80).collect();
                format!("by the key \"{hint}\", as it says itself: --oms-key KEY checks that")
            }
        };
        format!("{named}; {files}; {key}")
    }

    /// For the short form: only where the signature was verified.
    pub(crate) fn verified(&self) -> Option<String> {
        let list = self.here.as_ref()?.list.as_ref().ok().filter(|list| list.is_verified)?;
        let agreement = list.agreement.as_ref().ok()?;
        Some(format!("model.sig, {}, by the holder of the key {}", agreed(agreement), list.key))
    }

    /// For a script.
    pub(crate) fn json(&self) -> Value {
        let list = self.here.as_ref().and_then(|here| here.list.as_ref().ok());
        let agreement = list.and_then(|list| list.agreement.as_ref().ok());
        let problem = self.here.as_ref().and_then(|here| match &here.list {
            Ok(list) => list.agreement.as_ref().err(),
            Err(why) => Some(why),
        });
        let unsigned = agreement.map(|agreement| agreement.unsigned.iter().take(LISTED).map(ToString::to_string));
        json!({
            "recorded_bundle": self.recorded,
            "recorded_root": self.recorded_root,
            "file": self.here.as_ref().map(|_| self.path.display().to_string()),
            "bundle": self.here.as_ref().map(|here| here.digest),
            "root": list.map(|list| list.root),
            "key": list.map(|list| &list.key),
            "key_verified": list.is_some_and(|list| list.is_verified),
            "agrees": list.map(|list| list.agreement.is_ok()),
            "signed": agreement.map(|agreement| agreement.signed),
            "unsigned": unsigned.map(Iterator::collect::<Vec<_>>),
            "in_parts": agreement.map(|agreement| agreement.is_in_parts),
            "problem": problem,
        })
    }
}

/// How many files of the release are signed.
pub(crate) fn agreed(agreement: &Agreement) -> String {
    let of = agreement.signed + agreement.unsigned.len();
    let noun = if of == 1 { "file" } else { "files" };
    match agreement.unsigned.len() {
        0 if of == 1 => "the one file".to_owned(),
        0 => format!("all {of} {noun}"),
        _ => format!("{} of {of} {noun}", agreement.signed),
    }
}

impl Here {
    fn read(
        path: &Path,
        bytes: &[u8],
        weights: &Weights,
        manifest: &Manifest,
        key: Option<&PublicKey>,
    ) -> Result<Self, Failure> {
        let digest = Digest::of(bytes);
        names_this(path, weights, digest)?;
        let is_named = weights.oms_bundle.is_some() || weights.oms_root.is_some();
        let bundle = match (Bundle::parse(bytes), key) {
            (Ok(bundle), _) => bundle,
            (Err(error), Some(_)) => return Err(error.into()),
            (Err(error), None) => return Ok(Self { digest, list: Err(error.to_string()) }),
        };
        let list = match key {
            Some(key) => bundle.verify(key)?.statement().clone(),
            None => match bundle.unverified_list() {
                Ok(list) => list,
                Err(error) => return Ok(Self { digest, list: Err(error.to_string()) }),
            },
        };
        if let Some(root) = weights.oms_root {
            list.has_root(root)?;
        }
        let agreement = match list.agrees_with(manifest) {
            Ok(agreement) => Ok(agreement),
            Err(disagreement) if is_named || key.is_some() => return Err(disagreement.into()),
            Err(disagreement) => Err(disagreement.to_string()),
        };
        let list = List { key: bundle.named_key(), is_verified: key.is_some(), root: list.root(), agreement };
        Ok(Self { digest, list: Ok(list) })
    }
}

/// Refuses a file whose bytes are others than the record names.
pub(crate) fn names_this(path: &Path, weights: &Weights, found: Digest) -> Result<(), SignatureContradicts> {
    match weights.oms_bundle {
        Some(recorded) if recorded != found => {
            Err(SignatureContradicts::Other { path: path.to_owned(), recorded, found })
        }
        _ => Ok(()),
    }
}

/// Why a signature and a record contradict each other.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignatureContradicts {
    /// The record names other bytes.
    #[error("{} is not the signature that the record names", .path.display())]
    Other {
        /// The file.
        path: PathBuf,
        /// What the record names.
        recorded: Digest,
        /// What is here.
        found: Digest,
    },
    /// A key was given, and there is nothing to verify with it.
    #[error("{} is not here: there is no signature to verify with the key of --oms-key", .path.display())]
    Absent {
        /// Where it was looked for.
        path: PathBuf,
    },
}

impl Explain for SignatureContradicts {
    explain! {
        Self::Other { recorded, found, .. } => Exit::BytesDiffer, "oms-bundle-differs",
            hint: "get the model.sig of the release from its publisher; where yours is meant to be another one, keep it outside the folder",
            "expected": recorded, "found": found;
        Self::Absent { .. } => Exit::BadSignature, "oms-signature-missing",
            hint: "get the model.sig of the release, or verify without --oms-key";
    }
}
