#![doc = include_str!("../README.md")]

// A module uses only those above it.
pub mod trusted_log;

pub mod request;

pub mod signer;

pub mod decide;

pub mod record;

pub mod wall_clock;

pub mod subtree;

pub mod mark;

pub mod group_commit;

pub mod state;

pub mod evidence;

pub mod held;

pub mod daily_quota;

pub mod message_rate;

pub mod counters;

pub mod answer;

pub mod log_slot;

pub mod witness;

#[cfg(any(test, feature = "samples"))]
pub mod samples;
