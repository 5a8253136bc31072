//! Reading the log's entries back, all of them and in order: parsed on every core, given out one by one.

use crate::tiles::{StoreError, TileStore};
use stele_spec::entry::{Entry, EntryError};
use stele_spec::hash::{IndexKey, LeafHash};
use stele_spec::index::keys_of;
use stele_spec::tile::TILE_WIDTH;

/// Bundles that are read before they are parsed side by side.
const AT_ONCE: u64 = 32;

/// An entry and what is computed from it alone.
#[derive(Debug)]
pub struct Parsed {
    /// The entry.
    pub entry: Entry,
    /// Its hash.
    pub leaf: LeafHash,
    /// The keys it is listed under.
    pub keys: Vec<IndexKey>,
}

impl Parsed {
    /// Reads an entry and computes what goes with it.
    pub fn of(bytes: &[u8]) -> Result<Self, EntryError> {
        let entry = Entry::parse(bytes)?;
        Ok(Self { leaf: entry.leaf_hash(), keys: keys_of(&entry), entry })
    }
}

/// Why the entries cannot be read back.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError<E> {
    /// A bundle is missing or damaged.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An entry is not one.
    #[error("entry {position}: {error}")]
    Entry {
        /// Which.
        position: u64,
        /// What is wrong with it.
        error: EntryError,
    },
    /// The taker of the entries refuses one.
    #[error(transparent)]
    Taker(E),
}

/// Gives out the entries `[0, size)` with their bytes.
pub fn replay<E>(
    store: &TileStore,
    size: u64,
    mut take: impl FnMut(u64, &[u8], Parsed) -> Result<(), E>,
) -> Result<(), ReplayError<E>> {
    let width = u64::from(TILE_WIDTH);
    let bundles = size.div_ceil(width);
    for first in (0..bundles).step_by(AT_ONCE as usize) {
        let entries: Vec<Vec<u8>> = (first..bundles.min(first + AT_ONCE))
            .map(|index| store.bundle(index, size))
            .collect::<Result<Vec<_>, _>>()?
            .into_iter()
            .flatten()
            .collect();
        let parsed = parse_entries(&entries);
        for ((position, bytes), parsed) in (first * width..).zip(&entries).zip(parsed) {
            let parsed = parsed.map_err(|error| ReplayError::Entry { position, error })?;
            take(position, bytes, parsed).map_err(ReplayError::Taker)?;
        }
    }
    Ok(())
}

/// Parses entries side by side; answers in their order.
pub fn parse_entries(entries: &[Vec<u8>]) -> Vec<Result<Parsed, EntryError>> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let share = entries.len().div_ceil(cores).max(16);
    std::thread::scope(|scope| {
        let threads: Vec<_> = entries
            .chunks(share)
            .map(|chunk| scope.spawn(|| chunk.iter().map(|bytes| Parsed::of(bytes)).collect::<Vec<_>>()))
            .collect();
        let parts = threads.into_iter().map(|thread| match thread.join() {
            Ok(part) => part,
            // A parser that panics must not be taken for one that found nothing.
            Err(panic) => std::panic::resume_unwind(panic),
        });
        parts.flatten().collect()
    })
}
