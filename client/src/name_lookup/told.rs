//! What a log has about one coordinate, complete and by whom it may be said.

use std::collections::BTreeMap;

use stele_spec::checkpoint::Checkpoint;
use stele_spec::index::Pointer;
use stele_spec::name::{Coordinate, Publisher};
use stele_spec::nameproof::Complete;
use stele_spec::policy::Trusted;
use stele_spec::proof::Proven;
use stele_spec::statement::SignedStatement;

use super::error::NameLookupError;
use crate::error::Failure;
use crate::key_history::KeyHistory;

/// Who held a name when, as of a tree head.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    /// The fold of the key statements.
    pub(crate) history: KeyHistory,
    /// The key statements, complete.
    pub(crate) listed: Complete<Vec<Proven<SignedStatement>>>,
}

/// Everything that was said about a coordinate: complete, in the log, and signed by who held the speaker's name then.
#[derive(Debug)]
pub(crate) struct Told {
    coordinate: Coordinate,
    own: Complete<Vec<Proven<SignedStatement>>>,
    about: Complete<Vec<Pointer>>,
    others: Vec<Proven<SignedStatement>>,
    keys: BTreeMap<Publisher, Keys>,
    as_of: Trusted<Checkpoint>,
}

impl Told {
    /// Checks what the parts say together.
    pub(super) fn new(
        url: &str,
        coordinate: Coordinate,
        own: Complete<Vec<Proven<SignedStatement>>>,
        (about, others): (Complete<Vec<Pointer>>, Vec<Proven<SignedStatement>>),
        keys: BTreeMap<Publisher, Keys>,
    ) -> Result<Self, Failure> {
        let heads = keys.values().map(|keys| keys.listed.head()).chain([own.head(), about.head()]);
        let origin = own.head().value().origin();
        let mut as_of = own.head().clone();
        for head in heads {
            let found = head.value().origin();
            if found != origin {
                let (expected, found) = (origin.to_string(), found.to_string());
                return Err(NameLookupError::OtherLog { url: url.into(), expected, found }.into());
            }
            if head.value().size() < as_of.value().size() {
                as_of = head.clone();
            }
        }
        let told = Self { coordinate, own, about, others, keys, as_of };
        for proven in told.statements() {
            let (position, signed) = (proven.position(), proven.value());
            let speaker = signed.statement().publisher();
            let Some(keys) = told.keys.get(speaker) else { continue };
            keys.history.check(position, signed).map_err(|refusal| NameLookupError::NotTheirs {
                url: url.into(),
                position,
                speaker: speaker.clone(),
                refusal,
            })?;
        }
        Ok(told)
    }

    /// What it is about.
    pub(crate) fn coordinate(&self) -> &Coordinate {
        &self.coordinate
    }

    /// The tree head as of which all of it is complete: the oldest of those that its parts came with.
    pub(crate) fn as_of(&self) -> &Trusted<Checkpoint> {
        &self.as_of
    }

    /// Every statement, in the order of the log; those that came after [`Told::as_of`] are left out.
    pub(crate) fn statements(&self) -> Vec<&Proven<SignedStatement>> {
        let end = self.as_of.value().size();
        let all = self.own.value().iter().chain(&self.others);
        let mut all: Vec<_> = all.filter(|proven| proven.position() < end).collect();
        all.sort_by_key(|proven| proven.position());
        all
    }

    /// How many statements of third parties were not read: the oldest, where there are too many.
    pub(crate) fn unread(&self) -> usize {
        self.about.value().len() - self.others.len()
    }

    /// Who held a speaker's name when.
    pub(crate) fn keys(&self, speaker: &Publisher) -> Option<&Keys> {
        self.keys.get(speaker)
    }
}
