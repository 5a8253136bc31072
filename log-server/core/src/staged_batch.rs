//! A batch on its way: one durable object that holds all of its entries, and the manifests that came with its releases, there before
//! anything is signed. It stays until its tiles and manifests are public and durable.
//!
//! | at start, a staged batch | means | is |
//! |---|---|---|
//! | leads to the signed head, by itself or with those after it | it was signed; its tiles may be missing or torn | published again, byte for byte |
//! | leads elsewhere | it was never signed | discarded |
//!
//! The checkpoint of a batch is staged as well, once it is cosigned: durable there before anybody is answered, while the public one is only
//! visible ([`StagedBatches::put_checkpoint`]). Its name is that of the batch and `.checkpoint`, its bytes those of the note.
//!
//! The bytes of a batch: six lines (`stele/staged@v2`, the size before, the root before in base64, the size after, the root after in base64, how many
//! manifests), the new entries as a c2sp.org/tlog-tiles bundle, and each manifest after its length in four bytes, big-endian. Its name is
//! `<size after, 20 digits>-<root after, hex>`. Version 1 has neither the root before nor manifests.

use crate::contract::objects::{ObjectError, ObjectName, Objects};
use std::sync::Arc;
use stele_spec::entry::MAX_ENTRY;
use stele_spec::hash::RootHash;
use stele_spec::index::{MAX_BETWEEN, MAX_KEYS};
use stele_spec::indexcosigner::{MAX_HEAD, MIN_REQUEST};
use stele_spec::manifest::MAX_MANIFEST;
use stele_spec::note::MAX_NOTE;
use stele_spec::text::{base64_exact, decimal, to_base64};
use stele_spec::transition::MAX_TRANSITION;

/// The first line.
const HEADER: &str = "stele/staged@v2";

/// The first line of a batch that an earlier version staged.
const OLD_HEADER: &str = "stele/staged@v1";

/// The largest batch in bytes that is read back.
const MAX_STAGED: u64 = 1 << 30;

/// What the name of a staged checkpoint ends with.
const CHECKPOINT: &str = ".checkpoint";

/// The most bytes of entries and manifests in a batch, before its last statement and manifest are added.
pub const MAX_BATCH_BYTES: usize = 64 << 20;

/// The most bytes of statements in a batch, before its last one is added: what is signed must fit into one request to a cosigner that
/// checks the index, with its transition proof, and be uploaded within the time for an answer over an ordinary line.
pub const MAX_STATEMENT_BYTES: usize = 4 << 20;

/// The most index keys in a batch, before those of its last statement are added: the transition proof shows for each what was under it, in up to
/// 1.25 KiB, and the step must fit into what every index cosigner takes.
pub const MAX_BATCH_KEYS: usize = 22_000;

const _: () = {
    let proof = (MAX_BATCH_KEYS + MAX_KEYS) * (MAX_TRANSITION / (MAX_BETWEEN * MAX_KEYS));
    let statements = MAX_STATEMENT_BYTES + MAX_ENTRY + 2 * (MAX_BETWEEN + 1);
    assert!(4 + MAX_HEAD + statements + proof <= MIN_REQUEST, "a step fits into one request");
};
const _: () =
    assert!(MAX_BATCH_BYTES + MAX_MANIFEST + (2 << 16) < MAX_STAGED as usize, "what is staged can be read back");

/// The staged batches of a log.
#[derive(Clone, Debug)]
pub struct StagedBatches {
    objects: Arc<dyn Objects>,
}

/// From which tree to which a batch leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// How many entries the log had before it.
    pub old_size: u64,
    /// The root before it; `None` in version 1.
    pub old_root: Option<RootHash>,
    /// How many entries the log has with it.
    pub new_size: u64,
    /// The root with it.
    pub root: RootHash,
}

/// One staged batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagedBatch {
    /// From where to where it leads.
    pub span: Span,
    /// The new entries.
    pub entries: Vec<Vec<u8>>,
    /// The manifests that came with them.
    pub manifests: Vec<Vec<u8>>,
}

/// Why staged batches could not be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum StagedBatchError {
    /// The storage failed.
    #[error(transparent)]
    Objects(#[from] ObjectError),
    /// A file that is not a staged batch.
    #[error("staged/{name} is not a staged batch")]
    NotABatch {
        /// The file.
        name: String,
    },
    /// A staged batch that was there is there no more.
    #[error("staged/{name} was removed while it was read")]
    Gone {
        /// The file.
        name: String,
    },
}

impl StagedBatches {
    /// The staged batches in a storage.
    pub fn new(objects: &Arc<dyn Objects>) -> Self {
        Self { objects: objects.clone() }
    }

    /// Keeps a batch, durably. The name that it has from now on, and its bytes.
    pub fn put<'a>(
        &self,
        span: &Span,
        entries: impl Iterator<Item = &'a [u8]>,
        manifests: &[&[u8]],
    ) -> Result<(String, u64), ObjectError> {
        let name = span.name();
        let root = |root: RootHash| to_base64(root.as_bytes());
        let (old_root, new_root) = (span.old_root.map(root).unwrap_or_default(), root(span.root));
        let Span { old_size, new_size, .. } = span;
        let head = format!("{HEADER}\n{old_size}\n{old_root}\n{new_size}\n{new_root}\n{}\n", manifests.len());
        let mut bytes = head.into_bytes();
        for entry in entries {
            // The length fits: admission refuses what is longer than an entry may be.
            bytes.extend_from_slice(&(entry.len() as u16).to_be_bytes());
            bytes.extend_from_slice(entry);
        }
        for manifest in manifests {
            // The length fits: a manifest has at most `MAX_MANIFEST` bytes.
            bytes.extend_from_slice(&(manifest.len() as u32).to_be_bytes());
            bytes.extend_from_slice(manifest);
        }
        self.objects.put(&[(ObjectName::Staged(name.clone()), &bytes)])?;
        Ok((name, bytes.len() as u64))
    }

    /// Keeps a cosigned checkpoint, durably. The name that it has from now on, and its bytes.
    pub fn put_checkpoint(&self, size: u64, root: RootHash, note: &[u8]) -> Result<(String, u64), ObjectError> {
        let name = format!("{}{CHECKPOINT}", name_of(size, root));
        self.objects.put(&[(ObjectName::Staged(name.clone()), note)])?;
        Ok((name, note.len() as u64))
    }

    /// The staged checkpoints, the one of the largest tree last. One that was being put when the power went is among them in part.
    pub fn checkpoints(&self) -> Result<Vec<Vec<u8>>, ObjectError> {
        let mut names = self.names()?;
        names.retain(|name| name.ends_with(CHECKPOINT));
        names.sort();
        let notes = names.into_iter().map(|name| self.objects.get(&ObjectName::Staged(name), MAX_NOTE as u64));
        Ok(notes.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    /// The names of all that is staged.
    pub fn names(&self) -> Result<Vec<String>, ObjectError> {
        self.objects.staged()
    }

    /// The batch that leads to this tree, if it is staged.
    pub fn find(&self, new_size: u64, root: RootHash) -> Result<Option<StagedBatch>, StagedBatchError> {
        let name = name_of(new_size, root);
        let Some(bytes) = self.objects.get(&ObjectName::Staged(name.clone()), MAX_STAGED)? else {
            return Ok(None);
        };
        let staged =
            StagedBatch::parse(&bytes).filter(|staged| staged.span.new_size == new_size && staged.span.root == root);
        staged.map(Some).ok_or(StagedBatchError::NotABatch { name })
    }

    /// The batches that lead to this tree without a gap, oldest first. What is staged before a gap is durable elsewhere.
    pub fn chain(&self, new_size: u64, root: RootHash) -> Result<Vec<Span>, StagedBatchError> {
        let (mut chain, mut next) = (Vec::new(), Some((new_size, root)));
        while let Some((size, root)) = next {
            let Some(StagedBatch { span, .. }) = self.find(size, root)? else { break };
            next = span.old_root.filter(|_| span.old_size > 0).map(|root| (span.old_size, root));
            chain.push(span);
        }
        chain.reverse();
        Ok(chain)
    }

    /// Forgets a batch whose tiles are durable, or a checkpoint that is. Neither durable nor certain: a start that finds it publishes it once more, which
    /// changes nothing, or discards it; so no batch waits for the disk here.
    pub fn forget(&self, name: &str) {
        self.objects.forget(&ObjectName::Staged(name.to_owned()));
    }

    /// Discards a batch that was never signed.
    pub fn discard(&self, name: &str) -> Result<(), ObjectError> {
        self.objects.remove(&ObjectName::Staged(name.to_owned()))
    }
}

impl Span {
    /// The name of the batch.
    pub fn name(&self) -> String {
        name_of(self.new_size, self.root)
    }
}

/// The name of the batch that leads to this tree.
fn name_of(new_size: u64, root: RootHash) -> String {
    format!("{new_size:020}-{root}")
}

/// The size of the tree that a staged batch or checkpoint with this name leads to; `None` where it is the name of neither.
pub fn size_of(name: &str) -> Option<u64> {
    let (digits, root) = name.strip_suffix(CHECKPOINT).unwrap_or(name).split_once('-')?;
    let is_one = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit()) && root.len() == 64;
    digits.parse().ok().filter(|_| is_one)
}

impl StagedBatch {
    /// Reads a staged batch; `None` where the bytes are none.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let mut line = || {
            let end = rest.iter().position(|byte| *byte == b'\n')?;
            let (line, after) = rest.split_at_checked(end)?;
            rest = after.get(1..)?;
            std::str::from_utf8(line).ok()
        };
        let root = |line: &str| Some(RootHash::from_bytes(base64_exact(line).ok()?));
        let is_old = match line()? {
            HEADER => false,
            OLD_HEADER => true,
            _ => return None,
        };
        let old_size = decimal(line()?).ok()?;
        let old_root = if is_old { None } else { Some(root(line()?)?) };
        let new_size = decimal(line()?).ok()?;
        let span = Span { old_size, old_root, new_size, root: root(line()?)? };
        let count = if is_old { 0 } else { decimal(line()?).ok()? };
        let (mut entries, mut manifests) = (Vec::new(), Vec::new());
        for _ in old_size..new_size {
            let (length, after) = rest.split_first_chunk::<2>()?;
            let (entry, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
            entries.push(entry.to_vec());
            rest = after;
        }
        for _ in 0..count {
            let (length, after) = rest.split_first_chunk::<4>()?;
            let (manifest, after) = after.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
            manifests.push(manifest.to_vec());
            rest = after;
        }
        rest.is_empty().then_some(Self { span, entries, manifests })
    }
}
