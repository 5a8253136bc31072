//! `log.toml`: what the operator decides.
//!
//! Every field that is not there has the default that its documentation names; a field that is not known is refused.
//! Paths are relative to the folder of the file.

use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;
use stele_spec::checkpoint::Origin;
use stele_spec::hash::KeyId;
use stele_spec::name::Publisher;

use crate::staging::MAX_BATCH;

/// The name of the config in the log's folder.
pub const FILE: &str = "log.toml";

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The identity of the log: the first line of its checkpoints and the name of its key. It never changes.
    #[serde(deserialize_with = "origin")]
    pub origin: Origin,
    /// The address to serve on; `run --listen` overrides it. Default `127.0.0.1:8080`.
    #[serde(default = "listen")]
    pub listen: String,
    /// The log's secret key, a signed-note key string. Default `log.key`.
    #[serde(default = "key")]
    pub key: PathBuf,
    /// The trust policy (c2sp.org/tlog-policy) that a tree head must satisfy before it is published; `run --policy`
    /// overrides it. Default `policy`.
    #[serde(default = "policy")]
    pub policy: PathBuf,
    /// The folder of everything that the log stores, on one file system. Default `data`.
    #[serde(default = "data")]
    pub data: PathBuf,
    /// After so many seconds without a new tree head the witnesses cosign the newest once more. Default 600.
    #[serde(default = "republish_every")]
    pub republish_every: u64,
    /// Who may claim a name.
    pub registration: Registration,
    /// When a batch is closed.
    #[serde(default)]
    pub batch: Batch,
    /// What outsiders may occupy.
    #[serde(default)]
    pub limits: Limits,
}

/// Who may claim a publisher's name.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// `open`: whoever comes first; `allow-list`: the names below.
    pub claims: Claims,
    /// For `allow-list`: each name, and the ids of the keys of which one must sign its claim; none means any key.
    #[serde(default)]
    pub allowed: BTreeMap<Publisher, BTreeSet<KeyId>>,
}

/// The rule for claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Claims {
    /// Whoever comes first.
    Open,
    /// Only the names that the config lists.
    AllowList,
}

/// When a batch is closed: whichever comes first.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Batch {
    /// So many statements, 1 to 1022: no more may stand between two index entries. Default 1022.
    #[serde(deserialize_with = "max_entries")]
    pub max_entries: usize,
    /// So many milliseconds after its first. Default 10.
    pub max_age_ms: u64,
}

/// What outsiders may occupy. The limits of formats (an entry, a manifest) are not here: they are the formats'.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Open connections. Default 512.
    pub connections: usize,
    /// Statements that wait for a batch. Default 4096.
    pub pending_submissions: usize,
    /// Seconds that a submission waits for its cosigned proof before 503. Default 60.
    pub submission_seconds: u64,
    /// Seconds that a batch waits for a quorum before its submitters get 503; the tree head is kept and tried again.
    /// Default 10.
    pub quorum_seconds: u64,
    /// Manifests that no release names yet: how many. Default 1024.
    pub pending_manifests: usize,
    /// Manifests that no release names yet: bytes together. Default 256 MiB.
    pub pending_manifest_bytes: u64,
    /// Manifests that no release names yet: seconds until they are forgotten. Default a day.
    pub pending_manifest_seconds: u64,
    /// Below so many free bytes on the disk of the data the log says that it is unwell. Default 256 MiB.
    pub min_free_bytes: u64,
}

impl Batch {
    /// How long a batch stays open.
    pub fn max_age(&self) -> Duration {
        Duration::from_millis(self.max_age_ms)
    }
}

impl Default for Batch {
    fn default() -> Self {
        Self { max_entries: MAX_BATCH, max_age_ms: 10 }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 512,
            pending_submissions: 4096,
            submission_seconds: 60,
            quorum_seconds: 10,
            pending_manifests: 1024,
            pending_manifest_bytes: 256 << 20,
            pending_manifest_seconds: 24 * 60 * 60,
            min_free_bytes: 256 << 20,
        }
    }
}

impl Config {
    /// What `init` writes.
    pub fn template(origin: &Origin, claims: Claims, listen: &str) -> String {
        let (claims, allowed) = match claims {
            Claims::Open => ("open", ""),
            Claims::AllowList => (
                "allow-list",
                "\n# Each name that may be claimed, with the ids of the keys that may (`stele key show`); [] means any key.\n\
                 [registration.allowed]\n# \"acme.example\" = []\n",
            ),
        };
        format!(
            "# The log's config. Every field: `stele-log` in the documentation of the crate, `config`.\n\
             origin = {origin}\nlisten = {listen}\nkey = \"log.key\"\npolicy = \"policy\"\ndata = \"data\"\n\
             republish_every = {republish}\n\n[registration]\nclaims = \"{claims}\"\n{allowed}",
            origin = serde_json::Value::from(origin.as_str()),
            listen = serde_json::Value::from(listen),
            republish = republish_every(),
        )
    }
}

fn origin<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Origin, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

fn max_entries<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let found = usize::deserialize(deserializer)?;
    let problem = || {
        let rule = "a log has at most that many statements between two index entries";
        serde::de::Error::custom(format!("batch.max_entries: expected 1 to {MAX_BATCH}, found {found}; {rule}"))
    };
    if (1..=MAX_BATCH).contains(&found) { Ok(found) } else { Err(problem()) }
}

fn listen() -> String {
    "127.0.0.1:8080".into()
}

fn key() -> PathBuf {
    "log.key".into()
}

fn policy() -> PathBuf {
    "policy".into()
}

fn data() -> PathBuf {
    "data".into()
}

fn republish_every() -> u64 {
    600
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn parse(text: &str) -> Result<Config, stele_host::config::ConfigError> {
        stele_host::config::parse(text, Path::new(FILE))
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for text in [
            "",
            "origin = \"log.example\"\n",
            "origin = \"\"\n[registration]\nclaims = \"open\"\n",
            "origin = \"log.example\"\n[registration]\nclaims = \"anybody\"\n",
            "origin = \"log.example\"\nlisten = 8080\n[registration]\nclaims = \"open\"\n",
            "origin = \"log.example\"\n[registration]\nclaims = \"open\"\nalowed = {}\n",
            "origin = \"log.example\"\n[registration]\nclaims = \"open\"\n[batch]\nmax_entry = 1\n",
            "origin = \"log.example\"\n[registration]\nclaims = \"allow-list\"\nallowed = { \"ACME\" = [] }\n",
            "origin = \"log.example\"\n[registration]\nclaims = \"allow-list\"\nallowed = { \"acme.example\" = [\"1\"] }\n",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_batch_may_be_as_long_as_the_format_allows_and_no_longer() {
        let with = |most: usize| {
            parse(&format!(
                "origin = \"log.example\"\n[registration]\nclaims = \"open\"\n[batch]\nmax_entries = {most}\n"
            ))
        };
        assert_eq!(with(1022).unwrap().batch.max_entries, 1022);
        assert_eq!(with(1).unwrap().batch.max_entries, 1);
        for wrong in [0, 1023, 8192] {
            let refused = with(wrong).unwrap_err().to_string();
            assert!(refused.contains(&format!("expected 1 to 1022, found {wrong}")), "{refused}");
        }
    }

    #[test]
    fn what_init_writes_is_read_with_its_defaults() {
        let origin: Origin = "log.example/\"stele\"".parse().unwrap();
        for claims in [Claims::Open, Claims::AllowList] {
            let config = parse(&Config::template(&origin, claims, "[::1]:0")).unwrap();
            assert_eq!(config.origin, origin);
            assert_eq!(config.listen, "[::1]:0");
            assert_eq!(config.registration.claims, claims);
            assert!(config.registration.allowed.is_empty());
            assert_eq!((config.batch.max_entries, config.batch.max_age_ms), (1022, 10));
        }
    }
}
