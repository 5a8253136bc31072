#![doc = include_str!("../README.md")]

// A module uses only those above it.
mod answer;

mod metrics;

mod log_slot;

mod cosigner;

pub mod http;

pub use answer::{StepAnswer, Unavailable};
pub use cosigner::{IndexCosigner, IndexHealth, IndexedLog, Parts, Prepared};

#[cfg(test)]
mod testkit;
