//! The folder of a witness, and what is done to it while no server runs.
//!
//! | path | what |
//! |---|---|
//! | `witness.toml` | the config |
//! | `witness.key` | the secret Ed25519 key, mode 0600; none where an ssh-agent holds it |
//! | `witness-mldsa.key` | the secret ML-DSA-44 key, mode 0600 |
//! | `bastion.key` | the secret key by which bastions know us, mode 0600; only with a `[[bastion]]` |
//! | `state/<origin hash>` | the newest checkpoint that was cosigned, as it is served |
//! | `state/lock` | held by the process that runs |
//! | `marks/<origin hash>` | what tells a lost or restored state; elsewhere if the config says so |
//! | `journal.0`, `journal.1` in either folder | what is recorded and in no file of its own yet, see [`group_commit`](crate::group_commit) |
//! | `evidence/<origin hash>/` | what a log has signed against itself |
//!
//! The origin hash is the SHA-256 of the origin in hex, as in the monitoring path of c2sp.org/tlog-witness.

use std::path::{Path, PathBuf};

use stele_host::config::{Loaded, load, parse};
use stele_host::durable::{self, DurableError};
use stele_host::lock::Lock;
use stele_host::writers::warn_of_writers;
use stele_host::{key_file, roots};
use stele_spec::checkpoint::{Origin, UnfitOrigin};
use stele_spec::note::{KeyName, KeyType, Material, SignedNote, SignerKey, VerifierKey};

use crate::agent::{Agent, AgentKey};
use crate::bastion::{Backend, Bastions, Identity, Pace, Place, Reach};
use crate::config::{
    Config, Extras, FILE, Listed, Unfit, text_of, text_of_agent, text_of_bastion, text_of_log, with_disabled,
    with_mldsa,
};
use crate::error::WitnessError;
use crate::evidence::Archive;
use crate::keyring::{Keyring, Own};
use crate::network_list::{ListedLog, NetworkList};
use crate::state::{Shelf, StateError, read_adoptable};
use crate::trust::TrustedLog;

/// A witness's folder with its config, checked.
#[derive(Debug)]
pub struct Home {
    loaded: Loaded<Config>,
    logs: Vec<Listed>,
}

/// What `logs pull` did.
#[derive(Clone, Debug, Default)]
pub struct Pulled {
    /// New ones, which are in the config now.
    pub added: Vec<TrustedLog>,
    /// How many were known with the same key.
    pub known: usize,
    /// Known ones that the list has with another key: origin, the keys we know, the one listed. A person must judge.
    pub changed: Vec<(Origin, String, String)>,
}

/// What `logs add` did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// The log is in the config now.
    New,
    /// It was there with this key.
    Already,
}

impl Home {
    /// Makes a witness whose Ed25519 key stays in an ssh-agent: folder and config. Nothing that exists is touched.
    pub fn init_in_agent(
        folder: &Path,
        name: &KeyName,
        listen: &str,
        fingerprint: &str,
        socket: Option<&Path>,
    ) -> Result<Own, WitnessError> {
        let config = folder.join(FILE);
        if config.exists() {
            return Err(WitnessError::AlreadyThere { folder: folder.to_owned() });
        }
        let key = Agent::new(socket).find(fingerprint)?;
        let no = |source| WitnessError::Machine { what: "find the agent's socket", source };
        let socket = socket.map(std::path::absolute).transpose().map_err(no)?;
        let text = text_of_agent(name, listen, &key, socket.as_deref());
        // A weak key is refused before there is a folder.
        let unfit = |reason| WitnessError::Unfit { path: config.clone(), reason };
        parse::<Config>(&text, &config)?.agent_key().map_err(unfit)?;
        durable::create_dir_all(folder)?;
        durable::create_file(&config, text.as_bytes(), 0o644)?;
        let home = Self::open(folder)?;
        let own = home.keyring()?.own();
        home.shelf(own.clone())?;
        Ok(own)
    }

    /// Makes an ML-DSA-44 key for a witness that has none. What it cosigned with the other alone stays what it is.
    pub fn add_mldsa(folder: &Path) -> Result<Own, WitnessError> {
        const FILE_OF_KEY: &str = "witness-mldsa.key";
        let _alone = Lock::take_soon(folder.join("logs.lock"))?;
        let home = Self::open(folder)?;
        let there = || WitnessError::KeyThere { path: home.path(FILE) };
        let path = home.path(FILE);
        let before = durable::read_file(&path, stele_host::config::MAX_CONFIG)?.unwrap_or_default();
        let text = with_mldsa(&String::from_utf8_lossy(&before), FILE_OF_KEY).ok_or_else(there)?;
        if home.config().key_mldsa.is_some() {
            return Err(there());
        }
        // Never written unless it says what was meant.
        let after = home.read(&text)?;
        if after.key_mldsa.as_deref() != Some(Path::new(FILE_OF_KEY)) || after.logs != home.config().logs {
            return Err(there());
        }
        // A key that an interrupted attempt left is taken; `keyring` refuses what is no such key.
        if !home.path(FILE_OF_KEY).exists() {
            new_key(&home.path(FILE_OF_KEY), home.keyring()?.own().name(), KeyType::MlDsa)?;
        }
        let second = read_key(&home.path(FILE_OF_KEY))?;
        let first = home.keyring()?.own().keys().next().cloned();
        let own = first.map(|first| Own::new(first, Some(second.verifier())));
        let keyring = |reason| WitnessError::Keyring { path: home.path(FILE_OF_KEY), reason };
        let own = own.ok_or_else(there)?.map_err(keyring)?;
        durable::replace_file(&path, text.as_bytes())?;
        Ok(own)
    }

    /// Makes a witness: folder, keys, config. Nothing that exists is touched.
    pub fn init(folder: &Path, name: &KeyName, listen: &str) -> Result<Own, WitnessError> {
        let config = folder.join(FILE);
        let config_is_there = || WitnessError::AlreadyThere { folder: folder.to_owned() };
        if config.exists() {
            return Err(config_is_there());
        }
        durable::create_dir_all(folder)?;
        for (file, key_type) in [("witness.key", KeyType::Cosigner), ("witness-mldsa.key", KeyType::MlDsa)] {
            new_key(&folder.join(file), name, key_type)?;
        }
        // The config last: with it the folder is a witness.
        durable::create_file(&config, text_of(name, listen).as_bytes(), 0o644)?;
        let home = Self::open(folder)?;
        let own = home.keyring()?.own();
        home.shelf(own.clone())?;
        Ok(own)
    }

    /// Opens a witness's folder.
    pub fn open(folder: &Path) -> Result<Self, WitnessError> {
        let path = folder.join(FILE);
        let loaded: Loaded<Config> = load(&path)?;
        let logs = loaded.config.listed();
        let logs = logs.and_then(|logs| loaded.config.reach().map(|_| logs));
        let logs = logs.map_err(|reason| WitnessError::Unfit { path, reason })?;
        Ok(Self { loaded, logs })
    }

    /// What the config says.
    pub fn config(&self) -> &Config {
        &self.loaded.config
    }

    /// The logs that the config lists.
    pub fn logs(&self) -> &[Listed] {
        &self.logs
    }

    /// The secret keys; their name must be the config's.
    pub fn keyring(&self) -> Result<Keyring, WitnessError> {
        let name = self.config().key_name().map_err(|reason| WitnessError::Unfit { path: self.path(FILE), reason })?;
        let second = self.config().key_mldsa.as_ref().map(|path| read_key(&self.loaded.resolve(path))).transpose()?;
        let agent_key = self.config().agent_key().map_err(|reason| self.unfit(reason))?;
        let (path, keyring) = match (agent_key, &self.config().agent) {
            (Some((key, public)), Some(agent)) => {
                let agent = Agent::new(agent.socket.as_ref().map(|path| self.loaded.resolve(path)).as_deref());
                let first = VerifierKey::new(name.clone(), Material::Cosigner(public));
                (self.path(FILE), Keyring::with_agent(first, AgentKey::new(agent, key), second))
            }
            _ => {
                let path = self.loaded.resolve(self.config().key_file());
                let first = read_key(&path)?;
                (path, Keyring::new(first, second))
            }
        };
        let keyring = keyring.map_err(|reason| WitnessError::Keyring { path, reason })?;
        let own = keyring.own();
        if *own.name() != name {
            return Err(WitnessError::OtherName { config: name.to_string(), key: own.name().to_string() });
        }
        Ok(keyring)
    }

    /// What we are to the bastions of the config.
    pub fn bastions(&self) -> Result<Vec<Backend>, WitnessError> {
        let places = self.config().places().map_err(|reason| WitnessError::Unfit { path: self.path(FILE), reason })?;
        let mut backends = Vec::with_capacity(places.len());
        for (place, config) in places.into_iter().zip(&self.config().bastions) {
            let path = self.loaded.resolve(&config.key);
            let bad = |reason| WitnessError::Bastion { path: path.clone(), reason };
            warn_of_writers(&path, "who may speak for this witness");
            let identity = Identity::from_pem(&key_file::read(&path)?).map_err(bad)?;
            let believed = match &config.ca {
                Some(ca) => Some(roots::read(&self.loaded.resolve(ca))?),
                None => roots::from_environment()?,
            };
            backends.push(Backend::new(place, identity, believed, Pace::default()).map_err(bad)?);
        }
        Ok(backends)
    }

    /// How we are reached, and what we say of it.
    pub fn reach(&self) -> Result<Reach, WitnessError> {
        let bastions = Bastions::new(self.bastions()?);
        let own = self.config().urls.iter().map(|url| format!("{}/", url.trim_end_matches('/')));
        let urls = own.chain(bastions.iter().map(|backend| format!("{}/", backend.url()))).collect();
        Ok(Reach { bastions, urls, contact: self.config().contact.clone() })
    }

    /// Lists a bastion in the config, and makes the key by which it knows us if there is none. One that is listed stays as it is.
    pub fn add_bastion(folder: &Path, place: &Place, ca: Option<PathBuf>) -> Result<(), WitnessError> {
        Self::open(folder)?;
        let _alone = Lock::take_soon(folder.join("logs.lock"))?;
        let home = Self::open(folder)?;
        let places = home.config().places().map_err(|reason| WitnessError::Unfit { path: home.path(FILE), reason })?;
        if places.contains(place) {
            return Ok(());
        }
        let ca = match ca {
            // The config's paths start at its folder, those of the command line where it was typed.
            Some(ca) => {
                roots::read(&ca)?;
                let no = |source| WitnessError::Machine { what: "find the file of roots", source };
                Some(std::path::absolute(ca).map_err(no)?)
            }
            None => None,
        };
        let key = home.path("bastion.key");
        if !key.exists() {
            let no = |source| WitnessError::Machine { what: "draw a random key", source };
            key_file::write_new(&key, Identity::generate().map_err(no)?.to_pem())?;
        }
        let text = home.with(&text_of_bastion(place, ca.as_deref()))?;
        Ok(durable::replace_file(&home.path(FILE), text.as_bytes())?)
    }

    /// The folders of the states and of the marks.
    pub fn folders(&self) -> (PathBuf, PathBuf) {
        (self.path("state"), self.loaded.resolve(&self.config().marks))
    }

    /// The states and marks.
    pub fn shelf(&self, own: Own) -> Result<Shelf, DurableError> {
        let (state, marks) = self.folders();
        warn_of_writers(&state, "what is cosigned");
        warn_of_writers(&marks, "what is cosigned");
        Shelf::open(&state, &marks, own)
    }

    /// The evidence.
    pub fn archive(&self) -> Result<Archive, DurableError> {
        Archive::open(&self.evidence_folder())
    }

    /// Where the evidence is.
    pub fn evidence_folder(&self) -> PathBuf {
        self.path("evidence")
    }

    /// Makes sure that nobody else works on the state.
    pub fn lock(&self) -> Result<Lock, WitnessError> {
        durable::create_dir_all(&self.path("state"))?;
        Ok(Lock::take(self.path("state").join("lock"))?)
    }

    /// Adds a log: its state and mark, then its table in the config. A running witness serves it after SIGHUP.
    ///
    /// The origin is the key's name unless given. A known origin is never changed.
    pub fn add_log(folder: &Path, vkey: &str, origin: Option<&str>) -> Result<(Added, TrustedLog), WitnessError> {
        Self::add_log_with(folder, vkey, origin, &Extras::default())
    }

    /// The same with what else is to be said of it.
    pub fn add_log_with(
        folder: &Path,
        vkey: &str,
        origin: Option<&str>,
        extras: &Extras,
    ) -> Result<(Added, TrustedLog), WitnessError> {
        let bad = |what, value: &str, reason: String| WitnessError::Argument { what, value: value.to_owned(), reason };
        let key: VerifierKey = vkey.parse().map_err(|e| bad("vkey", vkey, format!("{e}")))?;
        let origin = origin.map_or_else(|| key.name().to_string(), str::to_owned);
        let parsed: Origin = origin.parse().map_err(|e| bad("origin", &origin, format!("{e}")))?;
        // Real logs have blanks in their names; what does not show is for no person to compare.
        if let Err(unfit @ UnfitOrigin::Hidden { .. }) = parsed.fit_for_a_new_log() {
            return Err(bad("origin", &origin, unfit.to_string()));
        }
        let log = TrustedLog::new(parsed, vec![key]).map_err(|e| bad("vkey", vkey, format!("{e}")))?;
        Self::open(folder)?;
        Self::add(folder, log, extras)
    }

    /// Adds every new log of a list. A known one is left as it is, also where the list has another key of it.
    pub fn pull(folder: &Path, list: &NetworkList) -> Result<Pulled, WitnessError> {
        Self::open(folder)?;
        let _alone = Lock::take_soon(folder.join("logs.lock"))?;
        let home = Self::open(folder)?;
        let (mut pulled, mut tables) = (Pulled::default(), String::new());
        for ListedLog { log, qpd } in &list.logs {
            if pulled.added.iter().any(|added: &TrustedLog| added.origin() == log.origin()) {
                continue;
            }
            match home.is_new(log) {
                Ok(true) => {
                    tables += &text_of_log(log, &Extras { qpd: *qpd, ..Extras::default() });
                    pulled.added.push(log.clone());
                }
                Ok(false) => pulled.known += 1,
                Err(WitnessError::KnownLog { origin, known, given }) => pulled.changed.push((origin, known, given)),
                Err(error) => return Err(error),
            }
        }
        if tables.is_empty() {
            return Ok(pulled);
        }
        // One write for all: a list may have thousands.
        let text = home.with(&tables)?;
        let shelf = home.shelf(home.keyring()?.own())?;
        for log in &pulled.added {
            shelf.begin(log.origin())?;
        }
        durable::replace_file(&home.path(FILE), text.as_bytes())?;
        Ok(pulled)
    }

    /// Whether a log is to be added, or known with these keys; another key for a known origin is for a person to judge.
    fn is_new(&self, log: &TrustedLog) -> Result<bool, WitnessError> {
        let Some(known) = self.log(log.origin()) else { return Ok(true) };
        if log.keys().iter().all(|key| known.keys().contains(key)) {
            return Ok(false);
        }
        let keys = |log: &TrustedLog| log.keys().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let (known, given) = (keys(known), keys(log));
        Err(WitnessError::KnownLog { origin: log.origin().clone(), known, given })
    }

    /// Stops cosigning a log, or goes on with it; its state stays.
    pub fn disable(folder: &Path, origin: &str, disabled: bool) -> Result<(), WitnessError> {
        Self::open(folder)?;
        let _alone = Lock::take_soon(folder.join("logs.lock"))?;
        let home = Self::open(folder)?;
        let mut expected = home.config().logs.clone();
        let meant = expected.iter_mut().find(|log| log.origin == origin);
        meant.ok_or_else(|| WitnessError::NoSuchLog { origin: origin.to_owned() })?.disabled = disabled;
        let path = home.path(FILE);
        let by_hand = || WitnessError::EditByHand { path: path.clone(), origin: origin.to_owned(), disabled };
        let before = durable::read_file(&path, stele_host::config::MAX_CONFIG)?.unwrap_or_default();
        let text = with_disabled(&String::from_utf8_lossy(&before), origin, disabled).ok_or_else(by_hand)?;
        // Never written unless it says what was meant and nothing else.
        let after: Config = parse(&text, &path)?;
        if after.logs != expected {
            return Err(by_hand());
        }
        Ok(durable::replace_file(&path, text.as_bytes())?)
    }

    fn add(folder: &Path, log: TrustedLog, extras: &Extras) -> Result<(Added, TrustedLog), WitnessError> {
        // Two that add at the same time must not lose one another's table: read again under the lock.
        let _alone = Lock::take_soon(folder.join("logs.lock"))?;
        let home = Self::open(folder)?;
        if !home.is_new(&log)? {
            return Ok((Added::Already, log));
        }
        let text = home.with(&text_of_log(&log, extras))?;
        home.shelf(home.keyring()?.own())?.begin(log.origin())?;
        durable::replace_file(&home.path(FILE), text.as_bytes())?;
        Ok((Added::New, log))
    }

    /// The way out of a lost or restored state: goes on from a checkpoint that carries our own cosignature.
    pub fn adopt(&self, checkpoint: &Path) -> Result<(Origin, u64), WitnessError> {
        let _alone = self.lock()?;
        let own = self.keyring()?.own();
        let shelf = self.shelf(own.clone())?;
        shelf.recover()?;
        let log = self.log_of(checkpoint)?;
        let adopted = read_adoptable(checkpoint, log, &own)?;
        shelf.adopt(&adopted)?;
        shelf.load(log.origin())?;
        Ok((log.origin().clone(), adopted.checkpoint().size()))
    }

    /// The log whose checkpoint (or mark) is in a file.
    pub(crate) fn log_of(&self, path: &Path) -> Result<&TrustedLog, WitnessError> {
        let bytes = durable::read_file(path, stele_host::compare_and_swap::MAX_CONTENT)?;
        let bytes = bytes.ok_or_else(|| StateError::NotAMark { path: path.to_owned() })?;
        let record = crate::mark::Mark::parse(&bytes).map_or(bytes, |mark| mark.record);
        let origin = SignedNote::parse(&record)
            .ok()
            .and_then(|note| note.text().lines().next().map(str::to_owned))
            .unwrap_or_default();
        let known = self.logs.iter().map(|listed| &listed.log).find(|log| log.origin().as_str() == origin);
        known.ok_or_else(|| WitnessError::UnknownLog { path: path.to_owned(), origin })
    }

    fn log(&self, origin: &Origin) -> Option<&TrustedLog> {
        self.logs.iter().map(|listed| &listed.log).find(|log| log.origin() == origin)
    }

    /// The config with a table more.
    pub(crate) fn with(&self, table: &str) -> Result<String, WitnessError> {
        let path = self.path(FILE);
        let before = durable::read_file(&path, stele_host::config::MAX_CONFIG)?.unwrap_or_default();
        let mut text = String::from_utf8_lossy(&before).into_owned();
        if !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(table);
        // Nothing is written unless it can be read again.
        self.read(&text)?;
        Ok(text)
    }

    /// Whether a text would be a config.
    pub(crate) fn read(&self, text: &str) -> Result<Config, WitnessError> {
        let config: Config = parse(text, &self.path(FILE))?;
        config.listed().and_then(|_| config.reach()).map_err(|reason| self.unfit(reason))?;
        Ok(config)
    }

    pub(crate) fn unfit(&self, reason: Unfit) -> WitnessError {
        WitnessError::Unfit { path: self.path(FILE), reason }
    }

    pub(crate) fn resolve(&self, path: &Path) -> PathBuf {
        self.loaded.resolve(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.loaded.folder.join(name)
    }
}

pub(crate) fn new_key(path: &Path, name: &KeyName, key_type: KeyType) -> Result<(), WitnessError> {
    let seed = key_file::random_seed().map_err(|source| WitnessError::Machine { what: "draw a random key", source })?;
    let signer = SignerKey::new(name.clone(), key_type, *seed);
    key_file::write_new(path, &format!("{}\n", signer.to_secret_string()))?;
    Ok(())
}

pub(crate) fn read_key(path: &Path) -> Result<SignerKey, WitnessError> {
    let text = key_file::read(path)?;
    warn_of_writers(path, "what is cosigned");
    SignerKey::from_secret_string(text.strip_suffix('\n').unwrap_or(&text))
        .map_err(|reason| WitnessError::Key { path: path.to_owned(), reason })
}
