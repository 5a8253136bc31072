//! What an auditor remembers of the entries so far, and who is whose kin.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::ledger::{ByDigest, Known, MAX_DESCENDANTS, Reported, name_digest};
use super::rows::Rows;
use crate::name::Coordinate;

/// The most ancestors that are followed up from one release: each release asks for its own, so that a chain of them costs
/// its length times this.
const MAX_ANCESTORS: usize = 1_024;

/// The auditor's memory. It holds no releases but those that were changed often, and can be written down and read back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    pub(super) releases: Rows<Known>,
    /// Coordinates, by the SHA-256 of their text.
    pub(super) names: ByDigest,
    /// The first release of each weights digest.
    pub(super) weights: ByDigest,
    /// The first release of each weights file.
    pub(super) files: ByDigest,
    pub(super) incidents: Rows<Reported>,
    /// Incidents, by the SHA-256 of speaker and id.
    pub(super) incident_names: ByDigest,
}

impl Findings {
    pub(super) fn find(&self, coordinate: &Coordinate) -> Option<usize> {
        self.names.get(&name_digest(coordinate)).copied()
    }

    pub(super) fn known(&self, coordinate: &Coordinate) -> Option<&Known> {
        self.releases.get(self.find(coordinate)?)
    }

    pub(super) fn remember(&mut self, known: Known) -> usize {
        let number = self.releases.len();
        self.names.insert(name_digest(&known.name), number);
        self.weights.entry(known.weights).or_insert(number);
        self.releases.push(known);
        number
    }

    /// Everything above a release, the nearest first, itself left out.
    pub(super) fn ancestors(&self, number: usize) -> Vec<usize> {
        self.kin(number, MAX_ANCESTORS, |known| &known.parents)
    }

    /// Everything below it, in the same order.
    pub(super) fn descendants(&self, number: usize) -> Vec<usize> {
        self.kin(number, MAX_DESCENDANTS, |known| &known.children)
    }

    fn kin(&self, number: usize, most: usize, next: impl Fn(&Known) -> &Vec<usize>) -> Vec<usize> {
        let mut found = Vec::new();
        let mut seen = BTreeSet::from([number]);
        let mut generation = vec![number];
        while !generation.is_empty() && found.len() < most {
            let mut after = Vec::new();
            for known in generation.iter().filter_map(|&number| self.releases.get(number)) {
                after.extend(next(known).iter().copied().filter(|&kin| seen.insert(kin)));
            }
            found.extend(&after);
            generation = after;
        }
        found.truncate(most);
        found
    }
}
