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

mod deliver;
mod witnesses;

mod log_round;

pub mod host_round;

pub mod observer;

mod self_test;

mod monitor;

pub use deliver::{Deliveries, Sink};
pub use event::{Event, Kind};
pub use hook::NotDelivered;
pub use host_round::HostRound;
pub use log_round::{LogRound, WatchedLog};
pub use messages::Messages;
pub use monitor::{Monitor, Parts, Round};
pub use self_test::Tested;
pub use witnesses::{HttpWitnesses, WitnessAnswer, WitnessClient, WitnessHead};
