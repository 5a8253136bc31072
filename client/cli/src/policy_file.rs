//! The trust policy of a verb, with a warning where others may change it.

use std::path::Path;

use stele_explain::Failure;
use stele_terminal::writers::warn_of_writers;

pub(crate) use stele_verify::policy_file::LoadedPolicy;

/// Finds and reads the policy.
pub(crate) fn load(named: Option<&Path>) -> Result<LoadedPolicy, Failure> {
    let loaded = stele_verify::policy_file::load_policy(named)?;
    warn_of_writers(&loaded.path, "what is trusted");
    Ok(loaded)
}
