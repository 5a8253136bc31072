//! A service in memory, honest and not.

use crate::{SECRET, bucket_of, config, key, store_of};
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use stele_clock::SystemClock;
use stele_explain::Explain as _;
use stele_log_storage_s3::s3_bucket::S3Bucket;
use stele_log_storage_s3::simulated::{ACCESS_KEY, BUCKET, SimulatedS3};
use stele_object_store::bucket::{Bucket as _, Served, Trouble};
use stele_object_store::chain::ChainLock;
use stele_object_store::conformance::{failures, lock, objects};
use stele_object_store::key::Key;
use stele_object_store::lock::Lock;
use stele_object_store::memory::{Fault, Lying, MemoryBucket};
use stele_object_store::object_store::{Put, StoreErrorKind};
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
fn what_readers_are_told_is_put_with_an_object_and_what_is_packed_reads_as_it_was() {
    let service = SimulatedS3::start(MemoryBucket::new()).unwrap();
    let packed = |key: &Key| Served {
        content_type: "application/octet-stream",
        cache_control: "public, max-age=31536000, immutable",
        is_packed: key.as_str().starts_with("entries/"),
    };
    let store = store_of(bucket_of(&service).serving(packed));
    // What gzip makes longer as well: read back under its own length.
    let noise: Vec<u8> = (0..200_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for (name, bytes) in
        [("entries/1", vec![7; 100_000]), ("entries/2", noise), ("entries/3", vec![1]), ("tile", vec![7; 64])]
    {
        let name = key(name);
        assert_eq!(store.put_if_absent(&name, &bytes).unwrap(), Put::New, "{name}");
        assert_eq!(store.put_if_absent(&name, &bytes).unwrap(), Put::Same, "{name}");
        assert_eq!(store.read(&name, bytes.len() as u64).unwrap().unwrap().bytes, bytes, "{name}");
        let short = store.read(&name, bytes.len() as u64 - 1).unwrap_err();
        assert_eq!(short.kind(), StoreErrorKind::TooLarge, "{name}");
        // As it lies there, under the prefix of the bucket.
        let there = service.bucket().get(&key(&format!("a/prefix/{name}")), u64::MAX).unwrap().unwrap().bytes;
        assert_eq!(there.starts_with(&[0x1f, 0x8b]), name.as_str().starts_with("entries/"), "{name}");
        let head = head_of(&service, &format!("a/prefix/{name}"));
        assert!(head.contains("cache-control: public, max-age=31536000, immutable\r\n"), "{head}");
        assert_eq!(head.contains("content-encoding: gzip\r\n"), name.as_str().starts_with("entries/"), "{head}");
    }
    // A client without that rule reads it as well: the service says what it is.
    let plain = bucket_of(&service).get(&key("entries/1"), 100_000).unwrap().unwrap();
    assert_eq!(plain.bytes, vec![7; 100_000]);
}

/// The head of an answer to somebody who reads the bucket.
fn head_of(service: &SimulatedS3, name: &str) -> String {
    let endpoint = service.endpoint().to_string();
    let mut stream = TcpStream::connect(endpoint.strip_prefix("http://").unwrap()).unwrap();
    let authorization = format!("AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/");
    let request = format!("HEAD /{BUCKET}/{name} HTTP/1.1\r\nauthorization: {authorization}\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut head = String::new();
    stream.read_to_string(&mut head).unwrap();
    head
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
