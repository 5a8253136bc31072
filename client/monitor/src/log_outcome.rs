//! What a look at a log came to.

use stele_log_client::log_end::LogEnd;

use crate::witnesses::WitnessHead;

/// What a look came to.
#[derive(Debug, Default)]
pub struct LogRound {
    /// The size of the newest head.
    pub size: u64,
    /// The time of the newest head: the median of its cosignatures.
    pub time: Option<u64>,
    /// The size of the head that the log showed now.
    pub served: u64,
    /// How many entries were looked at.
    pub entries: u64,
    /// How many name proofs were asked for.
    pub name_proofs: u64,
    /// What the log says of its own end; nothing known where it could not be asked.
    pub end: Option<Said>,
    /// What each witness of the policy said.
    pub witnesses: Vec<(String, WitnessHead)>,
}

/// An answer to the question whether a log has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// It says nothing, and goes on.
    Nothing,
    /// It has.
    Ended(LogEnd),
}
