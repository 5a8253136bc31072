//! The state of earlier versions: one JSON file with everything in it, read once and taken apart.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::Deserialize;
use stele_durable::Dir;
use stele_explain::Failure;

use super::error::StateError;
use super::files::{CORE, FORMAT};
use super::releases::Releases;
use super::remembered::{Ahead, Core, HostState, LogState, State, Waiting};

/// What its field `format` says.
const OLD_FORMAT: &str = "stele/monitor-state@v1";
/// The largest that is read. Earlier versions wrote more than the 256 MiB that they read.
const MAX_OLD: u64 = 4 << 30;
/// The beginning of the file, by which it is known without reading the rest.
const BEGINNING: &[u8] = b"{\"format\":\"stele/monitor-state@v1\"";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OldState {
    format: String,
    logs: BTreeMap<String, OldLog>,
    waiting: VecDeque<Waiting>,
    alerts: BTreeMap<String, u64>,
    hosts: BTreeMap<String, HostState>,
    own: BTreeSet<String>,
    unsent: BTreeMap<String, String>,
    delivered: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OldLog {
    head: String,
    next: u64,
    report_from: u64,
    unread_since: Option<u64>,
    unreadable: u64,
    releases: BTreeMap<String, BTreeMap<u64, String>>,
    unkept: u64,
    keeps_releases: bool,
    misbehaviour: BTreeSet<String>,
    ahead: BTreeMap<String, Ahead>,
}

/// The state in the form of earlier versions, if it is there.
pub(super) fn read(dir: &Dir) -> Result<Option<State>, Failure> {
    use std::io::Read as _;
    let path = dir.path_of(CORE);
    let Some((file, _)) = dir.open_file(CORE)? else { return Ok(None) };
    let mut beginning = Vec::new();
    let read = file.take(BEGINNING.len() as u64).read_to_end(&mut beginning);
    if read.is_err() || beginning != BEGINNING {
        return Ok(None);
    }
    let bytes = dir.read(CORE, MAX_OLD)?.unwrap_or_default();
    let malformed = |problem: String| StateError::Malformed { path: path.clone(), problem };
    let old: OldState = serde_json::from_slice(&bytes).map_err(|error| malformed(error.to_string()))?;
    if old.format != OLD_FORMAT || !old.waiting.iter().all(|waiting| waiting.event.is_ours()) {
        return Err(malformed(format!("expected the format {OLD_FORMAT}, found {:?}", old.format)).into());
    }
    Ok(Some(taken_apart(old)))
}

fn taken_apart(old: OldState) -> State {
    let mut state = State::default();
    let OldState { logs, waiting, alerts, hosts, own, unsent, delivered, .. } = old;
    state.core = Core { format: FORMAT.into(), alerts, hosts, own, unsent, delivered };
    for (origin, log) in logs {
        let mut now = LogState {
            origin: origin.clone(),
            head: log.head,
            next: log.next,
            report_from: log.report_from,
            unread_since: log.unread_since,
            behind_since: None,
            unreadable: log.unreadable,
            unkept: log.unkept,
            keeps_releases: log.keeps_releases,
            misbehaviour: log.misbehaviour,
            ahead: log.ahead,
            heads: Vec::new(),
            end: String::new(),
            lists: BTreeMap::new(),
            releases: Releases::default(),
        };
        for (name, statements) in log.releases {
            for (position, statement) in statements {
                now.unkept += u64::from(!now.releases.keep(&name, position, statement));
            }
        }
        state.logs.insert(origin, now);
    }
    for Waiting { event, attempts, next_try, .. } in waiting {
        state.say(event);
        if let Some(last) = state.waiting.back_mut() {
            (last.attempts, last.next_try) = (attempts, next_try);
        }
    }
    state
}
