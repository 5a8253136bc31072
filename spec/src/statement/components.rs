//! What is included: the 17 components of the Model Openness Framework 1.0, and five that it does not have.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::field::Problems;
use super::{ComponentId, FieldError, Line, Prose};
use crate::canonical::vocabulary;

impl ComponentId {
    /// Whether the Model Openness Framework 1.0 has it.
    pub fn is_mof(self) -> bool {
        !matches!(
            self,
            Self::PostTrainingData
                | Self::TrainingLogs
                | Self::SafetyClassifiers
                | Self::SystemPrompts
                | Self::UsagePolicy
        )
    }
}

vocabulary! {
    /// Whether a component is included.
    pub enum Included {
        /// All of it.
        Yes = "yes",
        /// Some of it.
        Partial = "partial",
        /// None of it.
        No = "no",
    }
}

/// One component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// Whether it is included.
    pub included: Included,
    /// Its licence, an SPDX expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<Line>,
    /// Where it is: a path among the files, or a locator.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<Line>,
    /// Why it is not, or only partly, included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Prose>,
}

pub(super) fn check(components: &BTreeMap<ComponentId, Component>, problems: &mut Problems) {
    for &component in ComponentId::ALL {
        match components.get(&component) {
            None => problems.push(FieldError::ComponentMissing { component }),
            Some(Component { license: Some(license), .. }) => {
                problems.license(&format!("components.{component}.license"), license);
            }
            Some(_) => {}
        }
    }
}
