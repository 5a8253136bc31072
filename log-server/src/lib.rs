#![doc = include_str!("../README.md")]

// A module uses only those above it.
pub mod file_names;

pub mod contract;

pub mod alarms;

pub mod tree;

pub mod store;

pub mod overlay;

pub mod staging;

pub mod config;

pub mod head;

pub mod admit;

pub mod replay;

pub mod newest;

pub mod quota;

pub mod submission;

pub mod batch;

pub mod file_objects;

pub mod file_head_store;

pub mod status;

pub mod lookup;

pub mod prover;

pub mod manifests;

pub mod recover;

pub mod recall;

pub mod shared;

pub mod names;

pub mod writer;

pub mod cosign;

pub mod sequencer;

pub mod submit_error;

pub mod intake;

pub mod http;

pub mod adopt_error;

pub mod error;

pub mod init;

pub mod options;

pub mod adopt;

pub mod run;

pub mod cli;

#[cfg(test)]
mod testkit;
