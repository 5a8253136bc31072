//! The mirror's part of a witness's folder.
//!
//! | path | what |
//! |---|---|
//! | `mirror.key`, `mirror-mldsa.key` | the mirror's secret keys |
//! | `mirror/state/<origin hash>` | the newest checkpoint that the mirror signed |
//! | `mirror/logs/<origin hash>/` | the copy of a log |
//! | `mirror-marks/<origin hash>` | what tells a lost or restored state |

use std::path::{Path, PathBuf};
use std::sync::Arc;

use stele_clock::Clock;
use stele_durable::Machine;
use stele_durable::lock::Lock;
use stele_spec::checkpoint::Origin;
use stele_spec::note::{KeyName, KeyType};
use stele_terminal::writers::warn_of_writers;

use crate::config::{ConfiguredLog, FILE, InvalidConfig, text_of_mirror, with_mirror};
use crate::error::WitnessError;
use crate::home::{WitnessDir, on_a_thread, pause};
use crate::keys::{new_key, read_key};
use stele_mirror::{Mirror, MirrorError, MirroredLog, NotWhole, Parts, Store, Whole, verify};
use stele_witness_core::signer::{WitnessKeys, WitnessSigner};
use stele_witness_core::state::{StateStore, read_adoptable};

/// How one copy is.
#[derive(Debug)]
pub struct Mirrored {
    /// The log.
    pub origin: Origin,
    /// The size that the mirror signed last.
    pub size: u64,
    /// What a look at the whole of it found; `None` where nothing is signed yet.
    pub found: Option<Result<Whole, NotWhole>>,
}

/// Gives a witness's folder a mirror: keys, and a table in the config. The name must be another than the witness's.
pub fn init(folder: &Path, name: &KeyName) -> Result<WitnessKeys, WitnessError> {
    let _alone = Lock::take_soon(folder.join("logs.lock"))?;
    let home = WitnessDir::open(folder)?;
    if home.config().mirror.is_some() {
        return Err(WitnessError::AlreadyThere { folder: folder.to_owned() });
    }
    // Read before a key is made: what cannot be is refused without a trace.
    let text = home.with(&text_of_mirror(name))?;
    for (file, key_type) in [("mirror.key", KeyType::Cosigner), ("mirror-mldsa.key", KeyType::MlDsa)] {
        new_key(&folder.join(file), name, key_type)?;
    }
    stele_durable::replace_file(&home.path(FILE), text.as_bytes())?;
    let home = WitnessDir::open(folder)?;
    let own = home.mirror_keyring()?.map(|keyring| keyring.own());
    let own = own.ok_or_else(|| home.unfit(InvalidConfig::NoMirror { origin: name.to_string() }))?;
    home.mirror_states(own.clone()).map_err(WitnessError::Durable)?;
    Ok(own)
}

impl WitnessDir {
    /// Begins to mirror a log that is pulled, or pushed where `push` says so: the mirror's state and mark, then the word in the config.
    pub fn mirror_log(folder: &Path, origin: &str, push: bool) -> Result<(), WitnessError> {
        let _alone = Lock::take_soon(folder.join("logs.lock"))?;
        let home = Self::open(folder)?;
        let no_such = || WitnessError::NoSuchLog { origin: origin.to_owned() };
        let mut logs = home.logs().iter().map(|listed| &listed.log);
        let log = logs.find(|log| log.origin().as_str() == origin).ok_or_else(no_such)?;
        let path = home.path(FILE);
        let before = stele_durable::read_file(&path, stele_daemon::config::MAX_CONFIG)?.unwrap_or_default();
        let by_hand = || WitnessError::MirrorByHand { path: path.clone(), origin: origin.to_owned() };
        let text = with_mirror(&String::from_utf8_lossy(&before), origin, push).ok_or_else(by_hand)?;
        home.read(&text)?;
        let keyring =
            home.mirror_keyring()?.ok_or_else(|| home.unfit(InvalidConfig::NoMirror { origin: origin.to_owned() }))?;
        home.mirror_states(keyring.own())?.begin(log.origin()).map_err(MirrorError::State)?;
        Ok(stele_durable::replace_file(&path, text.as_bytes())?)
    }

    /// The mirror's keys; none where the config has no mirror.
    pub fn mirror_keyring(&self) -> Result<Option<WitnessSigner>, WitnessError> {
        let Some(config) = &self.config().mirror else { return Ok(None) };
        let path = self.resolve(&config.key);
        let first = read_key(&path)?;
        let second = config.key_mldsa.as_ref().map(|path| read_key(&self.resolve(path))).transpose()?;
        let keyring = WitnessSigner::new(first, second).map_err(|reason| WitnessError::Keyring { path, reason })?;
        let found = keyring.own().name().to_string();
        if found != config.name {
            return Err(WitnessError::OtherName { config: config.name.clone(), key: found });
        }
        Ok(Some(keyring))
    }

    /// Takes up every copy; `None` where the config has no mirror. A state or a copy that cannot be trusted keeps it from starting.
    pub fn open_mirror(&self, clock: Arc<dyn Clock>) -> Result<Option<Arc<Mirror>>, WitnessError> {
        let Some(keyring) = self.mirror_keyring()? else { return Ok(None) };
        let (witness, states) = (self.keyring()?.own(), self.mirror_states(keyring.own())?);
        let (disk, logs) = (Arc::new(Machine), self.mirrored_logs());
        let parts = Parts { keyring, witness, states, disk, logs };
        Ok(Some(Arc::new(Mirror::open(parts, clock)?)))
    }

    /// Reads what a running mirror is to take over of what the config says now.
    pub fn prepare_mirror<'a>(&self, mirror: &'a Mirror) -> Result<stele_mirror::Prepared<'a>, WitnessError> {
        Ok(mirror.prepare(self.mirrored_logs())?)
    }

    fn mirrored_logs(&self) -> Vec<MirroredLog> {
        let each = self.mirrored().map(|listed| MirroredLog {
            log: listed.log.clone(),
            cosigners: listed.cosigners.clone(),
            pushed: listed.pushed,
            folder: self.mirror_copy(listed.log.origin()),
        });
        each.collect()
    }

    /// The mirror's states and marks.
    pub fn mirror_states(&self, own: WitnessKeys) -> Result<StateStore, stele_durable::DurableError> {
        let marks = self.config().mirror.as_ref().map(|mirror| mirror.marks.clone()).unwrap_or_default();
        let (state, marks) = (self.mirror_folder().join("state"), self.resolve(&marks));
        warn_of_writers(&state, "what is cosigned");
        warn_of_writers(&marks, "what is cosigned");
        StateStore::open(&state, &marks, own, on_a_thread)
    }

    /// The folder of the copy of a log.
    pub fn mirror_copy(&self, origin: &Origin) -> PathBuf {
        self.mirror_folder().join("logs").join(origin.digest().to_string())
    }

    /// The logs that are mirrored.
    pub fn mirrored(&self) -> impl Iterator<Item = &ConfiguredLog> {
        self.logs().iter().filter(|listed| listed.mirrored)
    }

    /// Looks at the whole of every copy; can be done beside a running mirror.
    pub fn verify_mirror(&self) -> Result<Vec<Mirrored>, WitnessError> {
        let Some(keyring) = self.mirror_keyring()? else { return Ok(Vec::new()) };
        let mut view = self.mirror_states(keyring.own())?.view()?;
        let look = |listed: &ConfiguredLog| {
            let origin = listed.log.origin().clone();
            let record = view.look(&origin, pause).map_err(MirrorError::State)?;
            let found = match record.cosigned() {
                Some(cosigned) => Some(verify(&Store::open(&self.mirror_copy(&origin))?, cosigned.checkpoint())),
                None => None,
            };
            Ok(Mirrored { origin, size: record.head().size, found })
        };
        self.mirrored().map(look).collect()
    }

    /// The way out of a lost state, as for the witness: goes on from a checkpoint that carries the mirror's own signature.
    pub fn mirror_adopt(&self, checkpoint: &Path) -> Result<(Origin, u64), WitnessError> {
        let _alone = self.lock()?;
        let none = || self.unfit(InvalidConfig::NoMirror { origin: checkpoint.display().to_string() });
        let own = self.mirror_keyring()?.ok_or_else(none)?.own();
        let states = self.mirror_states(own.clone())?;
        states.recover().map_err(MirrorError::State)?;
        let log = self.log_of(checkpoint)?;
        let adopted = read_adoptable(checkpoint, log, &own).map_err(MirrorError::State)?;
        states.adopt(&adopted).map_err(MirrorError::State)?;
        Ok((log.origin().clone(), adopted.checkpoint().size()))
    }

    fn mirror_folder(&self) -> PathBuf {
        let folder = self.config().mirror.as_ref().map(|mirror| mirror.folder.clone());
        self.resolve(&folder.unwrap_or_else(|| "mirror".into()))
    }
}
