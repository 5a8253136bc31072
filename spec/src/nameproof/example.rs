//! A small log, honest unless a test makes it lie, and the name proofs that it gives.

use super::{Kept, NameProof, Shown};
use crate::checkpoint::{Checkpoint, sign_checkpoint};
use crate::cosignature::{UnixTime, cosign};
use crate::entry::{Entry, IndexEntry};
use crate::hash::IndexKey;
use crate::index::{Index, Listing, Pointer, Proof, Subject};
use crate::key::SecretKey;
use crate::merkle::{Frontier, InclusionProof, MemoryTree, prove_inclusion, root_at};
use crate::note::{KeyType, SignedNote, SignerKey};
use crate::policy::Policy;
use crate::proof::TlogProof;
use crate::statement::{PublisherClaim, SignedStatement, Statement, sign};

/// Everything that a log and its readers have.
pub(super) struct Log {
    pub(super) index: Index,
    pub(super) tree: MemoryTree,
    pub(super) entries: Vec<Vec<u8>>,
    pub(super) listings: Vec<Listing>,
    signer: SignerKey,
    witness: SignerKey,
}

/// A statement of a publisher; the minute makes it another one.
pub(super) fn statement(publisher: &str, minute: u32) -> SignedStatement {
    let secret = SecretKey::from_seed([7; 32]);
    let issued_at = format!("2026-06-01T00:{:02}:{:02}Z", minute / 60, minute % 60).parse().unwrap();
    let claim = PublisherClaim::new(publisher.parse().unwrap(), issued_at, &[secret.public()]);
    sign(&Statement::Publisher(claim), &secret).unwrap()
}

impl Log {
    /// A log of one entry, the index of nothing.
    pub(super) fn new() -> Self {
        let mut log = Self::empty();
        log.append(&[]);
        log
    }

    /// A log of no entry: no log signs that.
    pub(super) fn empty() -> Self {
        Self {
            index: Index::new(),
            tree: MemoryTree::new(),
            entries: Vec::new(),
            listings: Vec::new(),
            signer: SignerKey::new("log.example/stele".parse().unwrap(), KeyType::Log, [1; 32]),
            witness: SignerKey::new("witness.example/w1".parse().unwrap(), KeyType::Cosigner, [2; 32]),
        }
    }

    /// A log of batches of statements: `acme` names one publisher, `other` another.
    pub(super) fn of(batches: &[&[&str]]) -> Self {
        let mut log = Self::new();
        for (minute, batch) in batches.iter().enumerate() {
            let statements = batch
                .iter()
                .enumerate()
                .map(|(second, name)| statement(&format!("{name}.example"), minute as u32 * 60 + second as u32));
            log.append(&statements.collect::<Vec<_>>());
        }
        log
    }

    /// Appends a batch and its index entry.
    pub(super) fn append(&mut self, statements: &[SignedStatement]) {
        self.append_listed(statements, |_, listing| listing);
    }

    /// The same; the index is told what `change` makes of each listing.
    pub(super) fn append_listed(&mut self, statements: &[SignedStatement], change: impl Fn(u64, Listing) -> Listing) {
        let first = self.index.position();
        let listings: Vec<_> = (first..)
            .zip(statements)
            .map(|(at, signed)| change(at, Listing::of(at, &Entry::parse(signed.bytes()).unwrap())))
            .collect();
        let last = self.index.stage(&listings).unwrap().entry;
        self.index.commit().unwrap();
        self.listings.extend(listings);
        statements.iter().for_each(|signed| self.push(signed.bytes().to_vec()));
        self.push(last.to_string().into_bytes());
    }

    /// Appends an entry and tells the index nothing.
    pub(super) fn push(&mut self, entry: Vec<u8>) {
        self.tree.push(crate::merkle::leaf_hash(&entry));
        self.entries.push(entry);
    }

    pub(super) fn size(&self) -> u64 {
        self.tree.size()
    }

    pub(super) fn checkpoint(&self) -> SignedNote {
        let root = root_at(&self.tree, self.size()).unwrap();
        let note =
            sign_checkpoint(&Checkpoint::new("log.example/stele".parse().unwrap(), self.size(), root), &self.signer)
                .unwrap();
        let line = cosign(note.text(), &self.witness, UnixTime::new(1_780_000_000).unwrap()).unwrap();
        let lines = [note.signatures(), &[line]].concat();
        SignedNote::new(note.text().to_owned(), lines).unwrap()
    }

    /// What the reader of this log trusts.
    pub(super) fn policy_text(&self) -> String {
        let (log, witness) = (self.signer.verifier(), self.witness.verifier());
        format!("log {log}\nwitness w1 {witness}\nquorum w1\n")
    }

    pub(super) fn policy(&self) -> Policy {
        Policy::parse(self.policy_text().as_bytes()).unwrap()
    }

    pub(super) fn inclusion(&self, position: u64) -> InclusionProof {
        prove_inclusion(&self.tree, position, self.size()).unwrap()
    }

    /// Every pointer of a key.
    pub(super) fn pointers(&self, key: &IndexKey) -> Vec<Pointer> {
        self.listings.iter().filter(|listing| listing.keys().contains(key)).map(Listing::pointer).collect()
    }

    /// The parts of a proof of the pointers from `from` on, for a test to change.
    pub(super) fn parts(&self, subject: &Subject, from: u64) -> Parts {
        let key = subject.key();
        let (before, pointers): (Vec<_>, Vec<_>) =
            self.pointers(&key).into_iter().partition(|pointer| pointer.position < from);
        Parts {
            subject: subject.clone(),
            root: IndexEntry { position: 0, root: self.index.root() },
            inclusion: self.inclusion(self.size() - 1),
            said: self.index.prove(&key),
            shown: Shown { from, before: before.len() as u64, pointers },
            checkpoint: self.checkpoint(),
        }
    }

    pub(super) fn prove(&self, subject: &Subject, from: u64) -> NameProof {
        self.parts(subject, from).proof()
    }

    /// What a reader keeps who has read the list of this log's tree.
    pub(super) fn kept(&self, subject: &Subject) -> Kept {
        let mut list = Frontier::new();
        self.pointers(&subject.key()).iter().for_each(|pointer| list.push(pointer.list_leaf()));
        Kept::new(self.size(), list).unwrap()
    }

    /// A statement and its proof.
    pub(super) fn logged(&self, position: u64) -> (Vec<u8>, TlogProof) {
        let proof = TlogProof::new(position, self.inclusion(position), self.checkpoint());
        (self.entries[position as usize].clone(), proof)
    }
}

/// The parts of a name proof.
#[derive(Debug, Clone)]
pub(super) struct Parts {
    pub(super) subject: Subject,
    pub(super) root: IndexEntry,
    pub(super) inclusion: InclusionProof,
    pub(super) said: Proof,
    pub(super) shown: Shown,
    pub(super) checkpoint: SignedNote,
}

impl Parts {
    pub(super) fn proof(self) -> NameProof {
        let Self { subject, root, inclusion, said, shown, checkpoint } = self;
        NameProof::new(subject, root.root, inclusion, said, shown, checkpoint).unwrap()
    }

    /// The same parts after a change.
    pub(super) fn with(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut parts = self.clone();
        change(&mut parts);
        parts
    }
}

/// The key statements of a publisher.
pub(super) fn name(publisher: &str) -> Subject {
    Subject::publisher(&format!("{publisher}.example").parse().unwrap())
}
