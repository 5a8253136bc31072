//! What a log answered about coordinates, kept on this machine and read again: one file a coordinate.

use std::collections::{BTreeMap, BTreeSet};

use stele_durable::{self as durable, DurableError};
use stele_explain::Failure;
use stele_spec::hash::Digest;
use stele_spec::name::{Coordinate, Publisher};
use stele_spec::policy::{Policy, TrustedCheckpoint};

use super::cached_answer::CachedAnswer;
use super::cached_answer_file::{File, MAX_FILE};
use super::folder::LocalState;
use super::log_id::LogId;
use crate::proven_entries::ProvenEntries;
use crate::statements::ProvenStatement;

impl LocalState {
    /// What is kept of a coordinate, as far as the proofs still hold. Damage is like having asked nothing, and is said.
    pub fn cached_answer(&self, log: LogId<'_>, coordinate: &Coordinate, policy: &Policy) -> Option<CachedAnswer> {
        let path = self.folder()?.join(path_of(log, coordinate));
        let read = self.read_cached_answer(log, coordinate, policy)?;
        if !read.as_ref().is_some_and(|(_, whole)| *whole) {
            self.warn(&format!(
                "warning: {} is damaged, or the policy no longer vouches for it: what it said of {coordinate} is used \
                 only as far as it is proven\n",
                path.display()
            ));
        }
        read.map(|(answer, _)| answer)
    }

    /// What of a file is proven, and whether that is all of it. Outside none where there is no file, inside where it is none.
    fn read_cached_answer(
        &self,
        log: LogId<'_>,
        coordinate: &Coordinate,
        policy: &Policy,
    ) -> Option<Option<(CachedAnswer, bool)>> {
        let path = self.folder()?.join(path_of(log, coordinate));
        let bytes = durable::read_file(&path, MAX_FILE).ok()??;
        Some(File::parse(&bytes).and_then(|file| file.check(coordinate, policy)))
    }

    /// Keeps an answer of the log beside what is kept already.
    pub fn keep(&self, log: LogId<'_>, policy: &Policy, answer: CachedAnswer) -> Result<(), DurableError> {
        if self.folder().is_none() {
            return Ok(());
        }
        let path = path_of(log, &answer.coordinate);
        let known = self.read_cached_answer(log, &answer.coordinate, policy).flatten();
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
    pub fn keep_own(&self, record: &mut ProvenEntries<'_>, logged: &ProvenStatement) -> Result<(), Failure> {
        let Some(log) = LogId::of(logged.proof().checkpoint(), record.policy()) else { return Ok(()) };
        let head = TrustedCheckpoint::of(logged.proven().head().clone(), logged.proof().checkpoint().clone());
        let Some(head) = head else { return Ok(()) };
        self.heads(log).see(&head)?;
        for coordinate in logged.signed().statement().coordinates() {
            let mut own = CachedAnswer { coordinate, head: head.clone(), lists: Vec::new(), entries: BTreeMap::new() };
            let mut known: Vec<ProvenStatement> =
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

    /// Keeps the key statements of a name that the record has proven.
    pub fn keep_keys_of(&self, record: &ProvenEntries<'_>, publisher: &Publisher) -> Result<(), Failure> {
        let statements = || record.key_statements(publisher, u64::MAX);
        let Some(newest) = statements().last() else { return Ok(()) };
        let Some(log) = LogId::of(newest.proof().checkpoint(), record.policy()) else { return Ok(()) };
        let head = TrustedCheckpoint::of(newest.proven().head().clone(), newest.proof().checkpoint().clone());
        head.map(|head| self.heads(log).see(&head)).transpose()?;
        Ok(self.keep_keys(log, publisher, record.policy(), statements())?)
    }
}

pub(super) fn path_of(log: LogId<'_>, coordinate: &Coordinate) -> String {
    format!("told/{log}/{}.json", Digest::of(coordinate.to_string().as_bytes()))
}
