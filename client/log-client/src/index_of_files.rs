//! Name proofs from the static files of a log alone: its index is built from all of its entries, and has to have the root that ends the tree.
//!
//! So a copy of a log that answers no question gives the same proofs as the log. They are checked as an answer of the log is.

use stele_explain::Failure;
use stele_spec::entry::Entry;
use stele_spec::hash::LeafHash;
use stele_spec::index::{Index, Listing, Pointer, Subject};
use stele_spec::merkle::{InclusionError, InclusionProof, leaf_hash, prove_inclusion};
use stele_spec::nameproof::{MAX_POINTERS, NameProof, Shown};
use stele_spec::proof::TlogProof;

use crate::reader::{ReadError, VerifiedLog};
use crate::whole_log::MAX_WHOLE;

/// The index of a tree that ends with its root.
#[derive(Debug)]
pub struct IndexOfFiles<'a> {
    tree: &'a VerifiedLog<'a>,
    index: Index,
    /// Where the entry that ends the tree is.
    end: InclusionProof,
}

impl<'a> IndexOfFiles<'a> {
    /// Reads a tree from its first entry to its last; none where it does not end with the root of what is before, or has an entry that this program
    /// does not know.
    pub fn read(tree: &'a VerifiedLog<'a>) -> Result<Option<Self>, Failure> {
        let size = tree.size();
        let Some(last) = size.checked_sub(1).filter(|_| size <= MAX_WHOLE) else { return Ok(None) };
        let Ok(Entry::Index(end)) = Entry::parse(&tree.entry(last)?) else { return Ok(None) };
        let mut index = Index::new();
        for chunk in tree.entries(0) {
            let mut listings = Vec::new();
            for (position, _, bytes) in chunk?.iter().filter(|(position, ..)| *position < last) {
                let Ok(entry) = Entry::parse(bytes) else { return Ok(None) };
                listings.push(Listing::of(position, &entry));
            }
            if index.replay(&listings).is_err() {
                return Ok(None);
            }
        }
        if index.entry() != end {
            return Ok(None);
        }
        Ok(Some(Self { tree, index, end: path(tree, last)? }))
    }

    /// Everything that is listed under a subject; none of a list that is longer than one proof shows.
    pub fn prove(&self, subject: &Subject) -> Result<Option<NameProof>, Failure> {
        let key = subject.key();
        let positions = self.index.positions(&key);
        if positions.len() > MAX_POINTERS {
            return Ok(None);
        }
        let mut pointers = Vec::with_capacity(positions.len());
        for position in positions {
            pointers.push(Pointer { position: *position, leaf: self.leaf(*position)? });
        }
        let shown = Shown { from: 0, before: 0, pointers };
        let (root, note) = (self.index.root(), self.tree.head().note().clone());
        let proof = NameProof::new(subject.clone(), root, self.end.clone(), self.index.prove(&key), shown, note);
        Ok(proof.ok())
    }

    /// The inclusion proof of an entry.
    pub fn inclusion(&self, position: u64) -> Result<TlogProof, ReadError> {
        Ok(TlogProof::new(position, path(self.tree, position)?, self.tree.head().note().clone()))
    }

    /// The bytes of an entry.
    pub fn bytes(&self, position: u64) -> Result<Vec<u8>, ReadError> {
        self.tree.entry(position)
    }

    fn leaf(&self, position: u64) -> Result<LeafHash, Failure> {
        Ok(leaf_hash(&self.tree.entry(position)?))
    }
}

/// The path from an entry to the root of a tree.
pub fn path(tree: &VerifiedLog<'_>, position: u64) -> Result<InclusionProof, ReadError> {
    let size = tree.size();
    prove_inclusion(tree, position, size).map_err(|error| match error {
        InclusionError::Nodes(error) => error,
        _ => ReadError::PastTheEnd { position, size },
    })
}
