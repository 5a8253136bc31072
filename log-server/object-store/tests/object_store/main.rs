//! The rules under every fault and every lie that a bucket in memory has.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test says what failed by failing"
)]

use std::sync::Arc;
use stele_clock::ManualClock;
use stele_object_store::bucket::Bucket;
use stele_object_store::key::Key;
use stele_object_store::memory::MemoryBucket;
use stele_object_store::object_store::ObjectStore;

mod conforming;
mod damaged_locks;
mod faults;
mod lies;

fn store_of(bucket: &Arc<MemoryBucket>) -> ObjectStore {
    let bucket: Arc<dyn Bucket> = bucket.clone();
    // A sleep takes no time.
    ObjectStore::new(bucket, Arc::new(ManualClock::default()))
}

fn key(text: &str) -> Key {
    text.parse().unwrap()
}
