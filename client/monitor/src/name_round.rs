//! What is new under each watched name, by name proofs: it costs the names and their new entries, however long the lists and the log are.
//!
//! The index is believed in nothing but what a name proof shows of it under a head that the policy accepts; each entry that it lists is
//! compared with the tree. Whether the index lists everything is for index cosigners and auditors to check.

use std::collections::BTreeSet;

use serde_json::json;
use stele_explain::{Exit, Explain, Failure, explain};
use stele_log_client::api::LogClient;
use stele_log_client::list_proof::{ListProof, NameLookupError};
use stele_log_client::reader::{ReadError, VerifiedLog};
use stele_spec::entry::Entry;
use stele_spec::hash::Digest;
use stele_spec::index::{Pointer, Subject, keys_of};
use stele_spec::merkle::{Nodes as _, leaf_hash};
use stele_spec::nameproof::{Complete, Kept, NameProof, RefusedNameProof, check};
use stele_spec::policy::{Policy, TrustedCheckpoint};

use crate::alert::{self, Condition};
use crate::contradiction::{Misbehaved, tell};
use crate::entry_filter::EntryFilter;
use crate::log_outcome::LogRound;
use crate::seen_heads;
use crate::state::{KnownList, LogState, MAX_WAITING, StateFile};
use crate::watched_log::WatchedLog;

/// After so many new entries of a list, how far it was looked at is written.
const SAVED_EVERY: u64 = 256;

/// Asks about every watched name. The others are asked about although one is refused; a log that does not answer ends the round.
pub(crate) fn read_names<'a>(
    opened: &mut VerifiedLog<'a>,
    log: &'a WatchedLog,
    policy: &Policy,
    judge: &EntryFilter<'_>,
    memory: &mut StateFile,
    round: &mut LogRound,
) -> Result<(), Failure> {
    let watched: BTreeSet<String> = judge.watch.subjects().map(Subject::to_string).collect();
    memory.state.logs.entry(log.origin.clone()).or_default().lists.retain(|subject, _| watched.contains(subject));
    let client = log.client()?;
    let looked_at = BTreeSet::new();
    let mut asking = Asking { log, client, policy, judge, opened, memory, round, looked_at };
    let mut refused = None;
    for subject in judge.watch.subjects() {
        if asking.is_full() {
            break;
        }
        match asking.read(subject) {
            Err(failure) if failure.as_explain().exit() == Exit::Unavailable => return Err(failure),
            Err(failure) => {
                refused.get_or_insert(failure);
            }
            Ok(()) => {}
        }
    }
    refused.map_or(Ok(()), Err)
}

/// A log that is asked, and what is known of it.
struct Asking<'a, 'b, 'c> {
    log: &'a WatchedLog,
    client: LogClient,
    policy: &'b Policy,
    judge: &'b EntryFilter<'c>,
    opened: &'b mut VerifiedLog<'a>,
    memory: &'b mut StateFile,
    round: &'b mut LogRound,
    /// The entries of this round: one may be listed under several names.
    looked_at: BTreeSet<u64>,
}

impl Asking<'_, '_, '_> {
    /// Asks what is new under a name, and looks at it.
    fn read(&mut self, subject: &Subject) -> Result<(), Failure> {
        let known = self.known(subject);
        if known.is_whole() && known.size >= self.opened.size() {
            return Ok(());
        }
        let (kept, before) = self.checked(subject, known);
        let (mut asked, mut last) = (0, None);
        let gathered = ListProof::gather(subject, &kept, self.policy, |from| {
            asked += 1;
            let proof = self.client.name_proof(subject, from, Some(self.opened.size()))?;
            last = Some(proof.clone());
            Ok(proof)
        });
        self.round.name_proofs += asked;
        match gathered? {
            Ok(list) => {
                self.same_log(list.complete())?;
                self.note(subject, None);
                self.look_at(subject, &kept, &list)
            }
            Err(RefusedNameProof::Checkpoint(error)) => {
                Err(ReadError::Head { place: self.log.reader.source().to_string(), error }.into())
            }
            Err(error) => {
                match (before, last) {
                    (Some(before), Some(last)) if error.is_proven() => {
                        self.note(subject, Some((&error, &(before, last))))
                    }
                    (Some(_), _) => {}
                    // What this machine alone knows is no reason to doubt a log: it is asked again from the beginning.
                    (None, _) => self.forget(subject),
                }
                Err(NameLookupError::new(self.client.url(), subject, error).into())
            }
        }
    }

    /// What is known of a list. What was looked at when every entry was read is no news.
    fn known(&mut self, subject: &Subject) -> KnownList {
        let state = self.state();
        let reported = state.next;
        state.lists.entry(subject.to_string()).or_insert_with(|| KnownList { reported, ..KnownList::default() }).clone()
    }

    /// What is kept of a list, and the proof of it, which is checked again. What does not hold, on a damaged disk or under another policy, is
    /// forgotten: no log is accused by it, and it is read again in silence.
    fn checked(&mut self, subject: &Subject, known: KnownList) -> (Kept, Option<NameProof>) {
        let (policy, state) = (self.policy, self.state());
        let proof = proof_of(subject, &known, state);
        let holds = |kept: &Kept| match &proof {
            Some(proof) => check(proof, subject, kept, policy).is_ok(),
            None => !known.is_whole(),
        };
        match known.kept().filter(holds) {
            Some(kept) => (kept, proof),
            None => {
                self.forget(subject);
                (Kept::nothing(), None)
            }
        }
    }

    /// Checks that the head of an answer is of the tree that is open, or opens the larger tree of the answer.
    fn same_log(&mut self, complete: &Complete<Vec<Pointer>>) -> Result<(), Failure> {
        let (policy, now) = (self.policy, self.judge.now);
        let mut note = complete.checkpoint().clone();
        if complete.head().value().size() > self.opened.size() {
            let other = || self.client.nonsense("the note of the checkpoint that is proven", "another note".to_owned());
            let head = TrustedCheckpoint::of(complete.head().clone(), note).ok_or_else(other)?;
            let newer = self.log.reader.open(head)?;
            note = std::mem::replace(self.opened, newer).head().note().clone();
        }
        if tell(self.opened, &note, "the log itself", policy, self.memory, now)? {
            return Err(Misbehaved { origin: self.log.origin.clone() }.into());
        }
        let state = self.memory.state.logs.entry(self.log.origin.clone()).or_default();
        state.head = self.opened.head().note().to_string();
        Ok(seen_heads::see(state, self.opened)?)
    }

    /// Looks at what is new, in the order of the log, and keeps how far.
    fn look_at(&mut self, subject: &Subject, kept: &Kept, list: &ListProof) -> Result<(), Failure> {
        let (reported, report_from) = (self.known(subject).reported, self.state().report_from);
        let reported = reported.max(report_from);
        let mut frontier = kept.list().clone();
        for (number, pointer) in (1..).zip(list.complete().value()) {
            let full = self.is_full();
            let looked = if full { Ok(()) } else { self.entry(subject, pointer, pointer.position < reported) };
            if full || looked.is_err() || number % SAVED_EVERY == 0 {
                let so_far = Kept::new(pointer.position, frontier.clone()).unwrap_or_default();
                self.keep(subject, KnownList::of(&so_far, String::new(), reported));
                looked?;
                self.memory.save()?;
            }
            if full {
                return Ok(());
            }
            frontier.push(pointer.list_leaf());
        }
        let (complete, size) = (list.complete(), list.complete().head().value().size());
        let Some(proof) = list.proofs().last() else { return Ok(()) };
        let mut answer = String::new();
        // A list under a head that is not kept is asked about again.
        if let Some(head) = self.state().heads.iter_mut().find(|head| head.size() == Some(size)) {
            head.index = proof.index_lines();
            answer = proof.without_pointers(size).answer_lines();
        }
        self.keep(subject, KnownList::of(complete.kept(), answer, reported));
        Ok(())
    }

    /// Looks at an entry that is listed: it is in the tree, and about the name.
    fn entry(&mut self, subject: &Subject, pointer: &Pointer, is_known: bool) -> Result<(), Failure> {
        let Pointer { position, leaf } = *pointer;
        // Nothing would be said of it, and nothing is to be remembered.
        if is_known && !self.judge.keep_releases {
            return Ok(());
        }
        let wrong = |found: String| WrongPointer {
            origin: self.log.origin.clone(),
            subject: subject.clone(),
            position,
            expected: leaf.to_string(),
            found,
        };
        let node = self.opened.node(0, position)?;
        if node.as_bytes() != leaf.as_bytes() {
            return Err(wrong(node.to_string()).into());
        }
        let bytes = self.client.entry(position)?;
        let found = leaf_hash(&bytes);
        if found != leaf {
            return Err(self
                .client
                .nonsense("the entry that its tree has", format!("one with leaf hash {found}"))
                .into());
        }
        // An entry that this version cannot read is counted below.
        if Entry::parse(&bytes).is_ok_and(|entry| !keys_of(&entry).contains(&subject.key())) {
            return Err(wrong("an entry about something else".to_owned()).into());
        }
        self.round.entries += u64::from(self.looked_at.insert(position));
        let own = self.memory.state.core.own.remove(&leaf.to_string());
        let state = self.memory.state.logs.entry(self.log.origin.clone()).or_default();
        let event = self.judge.entry(&self.log.origin, state, position, leaf, &bytes, own || is_known);
        event.into_iter().for_each(|event| self.memory.state.say(event));
        Ok(())
    }

    /// Says that the index contradicts what it said before, with both proofs, and when it no longer does.
    fn note(&mut self, subject: &Subject, wrong: Option<(&RefusedNameProof, &(NameProof, NameProof))>) {
        let of = format!("{} {subject}", self.log.origin);
        let mut details = json!({ "subject": subject.to_string() });
        let mut summary = format!("the index of {} lists what it listed under {subject} before", self.log.origin);
        if let Some((error, (before, after))) = wrong {
            summary = format!("the index of {} contradicts itself about {subject}: {error}", self.log.origin);
            details = json!({
                "subject": subject.to_string(),
                "problem": error.code(),
                "before": self.kept_proof(before),
                "after": self.kept_proof(after),
            });
        }
        let condition = Condition { what: "list", of: &of, wrong: wrong.is_some(), summary, details };
        alert::note(&mut self.memory.state, Some(&self.log.origin), condition, self.judge.now);
    }

    /// Where a name proof is kept: anyone can check it with the policy.
    fn kept_proof(&self, proof: &NameProof) -> Option<String> {
        let bytes = proof.to_bytes();
        let digest = Digest::of(&bytes).to_string();
        let name = format!("evidence/list-{}.name-proof", digest.get(..16).unwrap_or(&digest));
        self.memory.keep(&name, &bytes).ok().map(|path| path.display().to_string())
    }

    fn forget(&mut self, subject: &Subject) {
        if let Some(known) = self.state().lists.get_mut(&subject.to_string()) {
            known.forget();
        }
    }

    fn keep(&mut self, subject: &Subject, list: KnownList) {
        self.state().lists.insert(subject.to_string(), list);
    }

    fn is_full(&self) -> bool {
        self.memory.state.waiting().len() >= MAX_WAITING
    }

    fn state(&mut self) -> &mut LogState {
        self.memory.state.logs.entry(self.log.origin.clone()).or_default()
    }
}

/// The name proof of a list that is known whole, put together from what is kept; none where that is damaged, or the list is not whole.
fn proof_of(subject: &Subject, known: &KnownList, state: &LogState) -> Option<NameProof> {
    let head = state.heads.iter().find(|head| head.size() == Some(known.size)).filter(|_| known.is_whole())?;
    NameProof::assemble(subject, head.index.as_bytes(), known.answer.as_bytes(), &head.read()?.0).ok()
}

/// An index that lists what is not in the tree at that place, or is about something else.
#[derive(Debug, thiserror::Error)]
#[error("the index of {origin} lists entry {position} under {subject}, and the log has another one there")]
struct WrongPointer {
    origin: String,
    subject: Subject,
    position: u64,
    expected: String,
    found: String,
}

impl Explain for WrongPointer {
    explain! {
        Self { subject, expected, found, .. } => Exit::Inconsistent, "list-wrong-entry",
            hint: "the log's index is wrong: rely on none of its answers; stele audit makes a file of evidence of it",
            "asked": subject, "expected": expected, "found": found;
    }
}
