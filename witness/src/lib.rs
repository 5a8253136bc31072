#![doc = include_str!("../README.md")]

// Reading order is dependency order.
pub mod trust;

pub use stele_ssh_agent as agent;

pub mod keyring;

pub mod request;

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

pub mod network_list;

pub mod bastion;

pub mod config;

pub mod error;

pub mod home;

pub mod metrics;

pub mod witness;

pub mod asked;

pub mod mirror;

pub mod pull;

pub mod http;

mod verb;

pub mod cli;

#[cfg(test)]
mod samples;
