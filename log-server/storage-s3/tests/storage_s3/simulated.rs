//! A service in memory, honest and not.

use crate::{SECRET, bucket_of, config, key, store_of};
use std::sync::Arc;
use stele_clock::SystemClock;
use stele_explain::Explain as _;
use stele_log_storage_s3::s3_bucket::S3Bucket;
use stele_log_storage_s3::simulated::SimulatedS3;
use stele_object_store::bucket::{Bucket as _, Trouble};
use stele_object_store::chain::ChainLock;
use stele_object_store::conformance::{failures, lock, objects};
use stele_object_store::lock::Lock;
use stele_object_store::memory::{Fault, Lying, MemoryBucket};
use stele_object_store::object_store::StoreErrorKind;
use stele_object_store::probe::{Effort, ProbeError, probe};
use stele_object_store::record::Run;
use stele_spec::checkpoint::Origin;

#[test]
fn a_bucket_behind_http_conforms_and_so_does_the_lock_in_it() {
    let service = SimulatedS3::start(MemoryBucket::new()).unwrap();
    let store = store_of(bucket_of(&service));
    assert_eq!(failures(&objects::run(&store, &key("suite"), 16)), Vec::<String>::new());
    let open = |row: u64, origin: &Origin, run: Run| -> Box<dyn Lock> {
        Box::new(ChainLock::new(&store, Some(&key("locks").numbered(row)), origin, run))
    };
    assert_eq!(failures(&lock::run(&open, 8)), Vec::<String>::new());
}

#[test]
fn a_store_that_lies_behind_http_is_called_by_its_lie() {
    for (lying, expected) in [
        (Lying::CreateIgnored, "objects-not-conditional"),
        (Lying::ReplaceIgnored, "objects-not-conditional"),
        (Lying::ReplaceOfNothing, "objects-not-conditional"),
        (Lying::ChecksThenActs, "objects-not-atomic"),
        (Lying::LoserStored, "objects-not-atomic"),
        (Lying::StaleRead, "objects-stale"),
        (Lying::StaleList, "objects-stale"),
        (Lying::VersionDiffers, "objects-version-wrong"),
        (Lying::VersionKept, "objects-version-wrong"),
    ] {
        let service = SimulatedS3::start(MemoryBucket::lying(lying)).unwrap();
        let found = probe(&bucket_of(&service), &key("probe/1"), Effort { racers: 16, rounds: 10 });
        assert!(
            matches!(&found, Err(error @ ProbeError::Lie { .. }) if error.code() == expected),
            "{lying:?}: {found:?}"
        );
        assert!(service.bucket().list(&key("a/prefix"), None).unwrap().is_empty(), "{lying:?}: something was left");
    }
    let honest = SimulatedS3::start(MemoryBucket::new()).unwrap();
    probe(&bucket_of(&honest), &key("probe/1"), Effort::default()).unwrap();
}

#[test]
fn an_answer_that_is_lost_on_the_way_changes_no_outcome() {
    for fault in [Fault::AnswerLost, Fault::RequestLost, Fault::Late, Fault::AskedTwice] {
        let failing = MemoryBucket::failing(Box::new(move |request| (request == 0).then_some(fault)));
        let service = SimulatedS3::start(failing).unwrap();
        let store = store_of(bucket_of(&service));
        let put = store.put_if_absent(&key("lock/1"), b"mine");
        assert!(put.is_ok(), "{fault:?}: {put:?}");
        let other = store.put_if_absent(&key("lock/1"), b"other").unwrap_err();
        assert_eq!(other.kind(), StoreErrorKind::Differs, "{fault:?}");
    }
}

#[test]
fn the_secret_is_in_nothing_that_is_shown() {
    let service = SimulatedS3::start(MemoryBucket::new()).unwrap();
    let stranger = S3Bucket::new(config(service.endpoint(), "AKIDSTRANGER"), Arc::new(SystemClock));
    let refused = stranger.get(&key("a"), 10).unwrap_err();
    assert_eq!((refused.trouble(), refused.code()), (Trouble::Refused, "access-denied"));
    let store = store_of(stranger);
    let shown = format!(
        "{refused} {refused:?} {} {store:?} {:?} {:?}",
        stele_explain::text(&refused),
        store.bucket(),
        config(service.endpoint(), "AKIDSTRANGER")
    );
    assert!(!shown.contains(SECRET) && !shown.contains("Signature="), "{shown}");
    assert!(shown.contains("s3://logs/a/prefix"), "{shown}");
}
