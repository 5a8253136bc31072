//! The index of the entries so far, as the auditor computes it: the tree on disk, with the lists that its leaves stand for.
//!
//! The tree is the log's own code over other nodes; the lists and batches are kept here anew. So an auditor finds a log whose
//! index is not what its entries make. A fault of the tree itself would be the same on both sides: against that its roots are
//! pinned by published vectors, by the plain definition in the format's tests and by a replay in Python, which share no code
//! with it. When the log's index entry is not the root that comes out here, the transition check of the format, which has no
//! tree, decides who is wrong.

use std::collections::{BTreeMap, HashMap};

use stele_spec::hash::{IndexKey, IndexRoot, NodeHash};
use stele_spec::index::{Listing, NodeStore, Nodes, Old, Pointer, Proof, Touched, Transition, Value};
use stele_spec::merkle::Frontier;

use crate::index_nodes::IndexNodes;
use crate::store::{Changes, Snapshot, StoreError, key};

/// What the entries of a batch add, by key.
pub(crate) type Batch = BTreeMap<IndexKey, Vec<Pointer>>;

/// What these entries add.
pub(crate) fn batch(listings: &[Listing]) -> Batch {
    let mut batch = Batch::new();
    for listing in listings {
        for key in listing.keys() {
            batch.entry(*key).or_default().push(listing.pointer());
        }
    }
    batch
}

/// The tree and its lists.
#[derive(Debug)]
pub(crate) struct IndexTree {
    nodes: IndexNodes,
    /// Frontiers, where a list has two pointers or more.
    lists: HashMap<IndexKey, List>,
    /// The frontiers before the batch under way, where it made a list longer.
    replaced: HashMap<IndexKey, Frontier>,
}

#[derive(Debug)]
struct List {
    frontier: Frontier,
    changed: bool,
}

impl IndexTree {
    /// The tree that was set down.
    pub(crate) fn open(rows: &Snapshot) -> Result<Self, StoreError> {
        Ok(Self { nodes: IndexNodes::open(rows)?, lists: HashMap::new(), replaced: HashMap::new() })
    }

    /// What changed since the last time.
    pub(crate) fn set_down(&mut self, changes: &mut Changes) {
        self.replaced.clear();
        self.nodes.set_down(changes);
        for (key, list) in self.lists.drain().filter(|(_, list)| list.changed) {
            changes.insert(row_of_list(&key), frontier_row(&list.frontier));
        }
    }

    /// The root.
    pub(crate) fn root(&mut self, rows: &Snapshot) -> Result<IndexRoot, StoreError> {
        self.nodes.tree(rows).root()
    }

    /// Takes a batch, and gives the root after it. [`IndexTree::undo`] takes it back until the next one.
    pub(crate) fn apply(&mut self, rows: &Snapshot, batch: &Batch) -> Result<IndexRoot, StoreError> {
        self.begin(rows);
        for (key, pointers) in batch {
            self.append(rows, key, pointers)?;
        }
        self.nodes.tree(rows).rehash()?;
        self.root(rows)
    }

    /// Takes the same batch key by key, for anyone who checks it with paths alone.
    pub(crate) fn apply_shown(&mut self, rows: &Snapshot, batch: &Batch) -> Result<Transition, StoreError> {
        self.begin(rows);
        let mut touched = Vec::with_capacity(batch.len());
        for (key, pointers) in batch {
            touched.push(Touched { key: *key, old: self.old(rows, key)? });
            self.append(rows, key, pointers)?;
            // The next key's path is one under the running root.
            self.nodes.tree(rows).rehash()?;
        }
        Ok(Transition::new(touched))
    }

    /// Takes the last batch back.
    pub(crate) fn undo(&mut self, rows: &Snapshot) -> Result<(), StoreError> {
        for (key, frontier) in self.replaced.drain() {
            if frontier.size() > 1 {
                self.lists.insert(key, List { frontier, changed: true });
            } else {
                self.lists.remove(&key);
            }
        }
        self.nodes.tree(rows).rollback()
    }

    /// What the tree says of a key, with its proof.
    pub(crate) fn prove(&mut self, rows: &Snapshot, key: &IndexKey) -> Result<Proof, StoreError> {
        self.nodes.tree(rows).prove(key)
    }

    fn begin(&mut self, rows: &Snapshot) {
        self.replaced.clear();
        self.nodes.tree(rows).begin();
    }

    fn old(&mut self, rows: &Snapshot, key: &IndexKey) -> Result<Old, StoreError> {
        match self.prove(rows, key)? {
            Proof::Absent(absence) => Ok(Old::Absent(absence)),
            Proof::Present { value, path } => {
                Ok(Old::Present { list: frontier(&self.lists, rows, key, &value)?, path })
            }
        }
    }

    /// Adds pointers to the list of a key, which may be new.
    fn append(&mut self, rows: &Snapshot, key: &IndexKey, pointers: &[Pointer]) -> Result<(), StoreError> {
        let (mut before, mut after) = (Frontier::new(), Frontier::new());
        self.nodes.tree(rows).update(key, |known| {
            if let Some(value) = known {
                before = frontier(&self.lists, rows, key, &value)?;
            }
            after = before.clone();
            pointers.iter().for_each(|pointer| after.push(pointer.list_leaf()));
            Ok(Value::of(&after))
        })?;
        if after.size() > 1 {
            self.lists.insert(*key, List { frontier: after, changed: true });
            self.replaced.insert(*key, before);
        }
        Ok(())
    }
}

/// The frontier of the list under a key, which has this value.
fn frontier(
    lists: &HashMap<IndexKey, List>,
    rows: &Snapshot,
    key: &IndexKey,
    value: &Value,
) -> Result<Frontier, StoreError> {
    if let Some(list) = lists.get(key) {
        return Ok(list.frontier.clone());
    }
    if value.count == 1 {
        // A tree of one leaf has that leaf's hash as its root.
        let root = NodeHash::from_bytes(*value.root.as_bytes());
        return Frontier::from_parts(1, vec![root]).ok_or(StoreError::Damaged);
    }
    read_frontier(&rows.row(&row_of_list(key))?.ok_or(StoreError::Damaged)?)
}

fn row_of_list(of: &IndexKey) -> Vec<u8> {
    key(b'f', of.as_bytes())
}

fn frontier_row(frontier: &Frontier) -> Vec<u8> {
    let mut row = frontier.size().to_be_bytes().to_vec();
    frontier.peaks().iter().for_each(|peak| row.extend_from_slice(peak.as_bytes()));
    row
}

fn read_frontier(row: &[u8]) -> Result<Frontier, StoreError> {
    let (size, peaks) = row.split_first_chunk::<8>().ok_or(StoreError::Damaged)?;
    let (peaks, _) = peaks.as_chunks::<32>();
    let peaks = peaks.iter().map(|peak| NodeHash::from_bytes(*peak)).collect();
    Frontier::from_parts(u64::from_be_bytes(*size), peaks).ok_or(StoreError::Damaged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;
    use stele_spec::entry::IndexEntry;
    use stele_spec::hash::{Digest, LeafHash};
    use stele_spec::index::{Index, check_transition};

    /// Keys that come again, and keys that share long beginnings.
    fn listings(from: u64, count: u64) -> Vec<Listing> {
        let key = |seed: String| IndexKey::from_bytes(*Digest::of(seed.as_bytes()).as_bytes());
        (from..from + count)
            .map(|position| {
                let leaf = LeafHash::from_bytes(*Digest::of(&position.to_be_bytes()).as_bytes());
                let mut near = [0; 32];
                near[31] = (position % 7) as u8;
                let keys = vec![
                    key(format!("one {position}")),
                    key(format!("few {}", position % 5)),
                    IndexKey::from_bytes(near),
                ];
                Listing::new(Pointer { position, leaf }, keys)
            })
            .collect()
    }

    #[test]
    fn the_tree_on_disk_has_the_roots_of_the_builder_however_often_it_is_set_down_or_taken_back() {
        let store = Store::temporary().unwrap();
        let mut index = Index::new();
        let mut tree = IndexTree::open(&store.snapshot().unwrap()).unwrap();
        // The first entry of every log is the index of nothing.
        index.stage(&[]).unwrap();
        index.commit().unwrap();
        let mut position = 1;
        for round in 0..40u64 {
            let rows = store.snapshot().unwrap();
            let listings = listings(position, 1 + round % 9);
            let before = index.entry();
            let staged = index.stage(&listings).unwrap();
            index.commit().unwrap();
            position += listings.len() as u64 + 1;

            let old_root = tree.root(&rows).unwrap();
            assert_eq!(old_root, before.root);
            assert_eq!(tree.apply(&rows, &batch(&listings)).unwrap(), staged.entry.root, "round {round}");
            if round % 2 == 0 {
                tree.undo(&rows).unwrap();
                assert_eq!(tree.root(&rows).unwrap(), old_root);
                let transition = tree.apply_shown(&rows, &batch(&listings)).unwrap();
                assert_eq!(transition, staged.transition);
                let old = IndexEntry { position: listings[0].pointer().position - 1, root: old_root };
                assert_eq!(check_transition(&old, &listings, &transition), Ok(staged.entry));
                assert_eq!(tree.root(&rows).unwrap(), staged.entry.root);
            }
            if round % 3 == 0 {
                let mut changes = Changes::new();
                tree.set_down(&mut changes);
                store.write(&changes).unwrap();
                tree = IndexTree::open(&store.snapshot().unwrap()).unwrap();
            }
        }
    }
}
