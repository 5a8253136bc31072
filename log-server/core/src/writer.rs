//! One step of the log: from a signed tree to the next signed tree, its tiles public, or nothing at all.
//!
//! The order is invariant 2 of the design: index entry, tiles in memory, one staged object, self-check, signature,
//! compare-and-swap of the signed head, tiles. What fails before the signature is taken back. Tiles that find no room after it are
//! put again, since the batch is staged ([`Writer::publish_tiles`]). What else fails after it stops the writer for good
//! ([`WriteError::is_fatal`]), because then only a restart can tell what is on the disk.
//!
//! Staged object and signed head are durable before anything leaves. Tiles and manifests are what the staged object holds, so they
//! become durable later, many batches with one sync ([`Unsettled`]). A cosigned checkpoint is staged before it is public, for the same reason.

use crate::checkpoint::{SignedCheckpoint, Step};
use crate::contract::head_store::{HeadError, HeadErrorKind, HeadStore};
use crate::contract::objects::{ObjectError, ObjectErrorKind};
use crate::end_mark::EndMark;
use crate::log_keys::LogSigner;
use crate::overlay::Overlay;
use crate::running_log::RunningLog;
use crate::staged_batch::{Span, StagedBatches};
use crate::submitted_manifest::SubmittedManifest;
use crate::tiles::{StoreError, TileStore};
use crate::tree::{Object, Tree};
use crate::unsettled::Unsettled;
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};
use stele_explain::Explain;
use stele_spec::checkpoint::{Checkpoint, CheckpointError, Origin};
use stele_spec::entry::IndexEntry;
use stele_spec::hash::RootHash;
use stele_spec::index::{Index, IndexError, Listing, genesis};
use stele_spec::merkle::{leaf_hash, root_at};
use stele_spec::policy::TrustedCheckpoint;
use stele_spec::receipt::RootSignature;
use stele_spec::statement::SignedStatement;
use stele_spec::tile::{Resource, TileNodes, TilePath, TileSource, decode_bundle};
use stele_spec::transition::{self, RefusedTransition, TransitionProof};

/// The room that a batch needs beside its tiles: its head, its checkpoint, and a folder for each tile. In bytes.
const SPARE: u64 = 128 << 10;

/// What a small file occupies on a disk, at most, beyond its bytes.
const BLOCK: u64 = 4096;

/// The only thing that signs.
#[derive(Debug)]
pub struct Writer {
    /// The identity of the log.
    pub origin: Origin,
    /// The log's secret keys.
    pub signer: LogSigner,
    /// The newest signed head.
    pub heads: Box<dyn HeadStore>,
    /// Batches on their way.
    pub staging: StagedBatches,
    /// Tiles.
    pub store: TileStore,
    /// The right edge at the signed size.
    pub tree: Tree,
    /// The index: what is signed and not published is staged in it.
    pub index: Arc<RwLock<Index>>,
    /// The last entry of the signed tree.
    pub last: Option<IndexEntry>,
    /// The newest signed head.
    pub signed: Option<Arc<SignedCheckpoint>>,
    /// The tiles of that head, while the disk has no room for them.
    pub pending: Option<PendingTiles>,
    /// What is public, staged, and perhaps not durable otherwise.
    pub unsettled: Unsettled,
}

/// Tiles and manifests of a signed head that are not public yet, and the staged batch that has them.
#[derive(Debug)]
pub struct PendingTiles {
    batch: (String, u64),
    objects: Vec<Object>,
    manifests: Vec<SubmittedManifest>,
}

/// An index entry whose batch is staged in the index.
struct Staged {
    entry: IndexEntry,
    /// How it follows from the one before; none for the first.
    step: Option<Step>,
}

/// What a write did.
#[derive(Debug)]
pub struct Written {
    /// The new head.
    pub head: Arc<SignedCheckpoint>,
    /// The tiles and bundles that became public, or will when there is room.
    pub paths: Vec<TilePath>,
}

/// Why nothing was written, or why nobody knows.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Before the signature: nothing has happened.
    #[error(transparent)]
    Before(ObjectError),
    /// The index does not take the batch.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// What was about to be signed is wrong.
    #[error("the self-check failed, nothing was signed: {0}")]
    Check(#[from] CheckError),
    /// The head cannot be signed.
    #[error("cannot sign the tree head: {0}")]
    Sign(CheckpointError),
    /// The signed head could not be put into the lock.
    #[error(transparent)]
    Swap(HeadError),
    /// The tiles of a signed head could not be published.
    #[error("the tree head is signed, its tiles are not public: {0}")]
    After(ObjectError),
}

/// What a self-check found.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// A tile cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The tiles do not lead to the root that was signed.
    #[error("the tree of {size} entries was signed with root {signed}; what is to be published has {found}")]
    Root {
        /// Which tree.
        size: u64,
        /// The root of its head.
        signed: RootHash,
        /// The root of the tiles.
        found: RootHash,
    },
    /// A bundle and the tile above it differ.
    #[error("entry {position} does not hash to its leaf")]
    Leaf {
        /// Which entry.
        position: u64,
    },
    /// The index entry does not follow from the one before.
    #[error("the index entry at {position} is not the one that follows")]
    Index {
        /// Its position.
        position: u64,
    },
    /// The transition of the index shows nothing.
    #[error(transparent)]
    Transition(#[from] RefusedTransition),
}

impl WriteError {
    /// Whether the writer must stop: something is signed, or something is wrong that trying again does not mend.
    pub fn is_fatal(&self) -> bool {
        match self {
            Self::Before(error) => matches!(error.kind(), ObjectErrorKind::Uncertain | ObjectErrorKind::Differs),
            Self::Swap(error) => error.kind() != HeadErrorKind::NoRoom,
            _ => true,
        }
    }

    /// Whether tiles of a signed head found no room, and nothing is in doubt.
    pub fn is_no_room(&self) -> bool {
        matches!(self, Self::After(error) if error.kind() == ObjectErrorKind::NoRoom)
    }

    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Before(error) | Self::After(error) => error.code(),
            Self::Index(_) => "index-failed",
            Self::Check(_) => "self-check-failed",
            Self::Sign(_) => "signing-failed",
            Self::Swap(error) => error.code(),
        }
    }
}

impl Writer {
    /// The size of the newest signed tree; `None` where nothing is signed.
    pub fn signed_size(&self) -> Option<u64> {
        self.signed.as_ref().map(|head| head.checkpoint.size())
    }

    /// Writes the next tree: these statements, whose listings are given, the manifests that came with them, and the index entry that ends
    /// it.
    ///
    /// The batch stays staged in the index, which answers as before it: it is settled when its head is published.
    pub fn write(
        &mut self,
        statements: &[SignedStatement],
        listings: &[Listing],
        manifests: Vec<SubmittedManifest>,
    ) -> Result<Written, WriteError> {
        self.publish_tiles()?;
        if self.unsettled.is_full() {
            self.sync()?;
        }
        let staged = {
            let mut index = self.index();
            if self.signed.as_ref().is_some_and(|head| index.settled().position() < head.checkpoint.size()) {
                // It is signed, so it is in the log, whether it was published or not.
                index.commit()?;
            }
            // The index before the batch shows how the index entry after it follows.
            let step = self.last.map(|from| Step { from, proof: TransitionProof::of(&index, listings) });
            Staged { entry: index.stage_entry(listings)?, step }
        };
        let signed = self.sign_staged(statements, listings, &staged, manifests);
        let (written, tree, pending) = signed.inspect_err(|_| self.index().rollback())?;
        self.pending = Some(pending);
        self.tree = tree;
        self.last = Some(staged.entry);
        self.signed = Some(written.head.clone());
        match self.publish_tiles() {
            Err(error) if !error.is_no_room() => Err(error),
            _ => Ok(written),
        }
    }

    /// Puts the tiles and manifests of the signed head, unless they are; again as often as [`WriteError::is_no_room`].
    pub fn publish_tiles(&mut self) -> Result<(), WriteError> {
        let Some(PendingTiles { batch, objects, manifests }) = self.pending.take() else { return Ok(()) };
        if let Err(error) = self.store.put_staged(&objects, &manifests) {
            self.pending = Some(PendingTiles { batch, objects, manifests });
            return Err(WriteError::After(error));
        }
        let (name, bytes) = batch;
        self.unsettled.add(name, bytes);
        Ok(())
    }

    /// Signs the root of a cosigned checkpoint, for receipts; none where the log's key signs none. The same at each start: Ed25519 is
    /// deterministic.
    pub fn sign_root(&self, published: &TrustedCheckpoint) -> Option<RootSignature> {
        self.signer.sign_root(published.checkpoint())
    }

    /// Has the log say that it has ended, where it has.
    pub fn keep_end_mark(&self, mark: &mut EndMark, log: &RunningLog) {
        mark.keep(log, &self.signer);
    }

    /// Publishes a cosigned checkpoint. It is durable at once, as a staged object; a start publishes it again where a loss of power took the
    /// public one.
    pub fn publish_checkpoint(&mut self, published: &TrustedCheckpoint) -> Result<(), ObjectError> {
        let note = published.note().to_bytes();
        let staged = match self.staging.put_checkpoint(published.size(), published.root(), &note) {
            Ok(staged) => staged,
            // The head before a renewal is still staged under this name, with other cosignatures.
            Err(error) if error.kind() == ObjectErrorKind::Differs => return self.store.publish(&note),
            Err(error) => return Err(error),
        };
        let (name, bytes) = staged;
        if let Err(error) = self.store.publish_staged(&note) {
            self.staging.forget(&name);
            return Err(error);
        }
        self.unsettled.add(name, bytes);
        Ok(())
    }

    /// Makes durable what is public, and forgets what had it staged.
    pub fn sync(&mut self) -> Result<(), WriteError> {
        let covered = self.unsettled.covered();
        self.store.objects().sync().map_err(WriteError::After)?;
        self.unsettled.settle(covered, &self.staging);
        Ok(())
    }

    /// The sync beside the writer has ended; it covered so much.
    pub fn synced(&mut self, covered: u64) {
        self.unsettled.end();
        self.unsettled.settle(covered, &self.staging);
    }

    fn index(&self) -> RwLockWriteGuard<'_, Index> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// From the staged index to the signed head; what remains to be put.
    fn sign_staged(
        &self,
        statements: &[SignedStatement],
        listings: &[Listing],
        staged: &Staged,
        manifests: Vec<SubmittedManifest>,
    ) -> Result<(Written, Tree, PendingTiles), WriteError> {
        let last = staged.entry.to_string();
        let mut tree = self.tree.clone();
        let mut full = Vec::new();
        for (statement, listing) in statements.iter().zip(listings) {
            tree.push(statement.bytes(), listing.pointer().leaf, &mut full);
        }
        tree.push(last.as_bytes(), staged.entry.leaf_hash(), &mut full);
        let objects = tree.grown_from(&self.tree, full);

        let entries = statements.iter().map(SignedStatement::bytes).chain([last.as_bytes()]);
        let (old_size, old_root) = (self.tree.size(), Some(self.tree.root()));
        let span = Span { old_size, old_root, new_size: tree.size(), root: tree.root() };
        let brought: Vec<&[u8]> = manifests.iter().map(SubmittedManifest::bytes).collect();
        let batch = self.staging.put(&span, entries, &brought).map_err(|error| {
            // It may be there all the same; unsigned, it means nothing, and the next start would discard it.
            let _ = self.staging.discard(&span.name());
            WriteError::Before(error)
        })?;

        // Once it is signed its tiles must find room: what fails after the signature stops the writer.
        let lengths = objects.iter().map(|object| object.bytes.len()).chain(brought.iter().map(|bytes| bytes.len()));
        let needed = lengths.map(|length| length as u64 + 2 * BLOCK).sum::<u64>() + SPARE;
        let storage = self.store.objects();
        if storage.free_bytes().is_some_and(|free| free < needed) {
            let _ = self.staging.discard(&span.name());
            return Err(WriteError::Before(storage.no_room()));
        }
        self.check(&tree, &objects, listings, staged)?;

        let checkpoint = Checkpoint::new(self.origin.clone(), tree.size(), tree.root());
        let head = SignedCheckpoint::sign(checkpoint, &self.signer).map_err(WriteError::Sign)?;
        let head = SignedCheckpoint { step: staged.step.clone(), ..head };
        let before = self.signed.as_ref().map(|head| head.note.to_bytes());
        let swapped = self.heads.compare_and_swap(before.as_deref(), &head.note.to_bytes());
        swapped.map_err(WriteError::Swap).inspect_err(|error| {
            if !error.is_fatal() {
                let _ = self.staging.discard(&span.name());
            }
        })?;

        let paths = objects.iter().map(|object| object.path).collect();
        Ok((Written { head: Arc::new(head), paths }, tree, PendingTiles { batch, objects, manifests }))
    }

    /// Invariant 1: what is about to be published has the last *signed* tree as its beginning; and it is what it says.
    fn check(&self, tree: &Tree, objects: &[Object], listings: &[Listing], staged: &Staged) -> Result<(), CheckError> {
        let overlay = Overlay::new(&self.store, objects);
        let root = |size| root_at(&TileNodes::new(&overlay, size), size);
        if let Some(signed) = &self.signed {
            let (size, signed) = (signed.checkpoint.size(), signed.checkpoint.root());
            let found = root(size)?;
            if found != signed {
                return Err(CheckError::Root { size, signed, found });
            }
        }
        let (size, signed, found) = (tree.size(), tree.root(), root(tree.size())?);
        if found != signed {
            return Err(CheckError::Root { size, signed, found });
        }
        for object in objects.iter().filter(|object| object.path.resource == Resource::Entries) {
            check_bundle(object, &overlay)?;
        }
        let follows = match &staged.step {
            Some(Step { from, proof }) => *transition::check(proof, from, listings)?.to(),
            None => genesis(),
        };
        if follows != staged.entry || staged.entry.position + 1 != size {
            return Err(CheckError::Index { position: staged.entry.position });
        }
        Ok(())
    }
}

/// Every entry of a bundle hashes to its leaf.
fn check_bundle(bundle: &Object, tiles: &Overlay<'_>) -> Result<(), CheckError> {
    let leaves = tiles.tile(TilePath { resource: Resource::Level(0), ..bundle.path })?;
    let entries = decode_bundle(&bundle.bytes, bundle.path.width).map_err(StoreError::Tile)?;
    for (i, entry) in (0_u16..).zip(entries) {
        if leaves.leaf(i) != Some(leaf_hash(entry)) {
            return Err(CheckError::Leaf { position: bundle.path.index * 256 + u64::from(i) });
        }
    }
    Ok(())
}
