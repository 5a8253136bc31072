#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

// Reading order is dependency order: a module uses only modules above it.
#[cfg(target_arch = "x86_64")]
mod sha_ni;

mod lanes;

pub use lanes::{Block, INITIAL_STATE, LANES, Lane, State, compress};
