//! What this machine remembers of logs: every tree head it relied on, and what it was told when it asked.
//!
//! A log that shows one history here and another there is found out when somebody holds both heads. So each head that the
//! policy vouched for is kept, and each later one is compared with those: offline by size and root, online by the log's own
//! tiles. What was learnt online about a name is kept as well, with its proofs. Everything here is checked again when it is
//! read: who can write here can make this machine forget, and no more.
//!
//! ```text
//! $STELE_STATE, else $XDG_STATE_HOME/stele, else ~/.local/state/stele
//!   heads/<log>/<size>            a signed note as it came; <log> is the SHA-256 of the log's verifier key
//!   heads/<log>.linked            sizes and roots that are known to be of one tree
//!   heads/<log>/<size>.damaged    what stood there and was no head of the log: set aside
//!   told/<log>/<name>.json        what a log proved about a coordinate; <name> is the SHA-256 of the coordinate
//!   keys/<log>/<name>.json        key statements that were proven here; <name> is the SHA-256 of the publisher's name
//!   evidence/                     what convicts a log; never written over
//!   bundles/<SHA-256>.stele       a bundle that publish could not write to its place
//! ```

mod folder;
mod log_id;

mod conflict;

mod conviction;

mod seen_checkpoints;

mod cached_answer;

mod cached_answer_file;

mod known_keys;

mod cached_answers;
#[cfg(test)]
mod tests;

pub use cached_answer::CachedAnswer;
pub use conflict::{LogInconsistent, Stale};
pub use conviction::LogConvicted;
pub use folder::LocalState;
pub use log_id::LogId;
