//! Which log something is remembered of.

use stele_spec::hash::Digest;
use stele_spec::note::{SignedNote, VerifierKey};
use stele_spec::policy::Policy;

/// A log of a policy, by the key that signs its heads: two logs of one origin have two memories.
#[derive(Debug, Clone, Copy)]
pub struct LogId<'a> {
    digest: Digest,
    /// The policy that names it.
    pub(super) policy: &'a Policy,
}

impl<'a> LogId<'a> {
    /// The log of the policy whose signature a note bears; none where the policy would not vouch for it either.
    pub fn of(note: &SignedNote, policy: &'a Policy) -> Option<Self> {
        let log = policy.log_of(note)?;
        Some(Self { digest: digest(&log.key), policy })
    }

    /// The log of the policy that is asked at an address, where the policy says which that is.
    pub fn at(url: &str, policy: &'a Policy) -> Option<Self> {
        let is_there = |address: &String| address.trim_end_matches('/') == url.trim_end_matches('/');
        let (first, others) = policy.logs().split_first()?;
        let is_only = others.iter().all(|other| other.key.name() == first.key.name());
        let log =
            if is_only { first } else { policy.logs().iter().find(|log| log.url.as_ref().is_some_and(is_there))? };
        Some(Self { digest: digest(&log.key), policy })
    }

    /// Whether a key is this log's.
    pub(super) fn is_of(self, key: &VerifierKey) -> bool {
        self.digest == digest(key)
    }
}

fn digest(key: &VerifierKey) -> Digest {
    Digest::of(key.to_string().as_bytes())
}

impl PartialEq for LogId<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl std::fmt::Display for LogId<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.digest.fmt(f)
    }
}
