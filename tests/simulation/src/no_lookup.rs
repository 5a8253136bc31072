//! Lookups that are none.

use stele_log_core::contract::lookup::{Lookup, LookupKey, LookupRow, LookupUnavailable};
use stele_spec::hash::RootHash;

/// No lookups: nothing that is decided rests on them.
#[derive(Debug)]
pub(crate) struct NoLookup;

impl Lookup for NoLookup {
    fn extend(&self, _: &[LookupRow], _: u64, _: RootHash) {}

    fn positions(&self, _: LookupKey<'_>, _: u64) -> Result<Vec<u64>, LookupUnavailable> {
        Ok(Vec::new())
    }

    fn away(&self) -> Option<LookupUnavailable> {
        None
    }

    fn behind(&self) -> u64 {
        0
    }

    fn flush(&self) {}
}
