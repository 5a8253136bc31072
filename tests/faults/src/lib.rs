#![doc = include_str!("../README.md")]

pub mod point;

pub mod page;

pub mod preload;

pub mod report;

pub mod subject;

pub mod loop_disk;

pub mod clocks;
pub mod log;
pub mod monitor;
pub mod witness;
