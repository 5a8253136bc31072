#![doc = include_str!("../text/README.md")]
#![forbid(unsafe_code)]

// Reading order is dependency order: a room uses only rooms above it (tests/architecture).
pub mod text;

pub mod hash;

pub mod key;
pub mod mldsa;

pub mod canonical;
pub mod name;

pub mod manifest;

pub mod statement;

pub mod merkle;

pub mod tile;

pub mod entry;
pub mod note;
pub mod submission;

pub mod checkpoint;

pub mod tiledlog;

pub mod cosignature;

pub mod index;

pub mod transition;

pub mod indexcosigner;

pub mod policy;

pub mod frozen;

pub mod proof;

pub mod receipt;

pub mod bundle;

pub mod hints;

pub mod registration;

pub mod status;

pub mod finding;

pub mod misbehaviour;

pub mod nameproof;

pub mod coverage;

pub mod verify;
