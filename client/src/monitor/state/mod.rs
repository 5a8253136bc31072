//! What a monitor remembers, in files that grow on their own and are replaced whole, durably, and only when they changed.
//!
//! | file | holds | is at most |
//! |---|---|---|
//! | `logs/<digest>.json` | a log: the newest head, where it read to | [`Limits::log`] |
//! | `releases/<digest>.json` | the statements about one watched release | [`Limits::release`], all of them [`Limits::releases`] |
//! | `waiting/<number>.json` | an event that is not delivered | [`Limits::event`] |
//! | `state.json` | hosts, alerts, observations | [`Limits::core`] |
//! | `evidence/`, `observations/`, `damaged/` | what never changes | |
//!
//! An event is on the disk before the position after its cause is, and leaves it after its hook said yes. So after any death each event
//! is delivered at least once: an entry that is read again leads to an event of the same id. Nothing is written that would not be
//! read: what is too large is refused before, and the heads are written first.

mod old;
mod releases;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;
use stele_durable::lock::Lock;
use stele_durable::{Dir, DurableError};
use stele_explain::{Exit, Explain};
use stele_spec::hash::Digest;
use stele_terminal::writers::warn_of_writers;

use super::event::Event;
use crate::error::Failure;
pub(crate) use releases::Releases;

/// The file of everything that is of no log, no release and no event.
const CORE: &str = "state.json";
/// What the field `format` of [`CORE`] says.
const FORMAT: &str = "stele/monitor-state@v2";
/// With so many events waiting, no more entries are read: the log keeps them, we need not.
pub(crate) const MAX_WAITING: usize = 10_000;
/// So many hosts are remembered, and looked at: with `everything = true` the log chooses them.
pub(crate) const MAX_HOSTS: usize = 20_000;
/// So many different contradictions of one log are kept and told: the first says enough.
pub(crate) const MAX_MISBEHAVIOUR: usize = 1_000;

/// The largest files, in bytes: each is refused before it is written, not when it is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// A log: its head and those of its witnesses.
    pub(crate) log: u64,
    /// One release: a coordinate with hundreds of large statements is somebody's joke.
    pub(crate) release: u64,
    /// All releases of a log: they are held in memory.
    pub(crate) releases: u64,
    /// One event: lists in it are cut long before.
    pub(crate) event: u64,
    /// The rest: some kilobytes for each of [`MAX_HOSTS`].
    pub(crate) core: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { log: 16 << 20, release: 4 << 20, releases: 128 << 20, event: 1 << 20, core: 256 << 20 }
    }
}

/// The memory, held by one process.
#[derive(Debug)]
pub(crate) struct Memory {
    dir: Dir,
    /// What is remembered.
    pub(crate) state: State,
    limits: Limits,
    /// Digests of the files as they are on the disk.
    written: BTreeMap<String, Digest>,
    _lock: Lock,
}

/// What is remembered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct State {
    /// By origin.
    pub(crate) logs: BTreeMap<String, LogState>,
    /// What is of no log.
    pub(crate) core: Core,
    waiting: VecDeque<Waiting>,
    /// The ids of what waits.
    ids: HashSet<String>,
    /// The numbers of delivered events whose files are still there.
    gone: Vec<u64>,
}

/// What is of no log, no release and no event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Core {
    format: String,
    /// What is wrong now, by name: since when.
    pub(crate) alerts: BTreeMap<String, u64>,
    /// What each host came to, by coordinate and locator.
    pub(crate) hosts: BTreeMap<String, HostState>,
    /// Leaf hashes of our own observations that the log did not show yet.
    pub(crate) own: BTreeSet<String>,
    /// Observations that are kept and not submitted yet: leaf hash to origin.
    pub(crate) unsent: BTreeMap<String, String>,
    /// How many events were delivered, ever.
    pub(crate) delivered: u64,
}

/// What is remembered of a log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogState {
    origin: String,
    /// The newest head that the policy vouched for, as its signed note. Its signature is checked whenever it is used.
    pub(crate) head: String,
    /// The first entry that was not looked at.
    pub(crate) next: u64,
    /// The first entry that is reported.
    pub(crate) report_from: u64,
    /// Since when it could not be read.
    pub(crate) unread_since: Option<u64>,
    /// Since when it shows an older head than it showed before.
    pub(crate) behind_since: Option<u64>,
    /// Entries that this program cannot read, which newer ones may.
    pub(crate) unreadable: u64,
    /// Statements of releases beyond the limits, whose hosts are not looked at.
    pub(crate) unkept: u64,
    /// Whether `releases` holds everything from entry 0 on.
    pub(crate) keeps_releases: bool,
    /// What was told of misbehaviour: digests of its kind and heads.
    pub(crate) misbehaviour: BTreeSet<String>,
    /// Heads beyond the log's own that witnesses showed: the note and since when, by the witness's name.
    pub(crate) ahead: BTreeMap<String, Ahead>,
    /// What watched publishers said about watched releases, in files of their own.
    #[serde(skip)]
    pub(crate) releases: Releases,
}

/// A head that a witness cosigned and the log did not show yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ahead {
    /// The signed note.
    pub(crate) note: String,
    /// When it was seen first.
    pub(crate) since: u64,
}

/// An event that is not delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Waiting {
    /// The event.
    pub(crate) event: Event,
    /// How often it was tried.
    pub(crate) attempts: u32,
    /// When it is tried next, in seconds since 1970.
    pub(crate) next_try: u64,
    /// Its file's number: the order of the queue.
    #[serde(skip)]
    number: u64,
    /// Whether the file is as this is.
    #[serde(skip)]
    saved: bool,
}

/// What a host came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HostState {
    /// When it was looked at.
    pub(crate) looked: u64,
    /// The result that was said last: `match`, `differs`, `absent`, `unlogged`; none before the first.
    pub(crate) result: Option<String>,
    /// What makes it this result and no other: revision and digests.
    pub(crate) detail: String,
    /// Digest of the paths beside the record that a loader would take; empty without any.
    #[serde(default)]
    pub(crate) loadable: String,
    /// Whether what it came to last was told as news.
    pub(crate) told: bool,
    /// Since when it could not be asked.
    pub(crate) unread_since: Option<u64>,
}

impl Memory {
    /// Opens the folder and takes it for this process. The one file of earlier versions is read and taken apart.
    pub(crate) fn open(folder: &Path) -> Result<Self, Failure> {
        Self::within(folder, Limits::default())
    }

    fn within(folder: &Path, limits: Limits) -> Result<Self, Failure> {
        let dir = Dir::open(folder)?;
        warn_of_writers(folder, "what is reported");
        let lock = Lock::take(folder.join("lock"))?;
        let mut memory = Self { dir, state: State::default(), limits, written: BTreeMap::new(), _lock: lock };
        if let Some(state) = old::read(&memory.dir)? {
            memory.state = state;
            memory.save()?;
            return Ok(memory);
        }
        memory.state.core.format = FORMAT.into();
        if let Some(core) = memory.load::<Core>(CORE, limits.core)? {
            if core.format != FORMAT {
                let problem = format!("expected the format {FORMAT}, found {:?}", core.format);
                return Err(StateError::Malformed { path: memory.path_of(CORE), problem }.into());
            }
            memory.state.core = core;
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

    /// Writes what changed, durably: events and releases, then the logs that were read up to them, then the rest.
    pub(crate) fn save(&mut self) -> Result<(), Failure> {
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
    pub(crate) fn save_waiting(&mut self) -> Result<(), Failure> {
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
    pub(crate) fn path_of(&self, path: &str) -> PathBuf {
        self.dir.path_of(path)
    }

    /// Keeps a file beside the state that never changes: evidence, observations.
    pub(crate) fn keep(&self, path: &str, bytes: &[u8]) -> Result<PathBuf, DurableError> {
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

impl State {
    /// Lets an event wait for delivery, unless it waits already. One that is too large to be kept loses its details.
    pub(crate) fn say(&mut self, mut event: Event) {
        if !self.ids.insert(event.id.clone()) {
            return;
        }
        let size = serde_json::to_vec(&event).map_or(0, |bytes| bytes.len());
        if size as u64 > Limits::default().event / 2 {
            event.details = serde_json::Map::from_iter([("left_out_bytes".to_owned(), json!(size))]);
        }
        let number =
            self.waiting.back().map_or(0, |last| last.number).max(self.gone.iter().copied().max().unwrap_or(0));
        let number = number.saturating_add(1);
        self.waiting.push_back(Waiting { event, attempts: 0, next_try: 0, number, saved: false });
    }

    /// What has to be said, the oldest first.
    pub(crate) fn waiting(&self) -> &VecDeque<Waiting> {
        &self.waiting
    }

    /// One of them, to note a try.
    pub(crate) fn tried(&mut self, at: usize) -> Option<&mut Waiting> {
        let waiting = self.waiting.get_mut(at)?;
        waiting.saved = false;
        Some(waiting)
    }

    /// Takes out one that was delivered.
    pub(crate) fn take(&mut self, at: usize) -> Option<Event> {
        let waiting = self.waiting.remove(at)?;
        self.ids.remove(&waiting.event.id);
        self.gone.push(waiting.number);
        Some(waiting.event)
    }

    /// Takes out one by its id.
    pub(crate) fn forget(&mut self, id: &str) {
        if let Some(at) = self.waiting.iter().position(|waiting| waiting.event.id == id) {
            self.take(at);
        }
    }

    /// Whether a host may be looked at: it is remembered, or there is room for one more.
    pub(crate) fn has_room_for_host(&self, key: &str) -> bool {
        self.core.hosts.contains_key(key) || self.core.hosts.len() < MAX_HOSTS
    }
}

fn event_file(number: u64) -> String {
    format!("waiting/{number:020}.json")
}

fn encoded(content: &impl Serialize) -> Result<Vec<u8>, StateError> {
    serde_json::to_vec(content).map_err(|error| StateError::Malformed { path: CORE.into(), problem: error.to_string() })
}

/// A state that is none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StateError {
    /// A file that this program did not write so.
    #[error("the monitor's state is damaged: {} is no part of it: {problem}", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// A remembered head that the log did not sign.
    #[error(
        "the monitor's state is damaged: the newest head that it remembers of {origin} is not one that the log signed"
    )]
    Head {
        /// The log.
        origin: String,
        /// Where the head is kept.
        kept: PathBuf,
    },
    /// A file that would not be read again.
    #[error("{} would have {size} bytes, more than the {limit} that are read", .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its bytes.
        size: u64,
        /// The limit.
        limit: u64,
    },
}

impl Explain for StateError {
    fn exit(&self) -> Exit {
        Exit::Io
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Malformed { .. } | Self::Head { .. } => "monitor-state-malformed",
            Self::TooLarge { .. } => "monitor-state-too-large",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Malformed { .. } => "this says nothing about the log. Restore the file from a backup; without the file of a log, its newest tree head is forgotten; without an event, it is not told".into(),
            Self::Head { kept, .. } => format!(
                "this says nothing about the log: the head is set aside as {}, and the next round begins with what the log shows. Check this machine's disk",
                kept.display()
            ),
            Self::TooLarge { .. } => "watch less with this monitor, or divide what is watched between several".into(),
        })
    }
}
