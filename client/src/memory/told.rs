//! What is known of a coordinate without a network: entries that were proven once, and the name proofs of the log's newest
//! complete answer.
//!
//! Completeness is never stored. It follows from the name proofs when they are read: each entry that they list below the
//! head must be here. An entry that was proven once stays, whatever a log answers later.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stele_durable::{self as durable, DurableError};
use stele_spec::hash::Digest;
use stele_spec::index::{Subject, subjects_of};
use stele_spec::name::{Coordinate, Publisher};
use stele_spec::policy::Policy;
use stele_spec::policy::TrustedCheckpoint;
use stele_terminal::output::complain;

use super::told_file::{File, MAX_FILE};
use super::{LogId, Memory};
use crate::error::Failure;
use crate::name_lookup::ListProof;
use crate::record::Record;
use crate::statements::{Lack, Listing, Logged, Statements};

/// What is known of a coordinate.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(super) coordinate: Coordinate,
    /// The head up to which the log was asked.
    pub(super) head: TrustedCheckpoint,
    pub(super) lists: Vec<Arc<ListProof>>,
    pub(super) entries: BTreeMap<u64, Logged>,
}

impl Memory {
    /// What is kept of a coordinate, as far as the proofs still hold. Damage is like having asked nothing, and is said.
    pub(crate) fn told(&self, log: LogId<'_>, coordinate: &Coordinate, policy: &Policy) -> Option<Told> {
        let path = self.folder()?.join(path_of(log, coordinate));
        let read = self.read_told(log, coordinate, policy)?;
        if !read.as_ref().is_some_and(|(_, whole)| *whole) {
            complain(&format!(
                "warning: {} is damaged, or the policy no longer vouches for it: what it said of {coordinate} is used \
                 only as far as it is proven\n",
                path.display()
            ));
        }
        read.map(|(told, _)| told)
    }

    /// What of a file is proven, and whether that is all of it. Outside none where there is no file, inside where it is none.
    fn read_told(&self, log: LogId<'_>, coordinate: &Coordinate, policy: &Policy) -> Option<Option<(Told, bool)>> {
        let path = self.folder()?.join(path_of(log, coordinate));
        let bytes = durable::read_file(&path, MAX_FILE).ok()??;
        Some(File::parse(&bytes).and_then(|file| file.check(coordinate, policy)))
    }

    /// Keeps an answer of the log beside what is kept already.
    pub(crate) fn keep(&self, log: LogId<'_>, policy: &Policy, answer: Told) -> Result<(), DurableError> {
        if self.folder().is_none() {
            return Ok(());
        }
        let path = path_of(log, &answer.coordinate);
        let known = self.read_told(log, &answer.coordinate, policy).flatten();
        let kept = match known {
            Some((known, _)) => known.with(answer),
            None => answer,
        };
        let bytes = File::of(&kept).to_bytes();
        self.write(|dir| dir.replace(&path, &bytes)).map(drop)
    }

    /// Keeps a statement that was just made here, and what the record has proven of its subjects, for each of them.
    ///
    /// The log was not asked for everything: what is known so far stays, and becomes no more complete by this.
    pub(crate) fn keep_own(&self, record: &mut Record<'_>, logged: &Logged) -> Result<(), Failure> {
        let Some(log) = LogId::of(logged.proof().checkpoint(), record.policy()) else { return Ok(()) };
        let head = TrustedCheckpoint::of(logged.proven().head().clone(), logged.proof().checkpoint().clone());
        let Some(head) = head else { return Ok(()) };
        self.heads(log).see(&head)?;
        for coordinate in logged.signed().statement().coordinates() {
            let mut own = Told { coordinate, head: head.clone(), lists: Vec::new(), entries: BTreeMap::new() };
            let mut known: Vec<Logged> =
                record.all().chain([logged]).filter(|known| own.is_about(known)).cloned().collect();
            let speakers: BTreeSet<Publisher> =
                known.iter().map(|known| known.signed().statement().publisher().clone()).collect();
            for speaker in &speakers {
                record.keys(speaker)?;
                self.keep_keys(log, speaker, record.policy(), record.key_statements(speaker, u64::MAX))?;
                known.extend(record.key_statements(speaker, u64::MAX).cloned());
            }
            own.entries.extend(known.into_iter().map(|logged| (logged.position(), logged)));
            self.keep(log, record.policy(), own)?;
        }
        Ok(())
    }
}

impl Memory {
    /// Keeps the key statements of a name that the record has proven.
    pub(crate) fn keep_keys_of(&self, record: &Record<'_>, publisher: &Publisher) -> Result<(), Failure> {
        let statements = || record.key_statements(publisher, u64::MAX);
        let Some(newest) = statements().last() else { return Ok(()) };
        let Some(log) = LogId::of(newest.proof().checkpoint(), record.policy()) else { return Ok(()) };
        let head = TrustedCheckpoint::of(newest.proven().head().clone(), newest.proof().checkpoint().clone());
        head.map(|head| self.heads(log).see(&head)).transpose()?;
        Ok(self.keep_keys(log, publisher, record.policy(), statements())?)
    }
}

impl Told {
    /// The answer of a log: statements about a coordinate and the key statements of all who speak.
    pub(crate) fn answer(
        coordinate: &Coordinate,
        head: &TrustedCheckpoint,
        about: &Listing,
        keys: &BTreeMap<Publisher, Listing>,
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
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Logged> {
        self.entries.values()
    }

    /// Both: all entries, and the newest answer that is complete.
    fn with(mut self, newer: Self) -> Self {
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

    fn is_about(&self, logged: &Logged) -> bool {
        logged.signed().statement().coordinates().contains(&self.coordinate)
    }

    fn about_listing(&self) -> Listing {
        let own = self.listing(&Subject::release(&self.coordinate));
        own.with(self.listing(&Subject::about_release(&self.coordinate)))
    }

    fn listing(&self, subject: &Subject) -> Listing {
        let about = |logged: &&Logged| subjects_of(logged.signed()).contains(subject);
        let statements = self.entries.values().filter(about).cloned().collect();
        let proof = self.lists.iter().find(|list| list.complete().subject() == subject);
        let lack = match proof {
            Some(list) if self.shows(list) => None,
            Some(_) => Some(Lack::Damaged),
            None => Some(Lack::Unkept),
        };
        Listing { statements, lack, cut: false, proofs: proof.into_iter().cloned().collect() }
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

impl Statements for Told {
    fn head(&self) -> &TrustedCheckpoint {
        &self.head
    }

    fn about(&self, coordinate: &Coordinate) -> Result<Listing, Failure> {
        Ok(if *coordinate == self.coordinate { self.about_listing() } else { Listing::default() })
    }

    fn keys(&self, publisher: &Publisher) -> Result<Listing, Failure> {
        Ok(self.listing(&Subject::publisher(publisher)))
    }

    // An answer is kept for one coordinate: about a name it is all of that, and no more.
    fn under(&self, _: &str) -> Result<Listing, Failure> {
        Ok(self.about_listing())
    }
}

pub(super) fn path_of(log: LogId<'_>, coordinate: &Coordinate) -> String {
    format!("told/{log}/{}.json", Digest::of(coordinate.to_string().as_bytes()))
}
