//! How open a release is said to be. Whether it is, auditors compute from the components and licences.

use serde::{Deserialize, Serialize};

use super::field::Problems;
use super::{Basis, FieldError};
use crate::canonical::vocabulary;

vocabulary! {
    /// What is claimed.
    pub enum OpennessClaim {
        /// All of data, code, weights, logs and results.
        OpenScience = "open-science",
        /// Enough to use, study, modify and share.
        OpenSource = "open-source",
        /// Weights and architecture under open terms.
        OpenModel = "open-model",
        /// The weights can be had.
        OpenWeight = "open-weight",
        /// No openness.
        None = "none",
    }
}

vocabulary! {
    /// The classes of the Model Openness Framework, the most open first.
    pub enum MofClass {
        /// Open science.
        I = "I",
        /// Open tooling.
        II = "II",
        /// Open model.
        III = "III",
    }
}

/// The claim of openness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Openness {
    /// What is claimed.
    pub claim: OpennessClaim,
    /// By which definition.
    pub basis: Basis,
    /// The class, if the definition has classes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<MofClass>,
}

impl Openness {
    pub(super) fn check(&self, problems: &mut Problems) {
        if (self.basis == Basis::Mof10) != self.class.is_some() {
            problems.push(FieldError::ClassDiffers { basis: self.basis });
        }
    }
}
