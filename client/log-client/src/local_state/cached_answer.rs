//! What is known of a coordinate without a network: entries that were proven once, and the name proofs of the log's newest
//! complete answer.
//!
//! Completeness is never stored. It follows from the name proofs when they are read: each entry that they list below the
//! head must be here. An entry that was proven once stays, whatever a log answers later.

use std::collections::BTreeMap;
use std::sync::Arc;

use stele_explain::Failure;
use stele_spec::index::{Subject, subjects_of};
use stele_spec::name::{Coordinate, Publisher};
use stele_spec::policy::TrustedCheckpoint;

use crate::list_proof::ListProof;
use crate::statements::{Lack, ProvenStatement, StatementList, StatementSource};

/// What is known of a coordinate.
#[derive(Debug, Clone)]
pub struct CachedAnswer {
    pub(super) coordinate: Coordinate,
    /// The head up to which the log was asked.
    pub(super) head: TrustedCheckpoint,
    pub(super) lists: Vec<Arc<ListProof>>,
    pub(super) entries: BTreeMap<u64, ProvenStatement>,
}

impl CachedAnswer {
    /// The answer of a log: statements about a coordinate and the key statements of all who speak.
    pub fn answer(
        coordinate: &Coordinate,
        head: &TrustedCheckpoint,
        about: &StatementList,
        keys: &BTreeMap<Publisher, StatementList>,
    ) -> Self {
        let listings = || keys.values().chain([about]);
        let entries = listings().flat_map(|listing| &listing.statements);
        Self {
            coordinate: coordinate.clone(),
            head: head.clone(),
            lists: listings().flat_map(|listing| listing.proofs.iter().cloned()).collect(),
            entries: entries.map(|logged| (logged.position(), logged.clone())).collect(),
        }
    }

    /// Every entry that was proven once.
    pub fn entries(&self) -> impl Iterator<Item = &ProvenStatement> {
        self.entries.values()
    }

    /// Both: all entries, and the newest answer that is complete.
    pub(super) fn with(mut self, newer: Self) -> Self {
        let replaces = newer.is_complete() && newer.head.size() >= self.head.size() || !self.is_complete();
        if replaces {
            (self.head, self.lists) = (newer.head, newer.lists);
        }
        for (position, logged) in newer.entries {
            self.entries.entry(position).or_insert(logged);
        }
        self
    }

    /// Whether name proofs show that nothing is missing: about the coordinate, and of the keys of all who speak of it.
    fn is_complete(&self) -> bool {
        let about = self.about_listing();
        let speakers = about.statements.iter().map(|logged| logged.signed().statement().publisher());
        let mut speakers = speakers.chain([&self.coordinate.publisher]);
        about.lack.is_none() && speakers.all(|speaker| self.listing(&Subject::publisher(speaker)).lack.is_none())
    }

    pub(super) fn is_about(&self, logged: &ProvenStatement) -> bool {
        logged.signed().statement().coordinates().contains(&self.coordinate)
    }

    fn about_listing(&self) -> StatementList {
        let own = self.listing(&Subject::release(&self.coordinate));
        own.with(self.listing(&Subject::about_release(&self.coordinate)))
    }

    fn listing(&self, subject: &Subject) -> StatementList {
        let about = |logged: &&ProvenStatement| subjects_of(logged.signed()).contains(subject);
        let statements = self.entries.values().filter(about).cloned().collect();
        let proof = self.lists.iter().find(|list| list.complete().subject() == subject);
        let lack = match proof {
            Some(list) if self.shows(list) => None,
            Some(_) => Some(Lack::Damaged),
            None => Some(Lack::Unkept),
        };
        StatementList { statements, lack, cut: false, proofs: proof.into_iter().cloned().collect() }
    }

    /// Whether everything that a proof lists below the head is here. What came after the head was not fetched.
    fn shows(&self, list: &ListProof) -> bool {
        let complete = list.complete();
        let head = self.head.checkpoint();
        let same_log = complete.head().value().origin() == head.origin();
        let mut listed = complete.value().iter().filter(|pointer| pointer.position < head.size());
        same_log
            && complete.head().value().size() >= head.size()
            && listed.all(|pointer| self.entries.get(&pointer.position).is_some_and(|at| at.leaf() == pointer.leaf))
    }
}

impl StatementSource for CachedAnswer {
    fn head(&self) -> &TrustedCheckpoint {
        &self.head
    }

    fn about(&self, coordinate: &Coordinate) -> Result<StatementList, Failure> {
        Ok(if *coordinate == self.coordinate { self.about_listing() } else { StatementList::default() })
    }

    fn keys(&self, publisher: &Publisher) -> Result<StatementList, Failure> {
        Ok(self.listing(&Subject::publisher(publisher)))
    }

    // An answer is kept for one coordinate: about a name it is all of that, and no more.
    fn under(&self, _: &str) -> Result<StatementList, Failure> {
        Ok(self.about_listing())
    }
}
