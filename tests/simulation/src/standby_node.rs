//! A machine whose log follows another: it reads what is published, watches the lock, fences and takes over, each as one step, as the server's thread does.

use crate::log_node::{InBucket, LogNode, Started};
use crate::watched::{WatchedHeads, WatchedObjects};
use std::sync::Arc;
use stele_clock::Clock as _;
use stele_explain::Explain as _;
use stele_log_core::contract::objects::Objects;
use stele_log_core::follower::Follower;
use stele_log_core::running_log::RunningLog;
use stele_log_core::status::{StandbyState, WriterState};
use stele_log_storage_objects::lock_watch::{Fenced, LockWatch, Why};
use stele_log_storage_objects::objects::Removal;
use stele_object_store::chain::ChainLock;
use stele_object_store::lock::LockErrorKind;

/// A standby that runs.
pub struct StandbyProcess {
    /// What it shows readers.
    pub log: Arc<RunningLog>,
    follower: Follower,
    watch: LockWatch<ChainLock>,
    objects: Arc<dyn Objects>,
    removal: Removal,
}

/// What a step of a standby came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Stood {
    /// It follows.
    Follows,
    /// The store did not answer.
    Failed,
    /// It has fenced.
    Fenced,
    /// It has not.
    Lost,
    /// It refuses to follow any further, with a stable word.
    Refused(&'static str),
}

impl LogNode {
    /// Starts the log as a standby. It shows nothing before its first step.
    pub fn start_standby(&mut self, known: u64) -> Started {
        self.known = known;
        let Some(bucket) = self.bucket.clone() else { return self.start(known) };
        if self.disk.is_off() {
            return Started::Failed;
        }
        let InBucket { lock, run, objects, removal } = self.in_bucket(&bucket);
        let objects: Arc<dyn Objects> = Arc::new(WatchedObjects(objects, self.notes.clone()));
        let follower = Follower::default();
        let log = RunningLog::new(self.parts(&objects, follower.views().clone()), Arc::new(self.clock.clone()));
        log.status.set_writer(WriterState::Standby(StandbyState::default()));
        self.standby = Some(StandbyProcess { log, follower, watch: LockWatch::new(lock, run), objects, removal });
        self.refused = None;
        Started::Running
    }

    /// Takes over what a standby has fenced.
    pub fn take_over(&mut self, known: u64) -> Started {
        let Some(StandbyProcess { log, follower, watch, objects, removal }) = self.standby.take() else {
            return Started::Failed;
        };
        self.known = known;
        let Some(heads) = watch.into_held() else { return Started::Refused("lock-not-held") };
        let heads = Box::new(WatchedHeads(heads, self.notes.clone()));
        log.status.set_writer(WriterState::Starting);
        match self.recovered(follower.into_replica(), heads, &objects, |_| log.clone()) {
            Ok((log, assembled)) => self.run(log, assembled, Some(removal)),
            Err(code) => self.not_started(code),
        }
    }
}

impl StandbyProcess {
    /// Whether it has the lock, and is to take over.
    pub fn has_fenced(&self) -> bool {
        self.watch.is_held()
    }

    /// Whether nothing was signed by what it knows.
    pub fn knows_no_head(&self) -> bool {
        self.watch.head().is_none()
    }

    /// Looks at the lock, and follows what is published.
    pub fn follow(&mut self) -> Stood {
        if let Err(error) = self.watch.look() {
            return if error.kind() == LockErrorKind::Damaged { Stood::Refused(error.code()) } else { Stood::Failed };
        }
        let policy = self.log.settings().policy.clone();
        match self.follower.follow(&self.log.store, &self.log.keys, &policy, self.log.clock.unix_seconds()) {
            Ok(Some(published)) => self.follower.show(&self.log, published),
            Ok(None) => {}
            Err(error) if error.machine().is_some() => return Stood::Failed,
            Err(error) => return Stood::Refused(error.code()),
        }
        Stood::Follows
    }

    /// Fences.
    pub fn fence(&mut self, why: Why) -> Stood {
        match self.watch.fence("simulation", why) {
            Ok(Fenced::Won) => Stood::Fenced,
            Ok(Fenced::Lost) => Stood::Lost,
            Err(error) if error.kind() == LockErrorKind::Damaged => Stood::Refused(error.code()),
            Err(_) => Stood::Failed,
        }
    }
}
