//! A log that brings its steps by hand, and an index cosigner of it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test ends where it goes wrong")]

use std::path::Path;
use std::sync::Arc;

use stele_clock::Clock;
use stele_durable::lock::Lock;
use stele_spec::checkpoint::{Checkpoint, Origin, sign_checkpoint};
use stele_spec::entry::{Entry, IndexEntry};
use stele_spec::index::{Index, Listing};
use stele_spec::indexcosigner::{AddTransition, OldTree};
use stele_spec::key::SecretKey;
use stele_spec::merkle::{ConsistencyProof, Frontier, leaf_hash};
use stele_spec::note::{KeyType, SignerKey};
use stele_spec::statement::{PublisherClaim, Statement, sign};
use stele_spec::transition::TransitionProof;
use stele_witness_core::evidence::Archive;
use stele_witness_core::log_slot::LogSettings;
use stele_witness_core::samples::witness_key;
use stele_witness_core::signer::WitnessSigner;
use stele_witness_core::state::StateStore;
use stele_witness_core::trusted_log::TrustedLog;
use stele_witness_core::witness::{self, Witness};

use crate::cosigner::{IndexCosigner, IndexedLog, Parts};

/// A log that signs whatever it is told.
pub(crate) struct Log {
    pub(crate) signer: SignerKey,
    index: Index,
    tree: Frontier,
    old: Option<OldTree>,
    /// All of them.
    pub(crate) entries: Vec<Vec<u8>>,
    /// Whether the transition proofs that it brings show nothing.
    pub(crate) proves_nothing: bool,
}

impl Log {
    pub(crate) fn new(origin: &str) -> Self {
        let signer = SignerKey::new(origin.parse().unwrap(), KeyType::Log, [66; 32]);
        Self {
            signer,
            index: Index::new(),
            tree: Frontier::new(),
            old: None,
            entries: Vec::new(),
            proves_nothing: false,
        }
    }

    pub(crate) fn origin(&self) -> Origin {
        self.signer.verifier().name().as_str().parse().unwrap()
    }

    pub(crate) fn trusted(&self) -> TrustedLog {
        TrustedLog::new(self.origin(), vec![self.signer.verifier()]).unwrap()
    }

    /// The step over so many claims; `lie` changes its index entry.
    pub(crate) fn batch(&mut self, claims: usize, lie: impl Fn(IndexEntry) -> IndexEntry) -> Vec<u8> {
        let size = self.tree.size();
        let statements: Vec<_> = (0..claims as u64).map(|number| claim(size + number)).collect();
        let listing = |(bytes, at): (&Vec<u8>, u64)| Listing::of(at, &Entry::parse(bytes).unwrap());
        let listings: Vec<_> = statements.iter().zip(size..).map(listing).collect();
        let transition = self.old.is_some().then(|| TransitionProof::of(&self.index, &listings));
        let last = lie(self.index.stage_entry(&listings).unwrap());
        self.index.commit().unwrap();
        statements.iter().for_each(|bytes| self.tree.push(leaf_hash(bytes)));
        let old = self.old.replace(OldTree { before: self.tree.clone(), index: last.root });
        self.tree.push(last.leaf_hash());
        let last = last.to_string().into_bytes();
        let entries = statements.iter().map(Vec::as_slice).chain([&last[..]]).collect();
        let nothing = || TransitionProof::of(&Index::new(), &[]);
        let request =
            self.request(old, entries, transition.map(|proof| if self.proves_nothing { nothing() } else { proof }));
        self.entries.extend(statements.into_iter().chain([last]));
        request
    }

    /// The newest tree once more.
    pub(crate) fn again(&self) -> Vec<u8> {
        self.request(self.old.clone(), Vec::new(), None)
    }

    fn request(&self, old: Option<OldTree>, entries: Vec<&[u8]>, transition: Option<TransitionProof>) -> Vec<u8> {
        let head = Checkpoint::new(self.origin(), self.tree.size(), self.tree.root());
        let note = sign_checkpoint(&head, &self.signer).unwrap();
        let proof = ConsistencyProof::from_path(Vec::new()).unwrap();
        AddTransition::new(old, proof, note, entries, transition).unwrap().to_bytes()
    }
}

/// Somebody's claim.
fn claim(number: u64) -> Vec<u8> {
    let secret = SecretKey::from_seed([7; 32]);
    let name = format!("n{number}.example").parse().unwrap();
    let claim = PublisherClaim::new(name, "2026-06-01T00:00:00Z".parse().unwrap(), &[secret.public()]);
    sign(&Statement::Publisher(claim), &secret).unwrap().bytes().to_vec()
}

fn index_key() -> WitnessSigner {
    WitnessSigner::new(SignerKey::new("witness.example/index".parse().unwrap(), KeyType::Cosigner, [8; 32]), None)
        .unwrap()
}

/// An index cosigner of these logs and its witness, in a folder that had none.
pub(crate) fn cosigner(folder: &Path, logs: &[TrustedLog], qpd: Option<u64>, clock: &Arc<dyn Clock>) -> IndexCosigner {
    let logs = logs.iter().map(|log| IndexedLog { log: log.clone(), qpd, copy: None }).collect();
    open(folder, logs, true, clock)
}

/// The same, or one that was there before.
pub(crate) fn open(folder: &Path, logs: Vec<IndexedLog>, new: bool, clock: &Arc<dyn Clock>) -> IndexCosigner {
    let states = |name: &str, own| {
        let beside = |work: Box<dyn FnOnce() + Send>| work();
        StateStore::open(&folder.join(name), &folder.join(format!("{name}-marks")), own, beside).unwrap()
    };
    let (witness, index) = (states("state", witness_key().own()), states("index", index_key().own()));
    for IndexedLog { log, .. } in logs.iter().filter(|_| new) {
        witness.begin(log.origin()).unwrap();
        index.begin(log.origin()).unwrap();
    }
    let settings =
        |indexed: &IndexedLog| LogSettings { log: indexed.log.clone(), serves: true, qpd: indexed.qpd, pull: None };
    let parts = witness::Parts {
        keyring: witness_key(),
        states: witness,
        archive: Archive::open(&folder.join("evidence")).unwrap(),
        held: Vec::new(),
        logs: logs.iter().map(settings).collect(),
        lock: Lock::take(folder.join("state/lock")).unwrap(),
    };
    let witness = Arc::new(Witness::open(parts, clock.clone()).unwrap());
    IndexCosigner::open(Parts { keyring: index_key(), states: index, logs, witness }, clock.clone()).unwrap()
}
