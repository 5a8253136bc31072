//! `key`: a second key for the log, and the end of the first one.
//!
//! The way from one key to another is an overlap: the log signs with both, readers take the new line into their policies and witnesses
//! into their configs, and only then the first key ends. What was logged before keeps verifying under a policy that keeps the first line.

use crate::config::{self, Config};
use crate::config_edit::with_line;
use crate::error::LogError;
use crate::key_error::KeyError;
use crate::options::{Options, policy_path, read_keys};
use crate::storage;
use crate::witness_memory;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use stele_daemon::config::{Loaded, MAX_CONFIG, load, parse};
use stele_durable::{self as durable, Dir, key_file};
use stele_log_core::checkpoint::SignedCheckpoint;
use stele_log_core::contract::objects::Objects;
use stele_log_core::log_keys::{LogKeys, LogSigner};
use stele_log_core::tiles::TileStore;
use stele_log_storage_files::objects::FileObjects;
use stele_spec::note::{KeyType, SignerKey, VerifierKey};
use stele_spec::policy::{MAX_POLICY, Policy, PolicyError};
use stele_terminal::finish::Output;

/// What ends with the last Ed25519 key.
const NO_RECEIPTS: &str = "the log gives no COSE receipts (SCITT) any more: those are signed with an Ed25519 key\n";

/// The keys that sign, the first one first.
pub fn list(dir: &Path) -> Result<Output, LogError> {
    let keys = read_keys(&load::<Config>(&dir.join(config::FILE))?)?.keys();
    let text: String = keys.iter().map(|key| format!("{key}\n")).collect();
    let fields = json!({"origin": keys.name().to_string(), "vkeys": vkeys(&keys)});
    Ok((text, fields).into())
}

/// Makes a second key, puts its line behind the first one's in the policy, and has the log sign with both from its next start on.
pub fn add(dir: &Path, key_type: KeyType, policy: Option<PathBuf>) -> Result<Output, LogError> {
    let loaded = load::<Config>(&dir.join(config::FILE))?;
    storage::in_files(&loaded.config, "key add")?;
    let keys = read_keys(&loaded)?.keys();
    if let Some(second) = keys.second() {
        return Err(KeyError::TwoKeys { first: keys.first().hash(), second: second.hash() }.into());
    }
    let seed = key_file::random_seed().map_err(|source| LogError::Machine { what: "random bytes", source })?;
    let signer = SignerKey::new(keys.name().clone(), key_type, *seed);
    let after = LogKeys::new(keys.first().clone(), Some(signer.verifier())).map_err(KeyError::Mismatch)?;
    let path = policy_path(&loaded, policy);
    let policy =
        durable::read_file(&path, MAX_POLICY as u64)?.ok_or_else(|| LogError::PolicyMissing { path: path.clone() })?;
    let policy = with_log_line(&policy, keys.first(), &signer.verifier())?;
    match Policy::parse(&policy) {
        // The quorum may be decided later.
        Ok(_) | Err(PolicyError::NoQuorum) => {}
        Err(error) => return Err(LogError::Policy { path, error }),
    }
    let name = free_name(dir);
    let config = edited(dir, &[("second_key", Some(&name))])?;

    key_file::write_new(&dir.join(&name), &format!("{}\n", signer.to_secret_string()))?;
    // Where it ends between the two, a start says which line the policy lacks; the other way round nothing would tell of a line too many.
    durable::replace_file(&dir.join(config::FILE), config.as_bytes())?;
    durable::replace_file(&path, &policy)?;
    let text = format!(
        "{}\nits line is in {}. From its next start on the log signs with both keys.\nkeep a copy of {} and of {}: without them this log cannot go \
         on. Give readers the new policy and every witness this key; when enough have it: stele-log key retire {}\n",
        signer.verifier(),
        path.display(),
        dir.join(&name).display(),
        dir.join(config::FILE).display(),
        dir.display()
    );
    let fields = json!({"origin": keys.name().to_string(), "vkeys": vkeys(&after), "file": name});
    Ok((text, fields).into())
}

/// Ends the first key: from its next start on the log signs with the second alone. Only where the second is published already, and so many
/// witnesses cosign what it alone has signed that the policy's quorum is met.
pub fn retire(dir: &Path, policy: Option<PathBuf>) -> Result<Output, LogError> {
    let loaded = load::<Config>(&dir.join(config::FILE))?;
    storage::in_files(&loaded.config, "key retire")?;
    let options = Options::load(dir, None, policy)?;
    let keys = options.signer.keys();
    let only = || KeyError::OneKey { only: keys.first().hash() };
    let second = options.signer.signers().nth(1).ok_or_else(only)?.clone();
    let file = loaded.config.second_key.clone().ok_or_else(only)?;
    is_known(&options, LogSigner::new(second.clone(), None).map_err(KeyError::Mismatch)?)?;
    let config = edited(dir, &[("key", Some(&file.display().to_string())), ("second_key", None)])?;
    durable::replace_file(&dir.join(config::FILE), config.as_bytes())?;
    let receipts = if second.verifier().key_type() == KeyType::Log { "" } else { NO_RECEIPTS };
    let text = format!(
        "{}\n{receipts}from its next start on the log signs with this key alone. Keep the line of the other in the policy: what it signed stays to be \
         verified. Its file, {}, is needed no more\n",
        second.verifier(),
        loaded.resolve(&loaded.config.key).display()
    );
    let fields = json!({"origin": keys.name().to_string(), "vkeys": [second.verifier().to_string()], "retired": keys.first().to_string()});
    Ok((text, fields).into())
}

/// Whether readers have seen the second key, and the witnesses would go on with it alone. Nothing new is signed: the head is the published one.
fn is_known(options: &Options, second: LogSigner) -> Result<(), LogError> {
    let keys = second.keys();
    let objects: Arc<dyn Objects> = Arc::new(FileObjects::new(&Dir::open(&options.data)?));
    let store = TileStore::new(&objects);
    let published = store.checkpoint().ok().flatten().and_then(|note| SignedCheckpoint::read(&note, &keys).ok());
    let head = published.ok_or_else(|| KeyError::NotPublished { second: keys.first().hash() })?;
    let head = Arc::new(head.signed_with(&second).map_err(KeyError::Sign)?);
    match witness_memory::cosign(&options.policy, &store, &keys, &head).missing {
        None => Ok(()),
        Some(missing) => Err(KeyError::Unknown { second: keys.first().hash(), missing }.into()),
    }
}

/// The config with these lines, if it then says so.
fn edited(dir: &Path, lines: &[(&str, Option<&str>)]) -> Result<String, LogError> {
    let path = dir.join(config::FILE);
    let before = durable::read_file(&path, MAX_CONFIG)?.unwrap_or_default();
    let mut text = String::from_utf8_lossy(&before).into_owned();
    for (name, value) in lines {
        let value = value.map(|value| serde_json::Value::from(value).to_string());
        text = with_line(&text, name, value.as_deref());
    }
    let after = Loaded { config: parse::<Config>(&text, &path)?, folder: dir.to_owned() };
    let said = |name: &str| match name {
        "key" => Some(after.config.key.as_path()),
        _ => after.config.second_key.as_deref(),
    };
    let is_said = lines.iter().all(|(name, value)| said(name) == value.map(Path::new));
    if is_said { Ok(text) } else { Err(KeyError::Config { path }.into()) }
}

/// The policy with a line of the new key behind that of the first, at the same address.
fn with_log_line(policy: &[u8], first: &VerifierKey, new: &VerifierKey) -> Result<Vec<u8>, KeyError> {
    let text = String::from_utf8_lossy(policy);
    let known = first.to_string();
    let is_first = |line: &&str| {
        let mut words = line.split_whitespace();
        words.next() == Some("log") && words.next() == Some(&known)
    };
    let line = text.lines().find(is_first).ok_or_else(|| KeyError::NoLine { key: first.hash() })?;
    let address = line.split_whitespace().nth(2).map(|address| format!(" {address}")).unwrap_or_default();
    let added = format!("{line}\nlog {new}{address}");
    Ok(text.replacen(line, &added, 1).into_bytes())
}

/// The name of a key's file that is not there yet.
fn free_name(dir: &Path) -> String {
    let mut names = (2_u32..).map(|number| format!("log-{number}.key"));
    names.find(|name| !dir.join(name).exists()).unwrap_or_default()
}

fn vkeys(keys: &LogKeys) -> Vec<String> {
    keys.iter().map(ToString::to_string).collect()
}
