//! The head of a request: what a cosigner knows of a step before it takes the entries.

use core::fmt::Write as _;

use super::error::{MalformedRequest, RefusedStep};
use super::limits::{MAX_HEAD, MAX_REQUEST, SLACK};
use crate::checkpoint::Checkpoint;
use crate::entry::{IndexEntry, MAX_ENTRY};
use crate::hash::{IndexRoot, NodeHash, RootHash};
use crate::index::MAX_BETWEEN;
use crate::merkle::{ConsistencyProof, Frontier, MAX_PROOF, empty_root};
use crate::note::SignedNote;
use crate::text::{base64_exact, decimal, to_base64};
use crate::transition::MAX_TRANSITION;

/// The first line.
const HEADER: &str = "stele/add-transition@v1";

/// The tree that a step comes from: its last entry, which is an index entry, and the frontier of what comes before that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldTree {
    /// The tree without its last entry.
    pub before: Frontier,
    /// The root in the last entry.
    pub index: IndexRoot,
}

impl OldTree {
    /// How many entries the tree has.
    pub const fn size(&self) -> u64 {
        self.before.size().saturating_add(1)
    }

    /// Its last entry.
    pub const fn entry(&self) -> IndexEntry {
        IndexEntry { position: self.before.size(), root: self.index }
    }

    /// All of it.
    pub(super) fn tree(&self) -> Frontier {
        let mut tree = self.before.clone();
        tree.push(self.entry().leaf_hash());
        tree
    }
}

/// From where to where a step leads, and under which checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepHead {
    pub(super) old: Option<OldTree>,
    pub(super) end: u64,
    pub(super) proof: ConsistencyProof,
    pub(super) note: SignedNote,
    pub(super) checkpoint: Checkpoint,
}

impl StepHead {
    /// How many bytes the head of a body has after the first four, which say so.
    pub fn length(first: [u8; 4]) -> Result<usize, MalformedRequest> {
        let found = u32::from_be_bytes(first) as usize;
        if found > MAX_HEAD { Err(MalformedRequest::TooLong { found }) } else { Ok(found) }
    }

    /// Reads a head without its length.
    pub fn parse(head: &[u8]) -> Result<Self, MalformedRequest> {
        let mut head = Lines(core::str::from_utf8(head).map_err(|_| MalformedRequest::Text)?);
        head.exactly(HEADER, HEADER)?;
        let size = head.number("old ", "old SIZE")?;
        let old = size.checked_sub(1).map(|before| head.old_tree(before)).transpose()?;
        let end = head.number("end ", "end SIZE")?;
        let mut path = Vec::new();
        loop {
            let line = head.next("an empty line before the checkpoint")?;
            if line.is_empty() {
                break;
            }
            if path.len() == MAX_PROOF {
                return Err(MalformedRequest::Line { expected: "an empty line before the checkpoint" });
            }
            path.push(hash(line)?);
        }
        let line = MalformedRequest::Line { expected: "an empty line before the checkpoint" };
        let proof = ConsistencyProof::from_path(path).ok_or(line)?;
        let note = SignedNote::parse(head.0.as_bytes()).map_err(MalformedRequest::Note)?;
        if end.checked_sub(size).is_none_or(|count| count > MAX_BETWEEN as u64 + 1) {
            return Err(MalformedRequest::Range { old: size, end });
        }
        Self::new(old, end, proof, note)
    }

    pub(super) fn new(
        old: Option<OldTree>,
        end: u64,
        proof: ConsistencyProof,
        note: SignedNote,
    ) -> Result<Self, MalformedRequest> {
        let checkpoint = Checkpoint::parse(note.text()).map_err(MalformedRequest::Checkpoint)?;
        if end > checkpoint.size() {
            return Err(MalformedRequest::Beyond { end, size: checkpoint.size() });
        }
        Ok(Self { old, end, proof, note, checkpoint })
    }

    pub(super) fn text(&self) -> String {
        let mut head = format!("{HEADER}\nold {}\n", self.old_size());
        if let Some(old) = &self.old {
            let _ = writeln!(head, "index {}", to_base64(old.index.as_bytes()));
            old.before.peaks().iter().for_each(|peak| line(&mut head, peak));
        }
        let _ = writeln!(head, "end {}", self.end);
        self.proof.path().iter().for_each(|hash| line(&mut head, hash));
        let _ = write!(head, "\n{}", self.note);
        head
    }

    /// How many entries the tree has that it comes from.
    pub fn old_size(&self) -> u64 {
        self.old.as_ref().map_or(0, OldTree::size)
    }

    /// How many entries the tree has that it leads to.
    pub const fn end(&self) -> u64 {
        self.end
    }

    /// The checkpoint with all signatures that came with it.
    pub const fn note(&self) -> &SignedNote {
        &self.note
    }

    /// What it claims.
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The tree that it says it comes from: its size and root.
    pub fn claimed(&self) -> (u64, RootHash) {
        self.old.as_ref().map_or_else(|| (0, empty_root()), |old| (old.size(), old.tree().root()))
    }

    /// That it goes on from the tree that was checked last.
    pub fn follows(&self, (size, root): (u64, RootHash)) -> Result<(), RefusedStep> {
        let (old, found) = self.claimed();
        if old != size {
            return Err(RefusedStep::NotTheLast { old, checked: size });
        }
        if found != root {
            return Err(RefusedStep::OldTree { checked: root, found });
        }
        Ok(())
    }

    /// The most bytes that follow this head: so many entries, each as long as one may be, and the part of the longest transition proof that is
    /// theirs. A short step cannot take the room of a long one.
    pub fn longest_rest(&self) -> usize {
        let entries = usize::try_from(self.end.saturating_sub(self.old_size())).unwrap_or(usize::MAX);
        let Some(statements) = entries.checked_sub(1) else { return 0 };
        let proof = (MAX_TRANSITION / MAX_BETWEEN).saturating_mul(statements).saturating_add(SLACK);
        entries.saturating_mul(2 + MAX_ENTRY).saturating_add(proof).min(MAX_REQUEST)
    }
}

/// The lines of a head that are not read yet.
struct Lines<'a>(&'a str);

impl<'a> Lines<'a> {
    fn next(&mut self, expected: &'static str) -> Result<&'a str, MalformedRequest> {
        let (line, rest) = self.0.split_once('\n').ok_or(MalformedRequest::Line { expected })?;
        self.0 = rest;
        Ok(line)
    }

    fn exactly(&mut self, text: &str, expected: &'static str) -> Result<(), MalformedRequest> {
        if self.next(expected)? == text { Ok(()) } else { Err(MalformedRequest::Line { expected }) }
    }

    fn field(&mut self, name: &str, expected: &'static str) -> Result<&'a str, MalformedRequest> {
        self.next(expected)?.strip_prefix(name).ok_or(MalformedRequest::Line { expected })
    }

    fn number(&mut self, name: &str, expected: &'static str) -> Result<u64, MalformedRequest> {
        decimal(self.field(name, expected)?).map_err(MalformedRequest::Number)
    }

    /// The tree of one entry more than `before`.
    fn old_tree(&mut self, before: u64) -> Result<OldTree, MalformedRequest> {
        let index = self.field("index ", "index ROOT")?;
        let index = base64_exact(index).map(IndexRoot::from_bytes).map_err(MalformedRequest::Hash)?;
        let peaks = (0..before.count_ones()).map(|_| hash(self.next("a hash of the tree before the index entry")?));
        let peaks = peaks.collect::<Result<Vec<_>, _>>()?;
        let expected = "a hash of the tree before the index entry";
        let before = Frontier::from_parts(before, peaks).ok_or(MalformedRequest::Line { expected })?;
        Ok(OldTree { before, index })
    }
}

fn hash(line: &str) -> Result<NodeHash, MalformedRequest> {
    base64_exact(line).map(NodeHash::from_bytes).map_err(MalformedRequest::Hash)
}

fn line(head: &mut String, hash: &NodeHash) {
    head.push_str(&to_base64(hash.as_bytes()));
    head.push('\n');
}
