#![doc = include_str!("../../text/indexcosigner.md")]

mod error;
mod limits;
mod request;
mod step;

pub use error::{MalformedRequest, RefusedStep};
pub use limits::{MAX_HEAD, MAX_REQUEST};
pub use request::{AddTransition, OldTree};
pub use step::{CheckedStep, check};
