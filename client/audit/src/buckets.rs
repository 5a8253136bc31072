//! The lowest parts of the index, a row each, of which a bounded number is in memory.

use std::collections::HashMap;

use stele_spec::hash::{IndexKey, ListRoot};
use stele_spec::index::{Bucket, Leaf, MAX_BUCKET, Subtree, Value};

use crate::fields::Fields;
use crate::store::{Changes, Snapshot, StoreError, key};

/// The tag of the rows.
const TAG: u8 = b'i';

/// Key, count and list root.
const LEAF: usize = 32 + 8 + 32;

/// The most buckets in memory; beyond it those that are on disk as they are leave.
const HELD: usize = 12 << 10;

/// Buckets, numbered from 0.
#[derive(Debug)]
pub(crate) struct Buckets {
    count: u32,
    held: HashMap<u32, Held>,
}

#[derive(Debug)]
struct Held {
    bucket: Bucket,
    changed: bool,
}

impl Buckets {
    /// The first `count` of them.
    pub(crate) fn new(count: u32) -> Self {
        Self { count, held: HashMap::new() }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// Forgets the last ones.
    pub(crate) fn truncate(&mut self, count: u32) {
        self.count = count;
    }

    /// One of them.
    pub(crate) fn bucket(&mut self, rows: &Snapshot, number: u32) -> Result<&mut Bucket, StoreError> {
        use std::collections::hash_map::Entry;
        let held = match self.held.entry(number) {
            Entry::Occupied(held) => held.into_mut(),
            Entry::Vacant(place) => {
                let row = rows.row(&row_key(number))?.ok_or(StoreError::Damaged)?;
                place.insert(Held { bucket: read(&row)?, changed: false })
            }
        };
        Ok(&mut held.bucket)
    }

    /// Changes one.
    pub(crate) fn set(&mut self, number: u32, bucket: Bucket) {
        self.held.insert(number, Held { bucket, changed: true });
    }

    /// Adds one.
    pub(crate) fn push(&mut self, bucket: Bucket) -> Result<(), StoreError> {
        let number = self.count;
        self.count = number.checked_add(1).filter(|count| *count < 1 << 31).ok_or(StoreError::Damaged)?;
        self.set(number, bucket);
        Ok(())
    }

    /// The buckets that changed since the last time.
    pub(crate) fn set_down(&mut self, changes: &mut Changes) {
        for (number, held) in &mut self.held {
            if core::mem::take(&mut held.changed) {
                changes.insert(row_key(*number), row(&held.bucket));
            }
        }
        if self.held.len() > HELD {
            self.held.clear();
        }
    }
}

fn row_key(number: u32) -> Vec<u8> {
    key(TAG, number.to_be_bytes())
}

/// The hash, zeros where it is stale, and the keys.
fn row(bucket: &Bucket) -> Vec<u8> {
    let mut row = bucket.hash.map_or([0; 32], |hash| *hash.as_bytes()).to_vec();
    for leaf in &bucket.leaves {
        row.extend_from_slice(leaf.key.as_bytes());
        row.extend_from_slice(&leaf.value.to_bytes());
    }
    row
}

fn read(row: &[u8]) -> Result<Bucket, StoreError> {
    let (hash, leaves) = row.split_first_chunk::<32>().ok_or(StoreError::Damaged)?;
    let (leaves, rest) = leaves.as_chunks::<LEAF>();
    if !rest.is_empty() || leaves.is_empty() || leaves.len() > MAX_BUCKET {
        return Err(StoreError::Damaged);
    }
    let leaf = |record: &[u8; LEAF]| {
        let mut fields = Fields(record);
        let key = IndexKey::from_bytes(fields.next());
        Leaf {
            key,
            value: Value { count: u64::from_be_bytes(fields.next()), root: ListRoot::from_bytes(fields.next()) },
        }
    };
    let leaves: Vec<Leaf> = leaves.iter().map(leaf).collect();
    if !leaves.is_sorted_by(|before, after| before.key < after.key) {
        return Err(StoreError::Damaged);
    }
    Ok(Bucket { leaves, hash: (*hash != [0; 32]).then_some(Subtree::from_bytes(*hash)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_is_no_bucket_is_damaged() {
        let leaf = |first: u8| Leaf {
            key: IndexKey::from_bytes([first; 32]),
            value: Value { count: 1, root: ListRoot::from_bytes([7; 32]) },
        };
        let good = Bucket { leaves: vec![leaf(1), leaf(2)], hash: Some(Subtree::from_bytes([9; 32])) };
        assert_eq!(read(&row(&good)).unwrap(), good);
        let stale = Bucket { hash: None, ..good.clone() };
        assert_eq!(read(&row(&stale)).unwrap(), stale);
        let unordered = Bucket { leaves: vec![leaf(2), leaf(1)], ..good.clone() };
        let many = Bucket { leaves: (0..=MAX_BUCKET as u8).map(leaf).collect(), ..good.clone() };
        let empty = Bucket { leaves: Vec::new(), ..good.clone() };
        let rows = [row(&unordered), row(&many), row(&empty), row(&good)[..100].to_vec(), Vec::new()];
        assert!(rows.iter().all(|row| matches!(read(row), Err(StoreError::Damaged))));
    }
}
