#![doc = include_str!("../../text/registration.md")]

mod admit;
mod keys;
mod refusal;
mod registry;

pub use admit::{Signers, Verdict, admit, authenticate, signers};
pub use keys::Holder;
pub use refusal::{Refusal, Swap, Unknown};
pub use registry::{Binding, Layered, Registry, View};

#[cfg(test)]
mod tests;
