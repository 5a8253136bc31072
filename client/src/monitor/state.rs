//! What a monitor remembers: one file, replaced whole and durably.
//!
//! Where it read to, what it has to say and what it has said move together: an event is in the file before anybody is
//! told, and leaves it after its hook said yes. So after any death each event is delivered at least once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use stele_host::durable::{Dir, DurableError};
use stele_host::exit::{Exit, Explain};
use stele_host::lock::Lock;

use super::event::Event;
use crate::error::Failure;

/// The file in the folder.
const FILE: &str = "state.json";
/// The largest state: ten thousand events of some kilobytes, and the statements of watched releases.
const MAX_STATE: u64 = 256 << 20;
/// What the field `format` says.
const FORMAT: &str = "stele/monitor-state@v1";
/// With so many events waiting, no more entries are read: the log keeps them, we need not.
pub(crate) const MAX_WAITING: usize = 10_000;

/// The memory, held by one process.
#[derive(Debug)]
pub(crate) struct Memory {
    dir: Dir,
    /// What is remembered.
    pub(crate) state: State,
    _lock: Lock,
}

/// What is remembered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct State {
    format: String,
    /// By origin.
    pub(crate) logs: BTreeMap<String, LogState>,
    /// What has to be said, the oldest first.
    pub(crate) waiting: VecDeque<Waiting>,
    /// What is wrong now, by name: since when.
    pub(crate) alerts: BTreeMap<String, u64>,
    /// What each host came to, by coordinate and locator.
    pub(crate) hosts: BTreeMap<String, HostState>,
    /// Leaf hashes of our own observations.
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
    /// The newest head that the policy vouched for, as its signed note.
    pub(crate) head: String,
    /// The first entry that was not looked at.
    pub(crate) next: u64,
    /// The first entry that is reported.
    pub(crate) report_from: u64,
    /// Since when it could not be read.
    pub(crate) unread_since: Option<u64>,
    /// Entries that this program cannot read, which newer ones may.
    pub(crate) unreadable: u64,
    /// What watched publishers said about watched releases: coordinate, then position and bytes in base64.
    pub(crate) releases: BTreeMap<String, BTreeMap<u64, String>>,
    /// Statements of releases beyond the limit, whose hosts are not looked at.
    pub(crate) unkept: u64,
    /// Whether `releases` holds everything from entry 0 on.
    pub(crate) keeps_releases: bool,
    /// What was told of misbehaviour: digests of its kind and heads.
    pub(crate) misbehaviour: BTreeSet<String>,
    /// Heads beyond the log's own that witnesses showed: the note and since when, by the witness's name.
    pub(crate) ahead: BTreeMap<String, Ahead>,
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
    /// Whether what it came to last was told as news.
    pub(crate) told: bool,
    /// Since when it could not be asked.
    pub(crate) unread_since: Option<u64>,
}

impl Memory {
    /// Opens the folder and takes it for this process.
    pub(crate) fn open(folder: &Path) -> Result<Self, Failure> {
        let dir = Dir::open(folder)?;
        let lock = Lock::take(folder.join("lock"))?;
        let path = dir.path_of(FILE);
        let state = match dir.read(FILE, MAX_STATE)? {
            None => State { format: FORMAT.into(), ..State::default() },
            Some(bytes) => read(&bytes).map_err(|problem| StateError { path, problem })?,
        };
        Ok(Self { dir, state, _lock: lock })
    }

    /// Writes what is remembered, durably.
    pub(crate) fn save(&self) -> Result<(), Failure> {
        let bytes = serde_json::to_vec(&self.state)
            .map_err(|error| StateError { path: self.dir.path_of(FILE), problem: error.to_string() })?;
        Ok(self.dir.replace(FILE, &bytes)?)
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
}

impl State {
    /// Lets an event wait for delivery, unless it waits already.
    pub(crate) fn say(&mut self, event: Event) {
        if self.waiting.iter().all(|waiting| waiting.event.id != event.id) {
            self.waiting.push_back(Waiting { event, attempts: 0, next_try: 0 });
        }
    }
}

fn read(bytes: &[u8]) -> Result<State, String> {
    let state: State = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if state.format != FORMAT || !state.waiting.iter().all(|waiting| waiting.event.is_ours()) {
        return Err(format!("expected the format {FORMAT}, found {:?}", state.format));
    }
    Ok(state)
}

/// A state that is none.
#[derive(Debug, thiserror::Error)]
#[error("{} is no state of a monitor: {problem}", .path.display())]
pub(crate) struct StateError {
    path: PathBuf,
    problem: String,
}

impl Explain for StateError {
    fn exit(&self) -> Exit {
        Exit::Inconsistent
    }

    fn code(&self) -> &'static str {
        "monitor-state-malformed"
    }

    fn hint(&self) -> Option<String> {
        Some("restore it from a backup; a monitor that starts with an empty folder no longer knows the newest tree head that it saw".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::event::Kind;
    use serde_json::json;

    #[test]
    fn what_is_saved_is_read_and_anything_else_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let mut memory = Memory::open(home.path()).unwrap();
        let event = || Event::new(Kind::Entry, &["log", "5"], 7, Some("log"), "new".into(), json!({"position": 5}));
        memory.state.say(event());
        memory.state.say(event());
        assert_eq!(memory.state.waiting.len(), 1);
        memory.state.logs.entry("log".into()).or_default().next = 6;
        memory.save().unwrap();
        assert!(Memory::open(home.path()).is_err_and(|failure| failure.as_explain().exit() == Exit::Locked));
        let state = memory.state.clone();
        drop(memory);
        assert_eq!(Memory::open(home.path()).unwrap().state, state);

        let bytes = std::fs::read_to_string(home.path().join(FILE)).unwrap();
        for bad in [
            String::new(),
            bytes.replace("@v1", "@v2"),
            bytes.replace("\"next\"", "\"nxt\""),
            bytes[..bytes.len() - 1].to_owned(),
        ] {
            std::fs::write(home.path().join(FILE), bad).unwrap();
            let failure = Memory::open(home.path()).unwrap_err();
            assert_eq!(failure.as_explain().code(), "monitor-state-malformed");
        }
    }
}
