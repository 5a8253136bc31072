//! The names of a release, as far as they are given.

use stele_spec::name::{Model, Publisher, Variant, Version};

/// The names that the command line gives.
#[derive(Debug, Default)]
pub struct Names {
    /// Who releases it.
    pub publisher: Option<Publisher>,
    /// The model.
    pub model: Option<Model>,
    /// The version.
    pub version: Option<Version>,
    /// Which object.
    pub variant: Option<Variant>,
}
