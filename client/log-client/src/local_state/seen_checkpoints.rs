//! The tree heads of one log that this machine relied on.
//!
//! Offline, two heads of one size must have one root; an older head than the newest is normal, since a bundle is as old as
//! its publication. Online, each head that was seen must be the beginning of the tree that is offered. An offered tree that
//! is smaller than one seen before is stale, which accuses no log: a cache does this as well.
//!
//! A kept head is checked again when it is read. One whose signatures do not hold was damaged here: it is set aside.

use std::collections::{BTreeMap, BTreeSet};

use stele_durable::{self as durable, DurableError};
use stele_explain::Failure;
use stele_spec::checkpoint::Checkpoint;
use stele_spec::note::{MAX_NOTE, SignedNote};
use stele_spec::policy::{Policy, RefusedCheckpoint, TrustedCheckpoint};

use super::conflict::{CheckpointConflict, LogInconsistent, Stale};
use super::folder::LocalState;
use super::log_id::LogId;
use crate::reader::{ReadError, VerifiedLog};

/// The most heads that are kept of one log; the smallest go first.
const MAX_HEADS: usize = 64;

/// The most bytes of the file of linked heads: a line of about 70 for each.
const MAX_LINKED: u64 = 64 << 10;

/// The heads of one log.
#[derive(Debug)]
pub struct SeenCheckpoints<'a> {
    local_state: LocalState,
    log: LogId<'a>,
}

/// Whether a kept note is a head of a log of the policy: the log's signature holds, and each of a witness of the policy.
///
/// The quorum is not asked for: a policy may have changed since the head was kept.
fn is_authentic(note: &SignedNote, policy: &Policy) -> bool {
    matches!(policy.verify_note(note), Ok(_) | Err(RefusedCheckpoint::Quorum { .. }))
}

impl LocalState {
    /// The heads of the log that signed a note.
    pub fn heads<'a>(&self, log: LogId<'a>) -> SeenCheckpoints<'a> {
        SeenCheckpoints { local_state: self.clone(), log }
    }
}

impl SeenCheckpoints<'_> {
    /// The newest head that is remembered, if the policy still vouches for it.
    pub fn newest(&self, policy: &Policy) -> Result<Option<TrustedCheckpoint>, DurableError> {
        let mut sizes = self.sizes()?;
        while let Some(size) = sizes.pop_last() {
            let head = self.read(size)?.and_then(|note| TrustedCheckpoint::parse(&note.to_bytes(), policy).ok());
            if head.is_some() {
                return Ok(head);
            }
        }
        Ok(None)
    }

    /// Compares a head that the policy vouches for with what is remembered, and remembers it. No server is asked.
    pub fn see(&self, head: &TrustedCheckpoint) -> Result<(), Failure> {
        let checkpoint = head.checkpoint();
        if let Some(seen) = self.read(head.size())? {
            return self.compare(&seen, head);
        }
        let path = self.path(checkpoint.size());
        let put = self.local_state.write(|dir| dir.put_if_absent(&path, &head.note().to_bytes()).map(drop));
        match put {
            // Another process was faster: there is something to compare with now.
            Err(DurableError::Differs { .. }) => match self.read(head.size())? {
                Some(seen) => self.compare(&seen, head),
                None => Ok(()),
            },
            Err(error) => Err(error.into()),
            Ok(_) => Ok(self.forget_the_oldest()?),
        }
    }

    /// Compares heads of one log with each other, then with what is remembered, and remembers them. No server is asked.
    pub fn see_all<'h>(&self, heads: impl Iterator<Item = &'h TrustedCheckpoint>) -> Result<(), Failure> {
        let mut seen: Vec<&TrustedCheckpoint> = Vec::new();
        for head in heads {
            if let Some(before) = seen.iter().find(|before| before.size() == head.size()) {
                self.compare(before.note(), head)?;
            }
            self.see(head)?;
            seen.push(head);
        }
        Ok(())
    }

    /// Compares all heads that were seen with the log's own tiles; remembers its head, and that they are one tree.
    ///
    /// A contradiction is found before a stale head is: who shows an older tree may hide another history behind it.
    pub fn link(&self, log: &VerifiedLog<'_>) -> Result<(), Failure> {
        self.see(log.head())?;
        let linked = self.linked()?;
        let mut stale = None;
        let mut links = Vec::new();
        for size in self.sizes()?.into_iter().rev() {
            let Some(note) = self.read(size)? else { continue };
            let root = root_of(&note);
            // Of a tree that was linked before, one head stands for all: the largest.
            let known = linked.get(&size) == Some(&root) && linked.keys().next_back() != Some(&size);
            match self.stale(log, &note) {
                Some(older) => stale = stale.or(Some(older)),
                None if known => {}
                None => self.check(log, &note)?,
            }
            links.push(format!("{size} {root}\n"));
        }
        if let Some(stale) = stale {
            return Err(stale.into());
        }
        let path = format!("heads/{}.linked", self.log);
        self.local_state.write(|dir| dir.replace(&path, links.concat().as_bytes()))?;
        Ok(())
    }

    /// Whether a head that was seen is the beginning of the tree that a log offers, by the log's own tiles.
    pub fn check(&self, log: &VerifiedLog<'_>, note: &SignedNote) -> Result<(), Failure> {
        let offered = log.head();
        let Ok(seen) = Checkpoint::parse(note.text()) else { return Ok(()) };
        // A tree that ends before what was seen shows nothing of it.
        if let Some(stale) = self.stale(log, note) {
            return Err(stale.into());
        }
        match log.check_prefix(seen.size(), seen.root()) {
            Ok(()) => Ok(()),
            Err(ReadError::NotAPrefix { found, .. }) => {
                let path = log.prove_consistency(seen.size())?;
                let (older, newer) = (Box::new(note.clone()), Box::new(offered.note().clone()));
                let prefix = (seen.size() < log.size()).then_some((path, found));
                Err(LogInconsistent::found(&self.local_state, CheckpointConflict { older, newer, prefix }))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// That a tree which is offered ends before a head that was seen.
    fn stale(&self, log: &VerifiedLog<'_>, note: &SignedNote) -> Option<Stale> {
        let seen = Checkpoint::parse(note.text()).ok()?;
        let (before, now) = (seen.size(), log.size());
        (before > now).then(|| Stale { origin: seen.origin().to_string(), before, now })
    }

    /// Two heads of one size.
    fn compare(&self, seen: &SignedNote, head: &TrustedCheckpoint) -> Result<(), Failure> {
        match Checkpoint::parse(seen.text()) {
            Ok(checkpoint) if checkpoint.root() != head.checkpoint().root() => {
                let (older, newer) = (Box::new(seen.clone()), Box::new(head.note().clone()));
                Err(LogInconsistent::found(&self.local_state, CheckpointConflict { older, newer, prefix: None }))
            }
            _ => Ok(()),
        }
    }

    fn path(&self, size: u64) -> String {
        format!("heads/{}/{size}", self.log)
    }

    fn read(&self, size: u64) -> Result<Option<SignedNote>, DurableError> {
        let Some(folder) = self.local_state.folder() else { return Ok(None) };
        let path = folder.join(self.path(size));
        let bytes = match durable::read_file(&path, MAX_NOTE as u64).or_else(absent)? {
            Some(bytes) => bytes,
            None => return Ok(None),
        };
        let note = SignedNote::parse(&bytes).ok().filter(|note| self.is_head_of(note, size));
        if note.is_none() {
            self.set_aside(size, &bytes)?;
        }
        Ok(note)
    }

    /// Whether a note is a head of this log and of this size.
    fn is_head_of(&self, note: &SignedNote, size: u64) -> bool {
        let policy = self.log.policy;
        is_authentic(note, policy)
            && LogId::of(note, policy) == Some(self.log)
            && Checkpoint::parse(note.text()).is_ok_and(|head| head.size() == size)
    }

    /// Moves away what is no head of this log: it was damaged on this machine, and says nothing about the log.
    fn set_aside(&self, size: u64, bytes: &[u8]) -> Result<(), DurableError> {
        let (path, aside) = (self.path(size), format!("{}.damaged", self.path(size)));
        let moved = self.local_state.write(|dir| {
            dir.replace(&aside, bytes)?;
            dir.remove(&path).map(|_| (dir.path_of(&path), dir.path_of(&aside)))
        })?;
        if let Some((path, aside)) = moved {
            self.local_state.warn(&format!(
                "warning: the tree head kept in {} is damaged: its signatures do not hold; it was moved to {} and \
                 says nothing about the log\n",
                path.display(),
                aside.display()
            ));
        }
        Ok(())
    }

    /// The sizes that are remembered.
    fn sizes(&self) -> Result<BTreeSet<u64>, DurableError> {
        let Some(folder) = self.local_state.folder() else { return Ok(BTreeSet::new()) };
        let Ok(entries) = std::fs::read_dir(folder.join("heads").join(self.log.to_string())) else {
            return Ok(BTreeSet::new());
        };
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        Ok(names.filter_map(|name| stele_spec::text::decimal(&name).ok()).collect())
    }

    /// Sizes and roots of heads that are known to be of one tree. Another head that comes to a size is not known by it.
    fn linked(&self) -> Result<BTreeMap<u64, String>, DurableError> {
        let Some(folder) = self.local_state.folder() else { return Ok(BTreeMap::new()) };
        let path = folder.join(format!("heads/{}.linked", self.log));
        let bytes = durable::read_file(&path, MAX_LINKED).or_else(absent)?.unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let link = |line: &str| {
            let (size, root) = line.split_once(' ')?;
            Some((stele_spec::text::decimal(size).ok()?, root.to_owned()))
        };
        Ok(text.lines().filter_map(link).collect())
    }

    fn forget_the_oldest(&self) -> Result<(), DurableError> {
        let mut sizes = self.sizes()?;
        while sizes.len() > MAX_HEADS {
            let Some(size) = sizes.pop_first() else { break };
            self.local_state.write(|dir| dir.remove(&self.path(size)).map(drop))?;
        }
        Ok(())
    }
}

/// The root that a head states; nothing where it states none.
fn root_of(note: &SignedNote) -> String {
    Checkpoint::parse(note.text()).map(|head| head.root().to_string()).unwrap_or_default()
}

/// A place that cannot be looked into holds nothing: a home that is a file, or another user's.
fn absent(error: DurableError) -> Result<Option<Vec<u8>>, DurableError> {
    match error {
        DurableError::TooLarge { .. } | DurableError::Io { .. } => Ok(None),
        error => Err(error),
    }
}
