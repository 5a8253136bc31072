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
//! | `journal.0`, `journal.1` in either folder | what is recorded and in no file of its own yet, see [`group_commit`](stele_witness_core::group_commit) |
//! | `evidence/<origin hash>/` | what a log has signed against itself |
//!
//! The origin hash is the SHA-256 of the origin in hex, as in the monitoring path of c2sp.org/tlog-witness.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use stele_clock::Clock;
use stele_daemon::config::{Loaded, load, parse};
use stele_durable::DurableError;
use stele_durable::key_file;
use stele_durable::lock::Lock;
use stele_fetch::roots;
use stele_terminal::writers::warn_of_writers;

use crate::config::{Config, ConfiguredLog, FILE, InvalidConfig};
use crate::error::WitnessError;
use stele_bastion::{Backend, Bastions, Identity, Reachability, ReconnectPace};
use stele_witness_core::evidence::Archive;
use stele_witness_core::held::held;
use stele_witness_core::log_slot::LogSettings;
use stele_witness_core::signer::WitnessKeys;
use stele_witness_core::state::{StateStore, StateView};
use stele_witness_core::witness::{Parts, Prepared, Witness};

/// A witness's folder with its config, checked.
#[derive(Debug)]
pub struct WitnessDir {
    loaded: Loaded<Config>,
    logs: Vec<ConfiguredLog>,
}

impl WitnessDir {
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
    pub fn logs(&self) -> &[ConfiguredLog] {
        &self.logs
    }

    /// Takes up every log of the folder, or none: a state that cannot be trusted keeps the whole witness from starting.
    pub fn open_witness(&self, clock: Arc<dyn Clock>) -> Result<Witness, WitnessError> {
        let lock = self.lock()?;
        let keyring = self.keyring()?;
        let states = self.states(keyring.own())?;
        let (archive, held) = (self.archive()?, held(&self.evidence_folder())?);
        Ok(Witness::open(Parts { keyring, states, archive, held, logs: self.settings(), lock }, clock)?)
    }

    /// Reads what a running witness is to take over of what the config says of logs now. The keys are read at the start only.
    pub fn prepare_witness<'a>(&self, witness: &'a Witness) -> Result<Prepared<'a>, WitnessError> {
        if self.keyring()?.own() != witness.own() {
            return Err(WitnessError::OtherKeys);
        }
        Ok(witness.prepare(self.settings())?)
    }

    fn settings(&self) -> Vec<LogSettings> {
        self.logs.iter().map(ConfiguredLog::settings).collect()
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
            backends.push(Backend::new(place, identity, believed, ReconnectPace::default()).map_err(bad)?);
        }
        Ok(backends)
    }

    /// How we are reached, and what we say of it.
    pub fn reach(&self) -> Result<Reachability, WitnessError> {
        let bastions = Bastions::new(self.bastions()?);
        let own = self.config().urls.iter().map(|url| format!("{}/", url.trim_end_matches('/')));
        let urls = own.chain(bastions.iter().map(|backend| format!("{}/", backend.url()))).collect();
        Ok(Reachability { bastions, urls, contact: self.config().contact.clone() })
    }

    /// The folders of the states and of the marks.
    pub fn folders(&self) -> (PathBuf, PathBuf) {
        (self.path("state"), self.loaded.resolve(&self.config().marks))
    }

    /// The states and marks.
    pub fn states(&self, own: WitnessKeys) -> Result<StateStore, DurableError> {
        let (state, marks) = self.folders();
        warn_of_writers(&state, "what is cosigned");
        warn_of_writers(&marks, "what is cosigned");
        StateStore::open(&state, &marks, own, on_a_thread)
    }

    /// A view of them from beside, also while a witness runs.
    pub fn view(&self, own: WitnessKeys) -> Result<StateView, WitnessError> {
        Ok(self.states(own)?.view()?)
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
        stele_durable::create_dir_all(&self.path("state"))?;
        Ok(Lock::take(self.path("state").join("lock"))?)
    }

    /// The config with a table more.
    pub(crate) fn with(&self, table: &str) -> Result<String, WitnessError> {
        let path = self.path(FILE);
        let before = stele_durable::read_file(&path, stele_daemon::config::MAX_CONFIG)?.unwrap_or_default();
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

    pub(crate) fn unfit(&self, reason: InvalidConfig) -> WitnessError {
        WitnessError::Unfit { path: self.path(FILE), reason }
    }

    pub(crate) fn resolve(&self, path: &Path) -> PathBuf {
        self.loaded.resolve(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.loaded.folder.join(name)
    }
}

/// The pause before a running witness's files are looked at again.
pub fn pause() {
    thread::sleep(Duration::from_millis(250));
}

pub(crate) fn on_a_thread(work: Box<dyn FnOnce() + Send>) {
    if let Err(error) = thread::Builder::new().name("flush".into()).spawn(work) {
        tracing::error!(%error, "cannot start a thread");
    }
}
