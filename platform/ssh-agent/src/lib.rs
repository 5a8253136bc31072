#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

// Reading order is dependency order: a module uses only modules above it.
mod wire;

mod agent;

pub use agent::{Agent, AgentError, AgentKey, PATIENCE, REST, VARIABLE};
pub use wire::{Garbage, Held, MAX_KEYS, MAX_MESSAGE, NotAnSshKey, Reply, SshKey, ask_keys, ask_signature};
