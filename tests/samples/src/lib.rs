#![doc = include_str!("../README.md")]

pub mod evaluation_form;
pub mod kinds;
pub mod model;
pub mod release_toml;
pub mod statements;
pub mod static_log;
pub mod supply;
