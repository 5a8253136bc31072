#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

// Reading order is dependency order.
pub mod address;

mod session;

pub mod postgres_lock;
