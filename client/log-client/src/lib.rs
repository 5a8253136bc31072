#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

// Reading order is dependency order: a module uses only modules above it.
pub mod moment;

#[cfg(feature = "ask")]
pub mod log_url;

#[cfg(feature = "ask")]
pub mod api;
#[cfg(feature = "ask")]
pub mod reader;

#[cfg(feature = "ask")]
pub mod log_end;

pub mod list_proof;

#[cfg(feature = "ask")]
pub mod name_lookup;

pub mod statements;

#[cfg(feature = "ask")]
pub mod index_end;

#[cfg(feature = "ask")]
pub mod release_lookup;
#[cfg(feature = "ask")]
pub mod whole_log;

#[cfg(feature = "ask")]
pub mod index_of_files;

#[cfg(feature = "ask")]
pub mod proven_entries;

#[cfg(feature = "ask")]
pub mod local_state;

pub mod release_status;

pub mod judgement;

#[cfg(feature = "ask")]
pub mod log_view;

#[cfg(feature = "ask")]
pub mod unproven_answer;

pub mod age;

#[cfg(feature = "ask")]
pub mod bundle_names;
#[cfg(feature = "ask")]
pub mod release_bundle;

pub mod lineage;
#[cfg(feature = "ask")]
pub mod recalled;
pub mod replacement;

pub mod headline;
