#![doc = include_str!("../README.md")]

pub mod door;
pub mod expect;
pub mod failure;
pub mod http;
pub mod program;
pub mod report;
pub mod row;
pub mod small_server;
pub mod trial;
