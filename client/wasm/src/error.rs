//! What can be wrong with what a page hands in.

use std::fmt;
use std::sync::Arc;

use stele_explain::{Exit, Explain, Failure, explain};
use stele_spec::policy::{PolicyError, RefusedCheckpoint};

/// A policy that is none.
#[derive(Debug, thiserror::Error)]
#[error("this is not a trust policy: {0}")]
pub struct InvalidPolicy(pub PolicyError);

impl Explain for InvalidPolicy {
    explain! {
        Self { .. } => Exit::WrongPolicy, "policy-invalid",
            hint: "get it again from where it came, or correct that line: c2sp.org/tlog-policy says how a policy is written";
    }
}

/// A call that no page of ours makes.
#[derive(Debug, thiserror::Error)]
#[error("the page and its module do not fit: {0}")]
pub struct Misuse(pub &'static str);

impl Explain for Misuse {
    explain! {
        Self(_) => Exit::Internal, "module-misused", hint: "load the page again; a copy that was saved is replaced as a whole";
    }
}

/// A checkpoint that a log served and the policy refuses.
#[derive(Debug, thiserror::Error)]
#[error("the log's answer rests on a tree head that the policy refuses: {0}")]
pub struct RefusedHead(pub RefusedCheckpoint);

impl Explain for RefusedHead {
    fn exit(&self) -> Exit {
        self.0.exit()
    }

    fn code(&self) -> &'static str {
        self.0.code()
    }

    fn hint(&self) -> Option<String> {
        Some(self.0.served_hint().to_owned())
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        self.0.facts()
    }
}

/// A failure that is told in each verdict until the log is asked again.
#[derive(Debug, Clone)]
pub struct SharedFailure(Arc<Failure>);

impl SharedFailure {
    /// Of a failure.
    pub fn new(failure: Failure) -> Self {
        Self(Arc::new(failure))
    }
}

impl fmt::Display for SharedFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for SharedFailure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

impl Explain for SharedFailure {
    fn exit(&self) -> Exit {
        self.0.as_explain().exit()
    }

    fn code(&self) -> &'static str {
        self.0.as_explain().code()
    }

    fn hint(&self) -> Option<String> {
        self.0.as_explain().hint()
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        self.0.as_explain().facts()
    }
}
