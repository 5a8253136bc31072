//! Every fault at every request: what is said afterwards is so.

use crate::{key, store_of};
use std::sync::Arc;
use stele_object_store::bucket::Bucket;
use stele_object_store::chain::ChainLock;
use stele_object_store::lock::{Lock, LockErrorKind};
use stele_object_store::memory::{Fault, MemoryBucket};
use stele_object_store::object_store::{Put, StoreErrorKind};
use stele_object_store::record::{Record, Run, Step};
use stele_spec::checkpoint::Origin;

/// So many requests at the least fail in some test.
const REQUESTS: usize = 10;

/// A bucket in which one or two requests fail, and a name for the case.
fn failing() -> impl Iterator<Item = (String, Arc<MemoryBucket>)> {
    let one = (0..REQUESTS).flat_map(|at| Fault::ALL.map(|fault| (at, fault)));
    let two = one.clone().flat_map(|first| Fault::ALL.map(|second| (first, Some(second))));
    two.chain(one.map(|first| (first, None))).map(|((at, fault), second)| {
        let plan = move |request: usize| match request.checked_sub(at) {
            Some(0) => Some(fault),
            Some(1) => second,
            _ => None,
        };
        let name = format!("{fault:?} at request {at}, then {second:?}");
        (name, Arc::new(MemoryBucket::failing(Box::new(plan))))
    })
}

/// What is there, past all faults: the requests that still fail are used up first.
fn there(bucket: &MemoryBucket, name: &str) -> Option<Vec<u8>> {
    for _ in 0..REQUESTS + 2 {
        let _ = bucket.about(&key("nothing"));
    }
    bucket.get(&key(name), 1 << 20).unwrap().map(|found| found.bytes)
}

#[test]
fn a_put_is_there_if_it_was_said_to_be_and_nothing_else_is_ever_there() {
    for (case, bucket) in failing() {
        let store = store_of(&bucket);
        let (mine, other) = (store.put_if_absent(&key("a"), b"mine"), store.put_if_absent(&key("a"), b"other"));
        let found = there(&bucket, "a");
        for (put, bytes) in [(&mine, &b"mine"[..]), (&other, b"other")] {
            match put {
                Ok(Put::New | Put::Same) => assert_eq!(found.as_deref(), Some(bytes), "{case}"),
                Err(error) if error.kind() == StoreErrorKind::Differs => {
                    assert!(found.as_deref().is_some_and(|found| found != bytes), "{case}: {found:?}");
                }
                Err(error) => assert!(
                    matches!(error.kind(), StoreErrorKind::Unknown | StoreErrorKind::Failed),
                    "{case}: {error:?}"
                ),
            }
        }
    }
}

#[test]
fn one_answer_that_is_lost_late_or_about_itself_changes_no_outcome() {
    for fault in [Fault::AnswerLost, Fault::RequestLost, Fault::Late, Fault::AskedTwice] {
        let bucket = Arc::new(MemoryBucket::failing(Box::new(move |request| (request == 0).then_some(fault))));
        let store = store_of(&bucket);
        assert!(store.put_if_absent(&key("a"), b"mine").is_ok(), "{fault:?}");
        assert_eq!(there(&bucket, "a").as_deref(), Some(&b"mine"[..]), "{fault:?}");
    }
}

#[test]
fn a_replacement_is_there_if_it_was_said_to_be_and_a_stale_one_never() {
    for (case, bucket) in failing() {
        bucket.tamper(&key("a"), Some(b"first"));
        let store = store_of(&bucket);
        let Ok(Some(seen)) = store.read(&key("a"), 10) else { continue };
        let mine = store.replace(&key("a"), Some(&seen.version), b"mine");
        let stale = store.replace(&key("a"), Some(&seen.version), b"stale");
        let found = there(&bucket, "a");
        if mine.is_ok() {
            assert_eq!(found.as_deref(), Some(&b"mine"[..]), "{case}");
            assert!(stale.is_err(), "{case}");
        }
        if stale.is_ok() {
            assert_eq!(found.as_deref(), Some(&b"stale"[..]), "{case}");
        }
        if let Err(error) = &mine
            && error.kind() == StoreErrorKind::Overtaken
        {
            panic!("{case}: nobody else was there: {error:?}");
        }
    }
}

/// A writer that appends until it is told to stop, and another that takes over at some moment: one chain, and whatever was appended is in it.
#[test]
fn what_was_appended_is_in_the_chain_whatever_fails() {
    let origin: Origin = "log.example".parse().unwrap();
    let head = |name: &str| Step::Head { staged: name.into(), note: name.into() };
    for (case, bucket) in failing() {
        let store = store_of(&bucket);
        let mut slow = ChainLock::new(&store, None, &origin, Run([1; 16]));
        let Ok(fence) = slow.take("slow") else { continue };
        let first = slow.append(Some(&fence), head("one"));
        let mut quick = ChainLock::new(&store, None, &origin, Run([2; 16]));
        let Ok(taken) = quick.take("quick") else { continue };
        let second = quick.append(Some(&taken), head("two"));
        // The slow one goes on with what it knows, as if its append had been.
        let late = slow.append(Some(first.as_ref().unwrap_or(&fence)), head("fork"));
        assert!(late.is_err_and(|error| error.kind() != LockErrorKind::Unknown), "{case}");

        let all = chain(&bucket);
        assert!(all.iter().all(|record| record.head() != Some(b"fork")), "{case}: {all:?}");
        for appended in [first, second].into_iter().flatten() {
            assert!(all.contains(&appended), "{case}: {appended:?}");
        }
        let newest = ChainLock::new(&store, None, &origin, Run([3; 16])).newest().unwrap();
        assert_eq!(newest.as_ref(), all.last(), "{case}");
    }
}

/// All records, each of which follows from the one before.
fn chain(bucket: &MemoryBucket) -> Vec<Record> {
    let numbers = (1..).map(|number| there(bucket, key("lock").numbered(number).as_str()));
    let records: Vec<Record> = numbers.map_while(|bytes| Some(Record::parse(&bytes?).unwrap())).collect();
    assert!(records.windows(2).all(|pair| pair[1].follows(&pair[0])), "{records:?}");
    records
}
