#![doc = include_str!("../README.md")]

// A module uses only those above it.
mod store;

mod upload;

mod receive;

mod verify;

mod copy;

mod error;

mod metrics;

mod log_slot;

mod mirror;

mod push;

pub mod http;

pub mod http_push;

pub use copy::{AT_ONCE, CopyError, copy};
pub use error::MirrorError;
pub use metrics::CopyOutcome;
pub use mirror::{Mirror, MirrorHealth, MirroredLog, Parts, Prepared};
pub use push::{MAX_EXCESS, Pushed};
pub use receive::{MAX_PACKAGES, ReceiveError, Received, finish, receive};
pub use store::Store;
pub use upload::{Package, Upload, UploadError, first_of, info};
pub use verify::{NotWhole, Whole, verify};
