#![doc = include_str!("../../text/indexcosigner.md")]

mod error;
mod head;
mod limits;
mod replay;
mod request;
mod step;
mod wrong;

pub use error::{MalformedRequest, RefusedStep};
pub use head::{OldTree, StepHead};
pub use limits::{MAX_HEAD, MAX_REQUEST, MIN_REQUEST};
pub use replay::ReplayedTree;
pub use request::AddTransition;
pub use step::{CheckedStep, check};
pub use wrong::{Fault, NotWrong, WrongEntry, wrong_entry};
