//! `witness.toml`: who this witness is, where it listens, and which logs it cosigns.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use stele_spec::checkpoint::{CheckpointError, Origin};
use stele_spec::key::PublicKey;
use stele_spec::note::{KeyName, NoteError, VerifierKey};

use crate::agent::{NotAnSshKey, SshKey};
use crate::bastion::{NotAPlace, Place};
use crate::trust::TrustedLog;

/// The file below a witness's folder.
pub const FILE: &str = "witness.toml";

/// The most logs of one witness: each costs some ten kilobytes of memory and two small files.
pub const MAX_LOGS: usize = 10_000;

/// The longest line of the page that a config writes.
const MAX_LINE: usize = 200;

/// The most bastions of one witness: each is a connection that is kept open.
pub const MAX_BASTIONS: usize = 8;

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
    /// The mirror beside the witness, if there is one; `mirror init` appends it.
    pub mirror: Option<MirrorConfig>,
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
    /// Verifier keys of cosigners whose lines the mirror passes on with the checkpoint, besides our witness's: those that policies count.
    #[serde(default)]
    pub cosigners: Vec<String>,
}

/// Where and how often a log is asked for its checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pull {
    /// The address of its static files.
    pub url: String,
    /// The time between two questions, while all is well.
    pub every: Duration,
}

/// What `logs add` says of a log besides its key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extras {
    /// See [`LogConfig::qpd`].
    pub qpd: Option<u64>,
    /// See [`LogConfig::pull`].
    pub pull: Option<String>,
    /// See [`LogConfig::pull_seconds`].
    pub pull_seconds: Option<u64>,
}

/// How often a log is asked unless the config says otherwise: a head is at most five minutes late.
const PULL_SECONDS: u64 = 300;

/// The longest time between two questions: a log that is asked less than once a day is hardly watched.
const MAX_PULL_SECONDS: u64 = 86_400;

/// What a config says that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// `name` is no key name.
    #[error("name {name:?}: {reason}")]
    Name {
        /// As written.
        name: String,
        /// What is wrong with it.
        reason: NoteError,
    },
    /// `urls` or `contact` with what no page has in a line.
    #[error("{what} {value:?}: expected {expected}")]
    Published {
        /// Which field.
        what: &'static str,
        /// As written.
        value: String,
        /// What belongs there.
        expected: &'static str,
    },
    /// `public_key` of `[agent]`.
    #[error("public_key {value:?} of [agent]: {reason}")]
    AgentKey {
        /// As written.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file and an agent.
    #[error("`key` and [agent]: the Ed25519 key is in one place")]
    TwoKeys,
    /// An origin that no checkpoint can have.
    #[error("origin {origin:?}: {reason}")]
    Origin {
        /// As written.
        origin: String,
        /// What is wrong with it.
        reason: CheckpointError,
    },
    /// A key that cannot be read.
    #[error("vkey {vkey:?} of {origin}: {reason}")]
    Key {
        /// The log.
        origin: String,
        /// As written.
        vkey: String,
        /// What is wrong with it.
        reason: NoteError,
    },
    /// Keys that no log has.
    #[error("the vkeys of {origin}: {}", if matches!(.reason, CheckpointError::NotSigned) { "none".to_owned() } else { .reason.to_string() })]
    Keys {
        /// The log.
        origin: String,
        /// What is wrong with them.
        reason: CheckpointError,
    },
    /// Two tables for one origin.
    #[error("origin {origin} is listed twice")]
    Twice {
        /// The log.
        origin: String,
    },
    /// The mirror has the witness's name.
    #[error("the mirror's name is the witness's, {name}: they are two cosigners, and policies count them by name")]
    SameName {
        /// Both names.
        name: String,
    },
    /// A mirrored log without a mirror.
    #[error("{origin} is to be mirrored, and there is no [mirror]")]
    NoMirror {
        /// The log.
        origin: String,
    },
    /// A mirrored log that is not pulled.
    #[error("{origin} is to be mirrored, and has no `pull` to copy it from")]
    MirrorWithoutPull {
        /// The log.
        origin: String,
    },
    /// `pull` is no address.
    #[error("pull {url:?} of {origin}: expected an address that begins with http:// or https://")]
    Pull {
        /// The log.
        origin: String,
        /// As written.
        url: String,
    },
    /// `pull_seconds` out of bounds, or without `pull`.
    #[error("pull_seconds of {origin}: expected 1 to {MAX_PULL_SECONDS} beside `pull`, found {found}")]
    PullSeconds {
        /// The log.
        origin: String,
        /// As written.
        found: u64,
    },
    /// A bastion that is nowhere.
    #[error("bastion: {0}")]
    Bastion(NotAPlace),
    /// Two tables for one bastion.
    #[error("bastion {place} is listed twice")]
    BastionTwice {
        /// Where it is.
        place: Place,
    },
    /// More than [`MAX_BASTIONS`].
    #[error("at most {MAX_BASTIONS} bastions, found {found}")]
    TooManyBastions {
        /// How many.
        found: usize,
    },
    /// More than [`MAX_LOGS`].
    #[error("at most {MAX_LOGS} logs, found {found}")]
    TooMany {
        /// How many.
        found: usize,
    },
}

impl Config {
    /// The name, checked.
    pub fn key_name(&self) -> Result<KeyName, Unfit> {
        self.name.parse().map_err(|reason| Unfit::Name { name: self.name.clone(), reason })
    }

    /// The key that an agent holds, checked; `None` where a file holds it.
    pub fn agent_key(&self) -> Result<Option<(SshKey, PublicKey)>, Unfit> {
        let Some(agent) = &self.agent else { return Ok(None) };
        if self.key.is_some() {
            return Err(Unfit::TwoKeys);
        }
        let bad = |reason| Unfit::AgentKey { value: agent.public_key.clone(), reason };
        let key: SshKey = agent.public_key.parse().map_err(|error: NotAnSshKey| bad(error.to_string()))?;
        let public = PublicKey::from_bytes(key.as_bytes()).map_err(|error| bad(error.to_string()))?;
        Ok(Some((key, public)))
    }

    /// The file that holds the Ed25519 key where no agent does.
    pub fn key_file(&self) -> &Path {
        self.key.as_deref().unwrap_or(Path::new("witness.key"))
    }

    /// The logs, checked.
    pub fn trusted_logs(&self) -> Result<Vec<TrustedLog>, Unfit> {
        if let Some(mirror) = self.mirror.as_ref().filter(|mirror| mirror.name == self.name) {
            return Err(Unfit::SameName { name: mirror.name.clone() });
        }
        if self.logs.len() > MAX_LOGS {
            return Err(Unfit::TooMany { found: self.logs.len() });
        }
        let mut seen = std::collections::BTreeSet::new();
        let mut logs = Vec::with_capacity(self.logs.len());
        for log in &self.logs {
            let trusted = log.trusted()?;
            log.pulled()?;
            self.check_mirrored(log)?;
            if !seen.insert(log.origin.as_str()) {
                return Err(Unfit::Twice { origin: log.origin.clone() });
            }
            logs.push(trusted);
        }
        Ok(logs)
    }

    fn check_mirrored(&self, log: &LogConfig) -> Result<(), Unfit> {
        log.cosigner_keys()?;
        if log.mirror && self.mirror.is_none() {
            return Err(Unfit::NoMirror { origin: log.origin.clone() });
        }
        if log.mirror && log.pull.is_none() {
            return Err(Unfit::MirrorWithoutPull { origin: log.origin.clone() });
        }
        Ok(())
    }

    /// How we are reached, checked.
    pub fn reach(&self) -> Result<Vec<Place>, Unfit> {
        let line = |text: &str| !text.is_empty() && text.len() <= MAX_LINE && !text.chars().any(char::is_control);
        let bad = |what, value: &str, expected| Unfit::Published { what, value: value.to_owned(), expected };
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
    pub fn places(&self) -> Result<Vec<Place>, Unfit> {
        if self.bastions.len() > MAX_BASTIONS {
            return Err(Unfit::TooManyBastions { found: self.bastions.len() });
        }
        let mut places: Vec<Place> = Vec::with_capacity(self.bastions.len());
        for bastion in &self.bastions {
            let place: Place = bastion.host.parse().map_err(Unfit::Bastion)?;
            if places.contains(&place) {
                return Err(Unfit::BastionTwice { place });
            }
            places.push(place);
        }
        Ok(places)
    }
}

impl LogConfig {
    /// Whose lines the mirror passes on.
    pub fn cosigner_keys(&self) -> Result<Vec<VerifierKey>, Unfit> {
        let key = |vkey: &String| {
            vkey.parse().map_err(|reason| Unfit::Key { origin: self.origin.clone(), vkey: vkey.clone(), reason })
        };
        self.cosigners.iter().map(key).collect()
    }

    /// Where and how often it is asked, if it is.
    pub fn pulled(&self) -> Result<Option<Pull>, Unfit> {
        let origin = || self.origin.clone();
        match (&self.pull, self.pull_seconds) {
            (None, None) => Ok(None),
            (Some(url), _) if !url.starts_with("http://") && !url.starts_with("https://") => {
                Err(Unfit::Pull { origin: origin(), url: url.clone() })
            }
            (Some(url), seconds) if (1..=MAX_PULL_SECONDS).contains(&seconds.unwrap_or(PULL_SECONDS)) => {
                let every = Duration::from_secs(seconds.unwrap_or(PULL_SECONDS));
                Ok(Some(Pull { url: url.clone(), every }))
            }
            (_, Some(found)) => Err(Unfit::PullSeconds { origin: origin(), found }),
            (Some(_), None) => Ok(None),
        }
    }

    fn trusted(&self) -> Result<TrustedLog, Unfit> {
        let origin = &self.origin;
        let parsed: Origin = origin.parse().map_err(|reason| Unfit::Origin { origin: origin.clone(), reason })?;
        let key = |vkey: &String| {
            vkey.parse().map_err(|reason| Unfit::Key { origin: origin.clone(), vkey: vkey.clone(), reason })
        };
        let keys: Vec<VerifierKey> = self.vkeys.iter().map(key).collect::<Result<_, _>>()?;
        TrustedLog::new(parsed, keys).map_err(|reason| Unfit::Keys { origin: origin.clone(), reason })
    }
}

/// The file that `init` writes.
pub fn text_of(name: &KeyName, listen: &str) -> String {
    text_with(
        name,
        listen,
        "# Its secret keys, Ed25519 and ML-DSA-44, readable by their owner alone.\n\
         key = \"witness.key\"\n\
         key_mldsa = \"witness-mldsa.key\"\n",
        "",
    )
}

/// The same for a key in an ssh-agent.
pub fn text_of_agent(name: &KeyName, listen: &str, key: &SshKey, socket: Option<&Path>) -> String {
    let socket = socket.map(|path| format!("socket = {}\n", quoted(&path.to_string_lossy()))).unwrap_or_default();
    let keys = "# Its Ed25519 key is in an ssh-agent, see [agent]; `stele-witness keys add-mldsa` makes a second one in a file.\n";
    let table = format!(
        "\n[agent]\n# As `ssh-add -L` prints it; without `socket`, {} says where the agent is.\npublic_key = {}\n{socket}",
        crate::agent::VARIABLE,
        quoted(&key.to_string()),
    );
    text_with(name, listen, keys, &table)
}

/// The file with `key_mldsa`, which must stand before the first table; `None` where there is a line of that name already.
pub fn with_mldsa(text: &str, file: &str) -> Option<String> {
    let lines = text.lines().take_while(|line| !line.trim_start().starts_with('['));
    if lines.clone().any(|line| line.trim_start().starts_with("key_mldsa")) {
        return None;
    }
    let before: String = lines.map(|line| format!("{line}\n")).collect();
    let rest = text.get(before.len()..).unwrap_or_default();
    let gap = if rest.is_empty() { "" } else { "\n" };
    Some(format!("{}\nkey_mldsa = {}\n{gap}{rest}", before.trim_end(), quoted(file)))
}

fn text_with(name: &KeyName, listen: &str, keys: &str, table: &str) -> String {
    let (name, listen) = (quoted(&name.to_string()), quoted(listen));
    format!(
        "# A witness: cosigns the tree heads of the logs below. Unknown fields are refused.\n\
         \n\
         # The name in its cosignatures. It belongs to the keys: new keys get a new name.\n\
         name = {name}\n\
         \n\
         # Where it listens. A proxy in front of it may speak TLS.\n\
         listen = {listen}\n\
         \n\
         {keys}\
         \n\
         # The marks tell when the state was lost or put back. Another disk is better; never restore them from a backup.\n\
         marks = \"marks\"\n\
         \n\
         # The logs, added by `stele-witness logs add`.\n\
         {table}"
    )
}

/// The table that `bastion add` appends.
pub fn text_of_bastion(place: &Place, ca: Option<&Path>) -> String {
    let ca = ca.map(|ca| format!("ca = {}\n", quoted(&ca.to_string_lossy()))).unwrap_or_default();
    format!("\n[[bastion]]\nhost = {}\nkey = \"bastion.key\"\n{ca}", quoted(&place.to_string()))
}

/// The table that `logs add` appends.
pub fn text_of_log(log: &TrustedLog, extras: &Extras) -> String {
    let keys: Vec<String> = log.keys().iter().map(|key| quoted(&key.to_string())).collect();
    let number = |name: &str, value: Option<u64>| value.map(|value| format!("{name} = {value}\n")).unwrap_or_default();
    let (qpd, seconds) = (number("qpd", extras.qpd), number("pull_seconds", extras.pull_seconds));
    let pull = extras.pull.as_ref().map(|url| format!("pull = {}\n", quoted(url))).unwrap_or_default();
    let keys = keys.join(", ");
    format!("\n[[log]]\n{}\nvkeys = [{keys}]\n{qpd}{pull}{seconds}", origin_line(log.origin().as_str()))
}

/// The table that `mirror init` appends.
pub fn text_of_mirror(name: &KeyName) -> String {
    format!(
        "\n# A mirror beside the witness: another cosigner, with keys of its own. It copies the logs that say `mirror = true`.\n\
         [mirror]\nname = {}\nkey = \"mirror.key\"\nkey_mldsa = \"mirror-mldsa.key\"\nfolder = \"mirror\"\n\
         marks = \"mirror-marks\"\n",
        quoted(&name.to_string())
    )
}

/// The file with one log mirrored; `None` where the table cannot be found as `logs add` writes it.
pub fn with_mirror(text: &str, origin: &str) -> Option<String> {
    with_flag(text, origin, "mirror", true)
}

/// The file with one log disabled or enabled; `None` where the table cannot be found as `logs add` writes it.
pub fn with_disabled(text: &str, origin: &str, disabled: bool) -> Option<String> {
    with_flag(text, origin, "disabled", disabled)
}

fn with_flag(text: &str, origin: &str, flag: &str, on: bool) -> Option<String> {
    let (set, said) = (format!("{flag} = "), format!("{flag} = true"));
    let wanted = origin_line(origin);
    let mut lines: Vec<&str> = text.lines().collect();
    let at = lines.iter().position(|line| *line == wanted)?;
    let end = lines.iter().skip(at).position(|line| line.trim_start().starts_with('[')).map_or(lines.len(), |n| at + n);
    let old = (at..end).find(|index| lines.get(*index).is_some_and(|line| line.starts_with(&set)));
    if let Some(index) = old {
        lines.remove(index);
    }
    if on {
        lines.insert(at + 1, &said);
    }
    Some(lines.iter().map(|line| format!("{line}\n")).collect())
}

fn origin_line(origin: &str) -> String {
    format!("origin = {}", quoted(origin))
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
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
    use crate::samples::{Log, witness_key};
    use stele_host::config::parse;

    fn read(text: &str) -> Config {
        parse(text, Path::new(FILE)).unwrap()
    }

    fn qpd(qpd: u64) -> Extras {
        Extras { qpd: Some(qpd), ..Extras::default() }
    }

    #[test]
    fn a_mirror_has_a_name_of_its_own_and_copies_only_what_is_pulled() {
        let text = text_of(&"witness.example/w1".parse().unwrap(), "127.0.0.1:0");
        let log = Log::new("log.example/a", 1).trusted();
        let pulled = text_of_log(&log, &Extras { pull: Some("http://a".into()), ..Extras::default() });
        let mirror = |name: &str| text_of_mirror(&name.parse().unwrap());
        let of = |text: String| read(&text).trusted_logs().map(|logs| logs.len());
        assert!(matches!(of(format!("{text}{}", mirror("witness.example/w1"))), Err(Unfit::SameName { .. })));
        let mirrored = with_mirror(&format!("{text}{pulled}"), "log.example/a").unwrap();
        assert!(matches!(of(mirrored.clone()), Err(Unfit::NoMirror { .. })));
        assert_eq!(of(format!("{mirrored}{}", mirror("mirror.example/m1"))), Ok(1));
        let plain = with_mirror(&format!("{text}{}", text_of_log(&log, &Extras::default())), "log.example/a").unwrap();
        assert!(matches!(of(plain + &mirror("mirror.example/m1")), Err(Unfit::MirrorWithoutPull { .. })));
    }

    #[test]
    fn a_log_is_pulled_from_an_address_and_not_too_often_or_too_seldom() {
        let text = text_of(&"witness.example/w1".parse().unwrap(), "127.0.0.1:0");
        let log = Log::new("log.example/a", 1).trusted();
        let of = |pull: Option<&str>, pull_seconds| {
            let extras = Extras { qpd: None, pull: pull.map(str::to_owned), pull_seconds };
            let config = read(&format!("{text}{}", text_of_log(&log, &extras)));
            config.trusted_logs().and_then(|_| config.logs[0].pulled())
        };
        assert!(matches!(of(Some("log.example"), None), Err(Unfit::Pull { .. })));
        for (pull, seconds) in [(Some("https://log.example"), 0), (Some("https://log.example"), 86_401), (None, 300)] {
            assert!(matches!(of(pull, Some(seconds)), Err(Unfit::PullSeconds { .. })), "{seconds}");
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
        let table = text_of_log(&log.trusted(), &Extras::default());
        let text = text_of(&"witness.example/w1".parse().unwrap(), "127.0.0.1:0");
        assert!(matches!(read(&format!("{text}{table}{table}")).trusted_logs(), Err(Unfit::Twice { .. })));
        let of =
            |keys: &str| read(&format!("{text}[[log]]\norigin = \"log.example/a\"\nvkeys = [{keys}]\n")).trusted_logs();
        assert_eq!(of("").unwrap_err().to_string(), "the vkeys of log.example/a: none");
        assert!(matches!(of("\"nonsense\""), Err(Unfit::Key { .. })));
        assert!(matches!(of(&format!("\"{}\"", witness_key().own().keys().next().unwrap())), Err(Unfit::Keys { .. })));
        assert!(parse::<Config>(&format!("{text}quorum = 1\n"), Path::new(FILE)).is_err());
    }

    #[test]
    fn a_log_is_disabled_and_enabled_and_nothing_else_changes() {
        let (a, b) = (Log::new("log.example/a", 1), Log::named("odd \"b\"", "log.example/b", 1));
        let head = text_of(&"witness.example/w1".parse().unwrap(), "127.0.0.1:0");
        let text = format!(
            "{head}{}# a comment\n{}",
            text_of_log(&a.trusted(), &qpd(9)),
            text_of_log(&b.trusted(), &Extras::default())
        );
        assert_eq!(with_disabled(&text, "log.example/c", true), None);
        for origin in ["log.example/a", "odd \"b\""] {
            let off = with_disabled(&text, origin, true).unwrap();
            let flags: Vec<_> = read(&off).logs.iter().map(|log| (log.origin == origin, log.disabled)).collect();
            assert!(flags.iter().all(|(meant, disabled)| meant == disabled), "{flags:?}");
            assert_eq!(with_disabled(&off, origin, true).unwrap(), off);
            assert_eq!(with_disabled(&off, origin, false).unwrap(), text);
        }
    }

    #[test]
    fn a_second_key_is_written_before_the_first_table_and_never_twice() {
        let key = SshKey::new([1; 32]);
        let name = "witness.example/w1".parse().unwrap();
        let text = text_of_agent(&name, "127.0.0.1:0", &key, Some(Path::new("/run/odd \"socket\"")));
        let before = read(&text);
        assert_eq!(before.agent.as_ref().unwrap().socket.as_deref(), Some(Path::new("/run/odd \"socket\"")));
        assert_eq!((before.key_mldsa, before.agent.unwrap().public_key), (None, key.to_string()));
        let log = text_of_log(&Log::new("log.example/a", 1).trusted(), &Extras::default());
        for text in [text.clone(), format!("{text}{log}"), "name = \"a\"".to_owned(), format!("name = \"a\"\n{log}")] {
            let with = with_mldsa(&text, "second.key").unwrap();
            let (before, after) = (read(&text), read(&with));
            assert_eq!(after.key_mldsa.as_deref(), Some(Path::new("second.key")), "{with}");
            assert_eq!((before.name, before.agent, before.logs), (after.name, after.agent, after.logs));
            assert_eq!(with_mldsa(&with, "third.key"), None);
        }
    }

    #[test]
    fn a_bastion_listed_twice_or_nowhere_and_too_many_are_refused() {
        let head = text_of(&"witness.example/w1".parse().unwrap(), "127.0.0.1:0");
        let table = |host: &str| format!("[[bastion]]\nhost = {host:?}\n");
        let of = |hosts: &[&str]| {
            read(&format!("{head}{}", hosts.iter().map(|host| table(host)).collect::<String>())).reach()
        };
        assert!(matches!(of(&["b.example", "b.example:443"]), Err(Unfit::BastionTwice { .. })));
        assert!(matches!(of(&["b.example/path"]), Err(Unfit::Bastion(_))));
        let many: Vec<String> = (0..=MAX_BASTIONS).map(|n| format!("b{n}.example")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(matches!(of(&many), Err(Unfit::TooManyBastions { found }) if found == MAX_BASTIONS + 1));
        assert_eq!(of(&many[1..]).unwrap().len(), MAX_BASTIONS);
    }

    #[test]
    fn what_is_written_is_read_back_whatever_the_origin() {
        let text = text_of(&"witness.example/w1".parse().unwrap(), "127.0.0.1:0");
        let odd = Log::named("log \"with\" 'quotes' \\ and ümlauts", "log.example/a", 1);
        let config = read(&format!("{text}{}", text_of_log(&odd.trusted(), &qpd(7))));
        assert_eq!(config.trusted_logs().unwrap(), [odd.trusted()]);
        assert_eq!(config.logs[0].qpd, Some(7));
        assert_eq!((config.name.as_str(), config.listen.as_str()), ("witness.example/w1", "127.0.0.1:0"));
    }
}
