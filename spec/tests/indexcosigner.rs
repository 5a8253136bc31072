//! Stories of a log that brings its steps to a cosigner, and of logs that bring others.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test says what failed by failing")]

use proptest::prelude::*;
use stele_spec::indexcosigner::{AddTransition, MalformedRequest, OldTree, RefusedStep, check};

use stele_spec::checkpoint::{Checkpoint, sign_checkpoint};
use stele_spec::entry::{Entry, IndexEntry};
use stele_spec::hash::{IndexRoot, RootHash};
use stele_spec::index::{Index, Listing};
use stele_spec::key::SecretKey;
use stele_spec::merkle::{ConsistencyProof, Frontier, MemoryTree, empty_root, leaf_hash, prove_consistency, root_at};
use stele_spec::note::{KeyType, SignedNote, SignerKey};
use stele_spec::statement::{PublisherClaim, Statement, sign};
use stele_spec::transition::{RefusedTransition, TransitionProof};

/// A log, and what it brings for each step.
struct Log {
    index: Index,
    tree: MemoryTree,
    entries: Vec<Vec<u8>>,
    steps: Vec<Step>,
}

/// From which size to which, with which proof.
struct Step {
    old: u64,
    end: u64,
    index: Option<IndexRoot>,
    transition: Option<TransitionProof>,
}

impl Log {
    fn new() -> Self {
        let mut log = Self { index: Index::new(), tree: MemoryTree::new(), entries: Vec::new(), steps: Vec::new() };
        log.append(&[], |entry| entry);
        log
    }

    /// Appends a batch, and what `lie` makes of its index entry.
    fn append(&mut self, statements: &[Vec<u8>], lie: impl Fn(IndexEntry) -> IndexEntry) {
        let old = self.entries.len() as u64;
        let listing = |(bytes, at): (&Vec<u8>, u64)| Listing::of(at, &Entry::parse(bytes).unwrap());
        let listings: Vec<_> = statements.iter().zip(old..).map(listing).collect();
        let index = (old > 0).then(|| self.index.root());
        let transition = (old > 0).then(|| TransitionProof::of(&self.index, &listings));
        let entry = lie(self.index.stage_entry(&listings).unwrap());
        self.index.commit().unwrap();
        statements.iter().for_each(|bytes| self.push(bytes.clone()));
        self.push(entry.to_string().into_bytes());
        self.steps.push(Step { old, end: self.entries.len() as u64, index, transition });
    }

    fn push(&mut self, entry: Vec<u8>) {
        self.tree.push(leaf_hash(&entry));
        self.entries.push(entry);
    }

    fn root(&self, size: u64) -> RootHash {
        if size == 0 { empty_root() } else { root_at(&self.tree, size).unwrap() }
    }

    fn signed(&self, size: u64) -> SignedNote {
        let log = SignerKey::new("log.example/stele".parse().unwrap(), KeyType::Log, [1; 32]);
        sign_checkpoint(&Checkpoint::new("log.example/stele".parse().unwrap(), size, self.root(size)), &log).unwrap()
    }

    fn old_tree(&self, size: u64, index: IndexRoot) -> OldTree {
        let mut before = Frontier::new();
        self.entries[..size as usize - 1].iter().for_each(|entry| before.push(leaf_hash(entry)));
        OldTree { before, index }
    }

    /// The request for a step under the checkpoint of a size.
    fn request(&self, step: usize, size: u64) -> AddTransition<'_> {
        let Step { old, end, index, transition } = &self.steps[step];
        let entries = self.entries[*old as usize..*end as usize].iter().map(Vec::as_slice).collect();
        let old = index.map(|index| self.old_tree(*old, index));
        let proof = prove_consistency(&self.tree, *end, size).unwrap();
        AddTransition::new(old, proof, self.signed(size), entries, transition.clone()).unwrap()
    }

    fn size(&self) -> u64 {
        self.entries.len() as u64
    }

    fn known(&self, size: u64) -> (u64, RootHash) {
        (size, self.root(size))
    }
}

/// A claim; the second makes it another one.
fn claim(name: &str, second: u32) -> Vec<u8> {
    let secret = SecretKey::from_seed([7; 32]);
    let issued_at = format!("2026-06-01T00:00:{second:02}Z").parse().unwrap();
    let claim = PublisherClaim::new(format!("{name}.example").parse().unwrap(), issued_at, &[secret.public()]);
    sign(&Statement::Publisher(claim), &secret).unwrap().bytes().to_vec()
}

/// A log of the genesis entry and three batches.
fn log() -> Log {
    let mut log = Log::new();
    log.append(&[claim("acme", 1), claim("other", 1)], |entry| entry);
    log.append(&[claim("acme", 2)], |entry| entry);
    log.append(&[claim("third", 3), claim("acme", 3)], |entry| entry);
    log
}

#[test]
fn every_step_is_taken_under_its_own_checkpoint_and_under_a_later_one() {
    let log = log();
    for head in [None, Some(log.size())] {
        let mut known = log.known(0);
        for (number, step) in log.steps.iter().enumerate() {
            let request = log.request(number, head.unwrap_or(step.end));
            let bytes = request.to_bytes();
            assert_eq!(AddTransition::parse(&bytes), Ok(request.clone()));
            let checked = check(&request, known).unwrap();
            known = (checked.size(), checked.root());
            assert_eq!(known, log.known(step.end));
        }
    }
}

#[test]
fn a_checkpoint_is_cosigned_once_more_and_another_of_that_size_is_not() {
    let log = log();
    let old = log.old_tree(log.size(), log.index.root());
    let none = || ConsistencyProof::from_path(vec![]).unwrap();
    let again = AddTransition::new(Some(old.clone()), none(), log.signed(log.size()), vec![], None).unwrap();
    assert_eq!(AddTransition::parse(&again.to_bytes()), Ok(again.clone()));
    assert_eq!(check(&again, log.known(log.size())).unwrap().size(), log.size());

    let mut forked = Log::new();
    forked.append(&[claim("acme", 1), claim("other", 1)], |entry| entry);
    forked.append(&[claim("acme", 9)], |entry| entry);
    forked.append(&[claim("third", 3), claim("acme", 3)], |entry| entry);
    let fork = AddTransition::new(Some(old), none(), forked.signed(log.size()), vec![], None).unwrap();
    assert!(matches!(check(&fork, log.known(log.size())), Err(RefusedStep::Tree(_))));
    assert!(matches!(check(&forked.request(3, 9), log.known(6)), Err(RefusedStep::OldTree { .. })));
}

#[test]
fn a_wrong_index_root_is_refused_and_convicts_and_nothing_else_does() {
    let mut lying = Log::new();
    lying.append(&[claim("acme", 1)], |entry| entry);
    lying.append(&[claim("acme", 2)], |entry| IndexEntry { root: IndexRoot::from_bytes([7; 32]), ..entry });
    let refused = check(&lying.request(2, lying.size()), lying.known(3)).unwrap_err();
    assert!(matches!(refused, RefusedStep::Transition(RefusedTransition::NewRoot { .. })), "{refused}");
    assert!(refused.convicts());
    // Nobody goes on from it either: the root that it states is none that leads anywhere.
    lying.append(&[claim("acme", 3)], |entry| entry);
    let mut from_the_lie = lying.request(3, lying.size());
    let old = OldTree { index: IndexRoot::from_bytes([7; 32]), ..from_the_lie.old().unwrap().clone() };
    let (note, proof) = (from_the_lie.note().clone(), from_the_lie.proof().clone());
    let (entries, transition) = (from_the_lie.entries().to_vec(), from_the_lie.transition().cloned());
    from_the_lie = AddTransition::new(Some(old), proof, note, entries, transition).unwrap();
    let refused = check(&from_the_lie, lying.known(5)).unwrap_err();
    assert!(matches!(refused, RefusedStep::Transition(RefusedTransition::OldRoot { .. })) && !refused.convicts());

    let mut late = Log::new();
    late.steps.clear();
    late.entries.clear();
    late.tree = MemoryTree::new();
    late.append(&[], |_| IndexEntry { position: 0, root: IndexRoot::from_bytes([7; 32]) });
    late.steps[0].index = None;
    late.steps[0].transition = None;
    assert!(check(&late.request(0, 1), late.known(0)).unwrap_err().convicts());
}

#[test]
fn foreign_entries_another_order_and_a_step_that_is_none_are_told_apart() {
    let log = log();
    let with = |change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let request = log.request(3, log.size());
        let mut entries: Vec<Vec<u8>> = request.entries().iter().map(|entry| entry.to_vec()).collect();
        change(&mut entries);
        let shown = entries.iter().map(Vec::as_slice).collect();
        let (old, proof) = (request.old().cloned(), request.proof().clone());
        let request = AddTransition::new(old, proof, request.note().clone(), shown, request.transition().cloned());
        check(&request.unwrap(), log.known(6)).map_err(|error| error.code())
    };
    assert_eq!(with(&|_| {}).map(|step| step.size()), Ok(9));
    assert_eq!(with(&|entries| entries[0] = claim("foreign", 1)), Err("not-in-tree"));
    assert_eq!(with(&|entries| entries.swap(0, 1)), Err("not-in-tree"));
    assert_eq!(with(&|entries| drop(entries.remove(0))), Err("not-in-tree"));
    assert_eq!(with(&|entries| entries.clear()), Err("not-in-tree"));

    // Entries that are in the tree and cannot stand there.
    let of = |last: Vec<u8>| {
        let mut log = Log::new();
        log.append(&[claim("acme", 1)], |entry| entry);
        log.push(claim("acme", 2));
        log.push(last);
        let listings = [Listing::of(3, &Entry::parse(&log.entries[3]).unwrap())];
        let transition = Some(TransitionProof::of(&log.index, &listings));
        log.steps.push(Step { old: 3, end: 5, index: Some(log.index.root()), transition });
        check(&log.request(2, 5), log.known(3)).map_err(|error| error.code())
    };
    assert_eq!(of(b"no entry".to_vec()), Err("malformed-entry"));
    assert_eq!(of(claim("acme", 3)), Err("no-index-entry"));
    let elsewhere = IndexEntry { position: 9, root: IndexRoot::from_bytes([7; 32]) };
    assert_eq!(of(elsewhere.to_string().into_bytes()), Err("no-index-entry"));
    assert!(matches!(check(&log.request(1, 9), log.known(6)), Err(RefusedStep::NotTheLast { old: 1, checked: 6 })));
}

#[test]
fn nothing_is_no_step_although_every_tree_begins_with_it() {
    let log = log();
    let none = ConsistencyProof::from_path(vec![]).unwrap();
    for size in [9, 1] {
        let nothing = AddTransition::new(None, none.clone(), log.signed(size), vec![], None).unwrap();
        assert!(matches!(check(&nothing, log.known(0)), Err(RefusedStep::Kind { position: 0, .. })));
    }
    let empty = sign_checkpoint(
        &Checkpoint::new("log.example/stele".parse().unwrap(), 0, RootHash::from_bytes([9; 32])),
        &SignerKey::new("log.example/stele".parse().unwrap(), KeyType::Log, [1; 32]),
    );
    let nothing = AddTransition::new(None, none, empty.unwrap(), vec![], None).unwrap();
    assert!(matches!(check(&nothing, log.known(0)), Err(RefusedStep::Kind { position: 0, .. })));
}

#[test]
fn what_is_no_request_is_refused() {
    let log = log();
    let body = log.request(3, 9).to_bytes();
    for length in 0..body.len() {
        assert!(AddTransition::parse(&body[..length]).is_err(), "{length}");
    }
    let longer = [&body[..], b"\0"].concat();
    assert!(matches!(AddTransition::parse(&longer), Err(MalformedRequest::Transition(_))));
    let first = [&log.request(0, 1).to_bytes()[..], b"\0"].concat();
    assert_eq!(AddTransition::parse(&first), Err(MalformedRequest::Trailing { found: 1 }));
    let head = |head: &str| [&(head.len() as u32).to_be_bytes()[..], head.as_bytes()].concat();
    let parse = |text: String| AddTransition::parse(&head(&text)).map(|_| ()).unwrap_err();
    let note = log.signed(9);
    let hash = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
    for (text, expected) in [
        (format!("stele/add-transition@v2\nold 0\nend 0\n\n{note}"), "expected a line `stele/add-transition@v1`"),
        (format!("stele/add-transition@v1\nend 0\n\n{note}"), "expected a line `old SIZE`"),
        (format!("stele/add-transition@v1\nold 1\nend 1\n\n{note}"), "expected a line `index ROOT`"),
        (format!("stele/add-transition@v1\nold 0\nend 1024\n\n{note}"), "a step goes from 0 on by at most 1023"),
        (format!("stele/add-transition@v1\nold 0\nend 9\n\n{note}"), "the body ends in an entry"),
        (format!("stele/add-transition@v1\nold 2\nindex {hash}{hash}end 1\n\n{note}"), "a step goes from 2 on"),
        (format!("stele/add-transition@v1\nold 0\nend 0\n{}\n{note}", hash.repeat(64)), "expected a line `an empty"),
        (format!("stele/add-transition@v1\nold 0\nend 0\n\n{note}x"), "checkpoint: "),
        (format!("stele/add-transition@v1\nold 2\nindex {hash}end 2\n\n{note}"), "base64"),
    ] {
        let found = parse(text).to_string();
        assert!(found.contains(expected), "{expected}: {found}");
    }
    let beyond = log.request(3, 9);
    let beyond = AddTransition::new(
        beyond.old().cloned(),
        beyond.proof().clone(),
        log.signed(6),
        beyond.entries().to_vec(),
        beyond.transition().cloned(),
    );
    assert_eq!(beyond.unwrap_err(), MalformedRequest::Beyond { end: 9, size: 6 });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever is changed in a request, what is checked in the end is what the log signed.
    #[test]
    fn a_changed_byte_changes_nothing_that_is_checked(at: prop::sample::Index, flip in 1..=255_u8) {
        let log = log();
        let request = log.request(3, 9);
        let mut body = request.to_bytes();
        let at = at.index(body.len());
        body[at] ^= flip;
        if let Ok(changed) = AddTransition::parse(&body) {
            prop_assert_eq!(changed.to_bytes(), body.clone());
            if let Ok(checked) = check(&changed, log.known(6)) {
                prop_assert_eq!((checked.size(), checked.root()), log.known(9));
                // Origin and signatures are for the caller to verify.
                prop_assert_eq!(changed.checkpoint().root(), request.checkpoint().root());
                prop_assert_eq!(changed.entries(), request.entries());
                prop_assert_eq!(changed.transition(), request.transition());
            }
        }
    }
}
