//! `keys add-mldsa`.

use std::path::Path;

use serde_json::json;
use stele_terminal::output;

use super::VerbOutput;
use crate::error::WitnessError;
use crate::home::WitnessDir;

/// Makes the second key, and prints its vkey.
pub(crate) fn add_mldsa(folder: &Path) -> Result<VerbOutput, WitnessError> {
    let own = WitnessDir::add_mldsa(folder)?;
    output::complain("next: restart the witness, and publish this key beside the other\n");
    let vkey = own.keys().nth(1).map(ToString::to_string).unwrap_or_default();
    Ok((format!("{vkey}\n"), json!({"vkey": vkey})))
}
