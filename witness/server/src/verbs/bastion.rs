//! `bastion add`.

use std::path::{Path, PathBuf};

use serde_json::json;
use stele_terminal::output;

use super::VerbOutput;
use crate::error::WitnessError;
use crate::home::WitnessDir;
use stele_bastion::BastionAddress;

/// Makes the key if there is none, and lists the bastion in the config.
pub(crate) fn add(folder: &Path, host: &str, ca: Option<PathBuf>) -> Result<VerbOutput, WitnessError> {
    let bad = |reason| WitnessError::Argument { what: "host", value: host.to_owned(), reason };
    let place: BastionAddress = host.parse().map_err(|error: stele_bastion::NotAPlace| bad(error.to_string()))?;
    WitnessDir::add_bastion(folder, &place, ca)?;
    let bastions = WitnessDir::open(folder)?.bastions()?;
    let added = bastions.iter().find(|backend| *backend.place() == place);
    let (hash, url) = added.map(|backend| (backend.key_hash().to_owned(), backend.url())).unwrap_or_default();
    output::complain("next: give the key hash to the bastion's operator, start the witness anew, publish the url\n");
    Ok((format!("key hash: {hash}\nurl: {url}/\n"), json!({"key_hash": hash, "url": format!("{url}/")})))
}
