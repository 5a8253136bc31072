//! The kinds of statement.

use crate::canonical::vocabulary;

vocabulary! {
    /// The kinds of statement that the record has.
    pub enum Kind {
        /// A name is claimed, or its keys change.
        Publisher = "publisher",
        /// A coordinate is these bytes, under these terms, on this evidence.
        Release = "release",
        /// Documents, licence, hosts or evaluations changed.
        Amend = "amend",
        /// Access moved.
        Stage = "stage",
        /// A newer coordinate replaces this one.
        Supersede = "supersede",
        /// What was taken back, and where copies are.
        Withdraw = "withdraw",
        /// Something went wrong.
        Incident = "incident",
        /// A result by somebody else.
        Evaluation = "evaluation",
        /// What a host served.
        Observation = "observation",
    }
}
