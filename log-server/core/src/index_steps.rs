//! What an index cosigner is brought: one step from index entry to index entry after the other, until it has checked the whole tree
//! (the format's chapter on index cosigners).
//!
//! The step to the newest head has its transition proof from the writer, and the last few heads as well. A cosigner that is further behind, or new,
//! is brought steps whose proofs are made anew, by an index that is built from the log's entries for it and dropped again. That takes as
//! long as a start does, and as much memory as the index: so one cosigner is caught up at a time, and after a failure there is a pause.
//!
//! | answer | means | then |
//! |---|---|---|
//! | 200 to the last step | cosigned | its lines are verified |
//! | 202 and a size | it has checked so much | the next step |
//! | 409 and a size | it has checked another size of this log | once more from that size |
//! | 409 and a size beyond the log's | it says that it checked more than this log signed | as for any witness |
//! | 422 `other-tree`, `not-in-tree` | it holds another tree of this log | as for any witness |
//! | 422 else | it refuses the step | what it says goes to the operator |

use crate::checkpoint::SignedCheckpoint;
use crate::contract::cosigner::{Cosigner, WitnessResponse};
use crate::replay::{Parsed, ReplayError, replay};
use crate::step_supply::StepSupply;
use crate::tiles::{StoreError, TileStore};
use crate::witness_problem::{MAX_WORDS, Problem};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use stele_spec::entry::{Entry, IndexEntry};
use stele_spec::hash::NodeHash;
use stele_spec::index::{Index, Listing, Pointer};
use stele_spec::indexcosigner::{AddTransition, OldTree};
use stele_spec::merkle::{ConsistencyProof, Frontier, Nodes, prove_consistency};
use stele_spec::text::decimal;
use stele_spec::tile::{TILE_WIDTH, TileNodes};
use stele_spec::transition::TransitionProof;

/// How long a cosigner waits for another replay after one that ended without a cosignature: at first, and at most. Each reads the whole log.
const PAUSES: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(300));

/// The codes of refusals that say that the cosigner holds another tree of this log.
const OTHER_TREE: [&str; 2] = ["\"other-tree\"", "\"not-in-tree\""];

/// How one index cosigner is brought its steps.
#[derive(Clone, Debug)]
pub struct Steps {
    supply: Arc<StepSupply>,
    /// Nobody waits for the answer any more.
    stop: Arc<AtomicBool>,
    failed: Option<Failed>,
}

/// A replay that ended without a cosignature.
#[derive(Clone, Debug)]
struct Failed {
    why: Problem,
    pause: Duration,
    /// By the steady clock.
    again: Duration,
}

impl Steps {
    /// Steps from what all cosigners share, until `stop`.
    pub fn new(supply: &Arc<StepSupply>, stop: &Arc<AtomicBool>) -> Self {
        Self { supply: supply.clone(), stop: stop.clone(), failed: None }
    }

    /// What they are made from.
    pub fn supply(&self) -> &StepSupply {
        &self.supply
    }

    /// Brings steps until `head` is cosigned; the body of the 200. `expected` is the size that the cosigner has probably checked.
    pub fn bring(
        &mut self,
        store: &TileStore,
        head: &SignedCheckpoint,
        expected: u64,
        cosigner: &mut dyn Cosigner,
    ) -> Result<String, Problem> {
        let mut bringing =
            Bringing { store, head, at: expected.min(head.checkpoint.size()), corrected: false, cosigner };
        loop {
            let (at, size) = (bringing.at, head.checkpoint.size());
            let answer = if at == size {
                bringing.again()?
            } else if let Some(next) = self.supply.from(at).filter(|next| next.checkpoint.size() <= size) {
                bringing.known(&next)?
            } else {
                self.catch_up(&mut bringing)?
            };
            if let Some(lines) = answer {
                return Ok(lines);
            }
        }
    }

    /// One replay at a time, whoever asks for it, and none right after one that came to nothing.
    fn catch_up(&mut self, bringing: &mut Bringing<'_>) -> Result<Option<String>, Problem> {
        let checked = bringing.at;
        bringing.old_tree()?;
        if let Some(failed) = self.failed.as_ref().filter(|failed| self.supply.now() < failed.again) {
            return Err(Problem::Pausing { checked, last: Box::new(failed.why.clone()) });
        }
        let supply = self.supply.clone();
        let Some(_turn) = supply.turn() else { return Err(Problem::InLine { checked }) };
        let caught_up = bringing.catch_up(&self.stop);
        match &caught_up {
            // Whether its lines are worth anything is found out by the caller.
            Ok(_) => {}
            // It is asked as a witness, and said so before anything was read for it.
            Err(why) if why.takes_no_steps() => self.failed = None,
            Err(why) => self.pause_after(why),
        }
        caught_up
    }

    /// What came of it all: a cosignature, or none, and then no replay for a while.
    pub fn ended(&mut self, cosigned: Result<(), &Problem>) {
        match cosigned {
            Ok(()) => self.failed = None,
            Err(why) => self.pause_after(why),
        }
    }

    fn pause_after(&mut self, why: &Problem) {
        let pause = self.failed.take().map_or(PAUSES.0, |failed| (failed.pause * 2).min(PAUSES.1));
        self.failed = Some(Failed { why: why.clone(), pause, again: self.supply.now() + pause });
    }
}

/// A cosigner on its way to a head.
struct Bringing<'a> {
    store: &'a TileStore,
    head: &'a SignedCheckpoint,
    /// How many entries it has checked, as far as is known.
    at: u64,
    /// Whether it has named another size before.
    corrected: bool,
    cosigner: &'a mut dyn Cosigner,
}

impl Bringing<'_> {
    /// The same tree, to be cosigned once more.
    fn again(&mut self) -> Result<Option<String>, Problem> {
        let old = self.old_tree()?;
        self.send(old, &[], None, self.at)
    }

    /// The step to a head whose proof is at hand.
    fn known(&mut self, next: &SignedCheckpoint) -> Result<Option<String>, Problem> {
        let (old, end) = (self.old_tree()?, next.checkpoint.size());
        let entries = entries(self.store, self.at, end).map_err(unread)?;
        let entries: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
        self.send(old, &entries, next.step.as_ref().map(|step| &step.proof), end)
    }

    /// Every step from where the cosigner is, with proofs that are made for it. A larger size that it names on the way is gone on from; nothing
    /// comes back where it names a smaller one. The caller has seen that this log has an index entry at that size: no other step begins there.
    fn catch_up(&mut self, stop: &AtomicBool) -> Result<Option<String>, Problem> {
        let mut making = Making::default();
        let replayed = replay(self.store, 0, self.head.checkpoint.size(), |position, bytes, parsed| {
            if stop.load(Ordering::Relaxed) {
                return Err(Stop::Problem(Problem::Waiting));
            }
            let at = self.at;
            making.take(at, position, bytes, parsed, |old, entries, proof, end| {
                match self.send(old, entries, proof, end)? {
                    Some(lines) => Err(Stop::Cosigned(lines)),
                    None if self.at >= end => Ok(()),
                    None => Err(Stop::Back),
                }
            })
        });
        match replayed {
            Err(ReplayError::Taker(Stop::Cosigned(lines))) => Ok(Some(lines)),
            Err(ReplayError::Taker(Stop::Back)) => Ok(None),
            Err(ReplayError::Taker(Stop::Problem(problem))) => Err(problem),
            Err(ReplayError::Store(error)) => Err(unread(error)),
            Err(error @ ReplayError::Entry { .. }) => Err(Problem::Proof(error.to_string())),
            // It has checked all of it already, as it said on the way: the same tree, to be cosigned once more.
            Ok(()) if self.at == self.head.checkpoint.size() => Ok(None),
            Ok(()) => Err(Problem::Conflict { status: 409 }),
        }
    }

    /// One exchange. The lines of a 200; nothing where `at` was moved, by a 202 or by a size that the cosigner names.
    fn send(
        &mut self,
        old: Option<OldTree>,
        entries: &[&[u8]],
        proof: Option<&TransitionProof>,
        end: u64,
    ) -> Result<Option<String>, Problem> {
        let size = self.head.checkpoint.size();
        let path = prove_consistency(&TileNodes::new(self.store, size), end, size);
        let path: ConsistencyProof = path.map_err(|error| Problem::Proof(error.to_string()))?;
        let proof = proof.filter(|_| old.is_some() && !entries.is_empty()).cloned();
        let request = AddTransition::new(old, path, self.head.note.clone(), entries.to_vec(), proof);
        let request = request.map_err(|error| Problem::Proof(error.to_string()))?;
        let said = self.cosigner.add_transition(&request.to_bytes()).map_err(Problem::Unreachable)?;
        match said.status {
            200 if end == size => Ok(Some(said.body)),
            202 if end < size && named(&said) == Some(end) => {
                self.at = end;
                Ok(None)
            }
            403 | 404 => Err(Problem::Unknown { status: said.status }),
            409 => match named(&said) {
                Some(found) if found > size => Err(Problem::Ahead { size: found }),
                Some(found) if found != self.at && !self.corrected => {
                    self.at = found;
                    self.corrected = true;
                    Ok(None)
                }
                _ => Err(Problem::Conflict { status: 409 }),
            },
            422 if OTHER_TREE.iter().any(|code| said.body.contains(code)) => Err(Problem::Conflict { status: 422 }),
            422 => Err(Problem::Step { said: said.body.trim().chars().take(MAX_WORDS).collect() }),
            _ => Err(Problem::of_answer(&said)),
        }
    }

    /// The tree that the cosigner has checked, from the tiles; none before the first entry.
    fn old_tree(&self) -> Result<Option<OldTree>, Problem> {
        let Some(position) = self.at.checked_sub(1) else { return Ok(None) };
        let size = self.head.checkpoint.size();
        let entry = self.store.entry(position, size).map_err(unread)?;
        // It may name a size that no tree of this log has: then the index root is not there to be shown.
        let Ok(IndexEntry { root, .. }) = IndexEntry::parse(&entry) else {
            return Err(Problem::Conflict { status: 409 });
        };
        let before = frontier_at(&TileNodes::new(self.store, size), position).map_err(unread)?;
        Ok(Some(OldTree { before, index: root }))
    }
}

/// What ends a replay.
#[derive(Debug, thiserror::Error)]
enum Stop {
    #[error("cosigned")]
    Cosigned(String),
    /// The cosigner has checked less than was believed.
    #[error("from a smaller tree")]
    Back,
    #[error(transparent)]
    Problem(#[from] Problem),
}

/// The index of the entries so far, and the step that is being collected.
#[derive(Default)]
struct Making {
    index: Index,
    tree: Frontier,
    /// The tree up to the last index entry.
    old: Option<OldTree>,
    listings: Vec<Listing>,
    entries: Vec<Vec<u8>>,
}

impl Making {
    /// Takes the next entry. A step that begins at `at` is handed on, with the size that it leads to.
    fn take(
        &mut self,
        at: u64,
        position: u64,
        bytes: &[u8],
        parsed: Parsed,
        mut step: impl FnMut(Option<OldTree>, &[&[u8]], Option<&TransitionProof>, u64) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let begins = self.old.as_ref().map_or(0, OldTree::size);
        if begins >= at {
            self.entries.push(bytes.to_vec());
        }
        let Parsed { entry, leaf, keys } = parsed;
        let Entry::Index(IndexEntry { root, .. }) = entry else {
            self.listings.push(Listing::new(Pointer { position, leaf }, keys));
            self.tree.push(leaf);
            return Ok(());
        };
        if begins == at {
            let proof = TransitionProof::of(&self.index, &self.listings);
            let entries: Vec<&[u8]> = self.entries.iter().map(Vec::as_slice).collect();
            step(self.old.clone(), &entries, Some(&proof), position + 1)?;
        }
        self.listings.push(Listing::new(Pointer { position, leaf }, Vec::new()));
        self.index.replay(&self.listings).map_err(|error| Problem::Proof(error.to_string()))?;
        self.old = Some(OldTree { before: self.tree.clone(), index: root });
        self.tree.push(leaf);
        self.listings.clear();
        self.entries.clear();
        Ok(())
    }
}

/// The entries `[from, to)`.
fn entries(store: &TileStore, from: u64, to: u64) -> Result<Vec<Vec<u8>>, StoreError> {
    let width = u64::from(TILE_WIDTH);
    let mut entries = Vec::new();
    for index in from / width..to.div_ceil(width) {
        let first = index * width;
        let bundle = store.bundle(index, to)?;
        entries
            .extend(bundle.into_iter().zip(first..).filter(|(_, at)| (from..to).contains(at)).map(|(entry, _)| entry));
    }
    Ok(entries)
}

/// The frontier of the first `size` entries.
fn frontier_at<N: Nodes>(nodes: &N, size: u64) -> Result<Frontier, N::Error> {
    let levels = (0..64_u8).rev().filter(|level| size >> level & 1 == 1);
    let peak = |level: u8| nodes.node(level, (size >> level) - 1);
    let peaks: Vec<NodeHash> = levels.map(peak).collect::<Result<_, _>>()?;
    Ok(Frontier::from_parts(size, peaks).unwrap_or_default())
}

/// The size in an answer.
fn named(said: &WitnessResponse) -> Option<u64> {
    decimal(said.body.strip_suffix('\n').unwrap_or(&said.body)).ok()
}

fn unread(error: StoreError) -> Problem {
    Problem::Proof(error.to_string())
}

#[cfg(test)]
mod tests;
