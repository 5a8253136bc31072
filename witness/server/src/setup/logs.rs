//! Adding logs to a witness, disabling them, and going on after a lost state.

use std::path::Path;

use stele_daemon::config::parse;
use stele_durable::lock::Lock;
use stele_spec::checkpoint::Origin;
use stele_spec::note::{SignedNote, VerifierKey, shows};

use crate::config::{Config, FILE, LogOptions, text_of_log, with_disabled, with_options};
use crate::error::WitnessError;
use crate::home::WitnessDir;
use crate::network_list::{ListedLog, NetworkList};
use stele_witness_core::mark::Mark;
use stele_witness_core::state::{StateError, read_adoptable};
use stele_witness_core::trusted_log::TrustedLog;

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
    /// It was there with this key, and what was said of it this time is in the config now.
    Changed,
    /// It was there with this key, and nothing else was said of it.
    Already,
}

impl WitnessDir {
    /// Adds a log: its state and mark, then its table in the config. A running witness serves it after SIGHUP.
    ///
    /// The origin is the key's name unless given. The keys of a known origin are never changed.
    pub fn add_log(folder: &Path, vkey: &str, origin: Option<&str>) -> Result<(Added, TrustedLog), WitnessError> {
        Self::add_log_with(folder, vkey, origin, &LogOptions::default())
    }

    /// The same with what else is to be said of it.
    pub fn add_log_with(
        folder: &Path,
        vkey: &str,
        origin: Option<&str>,
        extras: &LogOptions,
    ) -> Result<(Added, TrustedLog), WitnessError> {
        let bad = |what, value: &str, reason: String| WitnessError::Argument { what, value: value.to_owned(), reason };
        let key: VerifierKey = vkey.parse().map_err(|e| bad("vkey", vkey, format!("{e}")))?;
        let origin = origin.map_or_else(|| key.name().to_string(), str::to_owned);
        let parsed: Origin = origin.parse().map_err(|e| bad("origin", &origin, format!("{e}")))?;
        // Real logs have blanks in their names; what does not show is for no person to compare.
        shows(&origin).map_err(|unfit| bad("origin", &origin, unfit.to_string()))?;
        shows(key.name().as_str()).map_err(|unfit| bad("vkey", vkey, unfit.to_string()))?;
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
                    tables += &text_of_log(log, &LogOptions { qpd: *qpd, ..LogOptions::default() });
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
        let states = home.states(home.keyring()?.own())?;
        for log in &pulled.added {
            states.begin(log.origin())?;
        }
        stele_durable::replace_file(&home.path(FILE), text.as_bytes())?;
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
        let before = stele_durable::read_file(&path, stele_daemon::config::MAX_CONFIG)?.unwrap_or_default();
        let text = with_disabled(&String::from_utf8_lossy(&before), origin, disabled).ok_or_else(by_hand)?;
        // Never written unless it says what was meant and nothing else.
        let after: Config = parse(&text, &path)?;
        if after.logs != expected {
            return Err(by_hand());
        }
        Ok(stele_durable::replace_file(&path, text.as_bytes())?)
    }

    fn add(folder: &Path, log: TrustedLog, extras: &LogOptions) -> Result<(Added, TrustedLog), WitnessError> {
        // Two that add at the same time must not lose one another's table: read again under the lock.
        let _alone = Lock::take_soon(folder.join("logs.lock"))?;
        let home = Self::open(folder)?;
        if !home.is_new(&log)? {
            return Ok((home.change(&log, extras)?, log));
        }
        let text = home.with(&text_of_log(&log, extras))?;
        home.states(home.keyring()?.own())?.begin(log.origin())?;
        stele_durable::replace_file(&home.path(FILE), text.as_bytes())?;
        Ok((Added::New, log))
    }

    /// A listed log gets what is said of it now; what is not said stays.
    fn change(&self, log: &TrustedLog, said: &LogOptions) -> Result<Added, WitnessError> {
        let (path, origin) = (self.path(FILE), log.origin().as_str());
        let by_hand = || WitnessError::OptionsByHand { path: path.clone(), origin: origin.to_owned() };
        let mut expected = self.config().logs.clone();
        let listed = expected.iter_mut().find(|listed| listed.origin == origin).ok_or_else(by_hand)?;
        listed.pull = said.pull.clone().or_else(|| listed.pull.take());
        listed.pull_seconds = said.pull_seconds.or(listed.pull_seconds);
        listed.qpd = said.qpd.or(listed.qpd);
        if expected == self.config().logs {
            return Ok(Added::Already);
        }
        let before = stele_durable::read_file(&path, stele_daemon::config::MAX_CONFIG)?.unwrap_or_default();
        let text = with_options(&String::from_utf8_lossy(&before), origin, said).ok_or_else(by_hand)?;
        // Never written unless it says what was meant and nothing else.
        if self.read(&text)?.logs != expected {
            return Err(by_hand());
        }
        stele_durable::replace_file(&path, text.as_bytes())?;
        Ok(Added::Changed)
    }

    /// The way out of a lost or restored state: goes on from a checkpoint that carries our own cosignature.
    pub fn adopt(&self, checkpoint: &Path) -> Result<(Origin, u64), WitnessError> {
        let _alone = self.lock()?;
        let own = self.keyring()?.own();
        let states = self.states(own.clone())?;
        states.recover()?;
        let log = self.log_of(checkpoint)?;
        let adopted = read_adoptable(checkpoint, log, &own)?;
        states.adopt(&adopted)?;
        states.load(log.origin())?;
        Ok((log.origin().clone(), adopted.checkpoint().size()))
    }

    /// The log whose checkpoint (or mark) is in a file.
    pub(crate) fn log_of(&self, path: &Path) -> Result<&TrustedLog, WitnessError> {
        let bytes = stele_durable::read_file(path, stele_durable::compare_and_swap::MAX_CONTENT)?;
        let bytes = bytes.ok_or_else(|| StateError::NotAMark { path: path.to_owned() })?;
        let record = Mark::parse(&bytes).map_or(bytes, |mark| mark.record);
        let origin = SignedNote::parse(&record)
            .ok()
            .and_then(|note| note.text().lines().next().map(str::to_owned))
            .unwrap_or_default();
        let known = self.logs().iter().map(|listed| &listed.log).find(|log| log.origin().as_str() == origin);
        known.ok_or_else(|| WitnessError::UnknownLog { path: path.to_owned(), origin })
    }

    fn log(&self, origin: &Origin) -> Option<&TrustedLog> {
        self.logs().iter().map(|listed| &listed.log).find(|log| log.origin() == origin)
    }
}
