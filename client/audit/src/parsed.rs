//! The costly part of an audit, on every core: reading entries, what a release says by itself, and signatures.

use crate::manifests::Manifests;
use stele_log_client::reader::Chunk;
use stele_spec::entry::{Entry, EntryError};
use stele_spec::finding::{Finding, of_release};
use stele_spec::hash::{IndexKey, LeafHash};
use stele_spec::index::keys_of;
use stele_spec::key::PublicKey;
use stele_spec::manifest::Manifest;

/// Manifests up to this length in bytes are kept until their release is judged: some thousand are, so longer ones are read again.
const KEPT: usize = 16 << 10;

/// An entry, and what follows from its bytes alone.
#[derive(Debug)]
pub(crate) struct Parsed {
    /// Where it is.
    pub(crate) position: u64,
    /// Its leaf hash.
    pub(crate) leaf: LeafHash,
    /// What it says, if it is an entry at all.
    pub(crate) entry: Result<Entry, EntryError>,
    /// The keys it is listed under.
    pub(crate) keys: Vec<IndexKey>,
    /// Whether its signature was verified under the key that it names.
    pub(crate) verified: bool,
    /// What was looked at for a release; `None` where whoever judges it has to look.
    pub(crate) looked: Option<Looked>,
}

/// What follows from a release and its manifest alone.
#[derive(Debug)]
pub(crate) struct Looked {
    /// The manifest, where the log has it.
    pub(crate) manifest: Option<Manifest>,
    /// What the rules on one release find.
    pub(crate) found: Vec<Finding>,
}

/// Reads entries side by side, in their order; with manifests, looks at releases as well.
pub(crate) fn parse(chunks: Vec<Chunk>, manifests: Option<Manifests<'_>>) -> Vec<Parsed> {
    let entries: Vec<_> = chunks.iter().flat_map(Chunk::iter).collect();
    side_by_side(&entries, |(position, leaf, bytes)| {
        let entry = Entry::parse(bytes);
        let keys = entry.as_ref().map(keys_of).unwrap_or_default();
        let looked = entry.as_ref().ok().and_then(|entry| look(*position, entry, manifests?));
        Parsed { position: *position, leaf: *leaf, entry, keys, verified: false, looked }
    })
}

fn look(position: u64, entry: &Entry, manifests: Manifests<'_>) -> Option<Looked> {
    let Entry::Statement(signed) = entry else { return None };
    let release = signed.statement().release()?;
    // An error is told by whoever asks again, at its place in the log.
    let manifest = manifests.get(release.manifest).ok()?;
    if manifest.as_ref().is_some_and(|manifest| manifest.bytes().len() > KEPT) {
        return None;
    }
    Some(Looked { found: of_release(Some(position), release, manifest.as_ref()), manifest })
}

/// Verifies the signature of every statement whose key is at hand.
pub(crate) fn verify(entries: &mut [Parsed], keys: &[Option<PublicKey>]) {
    let cases: Vec<_> = entries.iter().zip(keys).collect();
    let verified = side_by_side(&cases, |(parsed, key)| match (&parsed.entry, key) {
        (Ok(Entry::Statement(signed)), Some(key)) => signed.verify(key).is_ok(),
        _ => false,
    });
    for (parsed, verified) in entries.iter_mut().zip(verified) {
        parsed.verified = verified;
    }
}

/// The same for each of many, on every core; answers in their order.
fn side_by_side<T: Sync, U: Send>(all: &[T], each: impl Fn(&T) -> U + Sync) -> Vec<U> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let share = all.len().div_ceil(cores).max(16);
    std::thread::scope(|scope| {
        let each = &each;
        let threads: Vec<_> =
            all.chunks(share).map(|part| scope.spawn(move || part.iter().map(each).collect::<Vec<_>>())).collect();
        let parts = threads.into_iter().map(|thread| match thread.join() {
            Ok(part) => part,
            // A check that panics must not be taken for one that passed.
            Err(panic) => std::panic::resume_unwind(panic),
        });
        parts.flatten().collect()
    })
}
