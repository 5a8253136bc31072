//! A log in a data folder.
#![allow(dead_code, reason = "each test program uses a part")]

use std::path::Path;
use std::sync::Arc;
use stele_durable::Dir;
use stele_log_core::contract::objects::Objects;
use stele_log_core::recover::RecoverError;
use stele_log_core::samples::Offline;
use stele_log_core::tiles::TileStore;
use stele_log_storage_files::head_store::FileHeadStore;
use stele_log_storage_files::objects::FileObjects;

/// The objects in a data folder.
pub(crate) fn objects(home: &Path) -> Arc<dyn Objects> {
    Arc::new(FileObjects::new(&Dir::open(home).unwrap()))
}

/// The published objects in a data folder.
pub(crate) fn files(home: &Path) -> TileStore {
    TileStore::new(&objects(home))
}

/// Starts the log in a data folder as a real log does.
pub(crate) fn start(home: &Path) -> Result<Offline, RecoverError> {
    let data = Dir::open(home).unwrap();
    let heads = FileHeadStore::take(&data).unwrap();
    Offline::start(Box::new(heads), Arc::new(FileObjects::new(&data)))
}

/// Makes spare files for what is staged next, as the running log does beside its sync.
pub(crate) fn make_ready(log: &Offline) {
    log.store.objects().prepare();
    log.store.objects().sync().unwrap();
}
