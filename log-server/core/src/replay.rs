//! Reading the log's entries back, all of them and in order: read and parsed on every core, given out one by one. While some are taken the next
//! are read. What is little is read and parsed where it is taken, without a thread.

use crate::tiles::{StoreError, TileStore};
use std::thread::ScopedJoinHandle;
use stele_spec::entry::{Entry, EntryError};
use stele_spec::hash::{IndexKey, LeafHash};
use stele_spec::index::keys_of;
use stele_spec::tile::TILE_WIDTH;

/// Bundles that are read before they are parsed side by side. There are at most twice as many in memory: read, and taken.
const AT_ONCE: u64 = 4;

/// So many entries are parsed where they are: that takes no longer than to start threads.
const LITTLE: usize = 64;

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

/// Some entries that follow each other, each with what it says or why it says nothing.
type Stretch = Vec<(Vec<u8>, Result<Parsed, EntryError>)>;

/// Gives out the entries `[from, size)` with their bytes.
pub fn replay<E>(
    store: &TileStore,
    from: u64,
    size: u64,
    mut take: impl FnMut(u64, &[u8], Parsed) -> Result<(), E>,
) -> Result<(), ReplayError<E>> {
    if from >= size {
        return Ok(());
    }
    let (begin, bundles) = (from / u64::from(TILE_WIDTH), size.div_ceil(u64::from(TILE_WIDTH)));
    let mut position = from;
    let mut give_out = |stretch: Stretch| {
        for (bytes, parsed) in stretch {
            let parsed = parsed.map_err(|error| ReplayError::Entry { position, error })?;
            take(position, &bytes, parsed).map_err(ReplayError::Taker)?;
            position += 1;
        }
        Ok(())
    };
    if bundles - begin <= AT_ONCE {
        return give_out(read_stretch(store, begin..bundles, from, size)?);
    }
    std::thread::scope(|scope| {
        let read = |first| scope.spawn(move || read_stretch(store, first..bundles.min(first + AT_ONCE), from, size));
        let mut reading = Some(read(begin));
        let mut first = begin;
        while let Some(thread) = reading.take() {
            let stretch = joined(thread)?;
            first += AT_ONCE;
            reading = (first < bundles).then(|| read(first));
            give_out(stretch)?;
        }
        Ok(())
    })
}

/// The entries of these bundles, without those before `from`.
fn read_stretch(store: &TileStore, bundles: std::ops::Range<u64>, from: u64, size: u64) -> Result<Stretch, StoreError> {
    let before = from.saturating_sub(bundles.start * u64::from(TILE_WIDTH)) as usize;
    let read: Vec<Vec<Vec<u8>>> = bundles.map(|index| store.bundle(index, size)).collect::<Result<_, _>>()?;
    let entries: Vec<Vec<u8>> = read.into_iter().flatten().skip(before).collect();
    let parsed = parse_entries(&entries);
    Ok(entries.into_iter().zip(parsed).collect())
}

/// Parses entries side by side; answers in their order.
pub fn parse_entries(entries: &[Vec<u8>]) -> Vec<Result<Parsed, EntryError>> {
    if entries.len() <= LITTLE {
        return entries.iter().map(|bytes| Parsed::of(bytes)).collect();
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let share = entries.len().div_ceil(cores).max(16);
    std::thread::scope(|scope| {
        let threads: Vec<_> = entries
            .chunks(share)
            .map(|chunk| scope.spawn(|| chunk.iter().map(|bytes| Parsed::of(bytes)).collect::<Vec<_>>()))
            .collect();
        threads.into_iter().flat_map(joined).collect()
    })
}

/// What a thread found. A parser that panics must not be taken for one that found nothing.
fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
