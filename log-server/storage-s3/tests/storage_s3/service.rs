//! A service that nobody here wrote, where one runs: `tests/peers/objects.sh` starts it and says where.

use crate::key;
use std::sync::Arc;
use stele_clock::{Clock as _, SystemClock};
use stele_log_storage_s3::credentials::Credentials;
use stele_log_storage_s3::s3_bucket::{S3Bucket, S3Config};
use stele_object_store::bucket::Bucket as _;
use stele_object_store::chain::ChainLock;
use stele_object_store::conformance::{failures, lock, objects};
use stele_object_store::lock::Lock;
use stele_object_store::object_store::ObjectStore;
use stele_object_store::probe::{Effort, probe};
use stele_object_store::record::Run;
use stele_spec::checkpoint::Origin;
use zeroize::Zeroizing;

/// With `STELE_TEST_S3` as the address of a bucket, `STELE_TEST_S3_ENDPOINT`, and the credentials in the environment.
#[test]
#[ignore = "needs a service: tests/peers/objects.sh"]
fn a_real_service_conforms_with_a_hundred_racers() {
    let variable = |name| std::env::var(name).unwrap();
    let config = S3Config {
        location: variable("STELE_TEST_S3").parse().unwrap(),
        endpoint: variable("STELE_TEST_S3_ENDPOINT").parse().unwrap(),
        region: "us-east-1".parse().unwrap(),
        credentials: Credentials::from_variables(|name| std::env::var(name).ok().map(Zeroizing::new)).unwrap(),
    };
    let bucket = Arc::new(S3Bucket::new(config, Arc::new(SystemClock)));
    let nonce = format!("{}-{}", SystemClock.unix_seconds(), std::process::id());
    let store = ObjectStore::new(bucket.clone(), Arc::new(SystemClock));
    let began = SystemClock.steady();
    let passed = |what: &str| println!("{what}: {} ms", SystemClock.steady().saturating_sub(began).as_millis());
    probe(&*bucket, &key(&format!("probe/{nonce}")), Effort::default()).unwrap();
    passed("the probe");
    let folder = key(&format!("suite/{nonce}"));
    assert_eq!(failures(&objects::run(&store, &folder, 100)), Vec::<String>::new());
    passed("the suite of objects");
    let locks = key(&format!("locks/{nonce}"));
    let open = |row: u64, origin: &Origin, run: Run| -> Box<dyn Lock> {
        Box::new(ChainLock::new(&store, Some(&locks.numbered(row)), origin, run))
    };
    assert_eq!(failures(&lock::run(&open, 100)), Vec::<String>::new());
    passed("the suite of the lock");
    let written = bucket.about(&folder.numbered(1).join("a").unwrap()).unwrap().unwrap().written_at.unwrap();
    assert!(SystemClock.unix_seconds().abs_diff(written) < 600, "{written}");
}
