#![doc = include_str!("../../text/nameproof.md")]

mod check;
mod complete;
mod error;
mod gather;
mod kept;
mod limits;
mod lines;
mod proof;
mod steps;

#[cfg(test)]
mod example;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod vectors;

pub use check::{check, check_shown, check_under};
pub use complete::Complete;
pub use error::{Malformed, Problem, RefusedNameProof, RefusedStatement};
pub use gather::{Gathering, MAX_GATHERED};
pub use kept::Kept;
pub use limits::{MAX_POINTERS, MAX_STEPS};
pub use proof::{Answer, MAX_NAME_PROOF, NameProof, Shown};
