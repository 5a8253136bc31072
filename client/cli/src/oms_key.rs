//! Keys of OpenSSF Model Signing, from their files.

use std::path::{Path, PathBuf};

use stele_clock::{Clock as _, SystemClock};
use stele_durable::key_file::{self, Readers};
use stele_explain::Failure;
use stele_oms::{Bundle, Chain, MAX_CERTIFICATES, PublicKey, Roots, SecretKey, SignedModel};
use stele_publish::error;
use stele_terminal::writers::warn_of_writers;

/// The largest file of a public key.
const MAX_PUBLIC_KEY: u64 = 16 * 1024;

/// The public key of a signer.
pub(crate) fn public(path: &Path) -> Result<PublicKey, Failure> {
    warn_of_writers(path, "whose signatures are believed");
    let key = error::read(path, MAX_PUBLIC_KEY, "the public key of the signer")?;
    Ok(PublicKey::from_pem(&String::from_utf8_lossy(&key))?)
}

/// A secret key. Its group may read the file where that was allowed, and others never.
pub(crate) fn secret(path: &Path, may_group_read: bool) -> Result<SecretKey, Failure> {
    let readers = if may_group_read { Readers::Group } else { Readers::from_environment() };
    Ok(SecretKey::from_pem(&key_file::read_by(path, readers)?)?)
}

/// Who is believed to have signed.
pub(crate) enum Trusted {
    /// The holder of this key.
    Key(PublicKey),
    /// Whom one of these roots names.
    Roots(Roots),
}

impl Trusted {
    /// By the files of a key or of roots: exactly one of them is given.
    pub(crate) fn by(key: Option<&Path>, roots: &[PathBuf]) -> Result<Self, Failure> {
        match key {
            Some(key) => Ok(Self::Key(public(key)?)),
            None => Ok(Self::Roots(Roots::from_pem(&certificates(roots, "whose signatures are believed")?)?)),
        }
    }

    /// What a bundle says, where one of them signed it.
    pub(crate) fn verify(&self, bundle: &Bundle) -> Result<SignedModel, Failure> {
        match self {
            Self::Key(key) => Ok(bundle.verify(key)?),
            Self::Roots(roots) => Ok(bundle.verify_by_roots(roots, SystemClock.unix_seconds())?),
        }
    }
}

/// The certificate of a signer with those above it; none where no file is given. One that does not sign now is refused.
pub(crate) fn chain(files: &[PathBuf]) -> Result<Option<Chain>, Failure> {
    if files.is_empty() {
        return Ok(None);
    }
    let chain = Chain::from_pem(&certificates(files, "who is named as the signer")?)?;
    chain.may_sign_at(SystemClock.unix_seconds())?;
    Ok(Some(chain))
}

fn certificates(files: &[PathBuf], role: &str) -> Result<String, Failure> {
    let mut text = String::new();
    for file in files {
        warn_of_writers(file, role);
        let read = error::read(file, MAX_CERTIFICATES as u64, "certificates in PEM")?;
        text.push_str(&String::from_utf8_lossy(&read));
        text.push('\n');
    }
    Ok(text)
}

/// A key, for a person.
pub(crate) fn named(key: &PublicKey) -> String {
    format!("{} ({})", key.hint(), key.curve().as_str())
}
