//! The body of `add-transition`, read strictly: `to_bytes(parse(x)) == x`.

use core::fmt::Write as _;

use super::error::MalformedRequest;
use super::limits::{MAX_HEAD, MAX_REQUEST};
use crate::checkpoint::Checkpoint;
use crate::entry::MAX_ENTRY;
use crate::hash::{IndexRoot, NodeHash};
use crate::index::MAX_BETWEEN;
use crate::merkle::{ConsistencyProof, Frontier, MAX_PROOF};
use crate::note::SignedNote;
use crate::text::{base64_exact, decimal, to_base64};
use crate::transition::TransitionProof;

/// The first line.
const HEADER: &str = "stele/add-transition@v1";

/// A step over the entries from one index entry to the next, as it was received; nothing in it is verified before
/// [`check`](super::check).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddTransition<'a> {
    old: Option<OldTree>,
    end: u64,
    proof: ConsistencyProof,
    note: SignedNote,
    checkpoint: Checkpoint,
    entries: Vec<&'a [u8]>,
    transition: Option<TransitionProof>,
}

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
}

impl<'a> AddTransition<'a> {
    /// A step from `old`, none for the empty tree, over `entries`, which are in the tree of `note` as `proof` shows. Without entries, and
    /// for the first entry of a log, there is no transition.
    pub fn new(
        old: Option<OldTree>,
        proof: ConsistencyProof,
        note: SignedNote,
        entries: Vec<&'a [u8]>,
        transition: Option<TransitionProof>,
    ) -> Result<Self, MalformedRequest> {
        let end = old.as_ref().map_or(0, OldTree::size).saturating_add(entries.len() as u64);
        let checkpoint = Checkpoint::parse(note.text()).map_err(MalformedRequest::Checkpoint)?;
        if end > checkpoint.size() {
            return Err(MalformedRequest::Beyond { end, size: checkpoint.size() });
        }
        Ok(Self { old, end, proof, note, checkpoint, entries, transition })
    }

    /// Reads a body.
    pub fn parse(body: &'a [u8]) -> Result<Self, MalformedRequest> {
        if body.len() > MAX_REQUEST {
            return Err(MalformedRequest::TooLong { found: body.len() });
        }
        let (length, rest) = body.split_first_chunk::<4>().ok_or(MalformedRequest::Short("the length of the head"))?;
        let length = u32::from_be_bytes(*length) as usize;
        if length > MAX_HEAD {
            return Err(MalformedRequest::TooLong { found: length });
        }
        let (head, mut rest) = rest.split_at_checked(length).ok_or(MalformedRequest::Short("the head"))?;
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
        let count = end.checked_sub(size).filter(|count| *count <= MAX_BETWEEN as u64 + 1);
        let count = count.ok_or(MalformedRequest::Range { old: size, end })?;
        let entries = (0..count).map(|_| entry(&mut rest)).collect::<Option<Vec<_>>>();
        let entries = entries.ok_or(MalformedRequest::Short("an entry"))?;
        let transition = match (&old, count, rest.len()) {
            (Some(_), 1.., _) => Some(TransitionProof::parse(rest).map_err(MalformedRequest::Transition)?),
            (_, _, 0) => None,
            (_, _, found) => return Err(MalformedRequest::Trailing { found }),
        };
        Self::new(old, proof, note, entries, transition)
    }

    /// The body's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut head = format!("{HEADER}\nold {}\n", self.old_size());
        if let Some(old) = &self.old {
            let _ = writeln!(head, "index {}", to_base64(old.index.as_bytes()));
            old.before.peaks().iter().for_each(|peak| line(&mut head, peak));
        }
        let _ = writeln!(head, "end {}", self.end);
        self.proof.path().iter().for_each(|hash| line(&mut head, hash));
        let _ = write!(head, "\n{}", self.note);
        // A head and an entry that are longer than their lengths can say make a body that is refused where it is read.
        let mut bytes = (head.len() as u32).to_be_bytes().to_vec();
        bytes.extend_from_slice(head.as_bytes());
        for entry in &self.entries {
            bytes.extend_from_slice(&(entry.len().min(MAX_ENTRY) as u16).to_be_bytes());
            bytes.extend_from_slice(entry);
        }
        bytes.extend(self.transition.iter().flat_map(TransitionProof::to_bytes));
        bytes
    }

    /// The tree that it comes from; none for the empty one.
    pub const fn old(&self) -> Option<&OldTree> {
        self.old.as_ref()
    }

    /// How many entries that has.
    pub fn old_size(&self) -> u64 {
        self.old.as_ref().map_or(0, OldTree::size)
    }

    /// How many entries the tree has that it leads to.
    pub const fn end(&self) -> u64 {
        self.end
    }

    /// That this tree is the beginning of the checkpoint's.
    pub const fn proof(&self) -> &ConsistencyProof {
        &self.proof
    }

    /// The checkpoint with all signatures that came with it.
    pub const fn note(&self) -> &SignedNote {
        &self.note
    }

    /// What it claims.
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The entries, the index entry that ends the step last.
    pub fn entries(&self) -> &[&'a [u8]] {
        &self.entries
    }

    /// From one index entry to the next.
    pub const fn transition(&self) -> Option<&TransitionProof> {
        self.transition.as_ref()
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

fn entry<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk::<2>()?;
    let (entry, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    *rest = after;
    Some(entry)
}
