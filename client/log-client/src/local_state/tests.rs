//! What is kept of an answer, read again: whole, damaged in every way, and beside later answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use stele_spec::checkpoint::{Checkpoint, sign_checkpoint};
use stele_spec::entry::Entry;
use stele_spec::index::{self, Index, Subject};
use stele_spec::key::SecretKey;
use stele_spec::merkle::{MemoryTree, leaf_hash, prove_inclusion, root_at};
use stele_spec::name::{Coordinate, Publisher};
use stele_spec::nameproof::{NameProof, Shown};
use stele_spec::note::{KeyType, SignedNote, SignerKey};
use stele_spec::policy::{Policy, TrustedCheckpoint};
use stele_spec::proof::TlogProof;
use stele_spec::statement::{PublisherClaim, Release, SignedStatement, Statement, sign};

use super::cached_answers::path_of;
use super::{CachedAnswer, LocalState, LogId};
use crate::list_proof::ListProof;
use crate::statements::{Lack, ProvenStatement, StatementList, StatementSource as _};

/// A log with an index, in memory.
struct Log {
    signer: SignerKey,
    index: Index,
    tree: MemoryTree,
    entries: Vec<SignedStatement>,
    positions: Vec<u64>,
}

impl Log {
    fn new() -> Self {
        let signer = SignerKey::new("log.example/stele".parse().unwrap(), KeyType::Log, [1; 32]);
        let mut log =
            Self { signer, index: Index::new(), tree: MemoryTree::new(), entries: Vec::new(), positions: Vec::new() };
        log.append(None);
        log
    }

    fn append(&mut self, statement: Option<SignedStatement>) {
        let position = self.index.position();
        let listing =
            statement.iter().map(|signed| index::Listing::of(position, &Entry::parse(signed.bytes()).unwrap()));
        let last = self.index.stage(&listing.collect::<Vec<_>>()).unwrap().entry.to_string();
        self.index.commit().unwrap();
        if let Some(signed) = statement {
            self.tree.push(leaf_hash(signed.bytes()));
            self.entries.push(signed);
            self.positions.push(position);
        }
        self.tree.push(leaf_hash(last.as_bytes()));
    }

    fn policy(&self) -> Policy {
        Policy::parse(format!("log {}\nquorum none\n", self.signer.verifier()).as_bytes()).unwrap()
    }

    fn note(&self) -> SignedNote {
        let size = self.tree.size();
        let origin = "log.example/stele".parse().unwrap();
        sign_checkpoint(&Checkpoint::new(origin, size, root_at(&self.tree, size).unwrap()), &self.signer).unwrap()
    }

    fn head(&self) -> TrustedCheckpoint {
        TrustedCheckpoint::parse(&self.note().to_bytes(), &self.policy()).unwrap()
    }

    /// What an honest log answers about a subject, with its proof.
    fn listing(&self, subject: &Subject) -> StatementList {
        let (key, size) = (subject.key(), self.tree.size());
        let about = |signed: &SignedStatement| index::subjects_of(signed).contains(subject);
        let of: Vec<_> = self.positions.iter().zip(&self.entries).filter(|(_, signed)| about(signed)).collect();
        let pointers = of
            .iter()
            .map(|(position, signed)| index::Pointer { position: **position, leaf: leaf_hash(signed.bytes()) });
        let proof = NameProof::new(
            subject.clone(),
            self.index.root(),
            prove_inclusion(&self.tree, size - 1, size).unwrap(),
            self.index.prove(&key),
            Shown { from: 0, before: 0, pointers: pointers.collect() },
            self.note(),
        )
        .unwrap();
        let logged = of.iter().map(|(position, signed)| self.logged(**position, signed));
        let list = ListProof::check(subject, vec![proof], &self.policy()).unwrap();
        StatementList { statements: logged.collect(), lack: None, cut: false, proofs: vec![Arc::new(list)] }
    }

    fn logged(&self, position: u64, signed: &SignedStatement) -> ProvenStatement {
        let proof = prove_inclusion(&self.tree, position, self.tree.size()).unwrap();
        ProvenStatement::check(signed.bytes(), TlogProof::new(position, proof, self.note()), &self.head()).unwrap()
    }

    /// The answer about the coordinate of all these tests.
    fn answer(&self) -> CachedAnswer {
        let about = self.listing(&Subject::release(&name())).with(self.listing(&Subject::about_release(&name())));
        let keys: BTreeMap<Publisher, StatementList> =
            [(name().publisher, self.listing(&Subject::publisher(&name().publisher)))].into();
        CachedAnswer::answer(&name(), &self.head(), &about, &keys)
    }
}

fn key() -> SecretKey {
    SecretKey::from_seed([7; 32])
}

fn sample() -> Release {
    toml::from_str(include_str!("../../../../spec/vectors/statement/sample-release.toml")).unwrap()
}

fn name() -> Coordinate {
    sample().coordinate()
}

fn claim() -> SignedStatement {
    let at = "2026-06-25T09:30:00Z".parse().unwrap();
    let claim = PublisherClaim::new(name().publisher, at, &[key().public()]);
    sign(&Statement::Publisher(claim), &key()).unwrap()
}

/// A log in which a name is claimed and a release recorded.
fn released() -> Log {
    let mut log = Log::new();
    log.append(Some(claim()));
    log.append(Some(sign(&Statement::Release(Box::new(sample())), &key()).unwrap()));
    log
}

/// The same after the withdrawal of the release.
fn withdrawn() -> Log {
    let mut log = released();
    let text = include_str!("../../../../spec/vectors/statement/sample-withdraw.toml");
    let withdrawal = Statement::Withdraw(Box::new(toml::from_str(text).unwrap()));
    assert!(withdrawal.coordinates().contains(&name()), "the sample is about the sample release");
    log.append(Some(sign(&withdrawal, &key()).unwrap()));
    log
}

/// A local state in a folder of its own.
fn local_state() -> (LocalState, tempfile::TempDir) {
    let home = tempfile::tempdir().unwrap();
    (LocalState::at(home.path().to_owned(), |_| {}), home)
}

fn lack(answer: &CachedAnswer) -> Option<Lack> {
    let keys = answer.keys(&name().publisher).unwrap().lack;
    answer.about(&name()).unwrap().lack.or(keys)
}

#[test]
fn an_answer_is_complete_when_it_is_read_because_its_proofs_are() {
    let (log, (local_state, _home)) = (withdrawn(), local_state());
    let (policy, head) = (log.policy(), log.head());
    let id = LogId::of(head.note(), &policy).unwrap();
    local_state.keep(id, &policy, log.answer()).unwrap();
    let answer = local_state.cached_answer(id, &name(), &policy).unwrap();
    assert_eq!((answer.head().size(), lack(&answer)), (log.tree.size(), None));
    assert_eq!(answer.about(&name()).unwrap().statements.len(), 2);
    assert_eq!(answer.keys(&name().publisher).unwrap().statements[0].signed(), &claim());
    assert_eq!(answer.keys(&"other.example".parse().unwrap()).unwrap().lack, Some(Lack::Unkept));

    // Not as the answer about another coordinate, nor under a policy that does not know the log.
    let other: Coordinate = "acme.example/tiny@9#base".parse().unwrap();
    let folder = local_state.folder().unwrap();
    std::fs::copy(folder.join(path_of(id, &name())), folder.join(path_of(id, &other))).unwrap();
    assert!(local_state.cached_answer(id, &other, &policy).is_none());
    assert!(local_state.cached_answer(id, &name(), &Policy::parse(b"quorum none\n").unwrap()).is_none());
}

/// The kept file as JSON, changed and written back.
fn edit(local_state: &LocalState, id: LogId<'_>, change: impl FnOnce(&mut serde_json::Value)) {
    let path = local_state.folder().unwrap().join(path_of(id, &name()));
    let mut file = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    change(&mut file);
    std::fs::write(path, serde_json::to_vec(&file).unwrap()).unwrap();
}

#[test]
fn what_is_cut_out_of_a_kept_answer_leaves_it_incomplete() {
    let log = withdrawn();
    let (policy, head) = (log.policy(), log.head());
    let id = LogId::of(head.note(), &policy).unwrap();
    let entries = log.answer().entries().count();
    for gone in 0..entries {
        let (local_state, _home) = local_state();
        local_state.keep(id, &policy, log.answer()).unwrap();
        edit(&local_state, id, |file| drop(file["entries"].as_array_mut().unwrap().remove(gone)));
        let answer = local_state.cached_answer(id, &name(), &policy).unwrap();
        assert_eq!(lack(&answer), Some(Lack::Damaged), "entry {gone}");
    }
    for gone in 0..log.answer().lists.len() {
        let (local_state, _home) = local_state();
        local_state.keep(id, &policy, log.answer()).unwrap();
        edit(&local_state, id, |file| drop(file["lists"].as_array_mut().unwrap().remove(gone)));
        let answer = local_state.cached_answer(id, &name(), &policy).unwrap();
        assert_eq!(lack(&answer), Some(Lack::Unkept), "list {gone}");
    }
    // An older proof under a newer head hides what came between, and an entry with it.
    let (local_state, _home) = local_state();
    local_state.keep(id, &policy, log.answer()).unwrap();
    let older = released().answer();
    edit(&local_state, id, |file| {
        let proofs = older.lists.iter().map(|list| {
            let proofs: Vec<_> = list.proofs().iter().map(ToString::to_string).collect();
            serde_json::json!({ "subject": list.complete().subject().to_string(), "proofs": proofs })
        });
        file["lists"] = proofs.collect();
        file["entries"].as_array_mut().unwrap().pop();
    });
    assert_eq!(lack(&local_state.cached_answer(id, &name(), &policy).unwrap()), Some(Lack::Damaged));
}

#[test]
fn what_was_proven_once_stays_whatever_is_answered_later() {
    let (log, (local_state, _home)) = (withdrawn(), local_state());
    let (policy, head) = (log.policy(), log.head());
    let id = LogId::of(head.note(), &policy).unwrap();
    local_state.keep(id, &policy, log.answer()).unwrap();
    // A later answer without proofs that leaves the withdrawal out, and one of an older head.
    let mut bare = released().answer();
    bare.head = log.head();
    bare.lists.clear();
    for answer in [bare, released().answer()] {
        local_state.keep(id, &policy, answer).unwrap();
        let answer = local_state.cached_answer(id, &name(), &policy).unwrap();
        assert_eq!((answer.about(&name()).unwrap().statements.len(), lack(&answer)), (2, None));
        assert_eq!(answer.head().size(), log.tree.size());
    }
    // The other way round the complete answer replaces what is less.
    let (local_state, _home) = self::local_state();
    let mut bare = released().answer();
    bare.lists.clear();
    local_state.keep(id, &policy, bare).unwrap();
    assert_eq!(lack(&local_state.cached_answer(id, &name(), &policy).unwrap()), Some(Lack::Unkept));
    local_state.keep(id, &policy, log.answer()).unwrap();
    assert_eq!(lack(&local_state.cached_answer(id, &name(), &policy).unwrap()), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A byte changed anywhere: what is still complete has every statement, and none is another one.
    #[test]
    fn what_is_damaged_is_never_another_answer(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let (log, (local_state, _home)) = (withdrawn(), local_state());
        let (policy, head) = (log.policy(), log.head());
        let id = LogId::of(head.note(), &policy).unwrap();
        local_state.keep(id, &policy, log.answer()).unwrap();
        let file = local_state.folder().unwrap().join(path_of(id, &name()));
        let mut bytes = std::fs::read(&file).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        std::fs::write(&file, bytes).unwrap();
        if let Some(answer) = local_state.cached_answer(id, &name(), &policy) {
            for logged in answer.entries() {
                let at = log.positions.iter().position(|position| *position == logged.position()).unwrap();
                prop_assert_eq!(logged.signed(), &log.entries[at]);
            }
            prop_assert!(lack(&answer).is_some() || answer.entries().count() == 3);
        }
    }
}
