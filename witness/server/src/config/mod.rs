//! `witness.toml`: who this witness is, where it listens, and which logs it cosigns. What it cannot say is [`InvalidConfig`]; how it is
//! written, and changed by the verbs that change it, is `edit`.

mod edit;
mod error;
mod index;

pub use edit::{
    text_of, text_of_agent, text_of_bastion, text_of_index, text_of_log, text_of_mirror, with_disabled, with_index,
    with_mirror, with_mldsa, with_options,
};
use error::MAX_PULL_SECONDS;
pub use error::{InvalidConfig, MAX_BASTIONS, MAX_CONNECTIONS, MAX_LOGS};
pub use index::IndexConfig;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use stele_spec::checkpoint::Origin;
use stele_spec::key::PublicKey;
use stele_spec::note::{KeyName, VerifierKey};

use stele_bastion::BastionAddress;
use stele_ssh_agent::{NotAnSshKey, SshKey};
use stele_witness_core::log_slot::{LogSettings, Pull};
use stele_witness_core::trusted_log::TrustedLog;

/// The file below a witness's folder.
pub const FILE: &str = "witness.toml";

/// The longest line of the page that a config writes.
const MAX_LINE: usize = 200;

/// What the file says. Paths are relative to its folder.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The name in our cosignatures, such as `witness.example/w1`; the one in the key file must be the same.
    pub name: String,
    /// Where to listen: an address and a port; port 0 takes a free one.
    #[serde(default = "default_listen")]
    pub listen: String,
    /// Addresses to publish where a proxy serves us; those through bastions follow from their tables.
    #[serde(default)]
    pub urls: Vec<String>,
    /// How a log's operator reaches ours: a line for the page and `about`, such as an address of mail.
    pub contact: Option<String>,
    /// Our secret Ed25519 key: a signed-note signer string, as Go's tools write it; `witness.key` unless there is an `[agent]`.
    pub key: Option<PathBuf>,
    /// Our secret ML-DSA-44 key, under the same name; without it we sign with Ed25519 alone.
    pub key_mldsa: Option<PathBuf>,
    /// The folder of the marks. Worth another disk than the state's: what is lost or restored together is not noticed.
    #[serde(default = "default_marks")]
    pub marks: PathBuf,
    /// The ssh-agent that holds our Ed25519 key, if no file does.
    pub agent: Option<AgentConfig>,
    /// What callers may occupy; read at the start, not at SIGHUP.
    #[serde(default)]
    pub limits: LimitsConfig,
    /// The mirror beside the witness, if there is one; `mirror init` appends it.
    pub mirror: Option<MirrorConfig>,
    /// The index cosigner beside the witness, if there is one; `index init` appends it.
    pub index: Option<IndexConfig>,
    /// Bastions through which we are reached, in `[[bastion]]` tables; `bastion add` appends them.
    #[serde(default, rename = "bastion")]
    pub bastions: Vec<BastionConfig>,
    /// The logs that we cosign, in `[[log]]` tables; `logs add` appends them.
    #[serde(default, rename = "log")]
    pub logs: Vec<LogConfig>,
}

/// `[agent]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentConfig {
    /// The key, as `ssh-add -L` prints it, without the comment.
    pub public_key: String,
    /// The agent's socket; the one that `SSH_AUTH_SOCK` names without it.
    pub socket: Option<PathBuf>,
}

/// `[limits]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// Open connections, 1 to 65,536; beyond that the one that was idle longest is closed for a newcomer. Default 512.
    pub connections: usize,
    /// Open connections from one address (in IPv6: from one network of 64 bits), 1 to 65,536. Default 128, and no limit for this
    /// machine's own addresses, where a proxy speaks for everybody. When set, it counts for every address: behind a proxy on another
    /// machine, set it to what that proxy may open.
    pub connections_per_address: Option<usize>,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self { connections: 512, connections_per_address: None }
    }
}

/// `[mirror]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MirrorConfig {
    /// The name in its signatures, another than the witness's.
    pub name: String,
    /// Its secret Ed25519 key.
    #[serde(default = "default_mirror_key")]
    pub key: PathBuf,
    /// Its secret ML-DSA-44 key.
    pub key_mldsa: Option<PathBuf>,
    /// Where the copies and the mirror's states are; as large as the logs are.
    #[serde(default = "default_mirror_folder")]
    pub folder: PathBuf,
    /// The folder of the mirror's marks.
    #[serde(default = "default_mirror_marks")]
    pub marks: PathBuf,
}

/// One `[[bastion]]` (c2sp.org/https-bastion).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BastionConfig {
    /// Where it is: a host, with a port if that is not 443.
    pub host: String,
    /// The secret key by which it knows us: Ed25519 in PKCS#8 PEM, and not the witness's own.
    #[serde(default = "default_bastion_key")]
    pub key: PathBuf,
    /// Root certificates in PEM, one of which its certificate must chain to; the Mozilla roots without it.
    pub ca: Option<PathBuf>,
}

/// One `[[log]]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogConfig {
    /// The first line of its checkpoints.
    pub origin: String,
    /// Its verifier keys; several while it changes its key.
    pub vkeys: Vec<String>,
    /// Nothing more is cosigned of it; its state is still checked, and its last checkpoint still served.
    #[serde(default)]
    pub disabled: bool,
    /// The most cosignatures a day, an hour's worth at once; no limit without it.
    pub qpd: Option<u64>,
    /// Where its static files are (c2sp.org/tlog-tiles), for a log that does not call: then we ask for its checkpoint ourselves.
    pub pull: Option<String>,
    /// How often, in seconds: 1 to 86,400, and 300 unless given.
    pub pull_seconds: Option<u64>,
    /// The mirror copies the log and signs that it has it; `mirror add` says so.
    #[serde(default)]
    pub mirror: bool,
    /// Whether anybody may bring the entries of what was cosigned (`add-entries` of c2sp.org/tlog-mirror).
    #[serde(default)]
    pub push: bool,
    /// Whether the index cosigner takes its steps from index entry to index entry; `index add` says so.
    #[serde(default)]
    pub index: bool,
    /// Whether the index cosigner checks them by replaying the mirror's copy, and not by transition proofs; `index add --replay` says so.
    #[serde(default)]
    pub replay: bool,
    /// Verifier keys of cosigners whose lines the mirror passes on with the checkpoint, besides our witness's: those that policies count.
    #[serde(default)]
    pub cosigners: Vec<String>,
}

/// A log as the config lists it, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfiguredLog {
    /// Whom we believe about it.
    pub log: TrustedLog,
    /// See [`LogConfig::disabled`].
    pub disabled: bool,
    /// See [`LogConfig::qpd`].
    pub qpd: Option<u64>,
    /// Where and how often it is asked, if it does not call.
    pub pull: Option<Pull>,
    /// See [`LogConfig::mirror`].
    pub mirrored: bool,
    /// See [`LogConfig::push`].
    pub pushed: bool,
    /// See [`LogConfig::index`].
    pub indexed: bool,
    /// See [`LogConfig::replay`].
    pub replayed: bool,
    /// See [`LogConfig::cosigners`].
    pub cosigners: Vec<VerifierKey>,
}

/// What `logs add` says of a log besides its key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogOptions {
    /// See [`LogConfig::qpd`].
    pub qpd: Option<u64>,
    /// See [`LogConfig::pull`].
    pub pull: Option<String>,
    /// See [`LogConfig::pull_seconds`].
    pub pull_seconds: Option<u64>,
}

/// How often a log is asked unless the config says otherwise: a head is at most five minutes late.
const PULL_SECONDS: u64 = 300;

impl Config {
    /// The name, checked.
    pub fn key_name(&self) -> Result<KeyName, InvalidConfig> {
        self.name.parse().map_err(|reason| InvalidConfig::Name { name: self.name.clone(), reason })
    }

    /// The key that an agent holds, checked; `None` where a file holds it.
    pub fn agent_key(&self) -> Result<Option<(SshKey, PublicKey)>, InvalidConfig> {
        let Some(agent) = &self.agent else { return Ok(None) };
        if self.key.is_some() {
            return Err(InvalidConfig::TwoKeys);
        }
        let bad = |reason| InvalidConfig::AgentKey { value: agent.public_key.clone(), reason };
        let key: SshKey = agent.public_key.parse().map_err(|error: NotAnSshKey| bad(error.to_string()))?;
        let public = PublicKey::from_bytes(key.as_bytes()).map_err(|error| bad(error.to_string()))?;
        Ok(Some((key, public)))
    }

    /// The file that holds the Ed25519 key where no agent does.
    pub fn key_file(&self) -> &Path {
        self.key.as_deref().unwrap_or(Path::new("witness.key"))
    }

    /// The logs, checked.
    pub fn listed(&self) -> Result<Vec<ConfiguredLog>, InvalidConfig> {
        if let Some(mirror) = self.mirror.as_ref().filter(|mirror| mirror.name == self.name) {
            return Err(InvalidConfig::SameName { name: mirror.name.clone() });
        }
        if let Some(index) = &self.index
            && (index.name == self.name || self.mirror.as_ref().is_some_and(|mirror| mirror.name == index.name))
        {
            return Err(InvalidConfig::SameIndexName { name: index.name.clone() });
        }
        if self.logs.len() > MAX_LOGS {
            return Err(InvalidConfig::TooMany { found: self.logs.len() });
        }
        let mut seen = std::collections::BTreeSet::new();
        let mut logs = Vec::with_capacity(self.logs.len());
        for log in &self.logs {
            let listed = log.listed()?;
            self.check_cosigned(&listed)?;
            if !seen.insert(log.origin.as_str()) {
                return Err(InvalidConfig::Twice { origin: log.origin.clone() });
            }
            logs.push(listed);
        }
        Ok(logs)
    }

    fn check_cosigned(&self, listed: &ConfiguredLog) -> Result<(), InvalidConfig> {
        let origin = || listed.log.origin().to_string();
        if listed.indexed && self.index.is_none() {
            return Err(InvalidConfig::NoIndex { origin: origin() });
        }
        if listed.replayed && !(listed.indexed && listed.mirrored) {
            return Err(InvalidConfig::ReplayWithoutMirror { origin: origin() });
        }
        if listed.mirrored && self.mirror.is_none() {
            return Err(InvalidConfig::NoMirror { origin: origin() });
        }
        if listed.mirrored && listed.pull.is_none() && !listed.pushed {
            return Err(InvalidConfig::MirrorWithoutPull { origin: origin() });
        }
        if listed.pushed && !listed.mirrored {
            return Err(InvalidConfig::PushWithoutMirror { origin: origin() });
        }
        Ok(())
    }

    /// How we are reached, and by how many at once, checked.
    pub fn reach(&self) -> Result<Vec<BastionAddress>, InvalidConfig> {
        let LimitsConfig { connections, connections_per_address } = self.limits;
        let limits = [("connections", Some(connections)), ("connections_per_address", connections_per_address)];
        for (what, found) in limits.into_iter().filter_map(|(what, found)| Some((what, found?))) {
            if !(1..=MAX_CONNECTIONS).contains(&found) {
                return Err(InvalidConfig::Connections { what, found });
            }
        }
        let line = |text: &str| !text.is_empty() && text.len() <= MAX_LINE && !text.chars().any(char::is_control);
        let bad = |what, value: &str, expected| InvalidConfig::Published { what, value: value.to_owned(), expected };
        for url in &self.urls {
            let http = url.starts_with("http://") || url.starts_with("https://");
            if !http || !line(url) || url.contains(' ') {
                return Err(bad("urls", url, "an address that begins with http:// or https://"));
            }
        }
        match &self.contact {
            Some(contact) if !line(contact) => Err(bad("contact", contact, "one line of at most 200 bytes")),
            _ => self.places(),
        }
    }

    /// The places of the bastions, checked.
    pub fn places(&self) -> Result<Vec<BastionAddress>, InvalidConfig> {
        if self.bastions.len() > MAX_BASTIONS {
            return Err(InvalidConfig::TooManyBastions { found: self.bastions.len() });
        }
        let mut places: Vec<BastionAddress> = Vec::with_capacity(self.bastions.len());
        for bastion in &self.bastions {
            let place: BastionAddress = bastion.host.parse().map_err(InvalidConfig::Bastion)?;
            if places.contains(&place) {
                return Err(InvalidConfig::BastionTwice { place });
            }
            places.push(place);
        }
        Ok(places)
    }
}

impl ConfiguredLog {
    /// What the running witness is to know of it.
    pub fn settings(&self) -> LogSettings {
        LogSettings { log: self.log.clone(), serves: !self.disabled, qpd: self.qpd, pull: self.pull.clone() }
    }
}

impl LogConfig {
    fn listed(&self) -> Result<ConfiguredLog, InvalidConfig> {
        let origin = &self.origin;
        let parsed: Origin =
            origin.parse().map_err(|reason| InvalidConfig::Origin { origin: origin.clone(), reason })?;
        let log = TrustedLog::new(parsed, self.keys(&self.vkeys)?)
            .map_err(|reason| InvalidConfig::Keys { origin: origin.clone(), reason })?;
        let (pull, cosigners) = (self.pulled()?, self.keys(&self.cosigners)?);
        Ok(ConfiguredLog {
            log,
            disabled: self.disabled,
            qpd: self.qpd,
            pull,
            mirrored: self.mirror,
            pushed: self.push,
            indexed: self.index,
            replayed: self.replay,
            cosigners,
        })
    }

    fn keys(&self, vkeys: &[String]) -> Result<Vec<VerifierKey>, InvalidConfig> {
        let key = |vkey: &String| {
            vkey.parse().map_err(|reason| InvalidConfig::Key {
                origin: self.origin.clone(),
                vkey: vkey.clone(),
                reason,
            })
        };
        vkeys.iter().map(key).collect()
    }

    fn pulled(&self) -> Result<Option<Pull>, InvalidConfig> {
        let origin = || self.origin.clone();
        match (&self.pull, self.pull_seconds) {
            (None, None) => Ok(None),
            (Some(url), _) if !url.starts_with("http://") && !url.starts_with("https://") => {
                Err(InvalidConfig::Pull { origin: origin(), url: url.clone() })
            }
            (Some(url), seconds) if (1..=MAX_PULL_SECONDS).contains(&seconds.unwrap_or(PULL_SECONDS)) => {
                let every = Duration::from_secs(seconds.unwrap_or(PULL_SECONDS));
                Ok(Some(Pull { url: url.clone(), every }))
            }
            (_, Some(found)) => Err(InvalidConfig::PullSeconds { origin: origin(), found }),
            (Some(_), None) => Ok(None),
        }
    }
}

fn default_listen() -> String {
    "127.0.0.1:7461".to_owned()
}

fn default_mirror_key() -> PathBuf {
    "mirror.key".into()
}

fn default_mirror_folder() -> PathBuf {
    "mirror".into()
}

fn default_mirror_marks() -> PathBuf {
    "mirror-marks".into()
}

fn default_bastion_key() -> PathBuf {
    "bastion.key".into()
}

fn default_marks() -> PathBuf {
    "marks".into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use stele_daemon::config::parse;
    use stele_witness_core::samples::{Log, witness_key};

    fn read(text: &str) -> Config {
        parse(text, Path::new(FILE)).unwrap()
    }

    #[test]
    fn a_mirror_has_a_name_of_its_own_and_copies_only_what_is_pulled() {
        let text = text_of(&"witness.example/w1".parse().unwrap(), "127.0.0.1:0");
        let log = Log::new("log.example/a", 1).trusted();
        let pulled = text_of_log(&log, &LogOptions { pull: Some("http://a".into()), ..LogOptions::default() });
        let mirror = |name: &str| text_of_mirror(&name.parse().unwrap());
        let of = |text: String| read(&text).listed().map(|logs| logs.len());
        assert!(matches!(of(format!("{text}{}", mirror("witness.example/w1"))), Err(InvalidConfig::SameName { .. })));
        let mirrored = with_mirror(&format!("{text}{pulled}"), "log.example/a", false).unwrap();
        assert!(matches!(of(mirrored.clone()), Err(InvalidConfig::NoMirror { .. })));
        assert_eq!(of(format!("{mirrored}{}", mirror("mirror.example/m1"))), Ok(1));
        let plain =
            with_mirror(&format!("{text}{}", text_of_log(&log, &LogOptions::default())), "log.example/a", false)
                .unwrap();
        assert!(matches!(of(plain + &mirror("mirror.example/m1")), Err(InvalidConfig::MirrorWithoutPull { .. })));
        let pushed =
            with_mirror(&format!("{text}{}", text_of_log(&log, &LogOptions::default())), "log.example/a", true)
                .unwrap();
        let without = pushed.replace("mirror = true\n", "");
        assert_eq!(of(pushed + &mirror("mirror.example/m1")), Ok(1));
        assert!(matches!(of(without), Err(InvalidConfig::PushWithoutMirror { .. })));
    }

    #[test]
    fn a_log_is_pulled_from_an_address_and_not_too_often_or_too_seldom() {
        let text = text_of(&"witness.example/w1".parse().unwrap(), "127.0.0.1:0");
        let log = Log::new("log.example/a", 1).trusted();
        let of = |pull: Option<&str>, pull_seconds| {
            let extras = LogOptions { qpd: None, pull: pull.map(str::to_owned), pull_seconds };
            let config = read(&format!("{text}{}", text_of_log(&log, &extras)));
            config.listed().map(|mut logs| logs.remove(0).pull)
        };
        assert!(matches!(of(Some("log.example"), None), Err(InvalidConfig::Pull { .. })));
        for (pull, seconds) in [(Some("https://log.example"), 0), (Some("https://log.example"), 86_401), (None, 300)] {
            assert!(matches!(of(pull, Some(seconds)), Err(InvalidConfig::PullSeconds { .. })), "{seconds}");
        }
        assert_eq!(of(None, None), Ok(None));
        for (given, seconds) in [(None, 300), (Some(7), 7)] {
            let every = Duration::from_secs(seconds);
            assert_eq!(of(Some("http://a/"), given), Ok(Some(Pull { url: "http://a/".into(), every })));
        }
    }

    #[test]
    fn a_log_listed_twice_a_cosigners_key_and_no_key_are_refused() {
        let log = Log::new("log.example/a", 1);
        let table = text_of_log(&log.trusted(), &LogOptions::default());
        let text = text_of(&"witness.example/w1".parse().unwrap(), "127.0.0.1:0");
        assert!(matches!(read(&format!("{text}{table}{table}")).listed(), Err(InvalidConfig::Twice { .. })));
        let of = |keys: &str| read(&format!("{text}[[log]]\norigin = \"log.example/a\"\nvkeys = [{keys}]\n")).listed();
        assert_eq!(of("").unwrap_err().to_string(), "the vkeys of log.example/a: none");
        assert!(matches!(of("\"nonsense\""), Err(InvalidConfig::Key { .. })));
        assert!(matches!(
            of(&format!("\"{}\"", witness_key().own().keys().next().unwrap())),
            Err(InvalidConfig::Keys { .. })
        ));
        assert!(parse::<Config>(&format!("{text}quorum = 1\n"), Path::new(FILE)).is_err());
    }

    #[test]
    fn connections_have_a_limit_for_all_and_one_for_each_address() {
        let text = text_of(&"witness.example/w1".parse().unwrap(), "127.0.0.1:0");
        assert_eq!(read(&text).limits, LimitsConfig { connections: 512, connections_per_address: None });
        let set = read(&format!("{text}[limits]\nconnections = 9\nconnections_per_address = 3\n"));
        assert_eq!(set.limits, LimitsConfig { connections: 9, connections_per_address: Some(3) });
        assert_eq!(set.reach().unwrap().len(), 0);
        for (field, found) in [("connections", 0), ("connections", 65_537), ("connections_per_address", 0)] {
            let error = read(&format!("{text}[limits]\n{field} = {found}\n")).reach().unwrap_err();
            assert_eq!(error.to_string(), format!("{field} of [limits]: expected 1 to 65536, found {found}"));
        }
        assert!(parse::<Config>(&format!("{text}[limits]\nconections = 1\n"), Path::new(FILE)).is_err());
    }

    #[test]
    fn a_bastion_listed_twice_or_nowhere_and_too_many_are_refused() {
        let head = text_of(&"witness.example/w1".parse().unwrap(), "127.0.0.1:0");
        let table = |host: &str| format!("[[bastion]]\nhost = {host:?}\n");
        let of = |hosts: &[&str]| {
            read(&format!("{head}{}", hosts.iter().map(|host| table(host)).collect::<String>())).reach()
        };
        assert!(matches!(of(&["b.example", "b.example:443"]), Err(InvalidConfig::BastionTwice { .. })));
        assert!(matches!(of(&["b.example/path"]), Err(InvalidConfig::Bastion(_))));
        let many: Vec<String> = (0..=MAX_BASTIONS).map(|n| format!("b{n}.example")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(matches!(of(&many), Err(InvalidConfig::TooManyBastions { found }) if found == MAX_BASTIONS + 1));
        assert_eq!(of(&many[1..]).unwrap().len(), MAX_BASTIONS);
    }
}
