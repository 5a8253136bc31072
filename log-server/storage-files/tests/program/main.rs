//! The files of a log as disks leave them. One program: what is linked once is not linked five times.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says what failed by failing"
)]

mod common;
mod contract;
mod manifests;
mod power_cuts;
mod recover;
mod staged_batch;
mod tiles;
