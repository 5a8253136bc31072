//! The log's static files, as they were verified: a folder that is a mirror itself.
//!
//! Entries are read from the log and checked against the head before they are written; the tiles are not copied but computed
//! from them. The checkpoint comes last: until then the folder is the mirror of the older head.

use stele_durable::Dir;
use stele_log_client::reader::{ReadError, VerifiedLog};
use stele_spec::frozen::FILE;
use stele_spec::tile::{TILE_WIDTH, TilePath};
use stele_spec::tiledlog::Growth;

use crate::error::AuditError;
use crate::progress::Watch;
use crate::store::{Changes, Store, key};

/// Bundles that are written together.
const AT_ONCE: usize = 32;

const WIDTH: u64 = TILE_WIDTH as u64;

/// Brings a folder to the head of a log.
pub(crate) fn bring(folder: &Dir, log: &VerifiedLog<'_>, store: &Store, watch: &mut Watch) -> Result<(), AuditError> {
    let done = key(b'm', "mirrored");
    let from = store.snapshot()?.number(&done)?.unwrap_or(0).min(log.size()) / WIDTH * WIDTH;
    let mut growth = Growth::after(from, log)?;
    for (number, chunk) in (1..).zip(log.entries(from)) {
        let chunk = chunk?;
        growth.bundle(&chunk.entries, &chunk.leaves).map_err(ReadError::Tile)?;
        watch.see("mirrored", chunk.end(), log.size());
        if number % AT_ONCE == 0 {
            put(folder, growth.take())?;
            store.write(&Changes::from([(done.clone(), chunk.end().to_be_bytes().to_vec())]))?;
        }
    }
    put(folder, growth.take().into_iter().chain(growth.edge()))?;
    folder.replace("checkpoint", &log.head().note().to_bytes())?;
    store.write(&Changes::from([(done, log.size().to_be_bytes().to_vec())]))?;
    Ok(())
}

/// Keeps what the log says of its end beside its checkpoint. What it serves no more stays: beside a larger tree it shows that the log did not
/// keep to its word.
pub(crate) fn keep_end(folder: &Dir, note: Option<&[u8]>) -> Result<(), AuditError> {
    note.map_or(Ok(()), |note| folder.replace(FILE, note).map_err(AuditError::from))
}

fn put(folder: &Dir, files: impl IntoIterator<Item = (TilePath, Vec<u8>)>) -> Result<(), AuditError> {
    folder.put_all_if_absent(files.into_iter().map(|(path, bytes)| (path.to_string(), bytes)))?;
    Ok(())
}
