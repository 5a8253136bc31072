#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

// Reading order is dependency order: a module uses only modules above it.
pub mod schema;
mod settings;

mod draft_file;
mod policy_file;
mod progress;

pub mod args;

mod digest_cache;
mod key;

mod oms_key;

mod recorded_signature;

mod release_signature;

mod log_args;

mod known_here;

mod installed;

mod hashed_files;

mod release_search;

mod absence;

mod fetched;

mod package_name;

mod hub_snapshot;

mod loaded_statement;

mod transparent;

mod artifact;

mod subject;

mod extract;

mod export;

mod render;

mod version_before;

mod rehearsal;

mod contradicted;

mod proposal;

mod issue;

mod verify_error;

mod verbs;

mod run;

pub use run::start;
pub use stele_terminal::finish::Output;
