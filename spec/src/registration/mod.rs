#![doc = include_str!("../../text/registration.md")]

mod admit;
mod keys;
mod refusal;
mod registry;

mod key_history;

pub use admit::{Signers, Verdict, admit, authenticate, signers};
pub use key_history::{BrokenHistory, KeyHistory};
pub use keys::Holder;
pub use refusal::{Refusal, Swap, Unknown};
pub use registry::{Binding, Layered, Registry, View};

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
