#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

// Reading order is dependency order: a module uses only modules above it.
mod clock;

pub mod duration;

pub use clock::{Clock, ManualClock, SystemClock};
