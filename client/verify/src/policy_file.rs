//! The trust policy: which logs and witnesses the user of this machine trusts.
//!
//! It is looked for in this order: the path given, `$STELE_POLICY`, `~/.config/stele/policy`. Nothing that travels with the
//! weights can bring its own.

use std::path::{Path, PathBuf};

use stele_explain::{Exit, Explain, Failure, explain};
use stele_spec::policy::{MAX_POLICY, Policy, PolicyError};

use crate::bounded_read::{ReadError, read_if_there};

/// A policy and its file.
#[derive(Debug)]
pub struct LoadedPolicy {
    /// The policy.
    pub policy: Policy,
    /// The file.
    pub path: PathBuf,
}

/// The user's policy: the file at `$STELE_POLICY`, else `$XDG_CONFIG_HOME/stele/policy`, else `~/.config/stele/policy`.
pub fn find_policy() -> Result<Policy, Failure> {
    Ok(load_policy(None)?.policy)
}

/// The policy at a path, or the user's.
pub fn load_policy(named: Option<&Path>) -> Result<LoadedPolicy, Failure> {
    let looked: Vec<PathBuf> = match named {
        Some(path) => vec![path.to_owned()],
        None => places(),
    };
    for path in &looked {
        if let Some(bytes) = read_if_there(path, MAX_POLICY as u64).map_err(unread)? {
            let policy =
                Policy::parse(&bytes).map_err(|error| PolicyFileError::Invalid { path: path.clone(), error })?;
            return Ok(LoadedPolicy { policy, path: path.clone() });
        }
    }
    Err(PolicyFileError::Missing { looked }.into())
}

/// Whatever stands in the place of a policy, there is none.
fn unread(error: ReadError) -> Failure {
    match error {
        ReadError::Folder { path } => PolicyFileError::Folder { path }.into(),
        error => error.into(),
    }
}

fn places() -> Vec<PathBuf> {
    if let Some(path) = std::env::var_os("STELE_POLICY").filter(|path| !path.is_empty()) {
        return vec![path.into()];
    }
    let config = std::env::var_os("XDG_CONFIG_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
    let config = config.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".config")));
    config.map(|folder| folder.join("stele/policy")).into_iter().collect()
}

/// Why there is no policy.
#[derive(Debug, thiserror::Error)]
pub enum PolicyFileError {
    /// Not there.
    #[error("there is no trust policy")]
    Missing {
        /// Where it was looked for.
        looked: Vec<PathBuf>,
    },
    /// A folder in its place.
    #[error("{} is a folder, and not a trust policy", .path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
    },
    /// Not a policy.
    #[error("{} is not a trust policy: {error}", .path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: PolicyError,
    },
}

impl Explain for PolicyFileError {
    explain! {
        Self::Missing { looked } => Exit::WrongPolicy, "policy-missing",
            hint: "get the policy from somebody you trust, not from where the weights came; then --policy FILE, or put it at ~/.config/stele/policy",
            "expected": "a policy file",
            "found": if looked.is_empty() {
                "no place to look at: none of $STELE_POLICY, $XDG_CONFIG_HOME and $HOME is set".to_owned()
            } else {
                format!(
                    "nothing at {}",
                    looked.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
                )
            };
        Self::Folder { .. } => Exit::WrongPolicy, "policy-is-folder", hint: "name the file of the policy with --policy",
            "expected": "a policy file", "found": "a folder";
        Self::Invalid { .. } => Exit::WrongPolicy, "policy-invalid",
            hint: "get it again from where it came, or correct that line: c2sp.org/tlog-policy says how a policy is written";
    }
}
