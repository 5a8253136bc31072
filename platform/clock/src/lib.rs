#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

// Reading order is dependency order: a module uses only modules above it.
#[cfg(not(target_family = "wasm"))]
mod clock;

pub mod duration;

#[cfg(not(target_family = "wasm"))]
pub use clock::{Clock, ManualClock, SystemClock};
