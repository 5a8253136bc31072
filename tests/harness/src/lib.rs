#![doc = include_str!("../README.md")]

pub mod auditor;
pub mod binaries;
pub mod command;
pub mod crowd;
pub mod file_server;
pub mod history;
pub mod hub;
pub mod index_cosigner;
pub mod interrupt;
pub mod lying_log;
pub mod network;
pub mod process;
pub mod proxy;
pub mod publisher;
pub mod registry;
