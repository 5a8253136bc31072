//! `stele-witness` as its operator and the logs that it follows meet it. One program: what is linked once is not linked twelve times.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says what failed by failing"
)]

mod agent;
mod bastion;
mod common;
mod conformance;
mod connections;
mod crash;
mod machine;
mod mirror;
mod operator;
mod pull;
mod push;
mod schemas;
mod state;
mod test_bastion;
