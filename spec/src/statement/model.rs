//! What is released: its names and its kind.

use serde::{Deserialize, Serialize};

use super::field::Problems;
use super::{Artifact, FieldError, Line, Purl, Slug};
use crate::name::{Model, Variant, Version};

/// The most formats of one release.
pub const MAX_FORMATS: usize = 16;
/// The most modalities of one model.
pub const MAX_MODALITIES: usize = 16;

/// The names of the model and what kind of object it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelInfo {
    /// Its name, within the publisher.
    pub name: Model,
    /// Its version.
    pub version: Version,
    /// Which object of the version.
    pub variant: Variant,
    /// Which kind of object.
    pub artifact: Artifact,
    /// The formats of its weights: `safetensors`, `gguf`.
    pub formats: Vec<Slug>,
    /// How it is quantized, or in which few bits it was trained: `Q4_K_M`, `fp8`. A quantized artifact has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantization: Option<Line>,
    /// The family it is marketed under; never a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<Line>,
    /// How many parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<u64>,
    /// Its architecture, as its configuration names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<Line>,
    /// What goes in and comes out: `text`, `image`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modalities: Vec<Slug>,
    /// Its package URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purl: Option<Purl>,
}

/// What is said of a model beside its names. An amendment may correct it, whole; names and weights are for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFacts {
    /// Which kind of object.
    pub artifact: Artifact,
    /// The formats of its weights.
    pub formats: Vec<Slug>,
    /// How it is quantized, or in which few bits it was trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantization: Option<Line>,
    /// The family it is marketed under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<Line>,
    /// How many parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<u64>,
    /// Its architecture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<Line>,
    /// What goes in and comes out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modalities: Vec<Slug>,
    /// Its package URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purl: Option<Purl>,
}

impl ModelFacts {
    pub(super) fn check(&self, problems: &mut Problems) {
        problems.at_least_one("model.formats", &self.formats);
        problems.at_most("model.formats", &self.formats, MAX_FORMATS);
        problems.different("model.formats", &self.formats);
        problems.at_most("model.modalities", &self.modalities, MAX_MODALITIES);
        problems.different("model.modalities", &self.modalities);
        match (self.artifact, &self.quantization) {
            (Artifact::Quantized, None) => problems.push(FieldError::QuantizationMissing),
            (artifact @ (Artifact::Adapter | Artifact::HostedService), Some(_)) => {
                problems.push(FieldError::QuantizationUnexpected { artifact })
            }
            // A model can be trained in few bits: it was made of no other for that.
            (_, Some(_) | None) => {}
        }
    }
}

impl ModelInfo {
    pub(super) fn check(&self, problems: &mut Problems) {
        self.facts().check(problems);
    }

    /// All but the names.
    pub fn facts(&self) -> ModelFacts {
        ModelFacts {
            artifact: self.artifact,
            formats: self.formats.clone(),
            quantization: self.quantization.clone(),
            family: self.family.clone(),
            parameters: self.parameters,
            architecture: self.architecture.clone(),
            modalities: self.modalities.clone(),
            purl: self.purl.clone(),
        }
    }

    /// Replaces all but the names.
    pub fn set_facts(&mut self, facts: ModelFacts) {
        let ModelFacts { artifact, formats, quantization, family, parameters, architecture, modalities, purl } = facts;
        let (name, version, variant) = (self.name.clone(), self.version.clone(), self.variant.clone());
        *self = Self {
            name,
            version,
            variant,
            artifact,
            formats,
            quantization,
            family,
            parameters,
            architecture,
            modalities,
            purl,
        };
    }
}
