//! Each fault at each request of a short life of a log: what was acknowledged is there, in one history.

use crate::start;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use stele_log_core::samples::claim;
use stele_object_store::memory::{Fault, MemoryBucket};

/// A short life: the first entry, two batches, each published. The size that was acknowledged last.
fn live(bucket: &Arc<MemoryBucket>, acknowledged: &mut u64) {
    let Ok(mut log) = start(bucket, 1) else { return };
    let batches = [Vec::new(), vec![claim("acme.example", 1)], vec![claim("other.example", 2)]];
    for batch in batches {
        match log.write(batch) {
            Ok(_) => {}
            Err(error) if error.is_fatal() => return,
            Err(_) => continue,
        }
        let Ok(published) = log.try_publish() else { return };
        *acknowledged = published.size();
    }
}

#[test]
fn nothing_acknowledged_is_lost_whichever_request_fails() {
    let whole = Arc::new(MemoryBucket::new());
    live(&whole, &mut 0);
    let requests = whole.requests();
    assert!(requests > 20, "{requests}");
    for at in 0..requests {
        for fault in Fault::ALL {
            // Its own request, and all tries of it.
            for tries in [1, 4, 9] {
                let until = Arc::new(AtomicUsize::new(at + tries));
                let ends = until.clone();
                let plan = move |request| (at..ends.load(Ordering::SeqCst)).contains(&request).then_some(fault);
                let bucket = Arc::new(MemoryBucket::failing(Box::new(plan)));
                let mut acknowledged = 0;
                live(&bucket, &mut acknowledged);
                until.store(0, Ordering::SeqCst);
                let case = format!("{fault:?} at request {at}, {tries} times; {acknowledged} entries acknowledged");
                let mut again = start(&bucket, 2).unwrap_or_else(|error| panic!("{case}: {error:?}"));
                let signed = again.writer.signed_size().unwrap_or(0);
                assert!(signed >= acknowledged, "{case}: {signed} are left");
                if signed == 0 {
                    again.write(Vec::new()).unwrap();
                }
                again.write(vec![claim("third.example", 3)]).unwrap_or_else(|error| panic!("{case}: {error:?}"));
                again.publish();
            }
        }
    }
}
