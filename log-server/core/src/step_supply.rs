//! What all index cosigners of a log are brought their steps from: the newest heads with their proofs, and one replay at a time for those that are
//! further behind. It outlives the policy that names them.

use crate::checkpoint::SignedCheckpoint;
use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;
use stele_clock::Clock;

/// The most nodes in the proofs of older heads that are kept: some 20 MB.
const MAX_NODES: usize = 200_000;

/// The heads, and the turn.
pub struct StepSupply {
    clock: Arc<dyn Clock>,
    recent: Mutex<RecentHeads>,
    /// Whether a cosigner has said that it wants steps: else only the newest head is kept.
    wanted: AtomicBool,
    /// Held while the log's entries are replayed for a cosigner: that takes as much memory as the index.
    turn: Mutex<()>,
}

impl StepSupply {
    /// Nothing is signed yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, recent: Mutex::default(), wanted: AtomicBool::new(false), turn: Mutex::default() }
    }

    /// Takes note of a head.
    pub fn note(&self, head: &Arc<SignedCheckpoint>) {
        let mut recent = self.recent();
        if self.wanted.load(Ordering::Relaxed) {
            recent.add(head);
        } else {
            recent.only(head);
        }
    }

    /// A cosigner wants steps: heads are kept from now on.
    pub fn want(&self) {
        self.wanted.store(true, Ordering::Relaxed);
    }

    /// The head whose step comes from a tree of this size.
    pub fn from(&self, size: u64) -> Option<Arc<SignedCheckpoint>> {
        self.recent().from(size).cloned()
    }

    /// The right to replay the log; none while somebody has it.
    pub(crate) fn turn(&self) -> Option<MutexGuard<'_, ()>> {
        match self.turn.try_lock() {
            Ok(turn) => Some(turn),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// By the steady clock.
    pub(crate) fn now(&self) -> Duration {
        self.clock.steady()
    }

    fn recent(&self) -> MutexGuard<'_, RecentHeads> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for StepSupply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StepSupply").finish_non_exhaustive()
    }
}

/// The newest heads with their proofs, oldest first.
#[derive(Debug, Default)]
struct RecentHeads(VecDeque<Arc<SignedCheckpoint>>);

impl RecentHeads {
    /// This head alone, if it is the newest.
    fn only(&mut self, head: &Arc<SignedCheckpoint>) {
        if self.is_newest(head) {
            self.0.clear();
            self.0.push_back(head.clone());
        }
    }

    fn add(&mut self, head: &Arc<SignedCheckpoint>) {
        if !self.is_newest(head) {
            return;
        }
        self.0.push_back(head.clone());
        while self.0.len() > 1 && self.0.iter().map(|head| nodes_in(head)).sum::<usize>() > MAX_NODES {
            self.0.pop_front();
        }
    }

    fn is_newest(&self, head: &SignedCheckpoint) -> bool {
        self.0.back().is_none_or(|last| last.checkpoint.size() < head.checkpoint.size())
    }

    fn from(&self, size: u64) -> Option<&Arc<SignedCheckpoint>> {
        self.0.iter().find(|head| head.step.as_ref().is_some_and(|step| step.old_size() == size))
    }
}

fn nodes_in(head: &SignedCheckpoint) -> usize {
    head.step.as_ref().map_or(0, |step| step.proof.nodes().len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{Offline, claim};
    use stele_clock::ManualClock;

    #[test]
    fn the_newest_head_alone_is_at_hand_until_somebody_wants_steps_and_an_older_one_is_not_added() {
        let mut log = Offline::in_memory();
        let mut heads = vec![log.write(vec![]).unwrap().head];
        for i in 0..4 {
            heads.push(log.write(vec![claim(&format!("a{i}.example"), 1)]).unwrap().head);
        }
        let supply = StepSupply::new(Arc::new(ManualClock::at(1)));
        heads[..2].iter().for_each(|head| supply.note(head));
        assert!(supply.from(1).is_some() && supply.recent().0.len() == 1);
        supply.want();
        heads.iter().for_each(|head| supply.note(head));
        assert_eq!(supply.recent().0.len(), 4);
        assert!([1, 3, 5, 7].into_iter().all(|size| supply.from(size).is_some()));
        assert!(supply.from(8).is_none() && supply.from(0).is_none());
    }
}
