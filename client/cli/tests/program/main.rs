//! `stele` as a person or a script starts it. One program for all of it: what is linked once is not linked nineteen times.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says what failed by failing"
)]

mod c2pa;
mod comfort;
mod common;
mod computed;
mod draft;
mod dry_run;
mod export;
mod fetch;
mod files;
mod hints;
mod hub_cache;
mod key_files;
mod keys;
mod memory;
mod oms;
mod oms_release;
mod online;
mod proxy;
mod publish;
mod schemas;
mod ssh_agent;
mod subjects;
mod verdict;
mod verify;
