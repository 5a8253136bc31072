#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

// Reading order is dependency order: a module uses only modules above it.
pub mod served;

pub mod public_checkpoint;

pub mod objects;

pub mod head_store;

pub mod lock_watch;
