//! The bytes of a transition proof: the old index, of which every part that no entry reaches is replaced by its hash.

use super::error::MalformedTransition;
use super::limits::MAX_TRANSITION;
use crate::hash::{IndexKey, ListRoot, NodeHash};
use crate::index::{Subtree, Value};
use crate::merkle::Frontier;

/// The first line.
const HEADER: &[u8] = b"stele/transition@v1\n";

const PRUNED: u8 = 0;
const INNER: u8 = 1;
const TOUCHED: u8 = 2;
const OTHER: u8 = 3;
const EMPTY: u8 = 4;

/// The old index as far as new entries reach it; nothing in it is verified before [`check`](super::check).
///
/// Invariant: the nodes are one tree in preorder, and bits rise on every way down, so no way has more than 257 nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransitionProof(Vec<Node>);

/// A node of the old index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// The hash of a part that no entry reaches.
    Pruned(Subtree),
    /// An inner node by its bit; what is on its left follows, then what is on its right.
    Inner(u8),
    /// A key that the entries touch, and its list by the frontier.
    Touched {
        /// The key.
        key: IndexKey,
        /// Its list, of at least one pointer.
        list: Frontier,
    },
    /// Another key, where a search for a touched key ends.
    Other {
        /// The other key.
        key: IndexKey,
        /// What the index holds under it.
        value: Value,
    },
    /// The index of nothing.
    Empty,
}

impl TransitionProof {
    /// Takes the nodes of one tree, in preorder.
    pub(super) fn new(nodes: Vec<Node>) -> Self {
        Self(nodes)
    }

    /// The nodes, in preorder.
    pub fn nodes(&self) -> &[Node] {
        &self.0
    }

    /// Reads a proof: one encoding of each, and nothing after it.
    pub fn parse(bytes: &[u8]) -> Result<Self, MalformedTransition> {
        if bytes.len() > MAX_TRANSITION {
            return Err(MalformedTransition::TooLong { found: bytes.len() });
        }
        let mut rest = bytes.strip_prefix(HEADER).ok_or(MalformedTransition::Header)?;
        let mut nodes = Vec::new();
        // The places that are still to be filled, each with the bit of the node above it.
        let mut places = vec![None];
        while let Some(above) = places.pop() {
            let at = bytes.len() - rest.len();
            let node = Node::read(&mut rest, at)?;
            match (&node, above) {
                (Node::Inner(below), Some(above)) if *below <= above => {
                    return Err(MalformedTransition::Bits { at, above, below: *below });
                }
                (Node::Inner(bit), _) => places.extend([Some(*bit); 2]),
                (Node::Empty, Some(_)) => return Err(MalformedTransition::Empty { at }),
                _ => {}
            }
            nodes.push(node);
        }
        if !rest.is_empty() {
            return Err(MalformedTransition::Trailing { found: rest.len() });
        }
        Ok(Self(nodes))
    }

    /// The bytes: `to_bytes(parse(x)) == x`.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = HEADER.to_vec();
        self.0.iter().for_each(|node| node.write(&mut bytes));
        bytes
    }
}

impl Node {
    fn read(rest: &mut &[u8], at: usize) -> Result<Self, MalformedTransition> {
        let short = MalformedTransition::Short { at };
        let [tag] = take(rest).ok_or(short)?;
        match tag {
            PRUNED => take(rest).map(|hash| Self::Pruned(Subtree::from_bytes(hash))).ok_or(short),
            INNER => take(rest).map(|[bit]| Self::Inner(bit)).ok_or(short),
            TOUCHED | OTHER => {
                let key = IndexKey::from_bytes(take(rest).ok_or(short)?);
                let count = u64::from_be_bytes(take(rest).ok_or(short)?);
                if count == 0 {
                    return Err(MalformedTransition::NoPointer { at });
                }
                if tag == OTHER {
                    let root = ListRoot::from_bytes(take(rest).ok_or(short)?);
                    return Ok(Self::Other { key, value: Value { count, root } });
                }
                let peaks = (0..count.count_ones()).map(|_| take(rest).map(NodeHash::from_bytes));
                let list = peaks.collect::<Option<Vec<_>>>().and_then(|peaks| Frontier::from_parts(count, peaks));
                Ok(Self::Touched { key, list: list.ok_or(short)? })
            }
            EMPTY => Ok(Self::Empty),
            found => Err(MalformedTransition::Tag { at, found }),
        }
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Pruned(hash) => {
                bytes.push(PRUNED);
                bytes.extend_from_slice(hash.as_bytes());
            }
            Self::Inner(bit) => bytes.extend_from_slice(&[INNER, *bit]),
            Self::Touched { key, list } => {
                bytes.push(TOUCHED);
                bytes.extend_from_slice(key.as_bytes());
                bytes.extend_from_slice(&list.size().to_be_bytes());
                list.peaks().iter().for_each(|peak| bytes.extend_from_slice(peak.as_bytes()));
            }
            Self::Other { key, value } => {
                bytes.push(OTHER);
                bytes.extend_from_slice(key.as_bytes());
                bytes.extend_from_slice(&value.to_bytes());
            }
            Self::Empty => bytes.push(EMPTY),
        }
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*taken)
}
