#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

// Reading order is dependency order: a module uses only modules above it.
pub mod reference;

pub mod document;

mod error;

mod address;

pub mod challenge;

mod credentials;

pub mod registry;

mod referrers;

pub mod archive;

mod settings;

pub mod layers;

mod attach;

mod push;

pub use attach::{Attachment, attach};
pub use document::{Descriptor, Document, Image, MAX_MANIFEST, RELEASE_TYPE};
pub use error::OciError;
pub use layers::{ArtifactContents, contents};
pub use push::{Pushed, push};
pub use reference::{At, Reference, ReferenceError};
pub use referrers::{Attached, NotAttached, Referrers, Way};
pub use registry::{Artifact, Registry, RegistryOptions};
pub use settings::{Setting, settings};
