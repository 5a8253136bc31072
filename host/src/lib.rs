#![doc = include_str!("../README.md")]

pub use stele_clock as clock;
pub use stele_daemon::{announce, config, events as log, shutdown};
pub use stele_durable as durable;
pub use stele_durable::{compare_and_swap, fault, key_file, lock};
pub use stele_explain::printable;
pub use stele_fetch::{content_encoding, http_client, public_address, roots};
pub use stele_serve as http_server;
pub use stele_terminal::{output, writers};

/// Exit codes, explained errors, and how `main` ends.
pub mod exit {
    pub use stele_explain::{Exit, Explain, json, text};
    pub use stele_terminal::finish::{Voice, finish};
}

/// A log's static files.
pub mod log_source {
    pub use stele_fetch::static_files::{LONGEST_PAUSE, SourceError, StaticFiles as LogSource, TRIES, patiently};
}
