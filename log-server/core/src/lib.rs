#![doc = include_str!("../README.md")]

// A module uses only those above it.
pub mod rules;

pub mod file_digests;

pub mod contract;

pub mod alarms;

pub mod tree;

pub mod submitted_manifest;

pub mod tiles;

pub mod overlay;

pub mod staged_batch;

pub mod unsettled;

pub mod log_keys;

pub mod checkpoint;

pub mod resign;

pub mod refusal;

pub mod admission;

pub mod replay;

pub mod newest_releases;

pub mod quota;

pub mod quota_past;

pub mod submission;

pub mod batch;

pub mod status;

pub mod prover;

pub mod manifests;

pub mod recall;

pub mod replica;

pub mod staged_recovery;

pub mod recover;

pub mod settings;

pub mod running_log;

pub mod follower;

pub mod detection;

pub mod end_mark;

pub mod name_proofs;

pub mod receipts;

pub mod positions;

pub mod submit_error;

pub mod precheck;

pub mod writer;

pub mod witness_problem;

pub mod step_supply;

pub mod index_steps;

pub mod endpoint;

pub mod cosigning;

pub mod stop_reason;

pub mod attempt;

pub mod setback;

pub mod publication;

pub mod sequencer_event;

mod phase;

mod collected;

pub mod sequencer;

pub mod assembly;

#[cfg(any(test, feature = "samples"))]
pub mod samples;

#[cfg(any(test, feature = "samples"))]
pub mod conformance;
