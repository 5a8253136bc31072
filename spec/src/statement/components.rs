//! What is included: the 17 components of the Model Openness Framework 1.0, and five that it does not have.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::field::Problems;
use super::{FieldError, Line, Prose};
use crate::canonical::vocabulary;

vocabulary! {
    /// The parts of which a release says whether it includes them.
    pub enum ComponentId {
        /// Training, validation and testing data.
        Datasets = "datasets",
        /// Code that cleans and prepares data.
        DataPreprocessingCode = "data-preprocessing-code",
        /// Code of the architecture.
        ModelArchitecture = "model-architecture",
        /// The final parameters.
        ModelParametersFinal = "model-parameters-final",
        /// Parameters from the middle of training.
        ModelParametersIntermediate = "model-parameters-intermediate",
        /// Training configuration, optimizer states.
        ModelMetadata = "model-metadata",
        /// Code that trains, validates and tests.
        TrainingCode = "training-code",
        /// Code that runs the model.
        InferenceCode = "inference-code",
        /// Code that evaluates it.
        EvaluationCode = "evaluation-code",
        /// Data that it is evaluated on.
        EvaluationData = "evaluation-data",
        /// What came out.
        EvaluationResults = "evaluation-results",
        /// Libraries and tools used.
        SupportingLibraries = "supporting-libraries",
        /// The model card.
        ModelCard = "model-card",
        /// The data card.
        DataCard = "data-card",
        /// The technical report.
        TechnicalReport = "technical-report",
        /// The research paper.
        ResearchPaper = "research-paper",
        /// Examples of what it says.
        SampleModelOutputs = "sample-model-outputs",
        /// Data of post-training: preferences, demonstrations.
        PostTrainingData = "post-training-data",
        /// Logs of training.
        TrainingLogs = "training-logs",
        /// Classifiers that look at what goes in and comes out.
        SafetyClassifiers = "safety-classifiers",
        /// The system prompts it is meant to run with.
        SystemPrompts = "system-prompts",
        /// What may be done with it.
        UsagePolicy = "usage-policy",
    }
}

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
