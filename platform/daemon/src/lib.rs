#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

// Reading order is dependency order: a module uses only modules above it.
pub mod announce;

pub mod config;

pub mod events;

pub mod shutdown;

pub mod metrics;
