//! `stele key new`, `stele key show`.

use std::path::Path;

use serde_json::json;
use stele_durable::key_file;
use stele_spec::key::{PublicKey, SecretKey};
use stele_terminal::writers::warn_of_writers;

use crate::Output;
use crate::cli::{KeyArgs, KeyVerb};
use crate::error::{self, Failure, FileError};
use crate::key_kind::KeyKind;

pub(crate) fn run(args: KeyArgs) -> Result<Output, Failure> {
    match args.verb {
        KeyVerb::New { file } => new(&file),
        KeyVerb::Show { file } => show(&file),
    }
}

fn new(file: &Path) -> Result<Output, Failure> {
    let seed = key_file::random_seed()
        .map_err(|source| FileError::Read { path: "the system's random source".into(), source })?;
    let key = SecretKey::from_seed(*seed);
    let pem = key.to_pkcs8_pem();
    key_file::write_new(file, &pem)?;
    Ok(told(&key.public(), Some(file)))
}

fn show(file: &Path) -> Result<Output, Failure> {
    read_public(file).map(|key| told(&key, None))
}

fn told(key: &PublicKey, written: Option<&Path>) -> Output {
    let (kid, pem) = (key.key_id(), key.to_pem());
    let file = written.map(|path| path.display().to_string());
    let wrote = file
        .as_ref()
        .map(|file| format!("wrote {file} (secret: keep it out of the model's folder)\n"))
        .unwrap_or_default();
    let mut json = json!({ "key_id": kid.to_string(), "public_key_pem": pem });
    if let (Some(object), Some(file)) = (json.as_object_mut(), file) {
        object.insert("file".into(), file.into());
    }
    Output { text: format!("{wrote}key id {kid}\n{pem}"), json, failure: None }
}

/// A publisher's secret key.
pub(crate) fn read_secret(file: &Path) -> Result<SecretKey, Failure> {
    let pem = key_file::read(file)?;
    warn_of_writers(file, "what is signed");
    SecretKey::from_pkcs8_pem(&pem)
        .map_err(|error| not_a_key(file, "a private Ed25519 key in PKCS#8 PEM", KeyKind::of(&pem, error)).into())
}

/// A public key, or the public half of a secret one.
pub(crate) fn read_public(file: &Path) -> Result<PublicKey, Failure> {
    let what = "an Ed25519 key in PEM";
    let is_public = error::read(file, key_file::MAX_KEY_FILE, what)?;
    let pem = String::from_utf8_lossy(&is_public);
    if pem.contains("BEGIN PUBLIC KEY") {
        return PublicKey::from_pem(&pem).map_err(|error| not_a_key(file, what, KeyKind::of_public(error)).into());
    }
    read_secret(file).map(|key| key.public())
}

fn not_a_key(file: &Path, what: &'static str, kind: KeyKind) -> FileError {
    FileError::Malformed { path: file.display().to_string(), what, problem: kind.found.to_owned(), hint: kind.hint }
}
