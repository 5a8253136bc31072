//! One thing that was said about a release.

use crate::hash::Digest;
use crate::name::Publisher;
use crate::statement::{
    Access, EvaluationReport, Incident, LoggedRelease, Observation, Prose, Release, Stage, Timestamp, Withdraw,
};

/// A statement of the log, as it bears on a coordinate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its entry.
    pub position: u64,
    /// When it was made, as its speaker says.
    pub issued_at: Timestamp,
    /// Who speaks.
    pub speaker: Publisher,
    /// What it says.
    pub what: What,
}

/// What a statement says about a coordinate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// It is released.
    Released,
    /// Other weights, or another release entry: no honest log has it.
    Conflict {
        /// The weights it says.
        weights: Option<Digest>,
    },
    /// Fields were replaced.
    Amended {
        /// Which.
        fields: Vec<&'static str>,
        /// The release before it.
        before: Box<Release>,
        /// The release after it.
        after: Box<Release>,
        /// Why.
        reason: Prose,
    },
    /// Access moved.
    Moved {
        /// From where.
        from: Stage,
        /// To where, and since when.
        to: Access,
        /// Why.
        reason: Prose,
    },
    /// Another release replaces it.
    Superseded {
        /// Which.
        by: LoggedRelease,
        /// Why.
        reason: Prose,
    },
    /// It was withdrawn.
    Withdrawn(Box<Withdraw>),
    /// Something went wrong.
    Incident(Box<Incident>),
    /// Somebody else's result.
    Evaluated(Box<EvaluationReport>),
    /// What a host served.
    Observed(Box<Observation>),
}
