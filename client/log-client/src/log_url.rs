//! The address of a log: named, or the one that the policy has.

use stele_explain::{Exit, Explain, explain};
use stele_spec::checkpoint::Origin;
use stele_spec::policy::Policy;

/// The log's address: `--log`, or the one of the policy's only log that has one.
pub fn log_url(named: Option<&str>, policy: Option<&Policy>) -> Result<String, LogUrlError> {
    if let Some(url) = named {
        return Ok(url.trim_end_matches('/').to_owned());
    }
    let logs = policy.map(Policy::logs).unwrap_or_default();
    let mut urls: Vec<&String> = logs.iter().filter_map(|log| log.url.as_ref()).collect();
    // A log with two keys has two lines.
    urls.dedup();
    match urls.as_slice() {
        [url] => Ok(url.trim_end_matches('/').to_owned()),
        urls => Err(LogUrlError::WhichLog { urls: urls.iter().map(|url| (*url).clone()).collect() }),
    }
}

/// The address of one log: `--log`, or the policy's for that origin.
pub fn url_of(named: Option<&str>, policy: &Policy, origin: &Origin) -> Result<String, LogUrlError> {
    let of_policy = || {
        let log = policy.logs().iter().find(|log| log.key.name().as_str() == origin.as_str() && log.url.is_some())?;
        log.url.as_deref()
    };
    let url = named.or_else(of_policy).ok_or(LogUrlError::WhichLog { urls: Vec::new() })?;
    Ok(url.trim_end_matches('/').to_owned())
}

/// No address of a log, or several.
#[derive(Debug, thiserror::Error)]
pub enum LogUrlError {
    /// No address, or several.
    #[error("which log is to be asked?")]
    WhichLog {
        /// The addresses in the policy.
        urls: Vec<String>,
    },
}

impl Explain for LogUrlError {
    explain! {
        Self::WhichLog { urls } => Exit::Usage, "which-log", hint: "name it: --log URL",
            "expected": "one log with an address in the policy",
            "found": if urls.is_empty() { "no address".to_owned() } else { urls.join(", ") };
    }
}
