#![doc = include_str!("../../text/verify.md")]

// Reading order is dependency order.
mod cause;
mod name_error;

mod error;
mod loadable;
pub mod pickle;

mod contents;

mod report;

mod mismatch;

mod completeness;

mod release;

pub use cause::{Cause, MAX_CAUSE};
pub use completeness::{CompleteRecord, Completeness, Uncounted};
pub use contents::{FolderContents, Found, Scope};
pub use error::VerifyError;
pub use loadable::{archive_holds_weights, begins_archive, begins_weights, loadable_by_name, loaded_role};
pub use mismatch::{FolderMismatch, count, names};
pub use name_error::{ListDiffers, NamePart, NameProofRefused};
pub use release::{Expected, VerifiedRelease, verify};
pub use report::{Allow, Content, Difference, Extra, FolderReport, Unusable, WeightsFound, WeightsState};

#[cfg(test)]
mod tests;
