//! The static files of a log that runs, as its routes serve them.

use std::sync::Arc;
use stele_fetch::static_files::{HandedFiles, SourceError};
use stele_log_core::contract::objects::ObjectName;
use stele_log_core::running_log::RunningLog;
use stele_spec::hash::Digest;
use stele_spec::tile::TilePath;

/// The static files of a log.
#[derive(Debug)]
pub struct LogFiles(pub Arc<RunningLog>);

impl HandedFiles for LogFiles {
    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, SourceError> {
        let name = match path {
            "checkpoint" => ObjectName::Checkpoint,
            path => match (TilePath::parse(path), path.strip_prefix("manifests/").map(Digest::from_hex)) {
                (Ok(tile), _) => ObjectName::Tile(tile),
                (_, Some(Ok(digest))) => ObjectName::Manifest(digest),
                _ => return Ok(None),
            },
        };
        self.0.store.objects().get(&name, limit).map_err(|_| SourceError::Missing { place: path.to_owned() })
    }

    fn place(&self) -> String {
        "the log".to_owned()
    }
}
