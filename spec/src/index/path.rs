//! Proofs that a key is in a tree, with this value, or that it is not; and what the root becomes after a change.
//!
//! All of it is the verifier's side: it knows roots and hashes and nothing of how a tree is kept.

use core::fmt;

use crate::hash::{IndexKey, IndexRoot};

use super::listing::Value;
use super::node::{Subtree, bit_of, empty_root, first_difference};

/// What a tree says of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// The key is there.
    Present {
        /// Its value.
        value: Value,
        /// The way from its leaf to the root.
        path: Path,
    },
    /// The key is not there.
    Absent(Absence),
}

/// Why a key is not in a tree: where a search for it ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Absence {
    /// The tree is empty.
    Empty,
    /// The search ends at another key.
    Other {
        /// The other key.
        key: IndexKey,
        /// Its value.
        value: Value,
        /// The way from the other key's leaf to the root.
        path: Path,
    },
}

/// The way from a leaf to the root, the leaf's sibling first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Path(Vec<Step>);

/// One inner node on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The bit that tells the two sides of the node apart.
    pub bit: u8,
    /// The side that the way does not come from.
    pub sibling: Subtree,
}

impl Path {
    /// Takes steps as they are, leaf to root; the checks are those of the proof that holds them.
    pub fn new(steps: Vec<Step>) -> Self {
        Self(steps)
    }

    /// The steps, leaf to root.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Checks that the tree under `root` holds `value` under `key`.
    pub fn check_present(&self, root: &IndexRoot, key: &IndexKey, value: &Value) -> Result<(), PathError> {
        self.check_bits()?;
        let found = climb(key, Subtree::leaf(key, value), &self.0);
        expect(root, found.root())
    }

    /// The root after the value under `key` has become `value`. Means something only for a path that was checked.
    pub(super) fn root_with_value(&self, key: &IndexKey, value: &Value) -> IndexRoot {
        climb(key, Subtree::leaf(key, value), &self.0).root()
    }

    /// Bits strictly decrease from leaf to root; they are below 256 by their type.
    fn check_bits(&self) -> Result<(), PathError> {
        let rising = self.0.iter().zip(self.0.iter().skip(1)).find(|(below, above)| below.bit <= above.bit);
        rising.map_or(Ok(()), |(below, above)| Err(PathError::Order { below: below.bit, above: above.bit }))
    }
}

impl Absence {
    /// Checks that the tree under `root` holds nothing under `key`.
    pub fn check_absent(&self, root: &IndexRoot, key: &IndexKey) -> Result<(), PathError> {
        match self {
            Self::Empty => expect(root, empty_root()),
            Self::Other { key: other, value, path } => {
                if other == key {
                    return Err(PathError::SameKey);
                }
                let turned = path.0.iter().find(|step| bit_of(other, step.bit) != bit_of(key, step.bit));
                if let Some(step) = turned {
                    return Err(PathError::Elsewhere { bit: step.bit });
                }
                path.check_present(root, other, value)
            }
        }
    }

    /// The root after `key` has been added with `value`. Means something only for an absence that was checked.
    ///
    /// The new inner node stands at the first bit `d` at which the two keys differ: above every step of a higher
    /// bit, which hangs below it unchanged, and below every step of a lower one.
    pub(super) fn root_with_key(&self, key: &IndexKey, value: &Value) -> IndexRoot {
        let added = Subtree::leaf(key, value);
        let Self::Other { key: other, value: other_value, path } = self else {
            return added.root();
        };
        let leaf = Subtree::leaf(other, other_value);
        let Some(bit) = first_difference(key, other) else {
            return path.root_with_value(key, value);
        };
        let below = path.0.iter().take_while(|step| step.bit > bit).count();
        let (below, above) = path.0.split_at(below);
        let split = Step { bit, sibling: climb(other, leaf, below) };
        climb(key, climb(key, added, &[split]), above).root()
    }
}

/// Hashes upwards from a subtree that `key` is in.
fn climb(key: &IndexKey, from: Subtree, steps: &[Step]) -> Subtree {
    steps.iter().fold(from, |here, Step { bit, sibling }| {
        if bit_of(key, *bit) { Subtree::inner(*bit, sibling, &here) } else { Subtree::inner(*bit, &here, sibling) }
    })
}

fn expect(expected: &IndexRoot, found: IndexRoot) -> Result<(), PathError> {
    if *expected == found { Ok(()) } else { Err(PathError::Root { expected: *expected, found }) }
}

/// Why a path proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathError {
    /// The bits do not strictly decrease from leaf to root.
    Order {
        /// The bit nearer to the leaf.
        below: u8,
        /// The bit nearer to the root.
        above: u8,
    },
    /// The path leads to another root.
    Root {
        /// The root that the proof is held against.
        expected: IndexRoot,
        /// The root that the path leads to.
        found: IndexRoot,
    },
    /// A proof of absence shows the very key.
    SameKey,
    /// A search for the key would leave the path at this bit.
    Elsewhere {
        /// The bit at which the two keys differ.
        bit: u8,
    },
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Order { below, above } => {
                write!(f, "bit {above} stands above bit {below}; bits fall towards the root")
            }
            Self::Root { expected, found } => write!(f, "expected index root {expected}, the path leads to {found}"),
            Self::SameKey => f.write_str("the proof of absence ends at the key itself"),
            Self::Elsewhere { bit } => write!(f, "a search for the key leaves the path at bit {bit}"),
        }
    }
}

impl core::error::Error for PathError {}
