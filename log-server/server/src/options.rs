//! What a run needs of a log's folder: config, key and policy, read and checked.

use crate::config::{self, Config};
use crate::error::LogError;
use crate::reachable;
use crate::storage;
use crate::storage::BucketConfig;
use crate::verify_page::VerifyPage;
use std::path::{Path, PathBuf};
use stele_daemon::config::Loaded;
use stele_durable::{self as durable, key_file};
use stele_log_core::log_keys::{LogKeys, LogSigner};
use stele_log_core::settings::Settings;
use stele_spec::note::SignerKey;
use stele_spec::policy::{MAX_POLICY, Policy};
use stele_terminal::writers::warn_of_writers;

/// What a run needs, read and checked.
#[derive(Debug)]
pub struct Options {
    /// The config.
    pub config: Config,
    /// Where the data is.
    pub data: PathBuf,
    /// The log's keys.
    pub signer: LogSigner,
    /// The policy.
    pub policy: Policy,
    /// The address to serve on.
    pub listen: String,
    /// The bucket that holds the log, where it is not kept in files.
    pub(crate) bucket: Option<BucketConfig>,
    /// The page that verifies in a browser, if the config names one.
    pub verify_page: Option<VerifyPage>,
}

impl Options {
    /// Reads the log's folder; `listen` and `policy` override the config.
    pub fn load(dir: &Path, listen: Option<String>, policy: Option<PathBuf>) -> Result<Self, LogError> {
        let loaded = stele_daemon::config::load::<Config>(&dir.join(config::FILE))?;
        let signer = read_keys(&loaded)?;
        let path = policy_path(&loaded, policy);
        let policy = read_policy(&path, &signer.keys())?;
        reachable::check(&policy, &signer.keys()).map_err(|error| LogError::Unmeetable { path, error })?;
        let data = loaded.resolve(&loaded.config.data);
        let listen = listen.unwrap_or_else(|| loaded.config.listen.clone());
        let verify_page = loaded.config.verify_page.as_deref().map(|path| VerifyPage::load(&loaded.resolve(path)));
        let verify_page = verify_page.transpose()?;
        let bucket = storage::bucket(&loaded)?;
        if bucket.is_some() {
            reachable::intersects(&policy)?;
        }
        Ok(Self { config: loaded.config, data, signer, policy, listen, bucket, verify_page })
    }

    /// What may change while the log runs.
    pub fn settings(&self) -> Settings {
        Settings { policy: self.policy.clone(), rules: self.config.rules() }
    }
}

/// The policy's file.
pub fn policy_path(loaded: &Loaded<Config>, policy: Option<PathBuf>) -> PathBuf {
    policy.unwrap_or_else(|| loaded.resolve(&loaded.config.policy))
}

/// The log's keys, from the files that its config names.
pub fn read_keys(loaded: &Loaded<Config>) -> Result<LogSigner, LogError> {
    let read = |path: &Path| read_key(&loaded.resolve(path), &loaded.config);
    let second = loaded.config.second_key.as_deref().map(read).transpose()?;
    Ok(LogSigner::new(read(&loaded.config.key)?, second)?)
}

/// The key in a file, if it is one of the config's log.
pub fn read_key(path: &Path, config: &Config) -> Result<SignerKey, LogError> {
    let secret = key_file::read(path)?;
    warn_of_writers(path, "what this log signs");
    let secret = secret.strip_suffix('\n').unwrap_or(&secret);
    let signer =
        SignerKey::from_secret_string(secret).map_err(|error| LogError::Key { path: path.to_owned(), error })?;
    let verifier = signer.verifier();
    if !verifier.key_type().signs_logs() || verifier.name().as_str() != config.origin.as_str() {
        let (found, origin) = (verifier.to_string(), config.origin.to_string());
        return Err(LogError::OtherKey { path: path.to_owned(), found, origin });
    }
    Ok(signer)
}

/// The policy in a file.
pub fn policy_in(path: &Path) -> Result<Policy, LogError> {
    let bytes = durable::read_file(path, MAX_POLICY as u64)?
        .ok_or_else(|| LogError::PolicyMissing { path: path.to_owned() })?;
    warn_of_writers(path, "what is trusted");
    Policy::parse(&bytes).map_err(|error| LogError::Policy { path: path.to_owned(), error })
}

/// The policy in a file, if it lists every key of this log.
pub fn read_policy(path: &Path, log: &LogKeys) -> Result<Policy, LogError> {
    let policy = policy_in(path)?;
    if let Some(missing) = log.iter().find(|key| !policy.logs().iter().any(|known| known.key == **key)) {
        return Err(LogError::NotInPolicy { path: path.to_owned(), line: format!("log {missing}") });
    }
    Ok(policy)
}
