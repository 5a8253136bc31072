#![doc = include_str!("../README.md")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a simulation says what failed by failing, and nothing from outside reaches it"
)]

mod at_once;
pub mod bucket;
pub mod clock;
pub mod copying;
pub mod deceive;
pub mod disk;
pub mod disk_state;
pub mod exchange;
pub mod explore;
pub mod fault;
pub mod heal;
pub mod index_node;
pub mod log_files;
pub mod log_node;
pub mod mirror_node;
pub mod model;
pub mod monitor_node;
mod no_lookup;
pub mod plan;
pub mod pool;
pub mod random;
pub mod readers;
pub mod rekeying;
pub mod request;
pub mod run;
pub mod scenario;
pub mod shrink;
pub mod standby_node;
pub mod standing;
pub mod step;
pub mod told;
pub mod turns;
pub mod watch;
pub mod watched;
pub mod witness_node;
pub mod world;
pub mod wrong_index;
