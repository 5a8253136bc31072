#![doc = include_str!("../README.md")]

// Reading order is dependency order: a module uses only modules above it.
pub mod error;
mod output;

mod page;

mod examination_rows;

mod claims;

mod form;

mod draft_file;

mod draft;

mod key_kind;

mod issued_at;
mod key;
mod publish_error;

mod proposal;

mod statement_page;

mod expected;

mod refused;

mod bundle_place;
mod foresight;
mod name;
mod publish_check;
mod receipt;
mod release_file;

mod release;

pub mod cli;

mod policy_file;

mod asking;
mod loaded;
mod progress;

mod difference;

mod lifecycle;

mod lineage_drawing;

mod verdict;

mod colour;

mod saying;

mod monitor;

mod verb;

mod run;

pub use output::Output;
pub use run::{finish, run};
