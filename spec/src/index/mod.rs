#![doc = include_str!("../../text/index.md")]

mod bucket;
mod builder;
mod chunks;
mod key;
mod list;
mod listing;
mod memory;
mod node;
mod path;
mod patricia;
mod settled;
mod sorted;
mod subject;
mod transition;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod vectors;

/// The most entries between two index entries: with both of them they are what one file of evidence shows
/// ([`crate::misbehaviour::MAX_SHOWN`]), so that every wrong index root can be proven.
pub const MAX_BETWEEN: usize = 1022;

/// The most keys that one statement is listed under: an incident names each coordinate, and all that encloses it.
pub const MAX_KEYS: usize = 4 * crate::statement::MAX_AFFECTED;

pub use bucket::{Bucket, Leaf, MAX_BUCKET};
pub(crate) use bucket::{Parted, part, subtree};
pub use builder::{Index, IndexError, Staged};
pub use key::{Kind, Subject, keys_of, subjects_of};
pub use listing::{Listing, Pointer, Value};
pub use node::{Subtree, empty_root, genesis};
pub(crate) use node::{bit_of, first_difference};
pub use path::{Absence, Path, PathError, Proof, Step};
pub use patricia::{Inner, Journal, Link, LinkTo, NodeStore, Nodes, Way};
pub use settled::Settled;
pub(crate) use sorted::root_of_subtrees;
pub use sorted::{Unsorted, root_of_sorted};
pub use subject::{MAX_SUBJECT, SubjectError};
pub use transition::{Old, Touched, Transition, TransitionError, check_transition};
pub(crate) use transition::{check_positions, sorted_by_key};
