//! `stele-log` as an operator starts it, and what it says of a log whose files are damaged.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says what failed by failing"
)]

mod fsck;
mod operator;
mod schemas;
