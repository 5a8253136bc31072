#![doc = include_str!("../README.md")]

pub mod admit;
pub mod adopt;
pub mod alarms;
pub mod cli;
pub mod config;
pub mod cosign;
pub mod error;
pub mod file_names;
pub mod head;
pub mod http;
pub mod init;
pub mod intake;
pub mod lock;
pub mod lookup;
pub mod manifests;
pub mod names;
pub mod newest;
pub mod prover;
pub mod quota;
pub mod recall;
pub mod recover;
pub mod replay;
mod run;
pub mod sequencer;
pub mod shared;
pub mod staging;
pub mod status;
pub mod store;
#[cfg(test)]
mod testkit;
pub mod tree;
pub mod writer;

pub use run::{Options, run, run_until_signalled};
