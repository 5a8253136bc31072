#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

// Reading order is dependency order: a module uses only modules above it.
mod error;
mod view;

mod layer;
mod pasted;

mod place;

mod hub_client;

mod huggingface;
mod oci;

mod loadable;

mod compare;

mod check;

pub mod observation;

#[cfg(test)]
mod tests;

pub use check::HostCheck;
pub use compare::{Comparison, FileDifference, HostMatch};
pub use error::HostError;
pub use hub_client::HubClient;
pub use loadable::Loadable;
pub use place::{Bases, HostLocation};
