//! Records that were removed or changed are named, and nothing is appended to them.

use crate::{key, store_of};
use std::sync::Arc;
use stele_object_store::chain::ChainLock;
use stele_object_store::key::Key;
use stele_object_store::lock::{Damage, Lock, LockError};
use stele_object_store::memory::MemoryBucket;
use stele_object_store::record::{Record, Run, Step};
use stele_spec::checkpoint::Origin;

fn record(number: u64) -> Key {
    key("lock").numbered(number)
}

/// A lock of six records, whose last is given.
fn lock() -> (Arc<MemoryBucket>, ChainLock, Record) {
    let bucket = Arc::new(MemoryBucket::new());
    let origin: Origin = "log.example".parse().unwrap();
    let mut lock = ChainLock::new(&store_of(&bucket), None, &origin, Run([1; 16]));
    let mut last = lock.take("a").unwrap();
    for number in 2..=6 {
        let step = Step::Head { staged: number.to_string(), note: format!("{number}\n").into_bytes() };
        last = lock.append(Some(&last), step).unwrap();
    }
    (bucket, lock, last)
}

fn fresh(bucket: &Arc<MemoryBucket>) -> ChainLock {
    ChainLock::new(&store_of(bucket), None, &"log.example".parse().unwrap(), Run([2; 16]))
}

#[test]
fn a_removed_record_is_named() {
    for number in 1..=5 {
        let (bucket, _, _) = lock();
        bucket.tamper(&record(number), None);
        let found = fresh(&bucket).take("b");
        // Of what lies before the last two, a start looks for some alone.
        let is_named =
            matches!(&found, Err(LockError::Damaged { number: at, why: Damage::Missing, .. }) if *at == number);
        let is_passed_over = [2, 4].contains(&number) && found.is_ok();
        assert!(is_named || is_passed_over, "{number}: {found:?}");
    }
}

#[test]
fn the_last_record_is_missed_by_who_wrote_it() {
    let (bucket, mut lock, last) = lock();
    bucket.tamper(&record(6), None);
    let step = Step::Head { staged: "7".into(), note: b"7\n".to_vec() };
    let found = lock.append(Some(&last), step);
    assert!(matches!(found, Err(LockError::Damaged { number: 6, why: Damage::Missing, .. })), "{found:?}");
}

#[test]
fn a_changed_record_is_named() {
    let (bucket, _, last) = lock();
    let with = |from: &str, to: &str| String::from_utf8(last.to_bytes()).unwrap().replacen(from, to, 1);
    for (bytes, expected) in [
        (with("\n\n6\n", "\n6\n"), None),
        (with("log.example", "log.another"), Some(Damage::Origin("log.another".into()))),
        (with("\n6\n", "\n7\n"), Some(Damage::Number(7))),
        (with("\n1\n", "\n2\n"), Some(Damage::Unchained)),
        ("".into(), None),
    ] {
        bucket.tamper(&record(6), Some(bytes.as_bytes()));
        match fresh(&bucket).take("b") {
            Err(LockError::Damaged { number: 6, why, .. }) => match expected {
                Some(expected) => assert_eq!(why, expected, "{bytes}"),
                None => assert!(matches!(why, Damage::Bytes(_)), "{bytes}: {why:?}"),
            },
            found => panic!("{bytes}: {found:?}"),
        }
    }
    bucket.tamper(&record(6), Some(&last.to_bytes()));
    bucket.tamper(&record(5), Some(&last.to_bytes()));
    let found = fresh(&bucket).take("b");
    assert!(matches!(found, Err(LockError::Damaged { number: 5, why: Damage::Number(6), .. })), "{found:?}");
}

#[test]
fn what_is_no_record_is_named() {
    let (bucket, _, _) = lock();
    bucket.tamper(&key("lock/README"), Some(b""));
    let found = fresh(&bucket).take("b");
    assert!(matches!(&found, Err(LockError::Stranger { name, .. }) if name == "lock/README"), "{found:?}");
}
