//! What was really taken back, and where copies are.

use serde::{Deserialize, Serialize};

use super::field::Problems;
use super::{Approval, Date, FieldError, LoggedRelease, Prose, PublisherName, Reference, Timestamp, Uri};
use crate::canonical::vocabulary;
use crate::hash::Digest;

/// The most actions of one withdrawal.
pub const MAX_ACTIONS: usize = 32;

vocabulary! {
    /// The kind of this statement.
    pub enum WithdrawKind {
        /// The only word.
        Withdraw = "withdraw",
    }
}

vocabulary! {
    /// What was done.
    pub enum WithdrawalAction {
        /// The files are gone from a host.
        HostRemoved = "host-removed",
        /// A host asks for permission now.
        Gated = "gated",
        /// The publisher helps no longer.
        SupportEnded = "support-ended",
        /// No new copies are licensed.
        LicenseEnded = "license-ended",
        /// Anything else.
        Other = "other",
    }
}

vocabulary! {
    /// Where copies are, as the publisher knows.
    pub enum Copies {
        /// Anyone who wanted has one.
        PubliclyDownloaded = "publicly-downloaded",
        /// Known recipients have them.
        LimitedRecipients = "limited-recipients",
        /// Nobody outside ever had one.
        NeverLeft = "never-left",
    }
}

/// One thing that was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// What.
    pub what: WithdrawalAction,
    /// When.
    pub when: Date,
    /// At which host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<Uri>,
    /// Anything that must be said about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Prose>,
}

/// A withdrawal. It says what was done, never that the weights came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdraw {
    /// `withdraw`.
    pub kind: WithdrawKind,
    /// When it was made.
    pub issued_at: Timestamp,
    /// The weights digest of the release, once more.
    pub weights_digest: Digest,
    /// Where copies are.
    pub copies: Copies,
    /// Why.
    pub reason: Prose,
    /// Who speaks: the release's publisher.
    pub publisher: PublisherName,
    /// Which release.
    pub release: LoggedRelease,
    /// What was done.
    pub actions: Vec<Action>,
    /// What those who have a copy should know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advisory: Option<Reference>,
    /// Signatures of further keys, where the name asks for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Approval>,
}

impl Withdraw {
    /// Everything that is wrong with the fields, in their order.
    pub fn problems(&self) -> Vec<FieldError> {
        let mut problems = Problems::default();
        problems.own(&self.publisher, &self.release);
        problems.at_least_one("actions", &self.actions);
        problems.at_most("actions", &self.actions, MAX_ACTIONS);
        for (number, action) in self.actions.iter().enumerate() {
            let at_host = matches!(action.what, WithdrawalAction::HostRemoved | WithdrawalAction::Gated);
            if at_host && action.host.is_none() {
                problems.required(&format!("actions[{number}].host"), "something was done at a host");
            }
            if action.what == WithdrawalAction::Other && action.note.is_none() {
                problems.required(&format!("actions[{number}].note"), "`other` does not say what was done");
            }
        }
        problems.into_vec()
    }
}
