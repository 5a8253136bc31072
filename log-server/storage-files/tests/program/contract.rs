//! The contracts of the log's core.

use std::cell::RefCell;
use std::sync::Arc;
use stele_durable::Dir;
use stele_log_core::conformance::{failures, head_store, objects};
use stele_log_core::contract::head_store::HeadStore;
use stele_log_core::contract::objects::Objects;
use stele_log_storage_files::head_store::FileHeadStore;
use stele_log_storage_files::objects::FileObjects;
use tempfile::TempDir;

#[test]
fn files_keep_both_contracts() {
    let folders: RefCell<Vec<TempDir>> = RefCell::default();
    let folder = || {
        let folder = tempfile::tempdir().unwrap();
        let data = Dir::open(folder.path()).unwrap();
        folders.borrow_mut().push(folder);
        data
    };
    let open = || Arc::new(FileObjects::new(&folder())) as Arc<dyn Objects>;
    assert_eq!(failures(&objects::run(&open)), Vec::<String>::new());
    let open = || Box::new(FileHeadStore::take(&folder()).unwrap()) as Box<dyn HeadStore>;
    assert_eq!(failures(&head_store::run(&open)), Vec::<String>::new());
}
