//! What the operator decides of a log: who may claim a name, when a batch is closed, what one day may bring, how long things may take.

use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use stele_spec::hash::KeyId;
use stele_spec::name::Publisher;

/// The most statements of a batch: more may not stand between two index entries, and each batch ends with one.
pub const MAX_BATCH: usize = stele_spec::index::MAX_BETWEEN;

/// The operator's decisions, as the log needs them.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Who may claim a name.
    pub registration: Registration,
    /// When a batch is closed.
    pub batch: Batch,
    /// After so many seconds without a new tree head the witnesses cosign the newest once more.
    pub republish_every: u64,
    /// Seconds that a batch waits for a quorum before its submitters are refused; the tree head is kept and tried again.
    pub quorum_seconds: u64,
    /// Below so many free bytes in the storage the log takes nothing new.
    pub min_free_bytes: u64,
    /// Whether the log takes no new statement any more.
    pub frozen: bool,
}

/// Who may claim a publisher's name.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// `open`: first come, first served; `allow-list`: the names below.
    pub claims: Claims,
    /// For `allow-list`: each name, and the ids of the keys of which one must sign its claim; none means any key.
    #[serde(default)]
    pub allowed: BTreeMap<Publisher, BTreeSet<KeyId>>,
}

/// The rule for claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Claims {
    /// First come, first served.
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
    /// So many milliseconds after its first. Default 0: the first statement of a quiet moment does not wait, and under load the next
    /// batch fills while one is written.
    pub max_age_ms: u64,
}

/// What one name, one key, one address and all new keys may add in a day. Bytes that are known already, and what is refused, do not count.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Quotas {
    /// Statements of any kind under one name. Default 100,000: more than one a second.
    pub statements_by_name: u64,
    /// Statements of any kind signed by one key. Default 100,000.
    pub statements_by_key: u64,
    /// Names claimed by one key. Default 100.
    pub claims_by_key: u64,
    /// Names claimed by all keys together that claimed nothing before the last day; not with `allow-list`, where the operator lets
    /// each name in. Default 1000: what a large package index admits in a day. A name is held for ever, in memory too, and a key costs
    /// nothing, so without this one stranger could claim names without end.
    pub claims_by_new_keys: u64,
    /// Of these, names claimed from one address (in IPv6: from one network of 64 bits), as far as the log can tell callers apart.
    /// Default 50: a stranger with one line leaves places for the others.
    pub claims_by_address: u64,
    /// Bytes of statements and manifests under one name. Default 1 GiB.
    pub bytes_by_name: u64,
}

impl Batch {
    /// How long a batch stays open.
    pub fn max_age(&self) -> Duration {
        Duration::from_millis(self.max_age_ms)
    }
}

impl Default for Batch {
    fn default() -> Self {
        Self { max_entries: MAX_BATCH, max_age_ms: 0 }
    }
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            statements_by_name: 100_000,
            statements_by_key: 100_000,
            claims_by_key: 100,
            claims_by_new_keys: 1000,
            claims_by_address: 50,
            bytes_by_name: 1 << 30,
        }
    }
}

fn max_entries<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let found = usize::deserialize(deserializer)?;
    let problem = || {
        let rule = "a log has at most that many statements between two index entries";
        serde::de::Error::custom(format!("batch.max_entries: expected 1 to {MAX_BATCH}, found {found}; {rule}"))
    };
    if (1..=MAX_BATCH).contains(&found) { Ok(found) } else { Err(problem()) }
}
