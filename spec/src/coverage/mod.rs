#![doc = include_str!("../../text/coverage.md")]

mod check;
mod error;
mod report;
mod wire;

pub use check::{CoveredHead, CoveredLog, check};
pub use error::{MalformedCoverage, RefusedCoverage};
pub use report::{Coverage, LogCoverage, MAX_COVERAGE, MAX_HEADS, MAX_LISTS, MAX_LOGS, SeenHead, SeenList};
