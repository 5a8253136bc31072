//! `stele key new`, `stele key show`.

use std::path::Path;

use serde_json::json;
use stele_durable::key_file;
use stele_explain::Failure;
use stele_publish::error::FileError;
use stele_spec::key::{PublicKey, SecretKey};

use crate::args::{KeyArgs, KeyVerb};
use crate::key::read_public;
use crate::output::Output;

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
    Ok(render(&key.public(), Some(file)))
}

fn show(file: &Path) -> Result<Output, Failure> {
    read_public(file).map(|key| render(&key, None))
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
