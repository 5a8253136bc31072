//! Trees whose index is wrong, signed with the log's key, and the steps that bring them to an index cosigner.

use crate::log_node;
use crate::model::Head;
use crate::pool::{pool, subjects};
use crate::random::Random;
use std::sync::Arc;
use stele_spec::checkpoint::{Checkpoint, sign_checkpoint};
use stele_spec::entry::{Entry, IndexEntry};
use stele_spec::hash::IndexRoot;
use stele_spec::index::{Index, Listing, Pointer, Subject};
use stele_spec::indexcosigner::{AddTransition, OldTree};
use stele_spec::merkle::{Frontier, MemoryTree, leaf_hash, prove_consistency, prove_inclusion, root_at};
use stele_spec::nameproof::{NameProof, Shown};
use stele_spec::note::SignedNote;
use stele_spec::transition::TransitionProof;

/// How an index is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// Any root.
    Root,
    /// The last statement, a withdrawal perhaps, is listed nowhere.
    Hidden,
    /// The same, and the index entry after that is right again.
    HiddenForAWhile,
    /// The same, and the index entry after that goes on from the wrong one.
    HiddenForGood,
    /// A statement of before is listed nowhere any more.
    Forgotten,
    /// A statement is listed under a subject that it is not about.
    Foreign,
    /// Two statements have changed their places in the lists.
    Reordered,
    /// The root of before, once more.
    Unchanged,
    /// An index entry for another position.
    Position,
    /// A wrong index entry among the statements, before one that is right.
    Buried,
}

impl Lie {
    /// Each.
    pub const ALL: &'static [Self] = &[
        Self::Root,
        Self::Hidden,
        Self::HiddenForAWhile,
        Self::HiddenForGood,
        Self::Forgotten,
        Self::Foreign,
        Self::Reordered,
        Self::Unchanged,
        Self::Position,
        Self::Buried,
    ];
}

/// A tree with a wrong index.
#[derive(Debug)]
pub struct Signed {
    /// The checkpoint, which the log's key signed.
    pub note: SignedNote,
    /// Its size and root.
    pub head: Head,
    /// Its tree.
    pub tree: MemoryTree,
    /// Its entries.
    pub entries: Vec<Arc<[u8]>>,
    /// Bodies of `add-transition`, one after the other; the first one leads to the wrong index entry.
    pub steps: Vec<Vec<u8>>,
    /// Whether the first one proves that it is wrong.
    pub convicts: bool,
    /// A name proof under the checkpoint, of the wrong index.
    pub proof: Option<(Subject, NameProof)>,
}

/// A log as a liar keeps it.
struct Liar {
    entries: Vec<Arc<[u8]>>,
    tree: MemoryTree,
    /// The index that is right.
    index: Index,
}

/// One batch: the tree that it comes from, what is new, and how the last follows from that.
struct Batch {
    old: OldTree,
    from: usize,
    to: usize,
    proof: TransitionProof,
}

/// Signs a tree that goes on from these entries, the last of which is an index entry; none where nothing is left to be said.
pub fn sign(lie: Lie, before: &[Arc<[u8]>], random: &mut Random) -> Option<Signed> {
    let mut liar = Liar::after(before, None);
    let mut news = Vec::new();
    for _ in 0..2 + random.below(3) {
        let bytes = &pool()[random.index(pool().len())].bytes;
        if !before.contains(bytes) && !news.contains(bytes) {
            news.push(bytes.clone());
        }
    }
    let hidden = news.last()?.clone();
    let shows_right_proof = random.percent(70);
    let (first, subject) = liar.lie(lie, &news, shows_right_proof, random);
    let mut batches = vec![first];
    if lie == Lie::HiddenForGood {
        liar.index = Liar::after(&liar.entries, Some(liar.entries.len() - 2)).index;
    }
    if matches!(lie, Lie::HiddenForAWhile | Lie::HiddenForGood) {
        batches.push(liar.go_on());
    }
    let size = liar.tree.size();
    let root = root_at(&liar.tree, size).expect("a tree in memory has its nodes");
    let origin = log_node::ORIGIN.parse().expect("an origin");
    let note = sign_checkpoint(&Checkpoint::new(origin, size, root), &log_node::signer()).expect("a head is signed");
    let steps = batches.iter().map(|batch| liar.step(batch, &note)).collect();
    let subject = subject.or_else(|| Entry::parse(&hidden).ok().and_then(|entry| subject_of(&entry)));
    let proof = subject.and_then(|subject| Some((subject.clone(), liar.name_proof(lie, before, &subject, &note)?)));
    let convicts = match lie {
        Lie::Position => true,
        Lie::Buried => false,
        _ => shows_right_proof,
    };
    Some(Signed { note, head: (size, root), steps, convicts, proof, tree: liar.tree, entries: liar.entries })
}

fn subject_of(entry: &Entry) -> Option<Subject> {
    let Entry::Statement(signed) = entry else { return None };
    stele_spec::index::subjects_of(signed).into_iter().next()
}

fn listing(position: usize, bytes: &[u8]) -> Listing {
    Listing::of(position as u64, &Entry::parse(bytes).expect("an entry of a log"))
}

/// The same entry, listed nowhere.
fn nowhere(listing: &Listing) -> Listing {
    Listing::new(listing.pointer(), Vec::new())
}

impl Liar {
    /// With these entries, of which one may be listed nowhere.
    fn after(entries: &[Arc<[u8]>], without: Option<usize>) -> Self {
        let (mut tree, mut index) = (MemoryTree::new(), Index::new());
        let listings: Vec<Listing> = entries.iter().enumerate().map(|(at, bytes)| listing(at, bytes)).collect();
        let kept = listings.iter().enumerate();
        let kept: Vec<Listing> =
            kept.map(|(at, one)| if Some(at) == without { nowhere(one) } else { one.clone() }).collect();
        index.replay(&kept).expect("entries come in order");
        entries.iter().for_each(|bytes| tree.push(leaf_hash(bytes)));
        Self { entries: entries.to_vec(), tree, index }
    }

    /// The tree as it is, as a step comes from it.
    fn old(&self) -> OldTree {
        let (last, before) = self.entries.split_last().expect("a log has an entry");
        let mut frontier = Frontier::new();
        before.iter().for_each(|bytes| frontier.push(leaf_hash(bytes)));
        let root = IndexEntry::parse(last).map_or(IndexRoot::from_bytes([0; 32]), |entry| entry.root);
        OldTree { before: frontier, index: root }
    }

    fn push(&mut self, bytes: Arc<[u8]>) {
        self.tree.push(leaf_hash(&bytes));
        self.entries.push(bytes);
    }

    /// The index entry after these listings.
    fn stated(&mut self, listings: &[Listing]) -> IndexEntry {
        let entry = self.index.stage_entry(listings).expect("entries come in order");
        self.index.rollback();
        entry
    }

    /// An index entry after no statement, by the index at hand.
    fn go_on(&mut self) -> Batch {
        let (old, from) = (self.old(), self.entries.len());
        let proof = TransitionProof::of(&self.index, &[]);
        let entry = self.stated(&[]);
        self.push(entry.to_string().into_bytes().into());
        Batch { old, from, to: self.entries.len(), proof }
    }

    /// A batch that ends with a wrong index entry; and what somebody may be deceived about.
    fn lie(
        &mut self,
        lie: Lie,
        news: &[Arc<[u8]>],
        shows_right_proof: bool,
        random: &mut Random,
    ) -> (Batch, Option<Subject>) {
        let (old, from) = (self.old(), self.entries.len());
        let honest: Vec<Listing> = (from..).zip(news).map(|(at, bytes)| listing(at, bytes)).collect();
        let mut lying = honest.clone();
        let last = lying.len() - 1;
        let mut about = None;
        let right = self.stated(&honest);
        let mut stated = match lie {
            Lie::Hidden | Lie::HiddenForAWhile | Lie::HiddenForGood => {
                lying[last] = nowhere(&honest[last]);
                self.stated(&lying)
            }
            Lie::Foreign => {
                let subject = subjects()[random.index(subjects().len())].clone();
                let mut keys = honest[last].keys().to_vec();
                keys.push(subject.key());
                lying[last] = Listing::new(honest[last].pointer(), keys);
                about = Some(subject);
                self.stated(&lying)
            }
            Lie::Reordered => {
                let swapped = |at: &Listing, other: &Listing| {
                    Listing::new(Pointer { leaf: other.pointer().leaf, ..at.pointer() }, other.keys().to_vec())
                };
                (lying[0], lying[last]) = (swapped(&honest[0], &honest[last]), swapped(&honest[last], &honest[0]));
                self.stated(&lying)
            }
            Lie::Forgotten => {
                let forgotten = random.index(self.entries.len());
                about = Entry::parse(&self.entries[forgotten]).ok().and_then(|entry| subject_of(&entry));
                Self::after(&self.entries, Some(forgotten)).stated(&honest)
            }
            Lie::Unchanged => IndexEntry { root: old.index, ..right },
            Lie::Position => IndexEntry { position: right.position + 1, ..right },
            Lie::Root | Lie::Buried => IndexEntry { root: IndexRoot::from_bytes([7; 32]), ..right },
        };
        if stated == right {
            // What was to be a lie was the truth: the subject was the statement's own, or nothing had changed.
            stated.root = IndexRoot::from_bytes([8; 32]);
        }
        let shown = if shows_right_proof { &honest } else { &lying };
        let mut proof = TransitionProof::of(&self.index, shown);
        news.iter().for_each(|bytes| self.push(bytes.clone()));
        self.push(stated.to_string().into_bytes().into());
        let wrong = Listing::new(Pointer { position: stated_at(&self.entries), leaf: stated.leaf_hash() }, Vec::new());
        if lie == Lie::Buried {
            // The right one, of all that comes before it.
            let all = [honest, vec![wrong]].concat();
            proof = TransitionProof::of(&self.index, &all);
            let entry = self.stated(&all);
            self.index.replay(&all).expect("entries come in order");
            self.push(entry.to_string().into_bytes().into());
        } else {
            self.index.replay(&[honest, vec![wrong]].concat()).expect("entries come in order");
        }
        (Batch { old, from, to: self.entries.len(), proof }, about)
    }

    fn step(&self, batch: &Batch, note: &SignedNote) -> Vec<u8> {
        let (end, size) = (batch.to as u64, self.tree.size());
        let path = prove_consistency(&self.tree, end, size).expect("a tree in memory has its nodes");
        let entries = self.entries[batch.from..batch.to].iter().map(|bytes| &bytes[..]).collect();
        let step = AddTransition::new(Some(batch.old.clone()), path, note.clone(), entries, Some(batch.proof.clone()));
        step.expect("a step of a few entries").to_bytes()
    }

    /// What a reader is shown under the wrong index root, where the liar has an index with it.
    fn name_proof(&self, lie: Lie, before: &[Arc<[u8]>], subject: &Subject, note: &SignedNote) -> Option<NameProof> {
        let hidden = match lie {
            Lie::Hidden => self.entries.len() - 2,
            Lie::Forgotten => (0..before.len()).find(|at| {
                Entry::parse(&before[*at]).ok().and_then(|entry| subject_of(&entry)).as_ref() == Some(subject)
            })?,
            _ => return None,
        };
        let (stated, rest) = self.entries.split_last()?;
        let index = Self::after(rest, Some(hidden)).index;
        let position = self.tree.size() - 1;
        let key = subject.key();
        let leaf = |at: &u64| Pointer { position: *at, leaf: leaf_hash(&self.entries[*at as usize]) };
        let pointers = index.positions(&key).iter().map(leaf).collect();
        let inclusion = prove_inclusion(&self.tree, position, self.tree.size()).ok()?;
        let root = IndexEntry::parse(stated).ok()?.root;
        let shown = Shown { from: 0, before: 0, pointers };
        NameProof::new(subject.clone(), root, inclusion, index.prove(&key), shown, note.clone()).ok()
    }
}

/// The position of the last entry.
fn stated_at(entries: &[Arc<[u8]>]) -> u64 {
    entries.len() as u64 - 1
}
