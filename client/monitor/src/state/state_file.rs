//! The folder of a state, held by one process: read at the start, and what changed is written.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use stele_durable::lock::Lock;
use stele_durable::{Dir, DurableError};
use stele_explain::Failure;
use stele_spec::hash::Digest;

use super::error::StateError;
use super::files::{CORE, FORMAT, FORMAT_BEFORE, encoded, event_file};
use super::limits::Limits;
use super::remembered::{Core, LogState, State, Waiting};
use super::{old, releases};

/// The memory, held by one process.
#[derive(Debug)]
pub struct StateFile {
    dir: Dir,
    /// What is remembered.
    pub state: State,
    limits: Limits,
    /// Digests of the files as they are on the disk.
    written: BTreeMap<String, Digest>,
    _lock: Lock,
}

impl StateFile {
    /// Opens the folder and takes it for this process. The one file of earlier versions is read and taken apart.
    pub fn open(folder: &Path, warn: fn(&Path, &str)) -> Result<Self, Failure> {
        Self::within(folder, Limits::default(), warn)
    }

    pub(super) fn within(folder: &Path, limits: Limits, warn: fn(&Path, &str)) -> Result<Self, Failure> {
        let dir = Dir::open(folder)?;
        warn(folder, "what is reported");
        Self::read(dir, limits)
    }

    /// Takes a folder that is open, on whatever disk it is.
    pub fn open_in(dir: Dir) -> Result<Self, Failure> {
        Self::read(dir, Limits::default())
    }

    fn read(dir: Dir, limits: Limits) -> Result<Self, Failure> {
        let lock = Lock::take_in(&dir, "lock")?;
        let mut memory = Self { dir, state: State::default(), limits, written: BTreeMap::new(), _lock: lock };
        if let Some(state) = old::read(&memory.dir)? {
            memory.state = state;
            memory.save()?;
            return Ok(memory);
        }
        memory.state.core.format = FORMAT.into();
        if let Some(core) = memory.load::<Core>(CORE, limits.core)? {
            if core.format != FORMAT && core.format != FORMAT_BEFORE {
                let problem = format!("expected the format {FORMAT}, found {:?}", core.format);
                return Err(StateError::Malformed { path: memory.path_of(CORE), problem }.into());
            }
            memory.state.core = Core { format: FORMAT.into(), ..core };
        }
        for path in memory.listed("logs")? {
            let Some(log) = memory.load::<LogState>(&path, limits.log)? else { continue };
            memory.state.logs.insert(log.origin.clone(), log);
        }
        for path in memory.listed("releases")? {
            memory.load_release(&path)?;
        }
        for path in memory.listed("waiting")? {
            memory.load_event(&path)?;
        }
        Ok(memory)
    }

    /// The logs of a state that another process may be working on: each of its files is replaced whole.
    pub fn logs(folder: &Path) -> Result<Vec<LogState>, Failure> {
        let dir = Dir::open(folder)?;
        let limit = Limits::default().log;
        let mut logs = Vec::new();
        for listed in dir.list("logs")?.unwrap_or_default() {
            let path = format!("logs/{}", listed.name);
            let Some(bytes) = dir.read(&path, limit)? else { continue };
            let malformed = |error: serde_json::Error| StateError::Malformed {
                path: dir.path_of(&path),
                problem: error.to_string(),
            };
            logs.push(serde_json::from_slice::<LogState>(&bytes).map_err(malformed)?);
        }
        Ok(logs)
    }

    /// Writes what changed, durably: events and releases, then the logs that were read up to them, then the rest.
    pub fn save(&mut self) -> Result<(), Failure> {
        self.save_waiting()?;
        let mut files = Vec::new();
        for (origin, log) in &mut self.state.logs {
            log.origin.clone_from(origin);
            files.extend(log.releases.changed(origin)?);
        }
        self.dir.replace_all(files)?;
        self.state.logs.values_mut().for_each(|log| log.releases.saved());
        let mut files = Vec::new();
        for (origin, log) in &self.state.logs {
            files.extend(self.if_changed(
                format!("logs/{}.json", Digest::of(origin.as_bytes())),
                log,
                self.limits.log,
            )?);
        }
        self.write(files)?;
        let core = self.if_changed(CORE.to_owned(), &self.state.core, self.limits.core)?;
        self.write(core.into_iter().collect())
    }

    /// Writes what changed of the events alone: new ones, failed ones, and those that are gone.
    pub fn save_waiting(&mut self) -> Result<(), Failure> {
        let mut files = Vec::new();
        for waiting in self.state.waiting.iter().filter(|waiting| !waiting.saved) {
            files.push((event_file(waiting.number), encoded(waiting)?));
        }
        self.dir.replace_all(files)?;
        self.state.waiting.iter_mut().for_each(|waiting| waiting.saved = true);
        for number in std::mem::take(&mut self.state.gone) {
            self.dir.remove(&event_file(number))?;
        }
        Ok(())
    }

    /// Where a file beside the state is.
    pub fn path_of(&self, path: &str) -> PathBuf {
        self.dir.path_of(path)
    }

    /// Keeps a file beside the state that never changes: evidence, observations.
    pub fn keep(&self, path: &str, bytes: &[u8]) -> Result<PathBuf, DurableError> {
        self.dir.put_if_absent(path, bytes)?;
        Ok(self.dir.path_of(path))
    }

    fn listed(&self, folder: &str) -> Result<Vec<String>, Failure> {
        let names = self.dir.list(folder)?.unwrap_or_default();
        Ok(names.into_iter().map(|listed| format!("{folder}/{}", listed.name)).collect())
    }

    fn load<T: DeserializeOwned>(&mut self, path: &str, limit: u64) -> Result<Option<T>, Failure> {
        let Some(bytes) = self.dir.read(path, limit)? else { return Ok(None) };
        self.written.insert(path.to_owned(), Digest::of(&bytes));
        let malformed = |error: serde_json::Error| StateError::Malformed {
            path: self.dir.path_of(path),
            problem: error.to_string(),
        };
        Ok(serde_json::from_slice(&bytes).map(Some).map_err(malformed)?)
    }

    /// Statements follow from the log: where a file of them is damaged, they are read there again, in silence.
    fn load_release(&mut self, path: &str) -> Result<(), Failure> {
        let bytes = self.dir.read(path, self.limits.release.saturating_mul(2)).ok().flatten().unwrap_or_default();
        match releases::read(&bytes) {
            Some((origin, name, statements)) => {
                let log = self.state.logs.entry(origin).or_default();
                log.releases.restore(name, statements);
            }
            None => {
                self.dir.remove(path)?;
                self.state.logs.values_mut().for_each(|log| log.keeps_releases = false);
            }
        }
        Ok(())
    }

    fn load_event(&mut self, path: &str) -> Result<(), Failure> {
        let number = path.strip_prefix("waiting/").and_then(|name| name.strip_suffix(".json"));
        let Some(number) = number.and_then(|number| number.parse().ok()) else { return Ok(()) };
        let Some(mut waiting) = self.load::<Waiting>(path, self.limits.event)? else { return Ok(()) };
        self.written.remove(path);
        if !waiting.event.is_ours() {
            let problem = "it is no event of this program".to_owned();
            return Err(StateError::Malformed { path: self.path_of(path), problem }.into());
        }
        (waiting.number, waiting.saved) = (number, true);
        if self.state.ids.insert(waiting.event.id.clone()) {
            self.state.waiting.push_back(waiting);
        } else {
            self.state.gone.push(number);
        }
        Ok(())
    }

    /// A file, unless it is on the disk as it is.
    fn if_changed(
        &self,
        path: String,
        content: &impl Serialize,
        limit: u64,
    ) -> Result<Option<(String, Vec<u8>)>, Failure> {
        let bytes = encoded(content)?;
        if self.written.get(&path) == Some(&Digest::of(&bytes)) {
            return Ok(None);
        }
        if bytes.len() as u64 > limit {
            return Err(StateError::TooLarge { path: self.path_of(&path), size: bytes.len() as u64, limit }.into());
        }
        Ok(Some((path, bytes)))
    }

    fn write(&mut self, files: Vec<(String, Vec<u8>)>) -> Result<(), Failure> {
        let digests: Vec<_> = files.iter().map(|(path, bytes)| (path.clone(), Digest::of(bytes))).collect();
        self.dir.replace_all(files)?;
        self.written.extend(digests);
        Ok(())
    }
}
