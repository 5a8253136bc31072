#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

// Reading order is dependency order: a module uses only modules above it.
mod program;

pub mod usage;

pub mod version;

pub mod completions;

pub mod man_pages;

pub use program::{Example, Program, VerbExamples};
