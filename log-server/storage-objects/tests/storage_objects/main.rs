//! A log in a bucket: one writer after another, with every fault at every request.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says what failed by failing"
)]

use std::sync::Arc;
use stele_clock::ManualClock;
use stele_log_core::contract::objects::Objects;
use stele_log_core::recover::RecoverError;
use stele_log_core::samples::{ORIGIN, Offline};
use stele_log_storage_objects::head_store::LockedHead;
use stele_log_storage_objects::objects::StoredObjects;
use stele_object_store::bucket::Bucket;
use stele_object_store::chain::ChainLock;
use stele_object_store::lock::LockError;
use stele_object_store::memory::MemoryBucket;
use stele_object_store::object_store::ObjectStore;
use stele_object_store::record::Run;

mod contract;
mod faults;
mod partials;
mod standby;
mod writers;

fn store_of(bucket: &Arc<MemoryBucket>) -> ObjectStore {
    let bucket: Arc<dyn Bucket> = bucket.clone();
    // A pause takes no time.
    ObjectStore::new(bucket, Arc::new(ManualClock::default()))
}

fn objects_of(bucket: &Arc<MemoryBucket>) -> Arc<dyn Objects> {
    Arc::new(StoredObjects::new(&store_of(bucket)).unwrap())
}

fn lock_of(bucket: &Arc<MemoryBucket>, run: u8) -> ChainLock {
    ChainLock::new(&store_of(bucket), None, &ORIGIN.parse().unwrap(), Run([run; 16]))
}

fn lock(bucket: &Arc<MemoryBucket>, run: u8) -> Result<LockedHead<ChainLock>, LockError> {
    LockedHead::take(lock_of(bucket, run), &format!("writer-{run}"))
}

/// Starts a run as a real log does: the fence before anything else.
fn start(bucket: &Arc<MemoryBucket>, run: u8) -> Result<Offline, Stopped> {
    let heads = lock(bucket, run)?;
    Ok(Offline::start(Box::new(heads), objects_of(bucket))?)
}

/// Why a run did not start.
#[derive(Debug, thiserror::Error)]
enum Stopped {
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error(transparent)]
    Recover(#[from] RecoverError),
}
