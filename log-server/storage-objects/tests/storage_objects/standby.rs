//! Standbys and one lock.

use crate::{lock_of, start};
use std::sync::Arc;
use stele_log_core::contract::head_store::HeadStore as _;
use stele_log_core::samples::claim;
use stele_log_storage_objects::lock_watch::{Fenced, LockWatch, Why};
use stele_object_store::chain::ChainLock;
use stele_object_store::memory::MemoryBucket;
use stele_object_store::record::Run;

fn standby(bucket: &Arc<MemoryBucket>, run: u8) -> LockWatch<ChainLock> {
    let mut watch = LockWatch::new(lock_of(bucket, run), Run([run; 16]));
    watch.look().unwrap();
    watch
}

#[test]
fn of_two_that_hear_nothing_one_takes_over_and_the_other_follows_it() {
    let bucket = Arc::new(MemoryBucket::new());
    let mut log = start(&bucket, 1).unwrap();
    log.write(Vec::new()).unwrap();
    let (mut first, mut second) = (standby(&bucket, 2), standby(&bucket, 3));
    assert_eq!((first.writer(), first.signed_size(), first.is_held()), (Some("writer-1"), 1, false));
    // A writer that goes on is not fenced by a guess.
    log.write(vec![claim("acme.example", 1)]).unwrap();
    assert_eq!(first.fence("2", Why::Silence).unwrap(), Fenced::Lost);
    assert!(first.look().unwrap() && second.look().unwrap() && !first.look().unwrap());
    assert_eq!((first.writer(), first.signed_size()), (Some("writer-1"), 3));

    assert_eq!(first.fence("2", Why::Silence).unwrap(), Fenced::Won);
    assert_eq!(second.fence("3", Why::Silence).unwrap(), Fenced::Lost);
    assert!(second.look().unwrap() && !second.is_held());
    assert_eq!(second.writer(), Some("2"));
    assert!(log.write(vec![claim("other.example", 1)]).is_err());
    let held = first.into_held().unwrap();
    assert!(held.load().unwrap().is_some() && !held.excludes_others());
    // Who is told takes over from the run that it knows, whatever that appends meanwhile; not from one that took over since.
    let (mut third, mut fourth) = (standby(&bucket, 4), standby(&bucket, 5));
    let head = held.load().unwrap().unwrap();
    held.compare_and_swap(Some(&head), &head).unwrap();
    assert_eq!(third.fence("4", Why::Told).unwrap(), Fenced::Won);
    assert_eq!(fourth.fence("5", Why::Told).unwrap(), Fenced::Lost);
    assert_eq!((fourth.writer(), fourth.is_held()), (Some("4"), false));
    // Told once more it does.
    assert_eq!(fourth.fence("5", Why::Told).unwrap(), Fenced::Won);
    assert!(fourth.is_held() && fourth.into_held().is_some());
    assert!(held.check_held().is_err());
}

#[test]
fn where_there_is_no_log_there_is_nothing_to_take_over() {
    let bucket = Arc::new(MemoryBucket::new());
    let mut watch = standby(&bucket, 1);
    assert!(watch.is_new());
    for why in [Why::Silence, Why::Told] {
        assert_eq!(watch.fence("1", why).unwrap(), Fenced::Lost);
    }
    assert!(watch.into_held().is_none());
}
