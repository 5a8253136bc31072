#![doc = include_str!("../README.md")]

// A module uses only those above it.
pub mod trust;

pub mod request;

pub mod keyring;

pub mod decide;

pub mod cosigned;

pub mod subtree;

pub mod mark;

pub mod group_commit;

pub mod state;

pub mod evidence;

pub mod held;

pub mod allowance;

pub mod message_rate;

pub mod counters;

pub mod answer;

pub mod log_slot;

pub mod witness;

pub mod exposition;

#[cfg(any(test, feature = "samples"))]
pub mod samples;
