//! Keys of OpenSSF Model Signing, from their files.

use std::path::Path;

use stele_durable::key_file::{self, Readers};
use stele_explain::Failure;
use stele_oms::{PublicKey, SecretKey};
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

/// A key, for a person.
pub(crate) fn named(key: &PublicKey) -> String {
    format!("{} ({})", key.hint(), key.curve().as_str())
}
