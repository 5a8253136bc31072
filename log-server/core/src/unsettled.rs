//! Batches whose tiles and manifests are public and perhaps not durable yet. Each stays staged until a sync that began after its tiles were
//! put has ended.

use crate::staged_batch::StagedBatches;

/// The most batches that wait for a sync.
const MOST_BATCHES: usize = 256;

/// The most bytes of batches that wait for a sync: so much a start after a loss of power puts again, and so much the disk holds twice.
const MOST_BYTES: u64 = 256 << 20;

/// Batches that wait for a sync, oldest first.
#[derive(Debug, Default)]
pub struct Unsettled {
    /// Names of staged batches, and their bytes.
    waiting: Vec<(String, u64)>,
    /// How many of them the sync under way covers; `None` where none is under way.
    covered: Option<usize>,
}

impl Unsettled {
    /// Adds a batch whose tiles were put.
    pub fn add(&mut self, name: String, bytes: u64) {
        self.waiting.push((name, bytes));
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether so much waits that the writer must not go on.
    pub fn is_full(&self) -> bool {
        self.waiting.len() >= MOST_BATCHES || self.waiting.iter().map(|(_, bytes)| bytes).sum::<u64>() >= MOST_BYTES
    }

    /// Whether a sync is under way.
    pub fn is_syncing(&self) -> bool {
        self.covered.is_some()
    }

    /// A sync begins now: it covers all that waits.
    pub fn begin(&mut self) {
        self.covered = Some(self.waiting.len());
    }

    /// The sync has ended, and what it covered is durable: its staged batches are forgotten.
    pub fn end(&mut self, staging: &StagedBatches) {
        // None under way: another sync, which began later, has ended before it.
        let covered = self.covered.take().unwrap_or(0);
        for (name, _) in self.waiting.drain(..covered.min(self.waiting.len())) {
            staging.forget(&name);
        }
    }
}
