#![doc = include_str!("../../text/misbehaviour.md")]

mod error;
mod evidence;
mod format;
mod heads;
mod index_root;
mod index_step;
mod known;
mod logged;
mod registration;
mod swap;
mod verdict;
mod wire;

#[cfg(test)]
mod tests;

pub use error::{EvidenceError, Unproven};
pub use evidence::Misbehaviour;
pub use format::{EXTENSION, Kind, MAX_EVIDENCE, MAX_SHOWN, MAX_TOUCHED};
pub use heads::{ImpossibleHead, Prefix, Rollback, SplitView};
pub use index_root::WrongIndexRoot;
pub use index_step::WrongIndexStep;
pub use known::KnownKeys;
pub use logged::Logged;
pub use registration::{DUPLICATE_ENTRY, KeyHistory, MALFORMED_ENTRY, RegistrationViolated};
pub use swap::SilentSwap;
pub use verdict::{Accused, Verdict};
