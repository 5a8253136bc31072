//! Where entries are, as the log's own index and registry know it: what needs no database.
//!
//! Under the published head. Nothing here is proven: who relies on completeness asks for the name proof ([`crate::name_proofs`]).

use crate::contract::lookup::{LookupUnavailable, MAX_POSITIONS};
use crate::running_log::RunningLog;
use std::sync::PoisonError;
use stele_spec::hash::LeafHash;
use stele_spec::index::Subject;
use stele_spec::registration::View as _;

/// The positions that the index lists under any of the subjects, ascending, from `from` on; at most [`MAX_POSITIONS`].
pub fn listed(log: &RunningLog, subjects: &[Subject], from: u64) -> Result<Vec<u64>, LookupUnavailable> {
    let keys: Vec<_> = subjects.iter().map(Subject::key).collect();
    let index = log.index.read().unwrap_or_else(PoisonError::into_inner);
    let settled = index.settled();
    if log.published().is_none_or(|published| published.size() != settled.position()) {
        return Err(LookupUnavailable::NoIndex);
    }
    let mut positions = Vec::new();
    for key in &keys {
        let all = settled.positions(key);
        let start = all.partition_point(|position| *position < from);
        positions.extend(all.iter().skip(start).take(MAX_POSITIONS).copied());
    }
    positions.sort_unstable();
    positions.dedup();
    positions.truncate(MAX_POSITIONS);
    Ok(positions)
}

/// The position of the published statement with this leaf hash.
pub fn of_leaf(log: &RunningLog, leaf: &LeafHash) -> Option<u64> {
    let position = log.registry().position_of(leaf)?;
    log.published().filter(|published| position < published.size()).map(|_| position)
}
