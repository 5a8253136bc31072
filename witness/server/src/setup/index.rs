//! The index cosigner's part of a witness's folder.
//!
//! | path | what |
//! |---|---|
//! | `index.key`, `index-mldsa.key` | the index cosigner's secret keys |
//! | `index/state/<origin hash>` | the newest checkpoint that the index cosigner signed |
//! | `index-marks/<origin hash>` | what tells a lost or restored state |

use std::path::{Path, PathBuf};
use std::sync::Arc;

use stele_clock::Clock;
use stele_durable::lock::Lock;
use stele_index_cosigner::{EntryCopy, IndexCosigner, IndexedLog, Parts, Prepared};
use stele_mirror::Mirror;
use stele_spec::checkpoint::Origin;
use stele_spec::note::{KeyName, KeyType};
use stele_terminal::writers::warn_of_writers;

use crate::config::{ConfiguredLog, FILE, IndexConfig, InvalidConfig, text_of_index, with_index};
use crate::copying::CopyOf;
use crate::error::WitnessError;
use crate::home::{WitnessDir, on_a_thread};
use crate::keys::{new_key, read_key};
use stele_witness_core::signer::{WitnessKeys, WitnessSigner};
use stele_witness_core::state::{StateStore, StateView, read_adoptable};
use stele_witness_core::witness::Witness;

/// Gives a witness's folder an index cosigner: keys, and a table in the config. The name must be another than the witness's.
pub fn init(folder: &Path, name: &KeyName) -> Result<WitnessKeys, WitnessError> {
    let _alone = Lock::take_soon(folder.join("logs.lock"))?;
    let home = WitnessDir::open(folder)?;
    if home.config().index.is_some() {
        return Err(WitnessError::AlreadyThere { folder: folder.to_owned() });
    }
    // Read before a key is made: what cannot be is refused without a trace.
    let text = home.with(&text_of_index(name))?;
    for (file, key_type) in [("index.key", KeyType::Cosigner), ("index-mldsa.key", KeyType::MlDsa)] {
        new_key(&folder.join(file), name, key_type)?;
    }
    stele_durable::replace_file(&home.path(FILE), text.as_bytes())?;
    let home = WitnessDir::open(folder)?;
    let (config, keyring) = home.index_keyring()?.ok_or_else(|| home.no_index(name.as_str()))?;
    let own = keyring.own();
    home.index_states(&config, own.clone()).map_err(WitnessError::Durable)?;
    Ok(own)
}

impl WitnessDir {
    /// Begins to cosign the index of a log: the cosigner's state and mark, then the word in the config.
    pub fn index_log(folder: &Path, origin: &str, replay: bool) -> Result<(), WitnessError> {
        let _alone = Lock::take_soon(folder.join("logs.lock"))?;
        let home = Self::open(folder)?;
        let no_such = || WitnessError::NoSuchLog { origin: origin.to_owned() };
        let mut logs = home.logs().iter().map(|listed| &listed.log);
        let log = logs.find(|log| log.origin().as_str() == origin).ok_or_else(no_such)?;
        let path = home.path(FILE);
        let before = stele_durable::read_file(&path, stele_daemon::config::MAX_CONFIG)?.unwrap_or_default();
        let by_hand = || WitnessError::IndexByHand { path: path.clone(), origin: origin.to_owned() };
        let text = with_index(&String::from_utf8_lossy(&before), origin, replay).ok_or_else(by_hand)?;
        home.read(&text)?;
        let (config, keyring) = home.index_keyring()?.ok_or_else(|| home.no_index(origin))?;
        home.index_states(&config, keyring.own())?.begin(log.origin())?;
        Ok(stele_durable::replace_file(&path, text.as_bytes())?)
    }

    /// What the config says of the index cosigner, and its keys; none where the config has none.
    pub fn index_keyring(&self) -> Result<Option<(IndexConfig, WitnessSigner)>, WitnessError> {
        let Some(config) = &self.config().index else { return Ok(None) };
        let path = self.resolve(&config.key);
        let first = read_key(&path)?;
        let second = config.key_mldsa.as_ref().map(|path| read_key(&self.resolve(path))).transpose()?;
        let keyring = WitnessSigner::new(first, second).map_err(|reason| WitnessError::Keyring { path, reason })?;
        let found = keyring.own().name().to_string();
        if found != config.name {
            return Err(WitnessError::OtherName { config: config.name.clone(), key: found });
        }
        Ok(Some((config.clone(), keyring)))
    }

    /// Takes up the index cosigner; `None` where the config has none. A state that cannot be trusted keeps it from starting.
    /// What it finds against a log `witness` keeps; what it replays is the copy of `mirror`.
    pub fn open_index(
        &self,
        clock: Arc<dyn Clock>,
        witness: Arc<Witness>,
        mirror: Option<&Arc<Mirror>>,
    ) -> Result<Option<Arc<IndexCosigner>>, WitnessError> {
        let Some((config, keyring)) = self.index_keyring()? else { return Ok(None) };
        let states = self.index_states(&config, keyring.own())?;
        let parts = Parts { keyring, states, logs: self.indexed(mirror), witness };
        Ok(Some(Arc::new(IndexCosigner::open(parts, clock).map_err(WitnessError::IndexState)?)))
    }

    /// Reads what a running index cosigner is to take over of what the config says now.
    pub fn prepare_index<'a>(
        &self,
        cosigner: &'a IndexCosigner,
        mirror: Option<&Arc<Mirror>>,
    ) -> Result<Prepared<'a>, WitnessError> {
        cosigner.prepare(self.indexed(mirror)).map_err(WitnessError::IndexState)
    }

    /// The way out of a lost state, as for the witness: goes on from a checkpoint that carries the cosigner's own signature.
    pub fn index_adopt(&self, checkpoint: &Path) -> Result<(Origin, u64), WitnessError> {
        let _alone = self.lock()?;
        let none = || self.no_index(&checkpoint.display().to_string());
        let (config, keyring) = self.index_keyring()?.ok_or_else(none)?;
        let states = self.index_states(&config, keyring.own())?;
        states.recover().map_err(WitnessError::IndexState)?;
        let log = self.log_of(checkpoint)?;
        let adopted = read_adoptable(checkpoint, log, &keyring.own()).map_err(WitnessError::IndexState)?;
        states.adopt(&adopted).map_err(WitnessError::IndexState)?;
        Ok((log.origin().clone(), adopted.checkpoint().size()))
    }

    fn indexed(&self, mirror: Option<&Arc<Mirror>>) -> Vec<IndexedLog> {
        let wanted = self.logs().iter().filter(|listed| listed.indexed && !listed.disabled);
        let indexed = |listed: &ConfiguredLog| {
            let mirror = mirror.filter(|_| listed.replayed).cloned();
            let copy_of =
                |mirror| Arc::new(CopyOf { mirror, origin: listed.log.origin().clone() }) as Arc<dyn EntryCopy>;
            IndexedLog { log: listed.log.clone(), qpd: listed.qpd, copy: mirror.map(copy_of) }
        };
        wanted.map(indexed).collect()
    }

    /// The index cosigner's states and marks, looked at from beside; none where the config has none.
    pub fn index_view(&self) -> Result<Option<StateView>, WitnessError> {
        let Some((config, keyring)) = self.index_keyring()? else { return Ok(None) };
        Ok(Some(self.index_states(&config, keyring.own())?.view()?))
    }

    fn index_states(&self, config: &IndexConfig, own: WitnessKeys) -> Result<StateStore, stele_durable::DurableError> {
        let (state, marks): (PathBuf, PathBuf) = (self.resolve(&config.state), self.resolve(&config.marks));
        warn_of_writers(&state, "what is cosigned");
        warn_of_writers(&marks, "what is cosigned");
        StateStore::open(&state, &marks, own, on_a_thread)
    }

    fn no_index(&self, origin: &str) -> WitnessError {
        self.unfit(InvalidConfig::NoIndex { origin: origin.to_owned() })
    }
}
