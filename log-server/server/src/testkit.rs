//! What the tests of this crate share beside the samples of the core: a config, and a log in a data folder.

use crate::config::{Config, Limits, StandbyConfig};
use std::path::Path;
use std::sync::Arc;
use stele_durable::Dir;
use stele_log_core::recover::RecoverError;
use stele_log_core::rules::{Batch, Quotas};
use stele_log_core::samples::{ORIGIN, Offline, open_registration};
use stele_log_storage_files::head_store::FileHeadStore;
use stele_log_storage_files::objects::FileObjects;

pub(crate) fn config() -> Config {
    Config {
        origin: ORIGIN.parse().unwrap(),
        listen: "127.0.0.1:0".into(),
        key: "log.key".into(),
        second_key: None,
        objects: None,
        policy: "policy".into(),
        verify_page: None,
        data: "data".into(),
        republish_every: 600,
        frozen: false,
        registration: open_registration(),
        batch: Batch::default(),
        limits: Limits::default(),
        standby: StandbyConfig::default(),
        quotas: Quotas::default(),
    }
}

/// Starts the log in a data folder as a real log does.
pub(crate) fn start(home: &Path) -> Result<Offline, RecoverError> {
    let data = Dir::open(home).unwrap();
    let heads = FileHeadStore::take(&data).unwrap();
    Offline::start(Box::new(heads), Arc::new(FileObjects::new(&data)))
}
