#![doc = include_str!("../README.md")]

pub mod announce;
pub mod clock;
pub mod compare_and_swap;
pub mod config;
pub mod durable;
pub mod exit;
pub mod fault;
pub mod http_client;
pub mod http_server;
pub mod key_file;
pub mod lock;
pub mod log;
pub mod log_source;
pub mod output;
pub mod roots;
pub mod shutdown;
