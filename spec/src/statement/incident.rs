//! Something went wrong, as its publisher or anybody else with a name says.

use serde::{Deserialize, Serialize};

use super::field::Problems;
use super::{Affected, Approval, Date, FieldError, Prose, PublisherName, Reference, Slug, Timestamp};
use crate::canonical::vocabulary;

/// The most releases that one incident names.
pub const MAX_AFFECTED: usize = 32;

vocabulary! {
    /// The kind of this statement.
    pub enum IncidentKind {
        /// The only word.
        Incident = "incident",
    }
}

vocabulary! {
    /// What went wrong.
    pub enum IncidentClass {
        /// A weakness that can be used.
        Vulnerability = "vulnerability",
        /// Bytes left that should not have.
        Leak = "leak",
        /// Somebody was harmed.
        Harm = "harm",
        /// It does something hidden.
        Backdoor = "backdoor",
        /// Somebody passes for the publisher.
        Impersonation = "impersonation",
        /// Other bytes are served under the name.
        Swap = "swap",
    }
}

vocabulary! {
    /// How bad it is, the least first.
    pub enum Severity {
        /// Little.
        Low = "low",
        /// Some.
        Medium = "medium",
        /// Much.
        High = "high",
        /// Everything else can wait.
        Critical = "critical",
    }
}

vocabulary! {
    /// What became of it.
    pub enum IncidentStatus {
        /// It goes on.
        Open = "open",
        /// Something is done against it.
        Mitigated = "mitigated",
        /// It is over.
        Resolved = "resolved",
        /// It is said not to be one.
        Disputed = "disputed",
    }
}

/// An incident, or a later word about one: the same speaker and `id` continue it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Incident {
    /// `incident`.
    pub kind: IncidentKind,
    /// When it was said.
    pub issued_at: Timestamp,
    /// Who speaks.
    pub publisher: PublisherName,
    /// Its name, among those of the same speaker.
    pub id: Slug,
    /// What went wrong.
    pub class: IncidentClass,
    /// How bad it is.
    pub severity: Severity,
    /// What became of it.
    pub status: IncidentStatus,
    /// When it became known.
    pub discovered: Date,
    /// What happened, and what those who have a copy should do.
    pub summary: Prose,
    /// Which releases. The first is the subject of the envelope.
    pub affected: Vec<Affected>,
    /// The whole advisory.
    pub advisory: Reference,
    /// Signatures of further keys, where the name asks for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Approval>,
}

impl Incident {
    /// Everything that is wrong with the fields, in their order.
    pub fn problems(&self) -> Vec<FieldError> {
        let mut problems = Problems::default();
        problems.at_least_one("affected", &self.affected);
        problems.at_most("affected", &self.affected, MAX_AFFECTED);
        problems.different("affected", self.affected.iter().map(Affected::coordinate));
        problems.into_vec()
    }
}
