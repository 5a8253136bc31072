//! A batch on its way: one durable object that holds all of its entries, there before anything is signed.
//!
//! | at start, a staged batch | means | is |
//! |---|---|---|
//! | leads to the signed head | it was signed; its tiles may be missing | published again, byte for byte |
//! | leads elsewhere | it was never signed | discarded |
//!
//! The bytes: four lines (`stele/staged@v1`, the size before, the size after, the root after in base64) and the new
//! entries as a c2sp.org/tlog-tiles bundle. Its name is `<size after, 20 digits>-<root after, hex>`.

use crate::contract::objects::{ObjectError, ObjectName, Objects};
use std::sync::Arc;
use stele_spec::hash::RootHash;
use stele_spec::text::{base64_exact, decimal, to_base64};

/// The first line.
const HEADER: &str = "stele/staged@v1";

/// The largest batch in bytes that is read back.
const MAX_STAGED: u64 = 1 << 30;

/// The staged batches of a log.
#[derive(Clone, Debug)]
pub struct StagedBatches {
    objects: Arc<dyn Objects>,
}

/// One staged batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StagedBatch {
    /// How many entries the log had before it.
    pub old_size: u64,
    /// How many it has with it.
    pub new_size: u64,
    /// The root with it.
    pub root: RootHash,
    /// The new entries.
    pub entries: Vec<Vec<u8>>,
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
}

impl StagedBatches {
    /// The staged batches in a storage.
    pub fn new(objects: &Arc<dyn Objects>) -> Self {
        Self { objects: objects.clone() }
    }

    /// Keeps a batch, durably. The name that it has from now on.
    pub fn put<'a>(
        &self,
        old_size: u64,
        new_size: u64,
        root: RootHash,
        entries: impl Iterator<Item = &'a [u8]>,
    ) -> Result<String, ObjectError> {
        let name = name_of(new_size, root);
        let mut bytes = format!("{HEADER}\n{old_size}\n{new_size}\n{}\n", to_base64(root.as_bytes())).into_bytes();
        for entry in entries {
            // The length fits: admission refuses what is longer than an entry may be.
            bytes.extend_from_slice(&(entry.len() as u16).to_be_bytes());
            bytes.extend_from_slice(entry);
        }
        self.objects.put(&[(ObjectName::StagedBatch(name.clone()), &bytes)])?;
        Ok(name)
    }

    /// The names of all staged batches.
    pub fn names(&self) -> Result<Vec<String>, ObjectError> {
        self.objects.staged_batches()
    }

    /// The batch that leads to this tree, if it is staged.
    pub fn find(&self, new_size: u64, root: RootHash) -> Result<Option<StagedBatch>, StagedBatchError> {
        let name = name_of(new_size, root);
        let bytes = self.objects.get(&ObjectName::StagedBatch(name.clone()), MAX_STAGED)?;
        let Some(bytes) = bytes else { return Ok(None) };
        let staged = parse(&bytes).filter(|staged| staged.new_size == new_size && staged.root == root);
        staged.map(Some).ok_or(StagedBatchError::NotABatch { name })
    }

    /// Forgets a batch that is published. Neither durable nor certain: a start that finds it publishes it once more, which
    /// changes nothing, or discards it; so no batch waits for the disk here.
    pub fn forget(&self, name: &str) {
        self.objects.forget(&ObjectName::StagedBatch(name.to_owned()));
    }

    /// Discards a batch that was never signed.
    pub fn discard(&self, name: &str) -> Result<(), ObjectError> {
        self.objects.remove(&ObjectName::StagedBatch(name.to_owned()))
    }
}

/// The name of the batch that leads to this tree.
pub fn name_of(new_size: u64, root: RootHash) -> String {
    format!("{new_size:020}-{root}")
}

fn parse(bytes: &[u8]) -> Option<StagedBatch> {
    let mut rest = bytes;
    let mut line = || {
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let (line, after) = rest.split_at_checked(end)?;
        rest = after.get(1..)?;
        std::str::from_utf8(line).ok()
    };
    if line()? != HEADER {
        return None;
    }
    let old_size = decimal(line()?).ok()?;
    let new_size = decimal(line()?).ok()?;
    let root = RootHash::from_bytes(base64_exact(line()?).ok()?);
    let mut entries = Vec::new();
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk::<2>()?;
        let (entry, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        entries.push(entry.to_vec());
        rest = after;
    }
    (old_size.checked_add(entries.len() as u64)? == new_size).then_some(StagedBatch {
        old_size,
        new_size,
        root,
        entries,
    })
}
