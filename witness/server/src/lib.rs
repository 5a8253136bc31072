#![doc = include_str!("../README.md")]
#![doc = include_str!("../../README.md")]

// A module uses only those above it.
pub mod schema;

pub mod network_list;

pub mod config;

pub mod error;

pub mod home;

mod keys;

pub mod copying;

pub mod setup;

pub mod metrics;

pub mod service;

mod policy_line;

mod page;

pub mod http;

mod verbs;

mod examples;

mod args;

pub mod cli;
