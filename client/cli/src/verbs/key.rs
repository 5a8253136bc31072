//! `stele key new`, `stele key show`.

use std::path::{Path, PathBuf};

use serde_json::json;
use stele_durable::key_file::{self, KeyFileError};
use stele_explain::{Exit, Explain, Failure, explain};
use stele_publish::encrypted_key;
use stele_publish::error::FileError;
use stele_spec::key::{PublicKey, SecretKey};
use stele_terminal::volume::note;
use zeroize::Zeroizing;

use crate::Output;
use crate::args::{KeyArgs, KeyOpening, KeyVerb};
use crate::key;

pub(crate) fn run(args: KeyArgs) -> Result<Output, Failure> {
    match args.verb {
        KeyVerb::New { file, encrypt, passphrase_file } => new(&file, encrypt, passphrase_file),
        KeyVerb::Show { key, opening } => key::public(&key, &opening).map(|key| render(&key, None)),
    }
}

fn new(file: &Path, encrypt: bool, passphrase_file: Option<PathBuf>) -> Result<Output, Failure> {
    if file == Path::new("-") {
        return Err(NoFile.into());
    }
    if file.symlink_metadata().is_ok() {
        // Nobody should choose a passphrase for nothing.
        return Err(KeyFileError::Exists { path: file.to_owned() }.into());
    }
    let key = SecretKey::from_seed(*random()?);
    let pem = if encrypt {
        let opening = KeyOpening { passphrase_file, allow_group_readable_key: false };
        let of = file.display().to_string();
        let passphrase = key::passphrases(&opening).of_new_key(&of, key::readers(&opening))?;
        encrypted_key::encrypt(&key, &passphrase, &*random()?)?
    } else {
        Zeroizing::new(key.to_pkcs8_pem())
    };
    key_file::write_new(file, &pem)?;
    note(&second_key(file));
    Ok(render(&key.public(), Some(file)))
}

fn random() -> Result<Zeroizing<[u8; 32]>, FileError> {
    key_file::random_seed().map_err(|source| FileError::Read { path: "the system's random source".into(), source })
}

fn render(key: &PublicKey, written: Option<&Path>) -> Output {
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

/// Elsewhere `-` is standard input or output, and a key is kept.
#[derive(Debug, thiserror::Error)]
#[error("a new key is kept in a file, and - names none")]
struct NoFile;

impl Explain for NoFile {
    explain! { Self => Exit::Usage, "file-unnamed", hint: "name a file; one that is called so is ./-"; }
}

/// What losing the key means, and how to have a second one. Whether this is the first or the second of a name, only its owner knows.
fn second_key(file: &Path) -> String {
    let public = file.with_extension("pub");
    let (public, file) = (public.display(), file.display());
    format!(
        "If the only key of a name is lost, the name is lost: no one can give it back. Once the name is claimed, make a second key on\n\
         another machine. If this is the second, the first one, KEY, signs that it is added:\n  \
         stele key show {file} > {public}     here\n  \
         stele keys add NAME --new {public} --key KEY     where KEY is, with a copy of the .pub file\n"
    )
}
