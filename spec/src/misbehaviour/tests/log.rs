//! A log that signs whatever it is told to.

use crate::checkpoint::{Checkpoint, sign_checkpoint};
use crate::cosignature::{UnixTime, cosign};
use crate::entry::{Entry, IndexEntry};
use crate::hash::{LeafHash, RootHash};
use crate::index::{Index, Listing, Staged};
use crate::indexcosigner::{AddTransition, OldTree};
use crate::key::SecretKey;
use crate::merkle::{ConsistencyProof, Frontier, MemoryTree, leaf_hash, prove_consistency, prove_inclusion, root_at};
use crate::misbehaviour::{KnownKeys, Logged, Prefix};
use crate::note::{KeyType, SignedNote, SignerKey};
use crate::proof::TlogProof;
use crate::statement::{LoggedRelease, SignedStatement, Statement, sign};
use crate::transition::TransitionProof;

/// Entries in a tree, and the right index of them.
pub(super) struct LyingLog {
    pub(super) entries: Vec<Vec<u8>>,
    pub(super) index: Index,
    tree: MemoryTree,
}

pub(super) fn signer() -> SignerKey {
    SignerKey::new("log.example/stele".parse().unwrap(), KeyType::Log, [1; 32])
}

pub(super) fn witness(number: u8) -> SignerKey {
    let name = format!("witness.example/w{number}").parse().unwrap();
    SignerKey::new(name, KeyType::Cosigner, [100 + number; 32])
}

pub(super) fn keys() -> KnownKeys {
    KnownKeys::new([signer().verifier(), witness(1).verifier(), witness(2).verifier()])
}

pub(super) fn publisher_key(seed: u8) -> SecretKey {
    SecretKey::from_seed([seed; 32])
}

/// Any head.
pub(super) fn head(size: u64, root: RootHash) -> SignedNote {
    sign_checkpoint(&Checkpoint::new("log.example/stele".parse().unwrap(), size, root), &signer()).unwrap()
}

/// A head with a witness's line added.
pub(super) fn cosigned(note: &SignedNote, number: u8, time: u64) -> SignedNote {
    let line = cosign(note.text(), &witness(number), UnixTime::new(time).unwrap()).unwrap();
    let lines = note.signatures().iter().cloned().chain([line]).collect();
    SignedNote::new(note.text().to_owned(), lines).unwrap()
}

impl LyingLog {
    /// A log that has its first entry.
    pub(super) fn new() -> Self {
        let mut log = Self::without_genesis();
        log.push_index();
        log
    }

    /// A log that has nothing.
    pub(super) fn without_genesis() -> Self {
        Self { entries: Vec::new(), index: Index::new(), tree: MemoryTree::new() }
    }

    /// Appends any bytes and gives their position.
    pub(super) fn push(&mut self, entry: &[u8]) -> u64 {
        self.tree.push(leaf_hash(entry));
        self.entries.push(entry.to_vec());
        self.size() - 1
    }

    /// Appends a statement, signed with the key of this seed.
    pub(super) fn say(&mut self, statement: Statement, seed: u8) -> u64 {
        self.push(sign(&statement, &publisher_key(seed)).unwrap().bytes())
    }

    /// The batch since the newest index entry, staged.
    pub(super) fn stage(&mut self) -> Staged {
        let from = self.index.position();
        let listings: Vec<_> = (from..self.size()).map(|position| self.listing(position)).collect();
        self.index.stage(&listings).unwrap()
    }

    /// The proof of the step over what came since the newest index entry.
    pub(super) fn transition(&self) -> TransitionProof {
        let listings: Vec<_> = (self.index.position()..self.size()).map(|position| self.listing(position)).collect();
        TransitionProof::of(&self.index, &listings)
    }

    /// A statement of the first publisher, and the proof of the step over it.
    pub(super) fn say_and_show(&mut self, statement: Statement) -> TransitionProof {
        self.say(statement, 1);
        self.transition()
    }

    pub(super) fn head_root(&self, size: u64) -> RootHash {
        root_at(&self.tree, size).unwrap()
    }

    /// What is brought to an index cosigner for the entries from `old` to `end`, under the head of `size`.
    pub(super) fn step(
        &self,
        (old, end, size): (u64, u64, u64),
        transition: Option<TransitionProof>,
    ) -> AddTransition<'_> {
        let before = old.checked_sub(1).map(|index| {
            let mut before = Frontier::new();
            (0..index).for_each(|position| before.push(self.leaf(position)));
            let index = IndexEntry::parse(&self.entries[index as usize]).unwrap().root;
            OldTree { before, index }
        });
        let entries = self.entries[old as usize..end as usize].iter().map(Vec::as_slice).collect();
        let proof = if end == size {
            ConsistencyProof::from_path(Vec::new()).unwrap()
        } else {
            prove_consistency(&self.tree, end, size).unwrap()
        };
        AddTransition::new(before, proof, self.head_at(size), entries, transition).unwrap()
    }

    /// Appends the index entry that is right.
    pub(super) fn push_index(&mut self) -> u64 {
        let staged = self.stage();
        self.index.commit().unwrap();
        self.push(staged.entry.to_string().as_bytes())
    }

    pub(super) fn size(&self) -> u64 {
        self.entries.len() as u64
    }

    pub(super) fn head_at(&self, size: u64) -> SignedNote {
        head(size, root_at(&self.tree, size).unwrap())
    }

    /// An entry with its proof under the newest head.
    pub(super) fn logged(&self, position: u64) -> Logged {
        self.logged_at(position, self.size())
    }

    pub(super) fn logged_at(&self, position: u64, size: u64) -> Logged {
        let path = prove_inclusion(&self.tree, position, size).unwrap();
        let proof = TlogProof::new(position, path, self.head_at(size));
        Logged { entry: self.entries[position as usize].clone(), proof }
    }

    pub(super) fn prefix(&self, old: u64) -> Prefix {
        let path = prove_consistency(&self.tree, old, self.size()).unwrap();
        Prefix { root: root_at(&self.tree, old).unwrap(), path }
    }

    pub(super) fn leaf(&self, position: u64) -> LeafHash {
        leaf_hash(&self.entries[position as usize])
    }

    pub(super) fn released(&self, entry: u64) -> LoggedRelease {
        let signed = SignedStatement::parse(&self.entries[entry as usize]).unwrap();
        LoggedRelease { coordinate: signed.statement().coordinate().unwrap(), entry, leaf_hash: self.leaf(entry) }
    }

    fn listing(&self, position: u64) -> Listing {
        let entry = &self.entries[position as usize];
        match Entry::parse(entry) {
            Ok(entry) => Listing::of(position, &entry),
            Err(_) => Listing::new(crate::index::Pointer { position, leaf: leaf_hash(entry) }, Vec::new()),
        }
    }
}
