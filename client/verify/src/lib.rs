#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

// Reading order is dependency order: a module uses only modules above it.
pub mod skipped;

#[cfg(feature = "folder")]
pub mod bounded_read;
#[cfg(feature = "folder")]
pub mod policy_file;

#[cfg(feature = "folder")]
pub mod folder;

pub use stele_explain::{Exit, Explain, Failure};
pub use stele_spec::hash::{Digest, KeyId};
pub use stele_spec::manifest::{FilePath, Manifest};
pub use stele_spec::name::{Coordinate, Publisher};
pub use stele_spec::policy::{Policy, TrustedCheckpoint};
pub use stele_spec::statement::Release;
pub use stele_spec::verify::{
    Allow, CompleteRecord, Completeness, Content, Difference, Expected, Extra, FolderContents, FolderMismatch,
    FolderReport, Found, Scope, Unusable, VerifiedRelease, VerifyError, WeightsFound, WeightsState, verify,
};

#[cfg(feature = "folder")]
pub use folder::{FolderError, read_folder, verify_folder, verify_folder_allowing};
#[cfg(feature = "folder")]
pub use policy_file::find_policy;
