#![doc = include_str!("../README.md")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a simulation says what failed by failing, and nothing from outside reaches it"
)]

pub mod clock;
pub mod disk;
pub mod disk_state;
pub mod explore;
pub mod fault;
pub mod heal;
pub mod log_node;
pub mod model;
pub mod plan;
pub mod pool;
pub mod random;
pub mod readers;
pub mod run;
pub mod scenario;
pub mod shrink;
pub mod step;
pub mod watched;
pub mod witness_node;
pub mod world;
