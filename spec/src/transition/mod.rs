#![doc = include_str!("../../text/transition.md")]

mod check;
mod error;
mod limits;
mod proof;
mod prune;
mod shown;

pub use check::{VerifiedTransition, check};
pub use error::{MalformedTransition, RefusedTransition};
pub use limits::MAX_TRANSITION;
pub use proof::{Node, TransitionProof};
