#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

// Reading order is dependency order: a module uses only modules above it.
pub mod output;

pub mod schema;
pub mod volume;

pub mod prompt;

pub mod finish;

pub mod checks;

pub mod writers;
