#![doc = include_str!("../../text/status.md")]

mod event;
mod history;

pub use event::{Event, What};
pub use history::{History, State};

#[cfg(test)]
mod tests;
