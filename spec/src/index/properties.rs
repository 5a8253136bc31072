//! Stories of what a log, a careless operator and a forger do to an index.

use proptest::prelude::*;

use super::memory::sure;
use super::patricia::{NodeStore, Nodes};
use super::reference::{self, listing};
use super::*;
use crate::entry::IndexEntry;
use crate::hash::{IndexKey, IndexRoot, LeafHash, ListRoot};

/// A batch, entry by entry: the keys that each is listed under.
type Batch = Vec<Vec<IndexKey>>;

/// Keys that meet often and share prefixes of every length, and some that are like hashes.
fn key() -> impl Strategy<Value = IndexKey> {
    let bit = prop::sample::select(vec![0, 1, 6, 7, 8, 127, 128, 254, 255_u8]);
    let bits = prop::collection::vec(bit, 0..3).prop_map(|bits| {
        let mut bytes = [0; 32];
        bits.iter().for_each(|bit| bytes[usize::from(bit / 8)] ^= 0x80 >> (bit % 8));
        bytes
    });
    prop_oneof![4 => bits, 1 => any::<[u8; 32]>()].prop_map(IndexKey::from_bytes)
}

fn batch() -> impl Strategy<Value = Batch> {
    prop::collection::vec(prop::collection::vec(key(), 0..5), 0..8)
}

fn batches() -> impl Strategy<Value = Vec<Batch>> {
    prop::collection::vec(batch(), 1..8)
}

fn value() -> impl Strategy<Value = Value> {
    (any::<u64>(), any::<[u8; 32]>()).prop_map(|(count, root)| Value { count, root: ListRoot::from_bytes(root) })
}

/// The entries of a batch, the first of them at `position`.
fn listings(position: u64, batch: &Batch) -> Vec<Listing> {
    batch.iter().zip(position..).map(|(keys, position)| listing(position, keys.clone())).collect()
}

/// An index at its first batch, and the entry before it.
fn begun() -> (Index, IndexEntry) {
    let mut index = Index::new();
    let genesis = index.stage(&[]).unwrap().entry;
    index.commit().unwrap();
    (index, genesis)
}

/// An index after these batches.
fn grown(batches: &[Batch]) -> Index {
    let (mut index, _) = begun();
    for batch in batches {
        index.stage(&listings(index.position(), batch)).unwrap();
        index.commit().unwrap();
    }
    index
}

/// What an index says of a key: its positions, its value and the proof.
type Answer = (Vec<u64>, Option<Value>, Proof);

/// Everything that can be asked of an index.
fn answers(index: &Index, keys: &[IndexKey]) -> (IndexEntry, usize, Vec<Answer>) {
    let answer = |key| (index.positions(key).to_vec(), index.value(key), index.prove(key));
    (index.entry(), index.len(), keys.iter().map(answer).collect())
}

#[test]
fn the_first_entry_of_a_log_states_the_index_of_nothing() {
    let (index, genesis) = begun();
    assert_eq!(genesis, super::genesis());
    assert_eq!(genesis.to_string(), "stele/index@v1\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n");
    assert_eq!((index.position(), index.is_empty()), (1, true));
}

#[test]
fn entries_out_of_order_or_with_a_gap_are_not_taken() {
    let (mut index, _) = begun();
    for positions in [&[0][..], &[2], &[1, 3], &[1, 1], &[1, 2, 2], &[2, 1]] {
        let listings: Vec<_> = positions.iter().map(|p| listing(*p, vec![IndexKey::from_bytes([7; 32])])).collect();
        assert!(matches!(index.replay(&listings), Err(IndexError::Position { .. })), "{positions:?}");
        assert!(matches!(index.stage(&listings), Err(IndexError::Position { .. })), "{positions:?}");
    }
    assert_eq!((index.position(), index.root()), (1, empty_root()));
}

#[test]
fn while_a_batch_is_staged_nothing_else_is_taken() {
    let (mut index, _) = begun();
    assert_eq!(index.commit(), Err(IndexError::NothingStaged));
    index.stage(&[]).unwrap();
    assert_eq!(index.stage(&[]), Err(IndexError::Staged));
    assert_eq!(index.replay(&[]), Err(IndexError::Staged));
    index.rollback();
    index.rollback();
    assert_eq!(index.commit(), Err(IndexError::NothingStaged));
    assert_eq!(index.position(), 1);
}

#[test]
fn a_tree_as_deep_as_keys_are_long_is_proven_and_checked() {
    let mut keys = vec![IndexKey::from_bytes([0; 32])];
    for bit in 0..256 {
        let mut bytes = [0; 32];
        bytes[bit / 8] = 0x80 >> (bit % 8);
        keys.push(IndexKey::from_bytes(bytes));
    }
    let index = grown(&[vec![keys.clone()]]);
    let Proof::Present { value, path } = index.prove(&keys[0]) else { panic!("the key is there") };
    assert_eq!(path.steps().len(), 256);
    assert_eq!(path.check_present(&index.root(), &keys[0], &value), Ok(()));
    assert_eq!(index.root(), reference::root(&[listing(1, keys)]));
}

#[test]
fn a_key_with_one_entry_takes_the_bytes_that_the_chapter_says() {
    assert_eq!(memory::SIZES, [36, 48, 44, 40]);
}

/// Buckets split, lists grow from one entry to many, and most of it is taken back.
#[test]
fn an_index_that_often_went_back_is_the_one_that_never_did() {
    let key = |name: String| IndexKey::from_bytes(crate::hash::sha256(&[name.as_bytes()]));
    let (mut index, _) = begun();
    let (mut never, _) = begun();
    let mut all = std::collections::BTreeSet::new();
    for round in 0..120_u64 {
        let batch: Batch = (0..1 + round % 23)
            .map(|entry| {
                let name = |kind: &str, number: u64| key(format!("{kind} {number}"));
                vec![name("one", round * 100 + entry), name("few", (round * 7 + entry) / 3), name("many", entry % 2)]
            })
            .collect();
        let keys: Vec<IndexKey> = batch.concat();
        let batch = listings(index.position(), &batch);
        for _ in 0..round % 3 {
            let before = answers(&index, &keys);
            index.stage(&batch).unwrap();
            let settled: Vec<_> =
                keys.iter().map(|key| (index.settled().positions(key).to_vec(), index.settled().prove(key))).collect();
            index.rollback();
            assert_eq!(answers(&index, &keys), before, "round {round}");
            let shown: Vec<_> = keys.iter().map(|key| (index.positions(key).to_vec(), index.prove(key))).collect();
            assert_eq!(settled, shown, "round {round}");
        }
        if round % 4 > 0 {
            assert_eq!(index.stage_entry(&batch), never.stage(&batch).map(|staged| staged.entry), "round {round}");
            index.commit().unwrap();
            never.commit().unwrap();
            all.extend(keys);
        }
    }
    let all: Vec<IndexKey> = all.into_iter().collect();
    assert!(all.len() > 1000 && answers(&index, &all) == answers(&never, &all));
}

#[test]
fn keys_that_do_not_ascend_have_no_root() {
    let value = Value { count: 1, root: ListRoot::from_bytes([1; 32]) };
    let key = |byte| (IndexKey::from_bytes([byte; 32]), value);
    assert!(root_of_sorted([key(2), key(1)]).is_err());
    assert!(root_of_sorted([key(1), key(2), key(2)]).is_err());
    assert_eq!(root_of_sorted([]), Ok(empty_root()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_root_depends_on_the_set_and_not_on_the_order(
        pairs in prop::collection::btree_map(key(), value(), 0..40),
        seed: u64,
    ) {
        let mut shuffled: Vec<_> = pairs.iter().collect();
        shuffled.sort_by_key(|(key, _)| crate::hash::sha256(&[&seed.to_be_bytes(), key.as_bytes()]));
        let mut tree = memory::Memory::default();
        for (i, (key, value)) in shuffled.into_iter().enumerate() {
            // Each key first gets a value that does not last, and sometimes the hashes of that are computed.
            sure(tree.update(key, |_| Ok(Value { count: i as u64, ..*value })));
            if i % 3 == 0 { sure(tree.rehash()); }
            sure(tree.update(key, |_| Ok(*value)));
        }
        sure(tree.rehash());
        let plain: Vec<_> = pairs.iter().map(|(key, value)| (*key.as_bytes(), value.to_bytes().to_vec())).collect();
        prop_assert_eq!(sure(tree.root()), IndexRoot::from_bytes(reference::tree(&plain)));
        prop_assert_eq!(root_of_sorted(pairs), Ok(sure(tree.root())));
    }

    #[test]
    fn staged_replayed_and_defined_are_the_same(batches in batches(), at: prop::sample::Index) {
        let (mut staged, mut last) = begun();
        let mut replayed = Index::new();
        let mut log = vec![listing(0, vec![])];
        for batch in &batches {
            let batch = listings(staged.position(), batch);
            let next = staged.stage(&batch).unwrap();
            staged.commit().unwrap();
            log.extend(batch.iter().cloned());
            prop_assert_eq!(next.entry, IndexEntry { position: log.len() as u64, root: reference::root(&log) });
            prop_assert_eq!(check_transition(&last, &batch, &next.transition), Ok(next.entry));
            log.push(listing(next.entry.position, vec![]));
            last = next.entry;
        }
        let (first, second) = log.split_at(at.index(log.len()));
        replayed.replay(first).unwrap();
        replayed.replay(second).unwrap();

        let values = reference::values(&log);
        let keys: Vec<_> = values.keys().copied().collect();
        prop_assert_eq!(answers(&staged, &keys), answers(&replayed, &keys));
        prop_assert_eq!(staged.len(), keys.len());
        for (key, value) in values {
            let listed = log.iter().filter(|listing| listing.keys().contains(&key));
            let positions: Vec<u64> = listed.map(|listing| listing.pointer().position).collect();
            prop_assert_eq!(staged.positions(&key), positions);
            prop_assert_eq!(staged.value(&key), Some(value));
        }
    }

    #[test]
    fn a_batch_taken_back_leaves_no_trace(before in batches(), dropped in batch(), kept in batch()) {
        let mut index = grown(&before);
        let mut never = grown(&before);
        let keys: Vec<_> = [&before.concat()[..], &dropped, &kept].concat().concat();
        let position = index.position();

        let clean = answers(&index, &keys);
        index.stage(&listings(position, &dropped)).unwrap();
        index.rollback();
        prop_assert_eq!(&answers(&index, &keys), &clean);

        let again = index.stage(&listings(position, &kept)).unwrap();
        prop_assert_eq!(again, never.stage(&listings(position, &kept)).unwrap());
        index.commit().unwrap();
        never.commit().unwrap();
        prop_assert_eq!(answers(&index, &keys), answers(&never, &keys));
    }

    /// While the witnesses are asked about a batch, readers get every answer as before it.
    #[test]
    fn a_staged_batch_is_not_shown_until_it_is_kept(before in batches(), staged in batch(), taken_back: bool) {
        let mut index = grown(&before);
        let keys: Vec<_> = [&before.concat()[..], &staged].concat().concat();
        let settled = |index: &Index| {
            let settled = index.settled();
            let answer = |key| (settled.positions(key).to_vec(), settled.prove(key));
            (settled.position(), settled.root(), keys.iter().map(answer).collect::<Vec<_>>())
        };
        let now = |index: &Index| {
            let answer = |key| (index.positions(key).to_vec(), index.prove(key));
            (index.position(), index.root(), keys.iter().map(answer).collect::<Vec<_>>())
        };
        let old = now(&index);
        prop_assert_eq!(&settled(&index), &old);
        index.stage(&listings(index.position(), &staged)).unwrap();
        prop_assert_eq!(&settled(&index), &old);
        if taken_back { index.rollback(); } else { index.commit().unwrap(); }
        prop_assert_eq!(settled(&index), now(&index));
        prop_assert_eq!(settled(&index) == old, taken_back);
    }

    #[test]
    fn every_key_is_proven_present_or_absent_and_never_both(batches in batches(), asked in prop::collection::vec(key(), 8)) {
        let index = grown(&batches);
        let root = index.root();
        for key in batches.concat().concat().iter().chain(&asked) {
            match index.prove(key) {
                Proof::Present { value, path } => {
                    prop_assert_eq!(index.value(key), Some(value));
                    prop_assert_eq!(path.check_present(&root, key, &value), Ok(()));
                    let absence = Absence::Other { key: *key, value, path };
                    prop_assert_eq!(absence.check_absent(&root, key), Err(PathError::SameKey));
                    prop_assert!(Absence::Empty.check_absent(&root, key).is_err());
                }
                Proof::Absent(absence) => {
                    prop_assert_eq!(index.value(key), None);
                    prop_assert!(index.positions(key).is_empty());
                    prop_assert_eq!(absence.check_absent(&root, key), Ok(()));
                    if let Absence::Other { value, path, .. } = absence {
                        prop_assert!(path.check_present(&root, key, &value).is_err());
                    }
                }
            }
        }
    }

    /// No key that is there can be shown to be absent with the path of another key.
    #[test]
    fn the_path_of_another_key_proves_no_absence(batches in batches()) {
        let index = grown(&batches);
        let keys = batches.concat().concat();
        for (key, other) in keys.iter().zip(keys.iter().skip(1)).filter(|(key, other)| key != other) {
            let Proof::Present { value, path } = index.prove(other) else { panic!("the key is there") };
            let forged = Absence::Other { key: *other, value, path };
            let refused = matches!(forged.check_absent(&index.root(), key), Err(PathError::Elsewhere { .. }));
            prop_assert!(refused);
        }
    }

    #[test]
    fn a_changed_proof_proves_nothing(batches in batches(), asked in key(), change in change()) {
        let index = grown(&batches);
        let root = index.root();
        for key in batches.concat().concat().into_iter().chain([asked]) {
            let proof = index.prove(&key);
            let forged = change.of(&proof);
            if forged == proof { continue; }
            let refused = match forged {
                Proof::Present { value, path } => path.check_present(&root, &key, &value).is_err(),
                Proof::Absent(absence) => absence.check_absent(&root, &key).is_err(),
            };
            prop_assert!(refused);
        }
    }

    /// A log that changes anything about its transition ends in a refusal, never in another entry.
    #[test]
    fn a_changed_transition_is_refused(
        before in batches(), batch in batch(), at: prop::sample::Index, change in change(), how in 0..5,
    ) {
        let mut index = grown(&before);
        let old = IndexEntry { position: index.position() - 1, root: index.root() };
        let batch = listings(index.position(), &batch);
        let staged = index.stage(&batch).unwrap();
        let mut touched = staged.transition.touched().to_vec();
        prop_assume!(!touched.is_empty());
        let at = at.index(touched.len());
        match how {
            0 => drop(touched.remove(at)),
            1 => touched.insert(at, touched[at].clone()),
            2 => touched.reverse(),
            3 => touched[at].key = IndexKey::from_bytes([0xA5; 32]),
            _ => touched[at].old = change.of_old(&touched[at].old),
        }
        prop_assume!(touched != staged.transition.touched());
        prop_assert!(check_transition(&old, &batch, &Transition::new(touched)).is_err());
    }

    /// A log that leaves an entry, or one of its keys, out of the index states another root than the checker.
    #[test]
    fn an_entry_left_out_of_the_index_is_found(before in batches(), batch in batch(), at: prop::sample::Index) {
        let mut index = grown(&before);
        let old = IndexEntry { position: index.position() - 1, root: index.root() };
        let honest = listings(index.position(), &batch);
        prop_assume!(honest.iter().any(|listing| !listing.keys().is_empty()));
        let at = at.index(honest.len());
        prop_assume!(!honest[at].keys().is_empty());
        let mut hidden = honest.clone();
        hidden[at] = Listing::new(honest[at].pointer(), honest[at].keys()[1..].to_vec());
        let staged = index.stage(&hidden).unwrap();
        prop_assert_ne!(check_transition(&old, &honest, &staged.transition), Ok(staged.entry));
    }

    #[test]
    fn a_gap_between_two_index_entries_is_refused(before in batches(), batch in batch(), at: prop::sample::Index) {
        let mut index = grown(&before);
        let old = IndexEntry { position: index.position() - 1, root: index.root() };
        let mut batch = listings(index.position(), &batch);
        prop_assume!(batch.len() > 1);
        let staged = index.stage(&batch).unwrap();
        batch.remove(at.index(batch.len() - 1));
        let refused = matches!(
            check_transition(&old, &batch, &staged.transition),
            Err(TransitionError::Position { .. })
        );
        prop_assert!(refused);
    }
}

/// One change to a proof, at a place that is chosen by its size.
#[derive(Debug, Clone)]
struct Change {
    kind: u8,
    at: prop::sample::Index,
    flip: u8,
}

fn change() -> impl Strategy<Value = Change> {
    (0..7_u8, any::<prop::sample::Index>(), 0..=255_u8).prop_map(|(kind, at, flip)| Change { kind, at, flip })
}

impl Change {
    fn of(&self, proof: &Proof) -> Proof {
        match proof {
            Proof::Present { value, path } => {
                let (value, path) = self.value_or_path(value, path);
                Proof::Present { value, path }
            }
            Proof::Absent(absence) => Proof::Absent(self.of_absence(absence)),
        }
    }

    fn of_old(&self, old: &Old) -> Old {
        match old {
            Old::Absent(absence) => Old::Absent(self.of_absence(absence)),
            Old::Present { list, path } if self.kind == 0 => {
                let mut list = list.clone();
                list.push(LeafHash::from_bytes([self.flip; 32]));
                Old::Present { list, path: path.clone() }
            }
            Old::Present { list, .. } if self.kind == 1 => {
                let other = IndexKey::from_bytes([self.flip; 32]);
                Old::Absent(Absence::Other { key: other, value: Value::of(list), path: Path::default() })
            }
            Old::Present { list, path } => Old::Present { list: list.clone(), path: self.path(path) },
        }
    }

    fn of_absence(&self, absence: &Absence) -> Absence {
        match absence {
            Absence::Empty => Absence::Other {
                key: IndexKey::from_bytes([self.flip; 32]),
                value: Value { count: 1, root: ListRoot::from_bytes([self.flip; 32]) },
                path: Path::default(),
            },
            Absence::Other { .. } if self.kind == 0 => Absence::Empty,
            Absence::Other { key, value, path } if self.kind == 1 => Absence::Other {
                key: IndexKey::from_bytes(self.bytes(key.as_bytes())),
                value: *value,
                path: path.clone(),
            },
            Absence::Other { key, value, path } => {
                let (value, path) = self.value_or_path(value, path);
                Absence::Other { key: *key, value, path }
            }
        }
    }

    fn value_or_path(&self, value: &Value, path: &Path) -> (Value, Path) {
        match self.kind {
            2 => (Value { count: value.count ^ 1 << (self.flip % 64), ..*value }, path.clone()),
            3 => (Value { root: ListRoot::from_bytes(self.bytes(value.root.as_bytes())), ..*value }, path.clone()),
            _ => (*value, self.path(path)),
        }
    }

    fn path(&self, path: &Path) -> Path {
        let mut steps = path.steps().to_vec();
        let extra = Step { bit: self.flip, sibling: Subtree::from_bytes([self.flip; 32]) };
        let at = self.at.index(steps.len() + 1);
        match (self.kind, steps.get_mut(at)) {
            (4, _) => steps.insert(at, extra),
            (5, Some(_)) => drop(steps.remove(at)),
            (6, Some(step)) => step.bit ^= 1 << (self.flip % 8),
            (_, Some(step)) => step.sibling = Subtree::from_bytes(self.bytes(step.sibling.as_bytes())),
            (_, None) => steps.reverse(),
        }
        Path::new(steps)
    }

    fn bytes(&self, bytes: &[u8; 32]) -> [u8; 32] {
        let mut bytes = *bytes;
        bytes[self.at.index(32)] ^= 1 << (self.flip % 8);
        bytes
    }
}
