//! The address of a log: named, or the one that the policy has.

use stele_explain::{Exit, Explain, explain};
use stele_spec::bundle::Bundle;
use stele_spec::checkpoint::{Checkpoint, Origin};
use stele_spec::policy::Policy;
use stele_spec::proof::TlogProof;

/// The log's address: `--log`, or the one of the policy's only log that has one.
pub fn log_url(named: Option<&str>, policy: Option<&Policy>) -> Result<String, LogUrlError> {
    let mut urls = log_urls(named, policy);
    match (urls.pop(), urls.is_empty()) {
        (Some(url), true) => Ok(url),
        (last, _) => Err(LogUrlError::WhichLog { urls: urls.into_iter().chain(last).collect() }),
    }
}

/// The addresses of all logs that a policy has: `--log` alone where it is named.
pub fn log_urls(named: Option<&str>, policy: Option<&Policy>) -> Vec<String> {
    let logs = policy.map(Policy::logs).unwrap_or_default();
    let of_policy = || logs.iter().filter_map(|log| log.url.as_deref()).collect();
    let urls: Vec<&str> = named.map_or_else(of_policy, |url| vec![url]);
    let mut urls: Vec<String> = urls.into_iter().map(|url| url.trim_end_matches('/').to_owned()).collect();
    // A log with two keys has two lines.
    urls.dedup();
    urls
}

/// The address of the log of which something is, where the policy has one for it; else as [`log_url`].
pub fn log_url_of(named: Option<&str>, policy: &Policy, origin: Option<&Origin>) -> Result<String, LogUrlError> {
    let its_own = origin.filter(|_| named.is_none()).and_then(|origin| url_of(None, policy, origin).ok());
    its_own.map_or_else(|| log_url(named, Some(policy)), Ok)
}

/// The log that a bundle names. Nothing of it is verified: it chooses among the logs that a policy has.
pub fn origin_of(bundle: &[u8]) -> Option<Origin> {
    let proof = TlogProof::parse(&Bundle::parse(bundle).ok()?.proof).ok()?;
    Some(Checkpoint::parse(proof.checkpoint().text()).ok()?.origin().clone())
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
