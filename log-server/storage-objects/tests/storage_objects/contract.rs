//! The contracts of the log's core.

use crate::{lock, objects_of};
use std::sync::Arc;
use stele_log_core::conformance::{failures, head_store, objects};
use stele_object_store::memory::MemoryBucket;

#[test]
fn a_bucket_keeps_both_contracts() {
    let open = || objects_of(&Arc::new(MemoryBucket::new()));
    assert_eq!(failures(&objects::run(&open)), Vec::<String>::new());
    let open = || {
        let bucket = Arc::new(MemoryBucket::new());
        Box::new(lock(&bucket, 1).unwrap()) as Box<dyn stele_log_core::contract::head_store::HeadStore>
    };
    assert_eq!(failures(&head_store::run(&open)), Vec::<String>::new());
}
