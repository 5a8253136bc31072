//! What the index says without the batch that is staged.
//!
//! A log signs a tree head and then waits for its witnesses. Until they have cosigned, readers are shown the tree before,
//! so the index must still know what it was. It does: the journal that could take the batch back is read instead.

use super::builder::Index;
use super::memory::{View, sure};
use super::path::Proof;
use super::patricia::Nodes;
use crate::hash::{IndexKey, IndexRoot};

/// The index as it was before the staged batch, or as it is when none is staged.
#[derive(Debug, Clone, Copy)]
pub struct Settled<'a> {
    view: View<'a>,
    position: u64,
    index: &'a Index,
}

impl Index {
    /// The index without the batch that is staged: what may be shown while the batch is on its way into the log.
    pub fn settled(&self) -> Settled<'_> {
        let (view, position) = self.before();
        Settled { view, position, index: self }
    }
}

impl<'a> Settled<'a> {
    /// How many entries it covers: the size of a tree that ends with its own index entry.
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// The root.
    pub fn root(&self) -> IndexRoot {
        sure({ self.view }.root())
    }

    /// What it says of a key, with its proof.
    pub fn prove(&self, key: &IndexKey) -> Proof {
        sure({ self.view }.prove(key))
    }

    /// The positions of the entries listed under a key, ascending; none when the key is absent.
    pub fn positions(&self, key: &IndexKey) -> &'a [u64] {
        let all = self.index.positions(key);
        // The list may have grown since.
        let count = sure({ self.view }.find(key)).map_or(0, |value| value.count);
        usize::try_from(count).ok().and_then(|count| all.get(..count)).unwrap_or(all)
    }
}
