//! The nodes of the index, in rows: a tree of the format whose inner nodes are on pages, and whose buckets have a row each.

use stele_spec::index::{Bucket, Inner, Journal, Link, NodeStore, Nodes, Subtree};

use crate::buckets::Buckets;
use crate::fields::Fields;
use crate::pages::Pages;
use crate::store::{Changes, Snapshot, StoreError, key};

/// Hash, left, right, bit, and whether the hash is stale.
const INNER: usize = 32 + 4 + 4 + 1 + 1;

/// The nodes, as far as they are in memory.
#[derive(Debug)]
pub(crate) struct IndexNodes {
    buckets: Buckets,
    inners: Pages<INNER>,
    top: Option<Link>,
    journal: Option<Journal>,
}

/// The nodes with the rows that the others are in.
pub(crate) struct StoredNodes<'a> {
    nodes: &'a mut IndexNodes,
    rows: &'a Snapshot,
}

impl IndexNodes {
    /// The nodes that were set down.
    pub(crate) fn open(rows: &Snapshot) -> Result<Self, StoreError> {
        let mut sizes = [0u32; 3];
        if let Some(row) = rows.row(&key(b'm', "index"))? {
            let (numbers, _) = row.as_chunks::<4>();
            for (size, number) in sizes.iter_mut().zip(numbers) {
                *size = u32::from_be_bytes(*number);
            }
        }
        let [buckets, inners, top] = sizes;
        Ok(Self {
            buckets: Buckets::new(buckets),
            inners: Pages::new(b'n', inners),
            top: (buckets > 0).then_some(Link::from_number(top)),
            journal: None,
        })
    }

    /// What changed since the last time.
    pub(crate) fn set_down(&mut self, changes: &mut Changes) {
        self.journal = None;
        let top = self.top.map_or(0, Link::number);
        let sizes = [self.buckets.count(), self.inners.count(), top].map(u32::to_be_bytes).concat();
        changes.insert(key(b'm', "index"), sizes);
        self.buckets.set_down(changes);
        self.inners.set_down(changes);
    }

    /// The tree that they make with what is in these rows.
    pub(crate) fn tree<'a>(&'a mut self, rows: &'a Snapshot) -> StoredNodes<'a> {
        StoredNodes { nodes: self, rows }
    }
}

impl Nodes for StoredNodes<'_> {
    type Error = StoreError;

    fn damaged() -> StoreError {
        StoreError::Damaged
    }

    fn top(&self) -> Option<Link> {
        self.nodes.top
    }

    fn bucket(&mut self, number: u32) -> Result<Bucket, StoreError> {
        self.nodes.buckets.bucket(self.rows, number).cloned()
    }

    fn bucket_hash(&mut self, number: u32) -> Result<Option<Subtree>, StoreError> {
        Ok(self.nodes.buckets.bucket(self.rows, number)?.hash)
    }

    fn inner(&mut self, number: u32) -> Result<Inner, StoreError> {
        let record = self.nodes.inners.record(self.rows, number)?;
        let mut fields = Fields(&record);
        let hash = Subtree::from_bytes(fields.next());
        let [left, right] = [fields.next(), fields.next()].map(|link| Link::from_number(u32::from_be_bytes(link)));
        let [bit, stale] = fields.next();
        Ok(Inner { hash, left, right, bit, stale: stale == 1 })
    }
}

impl NodeStore for StoredNodes<'_> {
    fn counts(&self) -> (u32, u32) {
        (self.nodes.buckets.count(), self.nodes.inners.count())
    }

    fn set_top(&mut self, top: Option<Link>) {
        self.nodes.top = top;
    }

    fn set_bucket(&mut self, number: u32, bucket: &Bucket) -> Result<(), StoreError> {
        if let Some(journal) = &mut self.nodes.journal {
            let before = self.nodes.buckets.bucket(self.rows, number)?;
            journal.bucket(number, || before.clone());
        }
        self.nodes.buckets.set(number, bucket.clone());
        Ok(())
    }

    fn set_inner(&mut self, number: u32, node: &Inner) -> Result<(), StoreError> {
        self.nodes.inners.set(self.rows, number, &inner_record(node))
    }

    fn push_bucket(&mut self, bucket: &Bucket) -> Result<(), StoreError> {
        self.nodes.buckets.push(bucket.clone())
    }

    fn push_inner(&mut self, node: &Inner) -> Result<(), StoreError> {
        self.nodes.inners.push(self.rows, &inner_record(node))
    }

    fn truncate(&mut self, buckets: u32, inners: u32) {
        self.nodes.buckets.truncate(buckets);
        self.nodes.inners.truncate(inners);
    }

    fn journal(&mut self) -> &mut Option<Journal> {
        &mut self.nodes.journal
    }
}

fn inner_record(node: &Inner) -> [u8; INNER] {
    let links = [node.left, node.right].map(|link| link.number().to_be_bytes()).concat();
    fill(&[node.hash.as_bytes(), &links, &[node.bit, u8::from(node.stale)]])
}

fn fill<const N: usize>(parts: &[&[u8]]) -> [u8; N] {
    let mut record = [0; N];
    record.iter_mut().zip(parts.iter().copied().flatten()).for_each(|(to, from)| *to = *from);
    record
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[test]
    fn rows_whose_nodes_lead_back_to_themselves_are_damaged_and_no_walk_without_end() {
        let store = Store::temporary().unwrap();
        let link = |inner: bool, number: u32| Link::from_number(number | u32::from(inner) << 31);
        let hash = Subtree::from_bytes([1; 32]);
        for (bit, below) in [(0, link(true, 0)), (7, link(true, 1)), (255, link(true, 1))] {
            let node = |bit, to, stale| inner_record(&Inner { hash, left: to, right: to, bit, stale });
            let mut nodes = IndexNodes::open(&store.snapshot().unwrap()).unwrap();
            let rows = store.snapshot().unwrap();
            nodes.inners.push(&rows, &node(bit, below, true)).unwrap();
            nodes.inners.push(&rows, &node(bit, link(true, 0), true)).unwrap();
            nodes.top = Some(link(true, 0));
            let key = stele_spec::hash::IndexKey::from_bytes([0; 32]);
            assert!(matches!(nodes.tree(&rows).find(&key), Err(StoreError::Damaged)));
            assert!(matches!(nodes.tree(&rows).prove(&key), Err(StoreError::Damaged)));
            assert!(matches!(nodes.tree(&rows).rehash(), Err(StoreError::Damaged)));
        }
    }
}
