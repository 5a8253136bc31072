//! What is published, read again and again by a standby: each head is checked as a start checks it, and readers are shown what was.

use crate::checkpoint::SignedCheckpoint;
use crate::contract::objects::ObjectError;
use crate::log_keys::LogKeys;
use crate::replica::{FeedError, LastBatch, Replica, Views};
use crate::running_log::RunningLog;
use crate::tiles::TileStore;
use stele_explain::{Exit, Explain};
use stele_spec::checkpoint::CheckpointError;
use stele_spec::policy::{Policy, RefusedCheckpoint, TrustedCheckpoint};

/// How often a checkpoint that is older than the one before is read: a store may answer with what was there a moment ago.
const READS: usize = 2;

/// The name of the public checkpoint in errors.
const PUBLISHED: &str = "the published checkpoint";

/// A replica that follows what is published.
#[derive(Debug, Default)]
pub struct Follower {
    replica: Replica,
    /// The checkpoint that was followed last.
    seen: Option<Vec<u8>>,
}

/// Why a standby follows no further.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The storage of objects failed.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// The checkpoint is not this key's.
    #[error("public/checkpoint: {0}")]
    Checkpoint(CheckpointError),
    /// The checkpoint is not enough for the policy.
    #[error("public/checkpoint: {0}")]
    Policy(RefusedCheckpoint),
    /// There was a checkpoint, and is none.
    #[error("public/checkpoint is gone, and {had} entries were read under it before")]
    Gone {
        /// How many entries were read.
        had: u64,
    },
    /// The entries do not lead to the checkpoint.
    #[error(transparent)]
    Feed(#[from] FeedError),
}

impl Follower {
    /// How many entries were read.
    pub fn size(&self) -> u64 {
        self.replica.size()
    }

    /// What readers ask of it.
    pub fn views(&self) -> &Views {
        self.replica.views()
    }

    /// Keeps rows for lookups from here on.
    pub fn keep_rows(&mut self) {
        self.replica.keep_rows_from(self.replica.size());
    }

    /// Follows the published checkpoint; `None` where it is the one that was followed last, or none is there yet. `now` is in Unix seconds.
    pub fn follow(
        &mut self,
        store: &TileStore,
        keys: &LogKeys,
        policy: &Policy,
        now: u64,
    ) -> Result<Option<TrustedCheckpoint>, FollowError> {
        let mut reads = 1;
        let (note, head) = loop {
            let Some(note) = store.checkpoint()? else {
                let had = self.replica.size();
                return if had == 0 { Ok(None) } else { Err(FollowError::Gone { had }) };
            };
            if self.seen.as_ref() == Some(&note) {
                return Ok(None);
            }
            let head = SignedCheckpoint::read(&note, keys).map_err(FollowError::Checkpoint)?;
            if head.checkpoint.size() >= self.replica.size() || reads == READS {
                break (note, head);
            }
            reads += 1;
        };
        let trusted = TrustedCheckpoint::parse(&note, policy).map_err(FollowError::Policy)?;
        self.replica.feed(store, &head.checkpoint, PUBLISHED, LastBatch::Staged, now)?;
        self.seen = Some(note);
        Ok(Some(trusted))
    }

    /// Shows readers a head that was followed. It is served and proven under; nothing is signed, so it has no receipts.
    pub fn show(&mut self, log: &RunningLog, published: TrustedCheckpoint) {
        let (size, root) = (published.size(), published.root());
        let rows = self.replica.take_rows();
        if !rows.is_empty() || log.published().is_some_and(|shown| shown.size() != size) {
            log.lookup.extend(&rows, size, root);
        }
        log.set_published(published, None);
    }

    /// What a take-over goes on from.
    pub fn into_replica(self) -> Replica {
        self.replica
    }
}

impl FollowError {
    /// The storage's own failure, where it is one: another try may succeed.
    pub fn machine(&self) -> Option<&dyn Explain> {
        match self {
            Self::Objects(error) => Some(error),
            Self::Feed(error) => error.machine(),
            _ => None,
        }
    }
}

impl Explain for FollowError {
    fn exit(&self) -> Exit {
        match self {
            Self::Objects(error) => error.exit(),
            Self::Feed(error) => error.exit(),
            Self::Policy(error) => error.exit(),
            Self::Checkpoint(_) | Self::Gone { .. } => Exit::Inconsistent,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Objects(error) => error.code(),
            Self::Feed(error) => error.code(),
            Self::Policy(error) => error.code(),
            Self::Checkpoint(_) => "checkpoint-refused",
            Self::Gone { .. } => "checkpoint-missing",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Objects(error) => error.hint(),
            Self::Feed(error) => error.hint(),
            Self::Policy(_) => {
                Some("has the writer another policy? A standby has the writer's policy, keys and rules".into())
            }
            Self::Checkpoint(_) => Some(
                "are `key` and `second_key` in log.toml those of the writer? A standby has the writer's keys".into(),
            ),
            Self::Gone { .. } => Some("somebody removed what is never removed: bring it back as it was".into()),
        }
    }
}

#[cfg(test)]
mod tests;
