#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

// Reading order is dependency order: a module uses only modules above it.
pub mod secrets;

pub mod printable;

mod exit;

mod explain;

mod table;

mod failure;

pub use exit::Exit;
pub use explain::{Explain, causes, json, text};
pub use failure::Failure;
#[doc(hidden)]
pub use table::Hint;
