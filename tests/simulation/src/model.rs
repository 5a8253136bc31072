//! What is true of a run, known from outside: every head that was signed, with its entries, who cosigned it, what was acknowledged. Each
//! method is told of one thing that happened, and says which promise it breaks.

use crate::pool::pool;
use crate::watched::{Notes, Stored};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use stele_log_core::staged_batch::{Span, StagedBatch};
use stele_spec::checkpoint::Checkpoint;
use stele_spec::hash::RootHash;
use stele_spec::index::Subject;
use stele_spec::merkle::{MemoryTree, leaf_hash, root_at};
use stele_spec::note::SignedNote;
use stele_spec::policy::Policy;

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which promise.
    pub promise: &'static str,
    /// What was seen.
    pub seen: String,
}

/// Whether all promises are kept.
pub type Kept = Result<(), Violation>;

/// Size and root hash of a tree.
pub type Head = (u64, RootHash);

/// The head of a note.
pub fn head_of(note: &SignedNote) -> Option<Head> {
    Checkpoint::parse(note.text()).ok().map(|checkpoint| (checkpoint.size(), checkpoint.root()))
}

/// A head that the log's key signed.
#[derive(Debug)]
struct Signed {
    tree: MemoryTree,
    entries: Vec<Arc<[u8]>>,
    /// The honest witnesses that have cosigned it.
    cosigned: BTreeSet<usize>,
    is_certified: bool,
    /// Whether the index is wrong that it states.
    is_wrong: bool,
}

/// What a witness cosigned last, and when.
#[derive(Clone, Copy, Debug)]
struct Last {
    head: Head,
    time: u64,
}

/// The truth of one run.
#[derive(Debug)]
pub struct Model {
    policy: Policy,
    byzantine: BTreeSet<usize>,
    /// How many witnesses there are; who has a higher number is an index cosigner.
    witnesses: usize,
    signed: BTreeMap<Head, Signed>,
    /// The newest head that was signed.
    newest: Option<Head>,
    /// The newest head that a quorum cosigned: the one history.
    certified: Option<Head>,
    acknowledged: BTreeMap<u64, Arc<[u8]>>,
    /// What the mirror served last.
    mirrored: Option<Last>,
    last: BTreeMap<usize, Last>,
    /// The sizes that were published, of each log.
    published: BTreeMap<usize, u64>,
    /// Whether no older disk was put back and no second writer begun: then every promise holds for one log.
    pub is_strict: bool,
    /// Whether every signed head continues the one before: also where two processes share one head store.
    pub is_chained: bool,
}

/// A promise is broken.
pub(crate) fn broken<T>(promise: &'static str, seen: impl Into<String>) -> Result<T, Violation> {
    Err(Violation { promise, seen: seen.into() })
}

impl Model {
    /// Somebody has put back an older disk, or begun a second writer with a head store of its own.
    pub fn forget_chain(&mut self) {
        (self.is_strict, self.is_chained) = (false, false);
    }

    /// Nothing has happened.
    pub fn new(policy: &Policy, witnesses: usize, byzantine: BTreeSet<usize>) -> Self {
        Self {
            policy: policy.clone(),
            byzantine,
            witnesses,
            signed: BTreeMap::new(),
            newest: None,
            certified: None,
            acknowledged: BTreeMap::new(),
            mirrored: None,
            last: BTreeMap::new(),
            published: BTreeMap::new(),
            is_strict: true,
            is_chained: true,
        }
    }

    /// The size of the one history.
    pub fn certified_size(&self) -> u64 {
        self.certified.map_or(0, |(size, _)| size)
    }

    /// The newest head that a quorum cosigned.
    pub fn certified(&self) -> Option<Head> {
        self.certified
    }

    /// What was acknowledged, by entry index.
    pub fn acknowledged(&self) -> &BTreeMap<u64, Arc<[u8]>> {
        &self.acknowledged
    }

    /// The latest time that an honest witness, or the mirror, has signed.
    pub fn latest_time(&self) -> u64 {
        self.last.values().chain(&self.mirrored).map(|last| last.time).max().unwrap_or(0)
    }

    /// Whether a head is of the one history, or goes on from it.
    pub fn is_of_certified(&self, head: Head) -> bool {
        let Some(certified) = self.certified else { return true };
        let common = head.0.min(certified.0);
        let of = |head: Head| self.signed.get(&head).and_then(|signed| root_at(&signed.tree, common).ok());
        of(head) == of(certified)
    }

    /// Whether a head was cosigned by a quorum.
    pub fn is_certified(&self, head: Head) -> bool {
        self.signed.get(&head).is_some_and(|signed| signed.is_certified)
    }

    /// The entries of a signed head.
    pub fn entries(&self, head: Head) -> Option<&[Arc<[u8]>]> {
        Some(&self.signed.get(&head)?.entries)
    }

    /// A head store said something. `known` is the size of the one history when the writer began: before it signed anything it asked the
    /// witnesses.
    pub fn stored(&mut self, notes: &Notes, stored: &Stored, known: u64) -> Kept {
        let note = match stored {
            Stored::Swapped(note) | Stored::Loaded(Some(note)) => note,
            Stored::Loaded(None) if self.newest.is_some() && self.is_chained => {
                return broken("a signed head is durable", "the head store is empty");
            }
            // What may be there counts once a start finds it.
            Stored::Uncertain(_) | Stored::Loaded(None) => return Ok(()),
        };
        let Some(head) = SignedNote::parse(note).ok().and_then(|note| head_of(&note)) else {
            return broken("a signed head is durable", "the head store holds no head");
        };
        if !self.signed.contains_key(&head) {
            self.sign(notes, head)?;
            if matches!(stored, Stored::Swapped(_)) {
                self.continues_certified(head, known)?;
            }
        }
        if self.is_chained {
            if let Some(newest) = self.newest {
                self.continues(head, newest, "every signed head continues the one before")?;
            }
            self.newest = Some(head);
        }
        Ok(())
    }

    /// Learns the entries of a head that is new.
    fn sign(&mut self, notes: &Notes, (size, root): Head) -> Kept {
        let name = Span { old_size: 0, old_root: None, new_size: size, root }.name();
        let staged = notes.staged(&name).and_then(|bytes| StagedBatch::parse(&bytes));
        let Some(StagedBatch { span, entries: new, .. }) = staged else {
            return broken("entries are staged before their head is signed", format!("no batch {name}"));
        };
        let (mut tree, mut entries) = (MemoryTree::new(), Vec::new());
        if span.old_size > 0 {
            let before = span.old_root.and_then(|root| self.signed.get(&(span.old_size, root)));
            let Some(before) = before else {
                return broken("a batch begins at a signed head", format!("batch {name} begins at {}", span.old_size));
            };
            (tree, entries) = (before.tree.clone(), before.entries.clone());
        }
        for entry in new {
            tree.push(leaf_hash(&entry));
            entries.push(entry.into());
        }
        if (tree.size(), root_at(&tree, tree.size()).ok()) != (size, Some(root)) {
            return broken("a signed root is that of the entries", format!("size {size}"));
        }
        self.add((size, root), tree, entries, false);
        Ok(())
    }

    fn add(&mut self, head: Head, tree: MemoryTree, entries: Vec<Arc<[u8]>>, is_wrong: bool) {
        let signed = Signed { tree, entries, cosigned: BTreeSet::new(), is_certified: false, is_wrong };
        self.signed.entry(head).or_insert(signed);
    }

    /// Somebody else has signed a tree with the log's key, and its index is wrong.
    pub fn lied(&mut self, head: Head, tree: MemoryTree, entries: Vec<Arc<[u8]>>) {
        self.add(head, tree, entries, true);
    }

    /// Whether a wrong index was ever signed.
    pub fn has_lied(&self) -> bool {
        self.signed.values().any(|signed| signed.is_wrong)
    }

    /// What a cosigner has cosigned last.
    pub fn last_of(&self, witness: usize) -> Option<Head> {
        self.last.get(&witness).map(|last| last.head)
    }

    /// A head that is signed continues what a quorum had cosigned when the witnesses were asked. With a lying witness among those asked, or
    /// a second writer, that is only what a quorum must refuse.
    fn continues_certified(&self, head: Head, known: u64) -> Kept {
        let Some(certified) = self.certified.filter(|_| self.byzantine.is_empty() && known > 0) else { return Ok(()) };
        let common = known.min(certified.0);
        let of = |head: Head| self.signed.get(&head).and_then(|signed| root_at(&signed.tree, common).ok());
        if head.0 < common || of(head) != of(certified) {
            let seen = format!("signed {}, while {common} entries were cosigned by a quorum", head.0);
            return broken("nothing is signed that contradicts what a quorum had cosigned before the start", seen);
        }
        Ok(())
    }

    /// The tree of `head` begins with that of `before`.
    fn continues(&self, head: Head, before: Head, promise: &'static str) -> Kept {
        let beginning = self.signed.get(&head).and_then(|signed| root_at(&signed.tree, before.0).ok());
        if head.0 >= before.0 && beginning == Some(before.1) {
            return Ok(());
        }
        broken(promise, format!("{} entries with root {} after {} with root {}", head.0, head.1, before.0, before.1))
    }

    /// A witness has given a cosignature out.
    pub fn cosigned(&mut self, witness: usize, head: Head, time: u64) -> Kept {
        if self.byzantine.contains(&witness) {
            return Ok(());
        }
        if !self.signed.contains_key(&head) {
            return broken(
                "a witness cosigns what the log's key signed",
                format!("witness {witness}, size {}", head.0),
            );
        }
        if witness >= self.witnesses && self.signed.get(&head).is_some_and(|signed| signed.is_wrong) {
            let seen = format!("index cosigner {}, size {}", witness - self.witnesses, head.0);
            return broken("an index cosigner cosigns no wrong index", seen);
        }
        if let Some(last) = self.last.get(&witness).copied() {
            self.continues(head, last.head, "a witness cosigns one history")?;
            if time < last.time {
                return broken("a witness never signs an older time", format!("{time} after {}", last.time));
            }
        }
        self.last.insert(witness, Last { head, time });
        if let Some(signed) = self.signed.get_mut(&head) {
            signed.cosigned.insert(witness);
        }
        self.certify(head)
    }

    /// Two heads with a quorum have one history.
    fn certify(&mut self, head: Head) -> Kept {
        let Some(signed) = self.signed.get_mut(&head) else { return Ok(()) };
        let cosigned = |witness: usize| signed.cosigned.contains(&witness) || self.byzantine.contains(&witness);
        if signed.is_certified || !self.policy.quorum().is_met(&cosigned) {
            return Ok(());
        }
        signed.is_certified = true;
        let Some(certified) = self.certified else {
            self.certified = Some(head);
            return Ok(());
        };
        let (smaller, larger) = if head.0 < certified.0 { (head, certified) } else { (certified, head) };
        self.continues(larger, smaller, "no two histories reach a quorum")?;
        self.certified = Some(larger);
        Ok(())
    }

    /// A log serves a head as published.
    pub fn published(&mut self, log: usize, head: Head) -> Kept {
        if !self.is_certified(head) {
            return broken("a published head has a quorum", format!("size {}", head.0));
        }
        let before = self.published.insert(log, head.0).unwrap_or(0);
        if before > head.0 && self.is_strict {
            return broken("the published head never goes back", format!("{} after {before}", head.0));
        }
        Ok(())
    }

    /// A publisher has verified a proof that its statement is in the log.
    pub fn acknowledge(&mut self, position: u64, bytes: &Arc<[u8]>) -> Kept {
        self.acknowledged.entry(position).or_insert_with(|| bytes.clone());
        self.check_acknowledged(position)
    }

    fn check_acknowledged(&self, position: u64) -> Kept {
        let entries = self.certified.and_then(|head| self.entries(head)).unwrap_or_default();
        if self.acknowledged.get(&position) == entries.get(position as usize) {
            return Ok(());
        }
        broken("an acknowledged entry stays where it is", format!("another entry is at {position}"))
    }

    /// A log that runs holds so many entries: none that was acknowledged is missing.
    pub fn holds(&self, head: Option<Head>) -> Kept {
        let Some((last, _)) = self.acknowledged.last_key_value().filter(|_| self.is_strict) else { return Ok(()) };
        if head.is_none_or(|(size, _)| size <= *last) {
            return broken("an acknowledged entry is durable", format!("entry {last} is gone after a start"));
        }
        Ok(())
    }

    /// A reader has accepted a head.
    pub fn accepted(&self, head: Head) -> Kept {
        if self.is_certified(head) {
            return Ok(());
        }
        broken("a reader accepts what a quorum cosigned", format!("size {}", head.0))
    }

    /// A reader has accepted positions as all that is listed under a subject, from `since` on.
    pub fn listed(&self, head: Head, subject: &Subject, since: u64, found: &[u64]) -> Kept {
        self.accepted(head)?;
        let entries = self.entries(head).unwrap_or_default();
        let about = |entry: &Arc<[u8]>| {
            pool().iter().any(|prepared| prepared.bytes == *entry && prepared.subjects.contains(subject))
        };
        let expected: Vec<u64> =
            (0..).zip(entries).filter(|(at, entry)| *at >= since && about(entry)).map(|(at, _)| at).collect();
        if expected == found {
            return Ok(());
        }
        let seen = format!("{subject} in a tree of {}: {found:?} of {expected:?}", head.0);
        broken("a name proof that a reader accepts is complete", seen)
    }

    /// A mirror serves these entries under a head that it has signed.
    pub fn mirrored(&mut self, head: Head, time: u64, entries: &[Vec<u8>]) -> Kept {
        if !self.has_entries(head, entries) {
            return broken("what a mirror serves it holds", format!("other entries than those of the {}", head.0));
        }
        if let Some(last) = self.mirrored {
            self.continues(head, last.head, "a mirror signs one history")?;
            if time < last.time {
                return broken("a mirror never signs an older time", format!("{time} after {}", last.time));
            }
        }
        self.mirrored = Some(Last { head, time });
        Ok(())
    }

    fn has_entries(&self, head: Head, entries: &[Vec<u8>]) -> bool {
        let known = self.entries(head).unwrap_or_default();
        known.len() == entries.len() && known.iter().zip(entries).all(|(known, read)| **known == **read)
    }

    /// A follower says that it has read these entries of a head.
    pub fn covered(&self, head: Head, entries: &[Vec<u8>]) -> Kept {
        if self.has_entries(head, entries) {
            return Ok(());
        }
        broken("what a follower says that it read it read", format!("{} of {} entries", entries.len(), head.0))
    }
}
