//! `adopt`: the way back from a copy of the log's public files, after its disk was lost or an older copy of it was put back.
//!
//! ```text
//! copy ─> data/adopting ─> recover, as at a start ─> the head here ─> the witnesses ─> manifests, tiles, signed head, checkpoint
//!         entries alone    every entry, every root   not newer        not ahead        in this order, each durable
//! ```
//!
//! Everything is proven before the log's own files are touched, and nothing that is there is changed but the signed head, by
//! compare-and-swap, the checkpoint, and a manifest that is not what its name says. Killed at any point, it can be run again.
//! What is derived (lookups) follows at the next start.

use crate::adopt_error::AdoptError;
use crate::error::LogError;
use crate::options::Options;
use crate::witness_memory;
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use stele_clock::{Clock as _, SystemClock};
use stele_durable::Dir;
use stele_fetch::static_files::StaticFiles;
use stele_log_core::checkpoint::SignedCheckpoint;
use stele_log_core::contract::head_store::HeadStore as _;
use stele_log_core::contract::objects::{MAX_OBJECT, Objects};
use stele_log_core::log_keys::LogKeys;
use stele_log_core::recall::compare;
use stele_log_core::recover::{Recovered, recover};
use stele_log_core::replica::Replica;
use stele_log_core::staged_batch::StagedBatches;
use stele_log_core::tiles::{StoreError, TileStore};
use stele_log_core::tree::Object;
use stele_log_storage_files::head_store::{FileHeadStore, TakeError};
use stele_log_storage_files::objects::FileObjects;
use stele_spec::hash::Digest;
use stele_spec::manifest::MAX_MANIFEST;
use stele_spec::note::MAX_NOTE;
use stele_spec::policy::{Policy, Quorum};
use stele_spec::tile::{Resource, TILE_WIDTH, TilePath, decode_bundle, encode_bundle, tiles_for};
use stele_terminal::finish::Output;

/// Where a copy is put together, below the data folder.
const FOLDER: &str = "adopting";

/// How many tiles are put at a time.
const AT_ONCE: usize = 32;

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adopted {
    /// The size before, if anything was signed here.
    pub before: Option<u64>,
    /// The size that the log goes on from.
    pub size: u64,
    /// Manifests that were brought.
    pub manifests: usize,
    /// Manifests that the copy lacks, or has damaged.
    pub lost: BTreeSet<Digest>,
}

/// Adopts a copy, and says what was done.
pub fn run(options: Options, from: &str) -> Result<Output, LogError> {
    let source = StaticFiles::parse(from, concat!("stele-log/", env!("CARGO_PKG_VERSION")));
    let unasked = *options.policy.quorum() == Quorum::None;
    let Adopted { before, size, manifests, lost } = adopt(options, &source)?;
    let mut text = match before {
        Some(before) if before == size => {
            format!("the log here has its {size} entries already; what was missing was put back\n")
        }
        Some(before) => format!("goes on from {size} entries instead of {before}\n"),
        None => format!("goes on from {size} entries\n"),
    };
    text += &format!(
        "every entry was read from {source} and leads to the signed root; {manifests} manifests were brought\n"
    );
    text += if unasked {
        "the policy has no quorum: no witness could be asked whether more was signed\n"
    } else {
        "no witness holds a newer tree head of this log\n"
    };
    if let Some(first) = lost.first() {
        let count = lost.len();
        text +=
            &format!("{count} manifests are not in the copy, {first} first: their publishers can upload them again\n");
    }
    let lost: Vec<String> = lost.iter().map(ToString::to_string).collect();
    let fields = json!({"before": before, "tree_size": size, "manifests": manifests, "lost_manifests": lost, "witnesses_asked": !unasked});
    Ok((text, fields).into())
}

/// Proves a copy, then makes it what the log goes on from.
pub fn adopt(options: Options, source: &StaticFiles) -> Result<Adopted, LogError> {
    let Options { data, signer, policy, .. } = options;
    let data = Dir::open(data)?;
    let heads = FileHeadStore::take(&data)?;
    let keys = signer.keys();
    clear(&data);
    let adopted = Adoption { data: &data, heads: &heads, source, keys: &keys, policy: &policy }.adopt();
    clear(&data);
    Ok(adopted?)
}

/// Best effort: what is left behind takes room, and the next run begins with it.
fn clear(data: &Dir) {
    let path = data.path_of(FOLDER);
    match std::fs::remove_dir_all(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(path = %path.display(), %error, "cannot remove what was put together");
        }
        _ => {}
    }
}

struct Adoption<'a> {
    data: &'a Dir,
    heads: &'a FileHeadStore,
    source: &'a StaticFiles,
    keys: &'a LogKeys,
    policy: &'a Policy,
}

impl Adoption<'_> {
    fn adopt(&self) -> Result<Adopted, AdoptError> {
        let bytes = self.source.needed("checkpoint", MAX_NOTE as u64)?;
        let head = self.checked(&bytes)?;
        let size = head.checkpoint.size();

        let side = Dir::open(self.data.path_of(FOLDER))?;
        let side_objects: Arc<dyn Objects> = Arc::new(FileObjects::new(&side));
        let copy = TileStore::new(&side_objects);
        self.fetch_entries(&copy, size)?;
        let found = self.proven(&side, &copy, &head, &bytes)?;

        let files = Arc::new(FileObjects::new(self.data));
        let objects: Arc<dyn Objects> = files.clone();
        let store = TileStore::new(&objects);
        let signed = self.heads.load()?;
        let before = self.not_behind(&copy, &store, &head, signed.as_deref())?;
        self.ask_witnesses(&copy, &head)?;
        let paths = tiles_for(0, size);
        for path in &paths {
            let here = store.read(*path)?;
            if here.is_some() && here != copy.read(*path)? {
                return Err(AdoptError::Differs { path: *path });
            }
        }

        let (manifests, lost) = self.bring_manifests(&store, found.manifests.into_iter().collect())?;
        for paths in paths.chunks(AT_ONCE) {
            let read = |path: &TilePath| {
                let bytes = copy.read(*path)?.ok_or(StoreError::Missing { path: *path })?;
                Ok::<_, StoreError>(Object { path: *path, bytes })
            };
            store.put(&paths.iter().map(read).collect::<Result<Vec<_>, _>>()?)?;
            files.forget_times(paths.iter().copied());
        }
        let note = head.note.to_bytes();
        if signed.as_deref() != Some(note.as_slice()) {
            self.heads.compare_and_swap(signed.as_deref(), &note)?;
        }
        store.publish(&bytes)?;
        Ok(Adopted { before, size, manifests, lost })
    }

    /// The head of the copy: by this log's key, and enough for the policy.
    fn checked(&self, bytes: &[u8]) -> Result<SignedCheckpoint, AdoptError> {
        let from = || self.source.to_string();
        let head =
            SignedCheckpoint::read(bytes, self.keys).map_err(|error| AdoptError::NotOurs { from: from(), error })?;
        self.policy.verify(bytes).map_err(|error| AdoptError::BelowPolicy { from: from(), error })?;
        Ok(head)
    }

    fn fetch_entries(&self, copy: &TileStore, size: u64) -> Result<(), AdoptError> {
        let width = u64::from(TILE_WIDTH);
        for index in 0..size.div_ceil(width) {
            let wanted =
                TilePath { resource: Resource::Entries, index, width: (size - index * width).min(width) as u16 };
            let bad = |error| AdoptError::Bundle { place: self.source.place_of(&wanted.to_string()), error };
            let bytes = match self.source.read(&wanted.to_string(), MAX_OBJECT)? {
                Some(bytes) => bytes,
                // A copy that has grown, or was tidied, holds the full one alone.
                None => {
                    let full = TilePath::full(Resource::Entries, index).to_string();
                    let bytes = self.source.needed(&full, MAX_OBJECT)?;
                    let entries = decode_bundle(&bytes, TILE_WIDTH).map_err(bad)?;
                    encode_bundle(entries.into_iter().take(usize::from(wanted.width))).map_err(bad)?
                }
            };
            decode_bundle(&bytes, wanted.width).map_err(bad)?;
            copy.put(&[Object { path: wanted, bytes }])?;
        }
        Ok(())
    }

    /// What a start over the copy finds: each entry parsed and hashed, the root, each index entry; its tiles are made on the way.
    fn proven(
        &self,
        side: &Dir,
        copy: &TileStore,
        head: &SignedCheckpoint,
        bytes: &[u8],
    ) -> Result<Recovered, AdoptError> {
        let unproven = |error| AdoptError::Unproven { from: self.source.to_string(), error: Box::new(error) };
        let heads = FileHeadStore::take(side).map_err(|error| match error {
            TakeError::Durable(error) => AdoptError::Durable(error),
            TakeError::Lock(error) => AdoptError::Busy { from: self.source.to_string(), error },
        })?;
        heads.compare_and_swap(None, &head.note.to_bytes())?;
        copy.publish(bytes)?;
        let staging = StagedBatches::new(copy.objects());
        let now = SystemClock.unix_seconds();
        recover(Replica::default(), &heads, &staging, copy, self.keys, self.policy, now).map_err(unproven)
    }

    /// The signed head and the checkpoint here are beginnings of the copy; the size that is signed here.
    fn not_behind(
        &self,
        copy: &TileStore,
        store: &TileStore,
        head: &SignedCheckpoint,
        signed: Option<&[u8]>,
    ) -> Result<Option<u64>, AdoptError> {
        let read = |bytes: &[u8]| {
            let from = self.data.path_of("lock/signed-head").display().to_string();
            SignedCheckpoint::read(bytes, self.keys).map_err(|error| AdoptError::NotOurs { from, error })
        };
        let signed = signed.map(read).transpose()?;
        // A damaged checkpoint is what the copy replaces; one that reads must not be newer.
        let public = store.checkpoint()?.and_then(|bytes| SignedCheckpoint::read(&bytes, self.keys).ok());
        for (holder, theirs) in [("lock/signed-head", &signed), ("public/checkpoint", &public)] {
            if let Some(theirs) = theirs {
                self.same_history(holder, copy, head, theirs)?;
            }
        }
        Ok(signed.map(|signed| signed.checkpoint.size()))
    }

    fn ask_witnesses(&self, copy: &TileStore, head: &SignedCheckpoint) -> Result<(), AdoptError> {
        if *self.policy.quorum() == Quorum::None {
            return Ok(());
        }
        let memory = witness_memory::ask(self.policy, copy, self.keys, Some(&Arc::new(head.clone())));
        for (witness, theirs) in &memory.heads {
            self.same_history(witness, copy, head, theirs)?;
        }
        memory.missing.map_or(Ok(()), |missing| Err(AdoptError::NotAsked { missing }))
    }

    fn same_history(
        &self,
        holder: &str,
        copy: &TileStore,
        head: &SignedCheckpoint,
        theirs: &SignedCheckpoint,
    ) -> Result<(), AdoptError> {
        match compare(holder, copy, Some(head), theirs)? {
            None => Ok(()),
            Some(found) => Err(AdoptError::Behind { from: self.source.to_string(), found }),
        }
    }

    /// Brings the manifests that are not here; how many, and which the copy has not.
    fn bring_manifests(
        &self,
        store: &TileStore,
        named: BTreeSet<Digest>,
    ) -> Result<(usize, BTreeSet<Digest>), AdoptError> {
        let (mut brought, mut lost) = (0, BTreeSet::new());
        for digest in named {
            if store.manifest(&digest)?.is_some_and(|bytes| Digest::of(&bytes) == digest) {
                continue;
            }
            let path = format!("manifests/{digest}");
            match self.source.read(&path, MAX_MANIFEST as u64)?.filter(|bytes| Digest::of(bytes) == digest) {
                Some(bytes) => {
                    // What is there under the name is not what the name says.
                    store.replace_manifest(&digest, &bytes)?;
                    brought += 1;
                }
                None => {
                    lost.insert(digest);
                }
            }
        }
        Ok((brought, lost))
    }
}

#[cfg(test)]
mod tests;
