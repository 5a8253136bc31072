#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

// Reading order is dependency order: a module uses only modules above it.
pub mod credentials;

pub mod location;

mod timestamp;

mod signature;

mod answer;

pub mod s3_bucket;

#[cfg(feature = "simulated")]
pub mod simulated;
