#![doc = include_str!("../README.md")]
#![deny(unsafe_code)]

// Reading order is dependency order: a module uses only modules above it.
mod block;

#[cfg(target_arch = "x86_64")]
mod sha_ni;

mod lanes;

pub use block::{Block, INITIAL_STATE, State};
pub use lanes::{LANES, Lane, compress};
