//! The trust policy: whom the person in front of this machine believes.
//!
//! It is looked for in this order: `--policy`, `$STELE_POLICY`, `~/.config/stele/policy`. Nothing that travels with the
//! weights can bring its own.

use std::path::{Path, PathBuf};

use stele_host::durable;
use stele_host::exit::{Exit, Explain};
use stele_host::writers::warn_of_writers;
use stele_spec::checkpoint::Origin;
use stele_spec::policy::{MAX_POLICY, Policy, PolicyError};

use crate::cli::Trust;
use crate::error::Failure;

/// A policy and where it was.
#[derive(Debug)]
pub(crate) struct LoadedPolicy {
    /// What it says.
    pub(crate) policy: Policy,
    /// The file.
    pub(crate) path: PathBuf,
}

/// Finds and reads the policy.
pub(crate) fn load(named: Option<&Path>) -> Result<LoadedPolicy, Failure> {
    let looked: Vec<PathBuf> = match named {
        Some(path) => vec![path.to_owned()],
        None => places(),
    };
    for path in &looked {
        if let Some(bytes) = durable::read_file(path, MAX_POLICY as u64)? {
            warn_of_writers(path, "what is trusted");
            let policy =
                Policy::parse(&bytes).map_err(|error| PolicyFileError::Invalid { path: path.clone(), error })?;
            return Ok(LoadedPolicy { policy, path: path.clone() });
        }
    }
    Err(PolicyFileError::Missing { looked }.into())
}

/// The log's address: `--log`, or the one of the policy's only log that has one.
pub(crate) fn log_url(trust: &Trust, policy: Option<&LoadedPolicy>) -> Result<String, PolicyFileError> {
    if let Some(url) = &trust.log {
        return Ok(url.trim_end_matches('/').to_owned());
    }
    let logs = policy.map(|loaded| loaded.policy.logs()).unwrap_or_default();
    let urls: Vec<&String> = logs.iter().filter_map(|log| log.url.as_ref()).collect();
    match urls.as_slice() {
        [url] => Ok(url.trim_end_matches('/').to_owned()),
        urls => Err(PolicyFileError::WhichLog { urls: urls.iter().map(|url| (*url).clone()).collect() }),
    }
}

/// The address of one log: `--log`, or the policy's for that origin.
pub(crate) fn url_of(named: Option<&str>, policy: &Policy, origin: &Origin) -> Result<String, PolicyFileError> {
    let of_policy = || {
        let log = policy.logs().iter().find(|log| log.key.name().as_str() == origin.as_str() && log.url.is_some())?;
        log.url.as_deref()
    };
    let url = named.or_else(of_policy).ok_or(PolicyFileError::WhichLog { urls: Vec::new() })?;
    Ok(url.trim_end_matches('/').to_owned())
}

fn places() -> Vec<PathBuf> {
    if let Some(path) = std::env::var_os("STELE_POLICY").filter(|path| !path.is_empty()) {
        return vec![path.into()];
    }
    let config = std::env::var_os("XDG_CONFIG_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
    let config = config.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".config")));
    config.map(|folder| folder.join("stele/policy")).into_iter().collect()
}

/// Why there is no policy, or no log to ask.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PolicyFileError {
    /// Not there.
    #[error("there is no trust policy")]
    Missing {
        /// Where it was looked for.
        looked: Vec<PathBuf>,
    },
    /// Not a policy.
    #[error("{} is not a trust policy: {error}", .path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: PolicyError,
    },
    /// No address, or several.
    #[error("which log is to be asked?")]
    WhichLog {
        /// The addresses in the policy.
        urls: Vec<String>,
    },
}

impl Explain for PolicyFileError {
    fn exit(&self) -> Exit {
        match self {
            Self::Missing { .. } | Self::Invalid { .. } => Exit::WrongPolicy,
            Self::WhichLog { .. } => Exit::Usage,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "policy-missing",
            Self::Invalid { .. } => "policy-invalid",
            Self::WhichLog { .. } => "which-log",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Missing { .. } => {
                "get the policy from somebody you trust, not from where the weights came; then --policy FILE, or put it at ~/.config/stele/policy".into()
            }
            Self::Invalid { .. } => "`stele policy check FILE` says what a policy requires; see c2sp.org/tlog-policy".into(),
            Self::WhichLog { .. } => "name it: --log URL".into(),
        })
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Missing { looked } => {
                let looked: Vec<_> = looked.iter().map(|path| path.display().to_string()).collect();
                vec![("expected", "a policy file".into()), ("found", format!("nothing at {}", looked.join(", ")))]
            }
            Self::WhichLog { urls } => {
                let found = if urls.is_empty() { "no address".to_owned() } else { urls.join(", ") };
                vec![("expected", "one log with an address in the policy".into()), ("found", found)]
            }
            Self::Invalid { .. } => Vec::new(),
        }
    }
}
