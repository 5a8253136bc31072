//! What a monitor remembers, in files that grow on their own and are replaced whole, durably, and only when they changed.
//!
//! | file | holds | is at most |
//! |---|---|---|
//! | `logs/<digest>.json` | a log: the newest heads, where it read to, the frontiers of watched lists | [`Limits::log`] |
//! | `releases/<digest>.json` | the statements about one watched release | [`Limits::release`], all of them [`Limits::releases`] |
//! | `waiting/<number>.json` | an event that is not delivered | [`Limits::event`] |
//! | `state.json` | hosts, alerts, observations | [`Limits::core`] |
//! | `evidence/`, `observations/`, `damaged/` | what never changes | |
//!
//! An event is on the disk before the position after its cause is, and leaves it after its hook said yes. So after any death each event
//! is delivered at least once: an entry that is read again leads to an event of the same id. Nothing is written that would not be
//! read: what is too large is refused before, and the heads are written first.

mod error;
mod limits;

mod files;

mod releases;

mod coverage;

mod remembered;

mod old;

mod state_file;
#[cfg(test)]
mod tests;

pub(crate) use coverage::{KnownList, SeenHead, written};
pub(crate) use error::StateError;
pub(crate) use limits::{MAX_MISBEHAVIOUR, MAX_WAITING};
pub(crate) use releases::Releases;
pub(crate) use remembered::{Ahead, HostState, LogState, State};
pub(crate) use state_file::StateFile;
