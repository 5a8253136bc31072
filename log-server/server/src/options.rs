//! What a run needs of a log's folder: config, key and policy, read and checked.

use crate::config::{self, Config};
use crate::error::LogError;
use std::path::{Path, PathBuf};
use stele_durable::{self as durable, key_file};
use stele_spec::note::{KeyType, SignerKey};
use stele_spec::policy::{MAX_POLICY, Policy};
use stele_terminal::writers::warn_of_writers;

/// What a run needs, read and checked.
#[derive(Debug)]
pub struct Options {
    /// The config.
    pub config: Config,
    /// Where the data is.
    pub data: PathBuf,
    /// The log's key.
    pub signer: SignerKey,
    /// The policy.
    pub policy: Policy,
    /// The address to serve on.
    pub listen: String,
}

impl Options {
    /// Reads the log's folder; `listen` and `policy` override the config.
    pub fn load(dir: &Path, listen: Option<String>, policy: Option<PathBuf>) -> Result<Self, LogError> {
        let loaded = stele_daemon::config::load::<Config>(&dir.join(config::FILE))?;
        let key_path = loaded.resolve(&loaded.config.key);
        let secret = key_file::read(&key_path)?;
        warn_of_writers(&key_path, "what this log signs");
        let secret = secret.strip_suffix('\n').unwrap_or(&secret);
        let signer =
            SignerKey::from_secret_string(secret).map_err(|error| LogError::Key { path: key_path.clone(), error })?;
        let verifier = signer.verifier();
        if verifier.key_type() != KeyType::Log || verifier.name().as_str() != loaded.config.origin.as_str() {
            let (found, origin) = (verifier.to_string(), loaded.config.origin.to_string());
            return Err(LogError::OtherKey { path: key_path, found, origin });
        }
        let path = policy.unwrap_or_else(|| loaded.resolve(&loaded.config.policy));
        let bytes = durable::read_file(&path, MAX_POLICY as u64)?
            .ok_or_else(|| LogError::PolicyMissing { path: path.clone() })?;
        warn_of_writers(&path, "what is trusted");
        let policy = Policy::parse(&bytes).map_err(|error| LogError::Policy { path: path.clone(), error })?;
        if !policy.logs().iter().any(|log| log.key == verifier) {
            return Err(LogError::NotInPolicy { path, line: format!("log {verifier}") });
        }
        let data = loaded.resolve(&loaded.config.data);
        let listen = listen.unwrap_or_else(|| loaded.config.listen.clone());
        Ok(Self { config: loaded.config, data, signer, policy, listen })
    }
}
