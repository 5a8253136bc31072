#![doc = include_str!("../README.md")]

// A module uses only those above it.
mod answer;

mod metrics;

mod replay;

mod log_slot;

mod cosigner;

pub mod http;

pub use answer::{StepAnswer, Unavailable};
pub use cosigner::{IndexCosigner, IndexHealth, IndexedLog, Parts, Prepared};
pub use replay::EntryCopy;

#[cfg(test)]
mod testkit;
