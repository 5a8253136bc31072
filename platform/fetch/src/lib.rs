#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

// Reading order is dependency order: a module uses only modules above it.
pub mod exchange;

pub mod content_encoding;

pub mod public_address;

pub mod roots;

pub mod proxies;

mod pace;

pub mod http_client;

pub mod single_request;

pub mod streamed;

pub mod static_files;

pub mod timed_files;
