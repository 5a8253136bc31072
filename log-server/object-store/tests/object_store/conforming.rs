//! Both suites, and what they find in buckets that lie.

use crate::{key, store_of};
use std::sync::Arc;
use stele_object_store::chain::ChainLock;
use stele_object_store::conformance::{failures, lock, objects};
use stele_object_store::memory::{Lying, MemoryBucket};
use stele_object_store::record::Run;
use stele_spec::checkpoint::Origin;

fn objects_of(bucket: MemoryBucket) -> Vec<String> {
    failures(&objects::run(&store_of(&Arc::new(bucket)), &key("suite"), 32))
}

fn lock_of(bucket: MemoryBucket) -> Vec<String> {
    let store = store_of(&Arc::new(bucket));
    let open = |row: u64, origin: &Origin, run: Run| -> Box<dyn stele_object_store::lock::Lock> {
        Box::new(ChainLock::new(&store, Some(&key("suite").numbered(row)), origin, run))
    };
    failures(&lock::run(&open, 16))
}

#[test]
fn an_honest_bucket_conforms_and_so_does_the_lock_in_it() {
    assert_eq!(objects_of(MemoryBucket::new()), Vec::<String>::new());
    assert_eq!(lock_of(MemoryBucket::new()), Vec::<String>::new());
}

/// A row that nothing can fail is no row; these are found by the suite of objects, and the first three by that of the lock too.
#[test]
fn the_suites_find_what_lies() {
    for lying in [Lying::CreateIgnored, Lying::ChecksThenActs, Lying::LoserStored] {
        assert!(!lock_of(MemoryBucket::lying(lying)).is_empty(), "{lying:?}");
    }
    for lying in Lying::ALL {
        let found = objects_of(MemoryBucket::lying(lying));
        assert!(!found.is_empty(), "{lying:?}");
    }
}
