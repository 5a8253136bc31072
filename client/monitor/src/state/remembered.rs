//! What a monitor remembers between two rounds.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::coverage::{KnownList, SeenHead};
use super::limits::{Limits, MAX_HOSTS};
use super::releases::Releases;
use crate::event::Event;

/// What is remembered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// By origin.
    pub logs: BTreeMap<String, LogState>,
    /// What is of no log.
    pub core: Core,
    pub(super) waiting: VecDeque<Waiting>,
    /// The ids of what waits.
    pub(super) ids: HashSet<String>,
    /// The numbers of delivered events whose files are still there.
    pub(super) gone: Vec<u64>,
}

/// What is of no log, no release and no event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Core {
    pub(super) format: String,
    /// What is wrong now, by name: since when.
    pub alerts: BTreeMap<String, u64>,
    /// What each host came to, by coordinate and locator.
    pub hosts: BTreeMap<String, HostState>,
    /// Leaf hashes of our own observations that the log did not show yet.
    pub own: BTreeSet<String>,
    /// Observations that are kept and not submitted yet: leaf hash to origin.
    pub unsent: BTreeMap<String, String>,
    /// How many events were delivered, ever.
    pub delivered: u64,
}

/// What is remembered of a log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogState {
    pub(super) origin: String,
    /// The newest head that the policy vouched for, as its signed note. Its signature is checked whenever it is used.
    pub head: String,
    /// The first entry that was not looked at.
    pub next: u64,
    /// The first entry that is reported.
    pub report_from: u64,
    /// Since when it could not be read.
    pub unread_since: Option<u64>,
    /// Since when it shows an older head than it showed before.
    pub behind_since: Option<u64>,
    /// Entries that this program cannot read, which newer ones may.
    pub unreadable: u64,
    /// Statements of releases beyond the limits, whose hosts are not looked at.
    pub unkept: u64,
    /// Whether `releases` holds everything from entry 0 on.
    pub keeps_releases: bool,
    /// What was told of misbehaviour: digests of its kind and heads.
    pub misbehaviour: BTreeSet<String>,
    /// Heads beyond the log's own that witnesses showed: the note and since when, by the witness's name.
    pub ahead: BTreeMap<String, Ahead>,
    /// Heads that were the newest, the smallest tree first: the first that was seen, and the newest.
    #[serde(default)]
    pub heads: Vec<SeenHead>,
    /// The newest note in which the log said that it has ended; empty where it never did.
    #[serde(default)]
    pub end: String,
    /// What the index lists under watched names, by subject; empty where entries are read.
    #[serde(default)]
    pub lists: BTreeMap<String, KnownList>,
    /// What watched publishers said about watched releases, in files of their own.
    #[serde(skip)]
    pub releases: Releases,
}

impl LogState {
    /// The first line of its checkpoints.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Whether anything of it was looked at before.
    pub fn looked_at_any(&self) -> bool {
        self.next > 0 || !self.lists.is_empty()
    }
}

/// A head that a witness cosigned and the log did not show yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ahead {
    /// The signed note.
    pub note: String,
    /// When it was seen first.
    pub since: u64,
}

/// An event that is not delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiting {
    /// The event.
    pub event: Event,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next, in seconds since 1970.
    pub next_try: u64,
    /// Its file's number: the order of the queue.
    #[serde(skip)]
    pub(super) number: u64,
    /// Whether the file is as this is.
    #[serde(skip)]
    pub(super) saved: bool,
}

/// What a host came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostState {
    /// When it was looked at.
    pub looked: u64,
    /// The result that was said last: `match`, `differs`, `absent`, `unlogged`; none before the first.
    pub result: Option<String>,
    /// What makes it this result and no other: revision and digests.
    pub detail: String,
    /// Digest of the paths beside the record that a loader would take; empty without any.
    #[serde(default)]
    pub loadable: String,
    /// Whether what it came to last was told as news.
    pub told: bool,
    /// Since when it could not be asked.
    pub unread_since: Option<u64>,
}

impl State {
    /// Lets an event wait for delivery, unless it waits already. One that is too large to be kept loses its details.
    pub fn say(&mut self, mut event: Event) {
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

    /// What was noted while this machine's clock was ahead counts from now on: a moment that has not come would keep alarms and deliveries back until it
    /// comes. No pause before a delivery is longer than `longest`, in seconds.
    pub fn forget_future(&mut self, now: u64, longest: u64) {
        let of_logs = self.logs.values_mut().flat_map(|log| {
            let ahead = log.ahead.values_mut().map(|ahead| &mut ahead.since);
            log.unread_since.iter_mut().chain(&mut log.behind_since).chain(ahead)
        });
        let of_hosts = self.core.hosts.values_mut().filter_map(|host| host.unread_since.as_mut());
        of_logs.chain(of_hosts).for_each(|since| *since = now.min(*since));
        for waiting in &mut self.waiting {
            if waiting.next_try > now.saturating_add(longest) {
                (waiting.next_try, waiting.saved) = (now, false);
            }
        }
    }

    /// What has to be said, the oldest first.
    pub fn waiting(&self) -> &VecDeque<Waiting> {
        &self.waiting
    }

    /// One of them, to note a try.
    pub fn tried(&mut self, at: usize) -> Option<&mut Waiting> {
        let waiting = self.waiting.get_mut(at)?;
        waiting.saved = false;
        Some(waiting)
    }

    /// Takes out one that was delivered.
    pub fn take(&mut self, at: usize) -> Option<Event> {
        let waiting = self.waiting.remove(at)?;
        self.ids.remove(&waiting.event.id);
        self.gone.push(waiting.number);
        Some(waiting.event)
    }

    /// Takes out one by its id.
    pub fn forget(&mut self, id: &str) {
        if let Some(at) = self.waiting.iter().position(|waiting| waiting.event.id == id) {
            self.take(at);
        }
    }

    /// Whether a host may be looked at: it is remembered, or there is room for one more.
    pub fn has_room_for_host(&self, key: &str) -> bool {
        self.core.hosts.contains_key(key) || self.core.hosts.len() < MAX_HOSTS
    }
}
