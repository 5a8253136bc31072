#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

// Reading order is dependency order: a module uses only modules above it.
pub mod moment;

pub mod log_url;

pub mod api;
pub mod reader;

pub mod name_lookup;

pub mod statements;

pub mod index_end;

pub mod release_lookup;
pub mod whole_log;

pub mod proven_entries;

pub mod local_state;

pub mod release_status;

pub mod judgement;

pub mod log_view;

pub mod release_bundle;

pub mod unproven_answer;

pub mod age;
pub mod lineage;
