//! Whether the weights of the record are here. Their digest is said only where every file that it covers was compared.

use std::collections::BTreeSet;

use stele_spec::manifest::{FilePath, Manifest, Role};

use super::{Comparison, hides};

/// Whether the weights of a release are here, of how many files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Weights {
    /// The word.
    pub(crate) state: WeightsState,
    /// Files of weights that are here and match.
    pub(crate) here: usize,
    /// Files of weights in the record.
    pub(crate) of: usize,
}

/// What was found of the weights.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum WeightsState {
    /// All are here and match, so that their digest is the recorded one.
    Match,
    /// One of them is another content, or unusable.
    Differ,
    /// Some or all are not here.
    #[default]
    NotHere,
}

impl WeightsState {
    /// A stable word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::Differ => "differ",
            Self::NotHere => "not here",
        }
    }
}

impl Comparison {
    /// What is known of the weights. Their digest covers all of them, so that one that is not here leaves it unknown.
    pub(super) fn weigh(&mut self, manifest: &Manifest) {
        let weights: Vec<&FilePath> =
            manifest.files().iter().filter(|file| file.role == Role::Weights).map(|file| &file.path).collect();
        let matching: BTreeSet<&FilePath> = self.matching.iter().collect();
        let here = weights.iter().filter(|path| matching.contains(*path)).count();
        let differ = |path: &&FilePath| {
            self.differing.iter().any(|file| file.path == **path)
                || self.unusable.iter().any(|(odd, ..)| hides(odd, path))
        };
        let state = if weights.iter().any(differ) {
            WeightsState::Differ
        } else if here == weights.len() && here > 0 {
            WeightsState::Match
        } else {
            WeightsState::NotHere
        };
        self.weights = Weights { state, here, of: weights.len() };
    }
}
