//! What a monitor is told: one TOML file, unknown fields refused.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Deserializer};
use stele_clock::duration::HumanDuration;
use stele_spec::hash::Digest;
use stele_spec::name::{Coordinate, Publisher};
use stele_spec::statement::{HostType, Uri};

/// The whole file. Relative paths start at its folder.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// The trust policy; else `$STELE_POLICY`, else `~/.config/stele/policy`.
    pub policy: Option<PathBuf>,
    /// The folder of the monitor's memory; made when it is missing. One monitor at a time works on it.
    pub state: PathBuf,
    /// Whether what the log holds already is reported: `beginning` (the default), or `now`, which reads it in silence.
    #[serde(default)]
    pub start: Start,
    /// What is waited for between two rounds.
    #[serde(default = "minute", deserialize_with = "span")]
    pub interval: HumanDuration,
    /// Files of expected leaf hashes, as `stele publish --expect FILE` writes them.
    #[serde(default)]
    pub expected: Vec<PathBuf>,
    /// A file that is written anew after every round that ended: its age says whether the monitor lives.
    pub heartbeat: Option<PathBuf>,
    /// What is watched.
    #[serde(default)]
    pub watch: WatchConfig,
    /// Where logs are read; else every log of the policy that has an address there.
    #[serde(default)]
    pub log: Vec<LogConfig>,
    /// Who is told.
    pub hook: Option<HookConfig>,
    /// When something is wrong with the log, or with us.
    #[serde(default)]
    pub alert: AlertConfig,
    /// Whether hosts are compared with what was released.
    pub hosts: Option<HostsConfig>,
    /// Whether what hosts serve is said in public.
    pub observe: Option<ObserveConfig>,
}

/// From where on entries are reported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Start {
    /// From entry 0.
    #[default]
    Beginning,
    /// From the tree head that is seen first.
    Now,
}

/// What is watched. At least one of these.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WatchConfig {
    /// Coordinates, or what is above them: `acme.example/tiny@1.0.2#base`, `acme.example/tiny@1.0.2`, `acme.example/tiny`.
    #[serde(default)]
    pub names: Vec<String>,
    /// Publishers: their keys, and everything that anybody says below their name.
    #[serde(default)]
    pub publishers: Vec<Publisher>,
    /// Weights digests, under whatever name.
    #[serde(default)]
    pub digests: Vec<Digest>,
    /// Every statement of the log.
    #[serde(default)]
    pub everything: bool,
    /// How it is found: `entries` (the default) reads every entry of the log, `names` asks the log's index what is new under each name.
    #[serde(default)]
    pub read: Reading,
}

/// How entries about what is watched are found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Reading {
    /// By reading every entry: it costs what the log grows, and rests on nothing but the tree.
    #[default]
    Entries,
    /// By name proofs: it costs what is new under the names, and rests on the log's index.
    Names,
}

/// One log.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogConfig {
    /// The first line of its checkpoints.
    pub origin: String,
    /// An address, or the folder of a mirror.
    pub source: String,
}

/// A program that is run once for each event. The chapter of the monitor has the contract.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HookConfig {
    /// The program and its arguments; no shell. With a `/` in it, from the folder of this file.
    pub command: Vec<String>,
    /// How long it may take; then it is killed, and that is a failure.
    #[serde(default = "half_minute", deserialize_with = "span")]
    pub timeout: HumanDuration,
    /// What is waited for after its first failure; doubled after each other.
    #[serde(default = "second", deserialize_with = "span")]
    pub first_retry: HumanDuration,
    /// The longest wait.
    #[serde(default = "ten_minutes", deserialize_with = "span")]
    pub longest_retry: HumanDuration,
    /// Whether it is also run after every round, with an event `heartbeat`.
    #[serde(default)]
    pub heartbeat: bool,
}

/// When to raise an alert.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AlertConfig {
    /// The newest tree head is older. A log that nobody writes to gets no new heads: choose more than its usual pause.
    #[serde(deserialize_with = "span")]
    pub stale: HumanDuration,
    /// The log, or a host, could not be read for so long.
    #[serde(deserialize_with = "span")]
    pub unreachable: HumanDuration,
    /// The log has shown an older head than before for so long: a cache in front of it may be stale for a while.
    #[serde(deserialize_with = "span")]
    pub behind: HumanDuration,
    /// So many entries are not looked at after a round.
    pub backlog: u64,
    /// So many events are not delivered after a round.
    pub undelivered: u64,
}

/// The host watcher: hosts of watched releases.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostsConfig {
    /// How often each is looked at.
    #[serde(default = "hour", deserialize_with = "span")]
    pub every: HumanDuration,
    /// Which address is asked for a host name; else `https://` and the name.
    #[serde(default)]
    pub base: BTreeMap<String, String>,
    /// Whether hosts that a record names are asked at private addresses too: those of this machine and its network. Anyone who signs a
    /// record chooses them. What `base` and `also` name is asked in any case.
    #[serde(default)]
    pub allow_private_hosts: bool,
    /// Hosts beyond those of the record: mirrors, and names that somebody else may take.
    #[serde(default)]
    pub also: Vec<AlsoConfig>,
}

/// One more host to look at.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlsoConfig {
    /// For which release.
    pub coordinate: Coordinate,
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: HostType,
    /// Where.
    pub locator: Uri,
}

/// Signed observations of what changed on a host.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObserveConfig {
    /// The monitor's key: a file, or `ssh-agent:` and which.
    pub key: PathBuf,
    /// The name that it holds in the log.
    pub publisher: Publisher,
    /// Whether they are submitted to the log; they are kept in `observations/` of the state in any case.
    #[serde(default)]
    pub submit: bool,
}

impl Default for AlertConfig {
    fn default() -> Self {
        Self {
            stale: HumanDuration(7 * 86_400),
            unreachable: hour(),
            behind: hour(),
            backlog: 10_000,
            undelivered: 100,
        }
    }
}

fn second() -> HumanDuration {
    HumanDuration(1)
}

fn half_minute() -> HumanDuration {
    HumanDuration(30)
}

fn minute() -> HumanDuration {
    HumanDuration(60)
}

fn ten_minutes() -> HumanDuration {
    HumanDuration(600)
}

fn hour() -> HumanDuration {
    HumanDuration(3_600)
}

fn span<'de, D: Deserializer<'de>>(deserializer: D) -> Result<HumanDuration, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use stele_daemon::config;

    #[test]
    fn a_misspelt_field_is_refused_wherever_it_is() {
        let parse = |text: &str| config::parse::<Config>(text, Path::new("monitor.toml"));
        for text in [
            "state = \"s\"\nwach = 1\n",
            "state = \"s\"\n[watch]\nname = []\n",
            "state = \"s\"\n[hook]\ncommand = [\"x\"]\nretries = 3\n",
            "state = \"s\"\n[alert]\nstale = 3\n",
            "state = \"s\"\n[alert]\nstale = \"3\"\n",
            "state = \"s\"\n[watch]\npublishers = [\"ACME\"]\n",
            "state = \"s\"\nstart = \"end\"\n",
            "state = \"s\"\n[watch]\nread = \"lists\"\n",
            "[watch]\n",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        let config = parse("state = \"s\"\n[alert]\nbacklog = 5\n").unwrap();
        assert_eq!(
            (config.alert.backlog, config.alert.stale, config.start),
            (5, HumanDuration(604_800), Start::Beginning)
        );
    }
}
