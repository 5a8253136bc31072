#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

// Reading order is dependency order: a module uses only modules above it.
mod error;

mod lookups;

mod pins;

mod inherited;

mod namespace;

mod copies;

mod freeze;

mod view;

mod start;

pub use copies::{Copied, Copies};
pub use error::ViewError;
pub use inherited::Inherited;
pub use namespace::{Namespace, Right};
pub use pins::Pins;
pub use start::{become_command, mount};
pub use view::View;
