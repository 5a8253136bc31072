//! Looking at the whole of a copy: every entry hashed to the root of the checkpoint that was signed for it, every tile compared with
//! what its entries make, every manifest with its name.

use stele_durable::DurableError;
use stele_spec::checkpoint::Checkpoint;
use stele_spec::entry::Entry;
use stele_spec::hash::Digest;
use stele_spec::tile::{TileError, TilePath};
use stele_spec::tiledlog::{Growth, TiledLog, TiledLogError};

use crate::store::Store;

/// What a whole copy holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Whole {
    /// Entries.
    pub entries: u64,
    /// Manifests that they name and that are here.
    pub manifests: u64,
    /// Manifests that they name and that are not: the log did not have them.
    pub missing: u64,
}

/// Why a copy is not whole.
#[derive(Debug, thiserror::Error)]
pub enum NotWhole {
    /// A file is missing, malformed or not part of the tree.
    #[error(transparent)]
    Tree(#[from] TiledLogError<DurableError>),
    /// A tile that is not what its entries make.
    #[error("{path} is not what the entries make")]
    Tile {
        /// The file.
        path: TilePath,
    },
    /// A manifest with other bytes than its name says.
    #[error("manifests/{digest} has another digest than its name")]
    Manifest {
        /// Its name.
        digest: Digest,
    },
    /// This machine failed.
    #[error(transparent)]
    Durable(#[from] DurableError),
    /// A bundle that cannot be written: a bug of ours.
    #[error(transparent)]
    Bundle(#[from] TileError),
}

/// Reads everything. One bundle is held at a time.
pub fn verify(store: &Store, checkpoint: &Checkpoint) -> Result<Whole, NotWhole> {
    let log = TiledLog::open(store, checkpoint.clone())?;
    let mut growth = Growth::after(0, &log)?;
    let mut whole = Whole::default();
    for chunk in log.entries(0) {
        let chunk = chunk?;
        for entry in &chunk.entries {
            let Ok(Entry::Statement(signed)) = Entry::parse(entry) else { continue };
            let Some(digest) = signed.statement().manifest_digest() else { continue };
            match store.manifest(digest)? {
                Some(bytes) if Digest::of(&bytes) == digest => whole.manifests += 1,
                Some(_) => return Err(NotWhole::Manifest { digest }),
                None => whole.missing += 1,
            }
        }
        growth.bundle(&chunk.entries, &chunk.leaves)?;
        whole.entries = chunk.end();
        compare(store, growth.take())?;
    }
    compare(store, growth.edge())?;
    Ok(whole)
}

fn compare(store: &Store, files: Vec<(TilePath, Vec<u8>)>) -> Result<(), NotWhole> {
    for (path, bytes) in files {
        if store.tile(path)?.as_ref() != Some(&bytes) {
            return Err(NotWhole::Tile { path });
        }
    }
    Ok(())
}
