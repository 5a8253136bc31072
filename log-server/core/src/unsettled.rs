//! Batches whose tiles and manifests are public and perhaps not durable yet, and checkpoints that are. Each stays staged until a sync that
//! began after they were put has ended.

use crate::staged_batch::StagedBatches;
use std::collections::VecDeque;
use std::time::Duration;

/// The most staged objects that wait for a sync: 256 batches and the checkpoint of each.
const MOST: usize = 512;

/// The most bytes of batches that wait for a sync: so much a start after a loss of power puts again, and so much the disk holds twice.
const MOST_BYTES: u64 = 256 << 20;

/// How long after its tiles were put a batch is synced: many batches share one sync.
const SYNC_AFTER: Duration = Duration::from_secs(1);

/// Staged objects that wait for a sync.
#[derive(Debug, Default)]
pub struct Unsettled {
    /// Their names and bytes, oldest first.
    waiting: VecDeque<(String, u64)>,
    /// How many were settled: the number of the first that waits.
    settled: u64,
    /// When the next sync begins; `None` while nothing waits, or a sync is under way.
    due: Option<Duration>,
    /// Whether a sync is under way beside the writer.
    is_syncing: bool,
}

impl Unsettled {
    /// Adds a staged object, once what it holds was put where readers find it.
    pub fn add(&mut self, name: String, bytes: u64) {
        self.waiting.push_back((name, bytes));
    }

    /// Whether so much waits that the writer must not go on.
    pub fn is_full(&self) -> bool {
        self.waiting.len() >= MOST || self.waiting.iter().map(|(_, bytes)| bytes).sum::<u64>() >= MOST_BYTES
    }

    /// When [`Self::begin_when_due`] has something to do, by the steady clock.
    pub fn wake_at(&self) -> Option<Duration> {
        self.due
    }

    /// Begins a sync beside the writer, a while after something was put and one at a time; what it covers.
    pub fn begin_when_due(&mut self, now: Duration) -> Option<u64> {
        if self.waiting.is_empty() || self.is_syncing {
            self.due = None;
            return None;
        }
        if now < *self.due.get_or_insert(now + SYNC_AFTER) {
            return None;
        }
        self.due = None;
        self.is_syncing = true;
        Some(self.covered())
    }

    /// What a sync covers that begins now: the staged objects with smaller numbers.
    pub fn covered(&self) -> u64 {
        self.settled + self.waiting.len() as u64
    }

    /// The sync beside the writer has ended; another may begin.
    pub fn end(&mut self) {
        self.is_syncing = false;
    }

    /// What a sync covered is durable: it is staged no longer. A sync that ends after one that began later finds nothing to do.
    pub fn settle(&mut self, covered: u64, staging: &StagedBatches) {
        while self.settled < covered {
            let Some((name, _)) = self.waiting.pop_front() else { return };
            staging.forget(&name);
            self.settled += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::objects::Objects;
    use crate::samples::MemoryObjects;
    use std::sync::Arc;

    #[test]
    fn a_sync_that_ends_late_settles_nothing_that_it_did_not_cover() {
        let objects: Arc<dyn Objects> = Arc::new(MemoryObjects::default());
        let staging = StagedBatches::new(&objects);
        let mut unsettled = Unsettled::default();
        let second = Duration::from_secs(1);
        unsettled.add("a".into(), 1);
        assert_eq!(unsettled.begin_when_due(second), None);
        let early = unsettled.begin_when_due(2 * second).unwrap();
        unsettled.add("b".into(), 1);
        // The writer could not wait, and synced by itself.
        unsettled.settle(unsettled.covered(), &staging);
        unsettled.add("c".into(), 1);
        assert_eq!(unsettled.begin_when_due(9 * second), None, "one at a time");
        unsettled.end();
        unsettled.settle(early, &staging);
        assert_eq!((unsettled.waiting.len(), unsettled.covered()), (1, 3));
    }

    #[test]
    fn so_many_batches_and_bytes_wait_and_no_more() {
        let mut unsettled = Unsettled::default();
        (0..MOST - 1).for_each(|n| unsettled.add(n.to_string(), 1));
        assert!(!unsettled.is_full());
        unsettled.add("last".into(), 1);
        assert!(unsettled.is_full());
        let mut unsettled = Unsettled::default();
        unsettled.add("large".into(), MOST_BYTES);
        assert!(unsettled.is_full());
    }
}
