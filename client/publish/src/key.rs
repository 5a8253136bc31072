//! Key files: the secret key that signs, and public keys.

use std::path::Path;

use stele_durable::key_file;
use stele_explain::Failure;
use stele_spec::key::{PublicKey, SecretKey};

use crate::error::{self, FileError};
use crate::key_kind::KeyKind;

/// A publisher's secret key.
pub fn read_secret(file: &Path, warn: fn(&Path, &str)) -> Result<SecretKey, Failure> {
    let pem = key_file::read(file)?;
    warn(file, "what is signed");
    SecretKey::from_pkcs8_pem(&pem)
        .map_err(|error| not_a_key(file, "a private Ed25519 key in PKCS#8 PEM", KeyKind::of(&pem, error)).into())
}

/// A public key, or the public half of a secret one.
pub fn read_public(file: &Path, warn: fn(&Path, &str)) -> Result<PublicKey, Failure> {
    let what = "an Ed25519 key in PEM";
    let is_public = error::read(file, key_file::MAX_KEY_FILE, what)?;
    let pem = String::from_utf8_lossy(&is_public);
    if pem.contains("BEGIN PUBLIC KEY") {
        return PublicKey::from_pem(&pem).map_err(|error| not_a_key(file, what, KeyKind::of_public(error)).into());
    }
    read_secret(file, warn).map(|key| key.public())
}

fn not_a_key(file: &Path, what: &'static str, kind: KeyKind) -> FileError {
    FileError::Malformed { path: file.display().to_string(), what, problem: kind.found.to_owned(), hint: kind.hint }
}
