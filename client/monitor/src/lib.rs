#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

// Reading order is dependency order: a module uses only modules above it.
mod messages;

mod config;
mod event;

mod hook;

mod state;

mod alert;
mod watch;
mod watched_log;

mod contradiction;
mod deliver;
mod entry_filter;
mod seen_heads;
mod witnesses;

mod log_outcome;
mod name_round;

mod log_round;

mod report;

pub mod host_round;

pub mod observer;

mod self_test;

mod monitor;

pub use deliver::{Deliveries, Sink};
pub use event::{Event, Kind};
pub use hook::NotDelivered;
pub use host_round::HostRound;
pub use log_outcome::{LogRound, Said};
pub use messages::Messages;
pub use monitor::{Monitor, Parts, Round};
pub use report::{CoverageFile, UnprovenCoverage, check_report, report};
pub use self_test::Tested;
pub use watched_log::WatchedLog;
pub use witnesses::{HttpWitnesses, WitnessAnswer, WitnessClient, WitnessHead};
