//! The `model.sig` of a release that is about to be published: made with a key, or taken from the one who signed the files. The record names its digest, so it is
//! written before anything is sent: a signature by ECDSA is another one each time.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use stele_durable as durable;
use stele_explain::printable::one_line;
use stele_explain::{Exit, Explain, Failure, explain};
use stele_oms::{
    Agreement, BESIDE_A_RELEASE, Bundle, CheckOptions, Disagreement, MAX_BUNDLE, Method, PublicKey, SecretKey,
    SignedModel, sign_release,
};
use stele_publish::error;
use stele_spec::hash::Digest;
use stele_spec::manifest::Manifest;
use stele_spec::statement::{Release, Weights};
use stele_verify::bounded_read::read_if_there;
use stele_verify::folder::SIGNATURE;
use stele_verify::folder::walk::Found;

use crate::args::PublishArgs;
use crate::oms_key;
use crate::recorded_signature::{agreed, names_this};

/// Which signature a release is to name.
#[derive(Debug)]
pub(crate) enum AskedSignature {
    /// None but one that its form or its entry names.
    None,
    /// One by this key: the one that lies there already, or a new one.
    By(Box<SecretKey>),
    /// This one.
    Of(Box<SignedModel>, Vec<u8>),
}

/// A signature of the files of a release.
#[derive(Debug)]
pub(crate) struct ReleaseSignature {
    root: Digest,
    bundle: Digest,
    key: PublicKey,
    agreement: Agreement,
    /// Where it travels.
    place: PathBuf,
    /// Its bytes, where they are not there yet.
    unwritten: Option<Vec<u8>>,
    is_made: bool,
}

impl AskedSignature {
    /// By the arguments of `stele publish`. A signature of others is verified here.
    pub(crate) fn by(args: &PublishArgs) -> Result<Self, Failure> {
        if let Some(key) = &args.oms {
            return Ok(Self::By(Box::new(oms_key::secret(key, args.key.opening.allow_group_readable_key)?)));
        }
        let (Some(bundle), Some(key)) = (&args.oms_bundle, &args.oms_key) else { return Ok(Self::None) };
        let key = oms_key::public(key)?;
        let bytes = error::read(bundle, MAX_BUNDLE as u64, "the model.sig that was signed")?;
        Ok(Self::Of(Box::new(Bundle::parse(&bytes)?.verify(&key)?), bytes))
    }

    /// The signature of these files, whose manifest it is. It will lie beside the bundle, where no other may.
    pub(crate) fn over(
        &self,
        folder: &Path,
        files: &[Found],
        manifest: &Manifest,
        beside: &Path,
    ) -> Result<Option<ReleaseSignature>, Failure> {
        let place = beside.with_file_name(SIGNATURE);
        let there = read_if_there(&place, MAX_BUNDLE as u64)?;
        let (signed, bytes, is_made) = match self {
            Self::None => return Ok(None),
            Self::By(key) => match &there {
                Some(bytes) => {
                    let signed = Bundle::parse(bytes).ok().and_then(|bundle| bundle.verify(key.public()).ok());
                    let signed = signed.ok_or_else(|| NotOurs { place: place.clone() })?;
                    (signed, bytes.clone(), false)
                }
                None => {
                    let home = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
                    let follows_links = files.iter().any(|file| file.open != home.join(file.path.as_str()));
                    let bytes = sign_release(folder, manifest, follows_links, key)?.bundle;
                    (Bundle::parse(&bytes)?.verify(key.public())?, bytes, true)
                }
            },
            Self::Of(signed, bytes) => ((**signed).clone(), bytes.clone(), false),
        };
        let agreement = signed.statement().agrees_with(manifest)?;
        if matches!(signed.statement().method(), Method::Shards { .. }) {
            hash_parts(&signed, folder)?;
        }
        let is_there = match there {
            Some(there) if there == bytes => true,
            Some(_) => return Err(NotOurs { place }.into()),
            None => false,
        };
        Ok(Some(ReleaseSignature {
            root: signed.statement().root(),
            bundle: signed.bundle(),
            key: signed.key().clone(),
            agreement,
            place,
            unwritten: (!is_there).then_some(bytes),
            is_made,
        }))
    }
}

/// Parts of files have digests that no manifest has.
fn hash_parts(signed: &SignedModel, folder: &Path) -> Result<(), Failure> {
    let ignored = BESIDE_A_RELEASE.map(str::to_owned).to_vec();
    // What was not signed was found without hashing.
    let options = CheckOptions { beside: Vec::new(), ignored, allow_symlinks: true, ignore_unsigned_files: true };
    Ok(signed.check(folder, &options, &|_| {})?.require()?)
}

/// Names a signature in a release. Without one, what the form leaves out is what the entry says that is there.
pub(crate) fn name_in(
    release: &mut Release,
    signature: Option<&ReleaseSignature>,
    there: Option<&Weights>,
    beside: &Path,
) -> Result<(), Failure> {
    let weights = &mut release.weights;
    let Some(signature) = signature else {
        if let (None, None, Some(there)) = (weights.oms_root, weights.oms_bundle, there) {
            (weights.oms_root, weights.oms_bundle) = (there.oms_root, there.oms_bundle);
        }
        // What is named by hand is held against what lies there.
        if weights.oms_bundle.is_some() {
            let place = beside.with_file_name(SIGNATURE);
            if let Some(bytes) = read_if_there(&place, MAX_BUNDLE as u64)? {
                names_this(&place, weights, Digest::of(&bytes))?;
            }
        }
        return Ok(());
    };
    if let Some(recorded) = weights.oms_root.filter(|root| *root != signature.root) {
        return Err(Disagreement::Root { recorded, found: signature.root }.into());
    }
    names_this(&signature.place, weights, signature.bundle)?;
    (weights.oms_root, weights.oms_bundle) = (Some(signature.root), Some(signature.bundle));
    Ok(())
}

impl ReleaseSignature {
    /// Puts it beside the bundle, durably.
    pub(crate) fn write(&self) -> Result<(), Failure> {
        if let Some(bytes) = &self.unwritten {
            durable::create_file(&self.place, bytes, 0o644)?;
        }
        Ok(())
    }

    /// The row of a page; `is_written` is whether it was meant, and not rehearsed.
    pub(crate) fn text(&self, is_written: bool) -> String {
        let place = self.place.display().to_string();
        let would = match (self.unwritten.is_some(), is_written) {
            (true, false) if self.is_made => {
                " (would be signed and written; it is another one each time, and so is what is to be signed)"
            }
            (true, false) => " (would be written)",
            _ => "",
        };
        let signed = agreed(&self.agreement);
        format!("{}: {signed}, by the key {}{would}", one_line(&place), oms_key::named(&self.key))
    }

    /// For a script.
    pub(crate) fn json(&self) -> Value {
        json!({
            "file": self.place.display().to_string(),
            "key": { "hint": self.key.hint().to_string(), "curve": self.key.curve().as_str() },
            "root": self.root,
            "bundle": self.bundle,
            "signed": self.agreement.signed,
            "unsigned": self.agreement.unsigned.iter().map(ToString::to_string).collect::<Vec<_>>(),
        })
    }
}

/// Something else lies where the signature goes.
#[derive(Debug, thiserror::Error)]
#[error("{} is there already, and is not the signature that the release would name", .place.display())]
pub(crate) struct NotOurs {
    place: PathBuf,
}

impl Explain for NotOurs {
    explain! {
        Self { .. } => Exit::BadInput, "oms-signature-exists",
            hint: "move it away; or name it in the record as it is: --oms-bundle FILE --oms-key PUBLIC-KEY. Nothing has been sent";
    }
}
