#![doc = include_str!("../../text/indexcosigner.md")]

mod error;
mod head;
mod limits;
mod request;
mod step;
mod wrong;

pub use error::{MalformedRequest, RefusedStep};
pub use head::{OldTree, StepHead};
pub use limits::{MAX_HEAD, MAX_REQUEST, MIN_REQUEST};
pub use request::AddTransition;
pub use step::{CheckedStep, check};
pub use wrong::{Fault, NotWrong, WrongEntry, wrong_entry};
