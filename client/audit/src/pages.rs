//! Many records of one length, by number, a page at a time in memory.

use std::collections::HashMap;

use crate::store::{Changes, Snapshot, StoreError, key};

/// Records on a page, so that it has about 1 KiB: most changes are to single records far from each other.
const PAGE: usize = 1024;

/// The most pages in memory; beyond it those that are on disk as they are leave.
const HELD: usize = 12 << 10;

/// Records of `N` bytes, numbered from 0.
#[derive(Debug)]
pub(crate) struct Pages<const N: usize> {
    tag: u8,
    count: u32,
    held: HashMap<u32, Page>,
}

#[derive(Debug)]
struct Page {
    bytes: Vec<u8>,
    changed: bool,
}

impl<const N: usize> Pages<N> {
    const EACH: u32 = (PAGE / N) as u32;

    /// The first `count` records under a tag.
    pub(crate) fn new(tag: u8, count: u32) -> Self {
        Self { tag, count, held: HashMap::new() }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// Forgets the last ones.
    pub(crate) fn truncate(&mut self, count: u32) {
        self.count = count;
    }

    /// One record.
    pub(crate) fn record(&mut self, rows: &Snapshot, number: u32) -> Result<[u8; N], StoreError> {
        let at = Self::at(number);
        let page = self.page(rows, number / Self::EACH)?;
        page.bytes.get(at..at + N).and_then(|record| record.try_into().ok()).ok_or(StoreError::Damaged)
    }

    /// Changes one record.
    pub(crate) fn set(&mut self, rows: &Snapshot, number: u32, record: &[u8; N]) -> Result<(), StoreError> {
        let at = Self::at(number);
        let page = self.page(rows, number / Self::EACH)?;
        page.changed = true;
        page.bytes.get_mut(at..at + N).ok_or(StoreError::Damaged)?.copy_from_slice(record);
        Ok(())
    }

    /// Adds a record.
    pub(crate) fn push(&mut self, rows: &Snapshot, record: &[u8; N]) -> Result<(), StoreError> {
        let number = self.count;
        self.count = number.checked_add(1).filter(|count| *count < 1 << 31).ok_or(StoreError::Damaged)?;
        self.set(rows, number, record)
    }

    /// The pages that changed since the last time.
    pub(crate) fn set_down(&mut self, changes: &mut Changes) {
        for (number, page) in &mut self.held {
            if core::mem::take(&mut page.changed) {
                changes.insert(key(self.tag, number.to_be_bytes()), page.bytes.clone());
            }
        }
        if self.held.len() > HELD {
            self.held.clear();
        }
    }

    fn page(&mut self, rows: &Snapshot, number: u32) -> Result<&mut Page, StoreError> {
        use std::collections::hash_map::Entry;
        match self.held.entry(number) {
            Entry::Occupied(held) => Ok(held.into_mut()),
            Entry::Vacant(place) => {
                let stored = rows.row(&key(self.tag, number.to_be_bytes()))?;
                let bytes = stored.unwrap_or_else(|| vec![0; Self::EACH as usize * N]);
                Ok(place.insert(Page { bytes, changed: false }))
            }
        }
    }

    fn at(number: u32) -> usize {
        (number % Self::EACH) as usize * N
    }
}
