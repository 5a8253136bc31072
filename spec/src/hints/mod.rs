#![doc = include_str!("../../text/hints.md")]

mod document;
mod link;
mod piece;
mod state;
#[cfg(test)]
mod tests;

pub use document::{Hints, HintsError, MAX_HINTS, VERSION};
pub use link::{Link, LinkEnd, links};
pub use piece::{PIECE, PieceSize};
pub use state::State;
