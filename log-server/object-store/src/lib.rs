#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

// Reading order is dependency order: a module uses only modules above it.
pub mod key;

pub mod bucket;

pub mod object_store;

pub mod record;

pub mod lock;

pub mod chain;

pub mod probe;

#[cfg(feature = "simulated")]
pub mod memory;

#[cfg(feature = "simulated")]
pub mod conformance;
