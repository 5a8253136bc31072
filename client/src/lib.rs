#![doc = include_str!("../README.md")]

// Reading order is dependency order: a module uses only modules above it.
mod output;

mod page;

mod examination_rows;

mod claims;

mod draft_file;

mod key;
mod statement_page;

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

mod issue;

mod verb;

mod run;

pub use output::Output;
pub use run::{finish, run};
