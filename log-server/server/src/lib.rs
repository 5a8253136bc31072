#![doc = include_str!("../README.md")]
#![doc = include_str!("../../README.md")]

// A module uses only those above it.
pub mod config;

pub mod schema;

pub mod reachable;

pub mod lookup;

pub mod witness_threads;

pub mod witness_memory;

pub mod mailbox;

pub mod intake_error;

pub mod intake;

pub mod metrics;

pub mod verify_page;

pub mod http;

pub mod adopt_error;

pub mod export_error;

pub mod fsck_error;

pub mod policy_edit;

pub mod running;

pub mod key_error;

pub mod error;

pub(crate) mod storage;

pub mod init;

pub mod options;

pub mod adopt;

pub mod copy_place;

pub mod export;

pub(crate) mod writing;

pub(crate) mod standby;

pub mod run;

pub mod check;

pub mod status;

pub mod doctor;

pub mod fsck;

pub mod verify_backup;

pub mod config_edit;

pub mod freeze;

pub mod keys;

mod examples;

pub mod cli;

pub mod verbs;

#[cfg(test)]
mod testkit;
