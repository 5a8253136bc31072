//! Everything that a log lists under a subject, provably complete as of a tree head that the policy vouches for.
//!
//! ```text
//! NameLookup::new(&log, &policy)
//!   .listed(&subject, &kept)?       -> Complete<Vec<Pointer>>: which entries; with what was kept, only what is new
//!   .statements(&subject)?          -> Complete<Vec<Proven<SignedStatement>>>: the entries themselves, each proven
//!   .statement(&listed, position)?  -> Proven<SignedStatement>: one of them
//!   .keys(&publisher)?              -> Keys: who held the name when, complete
//!   .told(&coordinate)?             -> Told: the publisher's own statements, third parties', and the keys of all of them
//! ```
//!
//! The log is believed in nothing. It answers with a name proof, which is checked; each entry hashes to its place in the list,
//! is proven to be in the very tree of that proof, and says itself that it is about the subject. With `told`, each is also
//! signed by whoever held its speaker's name at that point of the log.

mod error;
#[cfg(test)]
mod tests;
mod told;

pub(crate) use error::NameLookupError;
pub(crate) use told::{Keys, Told};

use std::collections::BTreeMap;

use stele_spec::bundle::MAX_KEY_STATEMENTS;
use stele_spec::index::{Pointer, Subject};
use stele_spec::name::{Coordinate, Publisher};
use stele_spec::nameproof::{Complete, Gathering, Kept};
use stele_spec::policy::Policy;
use stele_spec::proof::{Proven, TlogProof};
use stele_spec::statement::SignedStatement;

use crate::error::Failure;
use crate::evidence::EvidenceError;
use crate::key_history::KeyHistory;
use crate::log_client::LogClient;
use error::refused;

/// The most statements that one question reads, each a request for its bytes and one for its path.
pub(crate) const MAX_READ: usize = 1024;

/// The most speakers about one coordinate whose keys are asked for.
pub(crate) const MAX_SPEAKERS: usize = 128;

/// A log that is asked about names, under a policy.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NameLookup<'a> {
    log: &'a LogClient,
    policy: &'a Policy,
}

impl<'a> NameLookup<'a> {
    /// Asks this log, and believes this policy.
    pub(crate) const fn new(log: &'a LogClient, policy: &'a Policy) -> Self {
        Self { log, policy }
    }

    /// Which entries are listed: all of them, or with what was kept those that are new.
    pub(crate) fn listed(&self, subject: &Subject, kept: &Kept) -> Result<Complete<Vec<Pointer>>, Failure> {
        let mut gathering = Gathering::new(subject.clone(), kept);
        loop {
            let proof = self.log.name_proof(subject, gathering.from())?;
            let taken = gathering.take(&proof, self.policy).map_err(|error| refused(self.log.url(), subject, error))?;
            if let Some(complete) = taken {
                return Ok(complete);
            }
        }
    }

    /// Everything that is listed, each statement proven; at most [`MAX_READ`].
    pub(crate) fn statements(&self, subject: &Subject) -> Result<Complete<Vec<Proven<SignedStatement>>>, Failure> {
        self.statements_since(subject, &Kept::nothing())
    }

    /// The same, after what was kept.
    pub(crate) fn statements_since(
        &self,
        subject: &Subject,
        kept: &Kept,
    ) -> Result<Complete<Vec<Proven<SignedStatement>>>, Failure> {
        let listed = self.listed(subject, kept)?;
        let found = listed.value().len();
        if found > MAX_READ {
            return Err(NameLookupError::TooMany { subject: subject.clone(), limit: MAX_READ, found }.into());
        }
        let entries = listed.value().iter().map(|pointer| self.fetch(&listed, pointer.position));
        let entries = entries.collect::<Result<Vec<_>, _>>()?;
        listed.with_statements(&entries).map_err(|error| self.not_listed(error))
    }

    /// One of the entries that are listed.
    pub(crate) fn statement(
        &self,
        listed: &Complete<Vec<Pointer>>,
        position: u64,
    ) -> Result<Proven<SignedStatement>, Failure> {
        let (entry, proof) = self.fetch(listed, position)?;
        listed.statement(&entry, &proof).map_err(|error| self.not_listed(error))
    }

    /// Who held a name when: all its key statements, each allowed by those before it.
    pub(crate) fn keys(&self, publisher: &Publisher) -> Result<Keys, Failure> {
        let subject = Subject::publisher(publisher);
        let listed = self.statements(&subject)?;
        let found = listed.value().len();
        if found > MAX_KEY_STATEMENTS {
            return Err(NameLookupError::TooMany { subject, limit: MAX_KEY_STATEMENTS, found }.into());
        }
        let history = KeyHistory::fold(publisher, listed.value())
            .map_err(|broken| NameLookupError::Broken { url: self.log.url().into(), broken })?;
        Ok(Keys { history, listed })
    }

    /// Everything that was said about a coordinate, by whom it belongs to and by others.
    ///
    /// Of more than [`MAX_READ`] statements of third parties the newest are read, and how many were not is told: noise
    /// cannot bury what the publisher said.
    pub(crate) fn told(&self, coordinate: &Coordinate) -> Result<Told, Failure> {
        let own = self.statements(&Subject::release(coordinate))?;
        let about = self.listed(&Subject::about_release(coordinate), &Kept::nothing())?;
        let unread = about.value().len().saturating_sub(MAX_READ);
        let newest = about.value().iter().skip(unread).map(|pointer| self.statement(&about, pointer.position));
        let others = newest.collect::<Result<Vec<_>, _>>()?;
        // Asked for last: the keys are known at least as far as what they signed, unless the log goes back.
        let mut keys = BTreeMap::new();
        for speaker in own.value().iter().chain(&others).map(|proven| proven.value().statement().publisher()) {
            if !keys.contains_key(speaker) {
                if keys.len() >= MAX_SPEAKERS {
                    return Err(NameLookupError::TooManySpeakers { limit: MAX_SPEAKERS }.into());
                }
                keys.insert(speaker.clone(), self.keys(speaker)?);
            }
        }
        Told::new(self.log.url(), coordinate.clone(), own, (about, others), keys)
    }

    /// An entry and the path to the root of the tree of the proof that lists it.
    fn fetch(&self, listed: &Complete<Vec<Pointer>>, position: u64) -> Result<(Vec<u8>, TlogProof), Failure> {
        let entry = self.log.entry(position)?;
        let path = self.log.inclusion(position, listed.head().value().size())?;
        Ok((entry, TlogProof::new(position, path, listed.checkpoint().clone())))
    }

    fn not_listed(&self, error: stele_spec::nameproof::RefusedStatement) -> Failure {
        use stele_spec::nameproof::RefusedStatement;
        match error {
            RefusedStatement::Proof(error) => EvidenceError::Proof(error).into(),
            error => NameLookupError::Statement { url: self.log.url().into(), error }.into(),
        }
    }
}
