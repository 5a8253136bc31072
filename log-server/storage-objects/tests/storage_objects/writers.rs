//! Two runs of one log.

use crate::{objects_of, start};
use std::sync::Arc;
use stele_log_core::contract::head_store::HeadErrorKind;
use stele_log_core::samples::{claim, release};
use stele_log_core::tiles::TileStore;
use stele_log_core::writer::WriteError;
use stele_object_store::memory::MemoryBucket;

/// The most requests of a batch in a small log.
const MOST: usize = 9;

fn published(bucket: &Arc<MemoryBucket>) -> String {
    let note = TileStore::new(&objects_of(bucket)).checkpoint().unwrap().unwrap();
    String::from_utf8(note).unwrap().lines().nth(1).unwrap().to_owned()
}

#[test]
fn a_log_goes_on_from_its_bucket_alone() {
    let bucket = Arc::new(MemoryBucket::new());
    let mut log = start(&bucket, 1).unwrap();
    log.write(Vec::new()).unwrap();
    let (signed, manifest) = release("acme.example", 1, "base", 1);
    log.write(vec![claim("acme.example", 1)]).unwrap();
    log.write(vec![signed]).unwrap();
    log.store.put_manifest(&manifest.digest(), manifest.bytes()).unwrap();
    log.publish();
    drop(log);
    let mut again = start(&bucket, 2).unwrap();
    let found = again.found.take().unwrap();
    assert_eq!((found.published.unwrap().size(), found.lost_manifests), (5, vec![]));
    again.write(vec![claim("other.example", 2)]).unwrap();
    again.publish();
    assert_eq!(published(&bucket), "7");
}

#[test]
fn a_run_that_was_overtaken_signs_nothing_more_and_loses_nothing() {
    let bucket = Arc::new(MemoryBucket::new());
    let mut slow = start(&bucket, 1).unwrap();
    slow.write(Vec::new()).unwrap();
    slow.publish();
    slow.write(vec![claim("acme.example", 1)]).unwrap();

    // It sleeps between its signature and publication.
    let mut quick = start(&bucket, 2).unwrap();
    assert_eq!(quick.writer.signed_size(), Some(3), "what the other signed is not lost");
    quick.write(vec![claim("other.example", 2)]).unwrap();
    quick.publish();
    assert_eq!(published(&bucket), "5");

    let refused = slow.try_publish().unwrap_err();
    assert_eq!(stele_explain::Explain::code(&refused), "overtaken", "readers are not taken back");
    assert_eq!(published(&bucket), "5");
    let refused = slow.write(vec![claim("third.example", 3)]).unwrap_err();
    assert!(matches!(&refused, WriteError::Swap(error) if error.kind() == HeadErrorKind::Conflict), "{refused:?}");
    assert!(refused.is_fatal());
    assert_eq!(refused.code(), "overtaken");
    // Its batch, staged and never signed, harms nobody.
    quick.write(vec![claim("fourth.example", 4)]).unwrap();
    quick.publish();
    assert_eq!(start(&bucket, 3).unwrap().writer.signed_size(), Some(7));
}

#[test]
fn what_a_slow_run_still_publishes_does_not_stop_the_one_that_took_over() {
    let bucket = Arc::new(MemoryBucket::new());
    let mut slow = start(&bucket, 1).unwrap();
    slow.write(Vec::new()).unwrap();
    slow.write(vec![claim("acme.example", 1)]).unwrap();
    let mut quick = start(&bucket, 2).unwrap();
    quick.write(vec![claim("other.example", 2)]).unwrap();
    slow.publish();
    assert_eq!(published(&bucket), "3");
    quick.publish();
    assert_eq!(published(&bucket), "5");
}

/// Each request is a way to the store: staged batch, the lock's last record read and the next one put, tiles, the edges that the self-check reads, the staged
/// checkpoint, the public one.
#[test]
fn a_batch_costs_few_requests() {
    let bucket = Arc::new(MemoryBucket::new());
    let mut log = start(&bucket, 1).unwrap();
    log.write(Vec::new()).unwrap();
    log.publish();
    for number in 1..10 {
        let before = bucket.requests();
        log.write(vec![claim(&format!("p{number}.example"), number)]).unwrap();
        log.publish();
        let requests = bucket.requests() - before;
        assert!(requests <= MOST, "{requests} requests for batch {number}");
    }
}
