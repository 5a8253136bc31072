//! How a log makes the proof: the index before the entries, all that they do not reach replaced by its hash. Nothing is hashed for it
//! but what lies within a bucket.

use core::convert::Infallible;

use super::proof::{Node, TransitionProof};
use crate::hash::IndexKey;
use crate::index::{Index, Leaf, Link, LinkTo, Listing, Nodes, Parted, Subtree, Value, bit_of, part, subtree};
use crate::merkle::Frontier;

impl TransitionProof {
    /// The proof for these entries, from the index before them: no batch is staged in it.
    pub fn of(index: &Index, listings: &[Listing]) -> Self {
        let frontier = |key: &IndexKey, _: &Value| Ok(index.frontier(key).unwrap_or_default());
        let made: Result<Self, Infallible> = Self::prune(&mut index.nodes(), listings, frontier);
        let Ok(proof) = made;
        proof
    }

    /// The proof for these entries, from the nodes of the index before them, none of them stale; `frontier` is that of the list under a key.
    pub fn prune<N: Nodes>(
        nodes: &mut N,
        listings: &[Listing],
        frontier: impl FnMut(&IndexKey, &Value) -> Result<Frontier, N::Error>,
    ) -> Result<Self, N::Error> {
        let mut keys: Vec<IndexKey> = listings.iter().flat_map(Listing::keys).copied().collect();
        keys.sort_unstable();
        keys.dedup();
        let mut pruning = Pruning { nodes, frontier, shown: Vec::new() };
        match pruning.nodes.top() {
            None if !keys.is_empty() => pruning.shown.push(Node::Empty),
            None => {
                let root = pruning.nodes.root()?;
                pruning.shown.push(Node::Pruned(Subtree::from_bytes(*root.as_bytes())));
            }
            Some(top) => pruning.show(top, None, keys)?,
        }
        Ok(Self::new(pruning.shown))
    }
}

struct Pruning<'a, N, F> {
    nodes: &'a mut N,
    frontier: F,
    shown: Vec<Node>,
}

impl<N: Nodes, F: FnMut(&IndexKey, &Value) -> Result<Frontier, N::Error>> Pruning<'_, N, F> {
    /// Shows the subtree at a link, below a node of bit `above`, as far as a search for these keys passes it.
    fn show(&mut self, link: Link, above: Option<u8>, keys: Vec<IndexKey>) -> Result<(), N::Error> {
        if keys.is_empty() {
            let hash = self.nodes.hash(link)?;
            self.shown.push(Node::Pruned(hash));
            return Ok(());
        }
        match link.to() {
            LinkTo::Bucket(number) => {
                let bucket = self.nodes.bucket(number)?;
                self.show_leaves(&bucket.leaves, keys)?;
            }
            LinkTo::Inner(number) => {
                let node = self.nodes.inner(number)?;
                if above.is_some_and(|above| above >= node.bit) {
                    return Err(N::damaged());
                }
                self.shown.push(Node::Inner(node.bit));
                let (left, right) = keys.into_iter().partition(|key| !bit_of(key, node.bit));
                self.show(node.left, Some(node.bit), left)?;
                self.show(node.right, Some(node.bit), right)?;
            }
        }
        Ok(())
    }

    /// Shows the subtree of some keys, as far as a search for these keys passes it: as deep as a bucket has keys.
    fn show_leaves(&mut self, leaves: &[Leaf], keys: Vec<IndexKey>) -> Result<(), N::Error> {
        if keys.is_empty() {
            self.shown.push(Node::Pruned(subtree(leaves).ok_or_else(N::damaged)?));
            return Ok(());
        }
        match (part(leaves), leaves) {
            (Some(Parted { bit, left, right }), _) => {
                self.shown.push(Node::Inner(bit));
                let (lower, upper) = keys.into_iter().partition(|key| !bit_of(key, bit));
                self.show_leaves(left, lower)?;
                self.show_leaves(right, upper)
            }
            (None, [Leaf { key, value }]) => {
                let node = match keys.binary_search(key) {
                    Ok(_) => Node::Touched { key: *key, list: (self.frontier)(key, value)? },
                    Err(_) => Node::Other { key: *key, value: *value },
                };
                self.shown.push(node);
                Ok(())
            }
            (None, _) => Err(N::damaged()),
        }
    }
}
