//! The names of a release, as far as they are given.

use stele_spec::name::{Model, Publisher, Variant, Version};

/// The names that the command line gives.
#[derive(Debug)]
pub(crate) struct Names {
    /// Who releases it.
    pub(crate) publisher: Publisher,
    /// The model.
    pub(crate) model: Option<Model>,
    /// The version.
    pub(crate) version: Option<Version>,
    /// Which object.
    pub(crate) variant: Option<Variant>,
}
