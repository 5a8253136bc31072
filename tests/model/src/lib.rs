#![doc = include_str!("../README.md")]

// A module uses only those above it.
pub mod head;

pub mod explore;

pub mod writer;

pub mod witness;

pub mod standby;

pub mod cases;

pub mod table;
