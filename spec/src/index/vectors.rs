//! The vectors in `spec/vectors/index`: written here, by `STELE_WRITE_VECTORS=1 cargo test -p stele-spec vectors`,
//! and compared with what is in the repository by the same test without the variable.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::memory::sure;
use super::patricia::{NodeStore, Nodes};
use super::reference::{self, listing};
use super::*;
use crate::entry::{Entry, IndexEntry};
use crate::hash::{Digest, IndexKey, IndexRoot, ListRoot, sha256};
use crate::name::Coordinate;

/// Compares `text` with the file of that name, or writes it.
fn settle(name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors/index").join(name);
    if std::env::var_os("STELE_WRITE_VECTORS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == text, "{} differs; if that is meant, write it again", path.display());
}

/// A key from the first hex digits of it; the others are 0.
fn key(head: &str) -> IndexKey {
    IndexKey::from_bytes(crate::text::hex_exact(&format!("{head:0<64}")).unwrap())
}

fn value(count: u64) -> Value {
    Value { count, root: ListRoot::from_bytes(sha256(&[&count.to_be_bytes()])) }
}

fn tree_of(pairs: &[(IndexKey, Value)]) -> memory::Memory {
    let mut tree = memory::Memory::default();
    pairs.iter().for_each(|(key, value)| {
        sure(tree.update(key, |_| Ok(*value)));
    });
    sure(tree.rehash());
    tree
}

fn line(out: &mut String, text: impl std::fmt::Display) {
    writeln!(out, "{text}").unwrap();
}

#[test]
fn vectors_of_index_entries() {
    let root = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    let mut out = String::from(
        "# Index entries (spec/text/entry.md), as JSON strings.\n#\n\
         # refuse TEXT   not an index entry\n# accept TEXT   an index entry, and this is its only spelling\n\n",
    );
    for (why, text) in [
        ("no lines", String::new()),
        ("two lines", "stele/index@v1\n0\n".into()),
        ("another version", format!("stele/index@v2\n0\n{root}\n")),
        ("no line feed at the end", format!("stele/index@v1\n0\n{root}")),
        ("two line feeds at the end", format!("stele/index@v1\n0\n{root}\n\n")),
        ("a carriage return", format!("stele/index@v1\r\n0\r\n{root}\r\n")),
        ("a leading zero", format!("stele/index@v1\n00\n{root}\n")),
        ("a sign", format!("stele/index@v1\n+1\n{root}\n")),
        ("2^64", format!("stele/index@v1\n18446744073709551616\n{root}\n")),
        ("base64 without padding", format!("stele/index@v1\n0\n{}\n", root.trim_end_matches('='))),
        ("base64 with loose bits", format!("stele/index@v1\n0\n{}\n", root.replace("U=", "V="))),
        ("31 bytes", format!("stele/index@v1\n0\n{}\n", crate::text::to_base64(&[0; 31]))),
    ] {
        assert!(Entry::parse(text.as_bytes()).is_err(), "{why}");
        line(&mut out, format_args!("# {why}\nrefuse {}", serde_json::to_string(&text).unwrap()));
    }
    for (why, entry) in [
        ("the first entry of every log: the index of nothing", genesis()),
        ("the last position that there is", IndexEntry { position: u64::MAX, root: IndexRoot::from_bytes([0xFB; 32]) }),
    ] {
        assert_eq!(IndexEntry::parse(entry.to_string().as_bytes()), Ok(entry));
        line(&mut out, format_args!("# {why}\naccept {}", serde_json::to_string(&entry.to_string()).unwrap()));
    }
    settle("entry.txt", &out);
}

#[test]
fn vectors_of_keys() {
    let mut out = String::from(
        "# Keys of the index (spec/text/index.md).\n#\n# key KIND SUBJECT KEY\n\n\
         # The same subject under another kind is another key.\n",
    );
    let plain: Coordinate = "acme.example/tiny@1.0.2#base".parse().unwrap();
    let account: Coordinate = "huggingface.co/acme/tiny@1.0.2#instruct-gguf-q4_k_m".parse().unwrap();
    let subjects = [
        vec![Subject::about_release(&plain), Subject::about_publisher(&plain.publisher)],
        vec![Subject::publisher(&plain.publisher)],
        key::of_release(&plain, &Digest::of(b"weights")),
        key::of_release(&account, &Digest::of(b"")),
    ];
    for subject in subjects.concat() {
        line(&mut out, format_args!("key {subject} {}", subject.key()));
    }
    settle("key.txt", &out);
}

#[test]
fn vectors_of_trees() {
    let mut out = String::from(
        "# Roots of the index (spec/text/index.md).\n#\n# set KEY COUNT LIST-ROOT   adds a key\n\
         # root ROOT                the root over the keys since the last one\n\n",
    );
    for (what, heads) in [
        ("Nothing.", &[][..]),
        ("One key.", &["80"]),
        ("Two keys that differ at bit 0.", &["00", "80"]),
        ("Two keys that differ at bit 7.", &["00", "01"]),
        (
            "Bit 127 is the last that takes one byte.",
            &["ffffffffffffffffffffffffffffffff", "fffffffffffffffffffffffffffffffe"],
        ),
        (
            "Bit 128 is the first that takes two.",
            &["ffffffffffffffffffffffffffffffff", "ffffffffffffffffffffffffffffffff8"],
        ),
        (
            "Two keys that differ at bit 255, in the order in which they are not sorted.",
            &["0000000000000000000000000000000000000000000000000000000000000001", "00"],
        ),
        ("Two sides of unlike depth.", &["00", "40", "80"]),
        ("One chain.", &["00", "80", "c0", "e0", "f0"]),
    ] {
        let pairs: Vec<_> = heads.iter().zip(1..).map(|(head, count)| (key(head), value(count))).collect();
        let plain: Vec<_> = pairs.iter().map(|(key, value)| (*key.as_bytes(), value.to_bytes().to_vec())).collect();
        let root = sure(tree_of(&pairs).now().root());
        assert_eq!(root, IndexRoot::from_bytes(reference::tree(&plain)), "{what}");
        line(&mut out, format_args!("# {what}"));
        pairs.iter().for_each(|(key, Value { count, root })| line(&mut out, format_args!("set {key} {count} {root}")));
        line(&mut out, format_args!("root {root}\n"));
    }

    line(
        &mut out,
        "# A log of 2,000 entries. The entry at position i (u64 big-endian) has the leaf hash SHA-256(i). It is listed\n\
         # under four keys: for j in 0 to 3, SHA-256(i mod m || j), both u64 big-endian, with m = 1, 10, 100, 2000 in turn.\n\
         # The hash of all 2,001 roots, one after the other: of entries [0, 0), [0, 1), ... [0, 2000).",
    );
    let mut index = Index::new();
    let mut roots = index.root().as_bytes().to_vec();
    for i in 0..2000_u64 {
        let keys = (0_u64..).zip([1_u64, 10, 100, 2000]);
        let keys = keys.map(|(j, m)| IndexKey::from_bytes(sha256(&[&(i % m).to_be_bytes(), &j.to_be_bytes()])));
        index.replay(&[listing(i, keys.collect())]).unwrap();
        roots.extend(index.root().as_bytes());
    }
    line(&mut out, format_args!("roots {}", hex::encode(sha256(&[&roots]))));
    settle("tree.txt", &out);
}

#[test]
fn vectors_of_proofs() {
    let mut out = String::from(
        "# Proofs that a key is in the index or is not (spec/text/index.md).\n#\n\
         # root ROOT\n# key KEY\n# value COUNT LIST-ROOT          the claim is that the key has this value\n\
         # other KEY COUNT LIST-ROOT       the claim is that the key is absent: a search ends at this key\n\
         # empty                           the claim is that the key is absent: there is no key\n\
         # step BIT SIBLING                the path, leaf to root\n# proves | refuse REASON\n\n",
    );
    let pairs: Vec<_> =
        ["00", "20", "80", "81"].iter().zip(1..).map(|(head, count)| (key(head), value(count))).collect();
    let tree = tree_of(&pairs);
    let root = sure(tree.now().root());
    let path = |proof: &Proof| match proof {
        Proof::Present { path, .. } | Proof::Absent(Absence::Other { path, .. }) => path.steps().to_vec(),
        Proof::Absent(Absence::Empty) => Vec::new(),
    };
    let present = |at: usize, path: Vec<Step>| Proof::Present { value: pairs[at].1, path: Path::new(path) };
    let ends_at = |at: usize, path: Vec<Step>| {
        Proof::Absent(Absence::Other { key: pairs[at].0, value: pairs[at].1, path: Path::new(path) })
    };
    let of = |at: usize| path(&sure(tree.now().prove(&pairs[at].0)));
    let edited = |at: usize, edit: &dyn Fn(&mut Vec<Step>)| {
        let mut steps = of(at);
        edit(&mut steps);
        steps
    };
    // Trees that no set of keys has: one whose bits rise towards the root, one with the same bit twice.
    let crooked = edited(0, &|steps| steps.iter_mut().zip([0, 1]).for_each(|(step, bit)| step.bit = bit));
    let crooked_root = Path::new(crooked.clone()).root_with_value(&pairs[0].0, &pairs[0].1);
    let level = edited(0, &|steps| steps.iter_mut().for_each(|step| step.bit = 5));
    let level_root = Path::new(level.clone()).root_with_value(&pairs[0].0, &pairs[0].1);

    for (what, root, key, proof) in [
        ("Another value.", root, pairs[0].0, Proof::Present { value: value(9), path: Path::new(of(0)) }),
        ("Another root.", sure(tree_of(&pairs[..3]).now().root()), pairs[0].0, present(0, of(0))),
        ("A bit of a sibling.", root, pairs[0].0, {
            present(0, edited(0, &|steps| steps[0].sibling = Subtree::leaf(&pairs[0].0, &pairs[0].1)))
        }),
        ("A step less.", root, pairs[0].0, present(0, edited(0, &|steps| steps.truncate(1)))),
        (
            "A step more.",
            root,
            pairs[0].0,
            present(0, edited(0, &|steps| steps.insert(0, Step { bit: 9, ..steps[0] }))),
        ),
        ("The path of another key.", root, pairs[0].0, present(0, of(2))),
        ("Bits rise towards the root, under a root made for it.", crooked_root, pairs[0].0, present(0, crooked)),
        ("Two steps at one bit, under a root made for it.", level_root, pairs[0].0, present(0, level)),
        ("Absence of a key that is there, by its own leaf.", root, pairs[0].0, ends_at(0, of(0))),
        ("Absence of a key that is there, by another's leaf.", root, pairs[0].0, ends_at(2, of(2))),
        ("Absence by a leaf that a search would not end at.", root, self::key("30"), ends_at(0, of(0))),
        ("Absence from a tree that is not empty, by nothing.", root, self::key("30"), Proof::Absent(Absence::Empty)),
        ("Absence under another root.", empty_root(), self::key("30"), ends_at(1, of(1))),
        ("The first key.", root, pairs[0].0, sure(tree.now().prove(&pairs[0].0))),
        ("The last key.", root, pairs[3].0, sure(tree.now().prove(&pairs[3].0))),
        (
            "The only key: an empty path.",
            sure(tree_of(&pairs[..1]).now().root()),
            pairs[0].0,
            sure(tree_of(&pairs[..1]).now().prove(&pairs[0].0)),
        ),
        ("Absence at the bottom.", root, self::key("30"), sure(tree.now().prove(&self::key("30")))),
        (
            "Absence that would split the tree between two nodes.",
            root,
            self::key("c0"),
            sure(tree.now().prove(&self::key("c0"))),
        ),
        (
            "Absence from a tree of one key.",
            sure(tree_of(&pairs[..1]).now().root()),
            pairs[1].0,
            sure(tree_of(&pairs[..1]).now().prove(&pairs[1].0)),
        ),
        ("Absence from an empty tree.", empty_root(), pairs[0].0, Proof::Absent(Absence::Empty)),
    ] {
        line(&mut out, format_args!("# {what}\nroot {root}\nkey {key}"));
        let result = write_proof(&mut out, &root, &key, &proof);
        line(&mut out, result.map_or_else(|error| format!("refuse {}\n", reason(&error)), |()| "proves\n".into()));
    }
    settle("proof.txt", &out);
}

#[test]
fn vectors_of_transitions() {
    let mut out = String::from(
        "# From one index entry to the next (spec/text/index.md).\n#\n# old POSITION ROOT               the index entry before\n\
         # listed POSITION LEAF-HASH KEY...  an entry after it, and its keys\n\
         # touched KEY                     what the key held under the running root:\n\
         # list COUNT PEAK...              a list with this frontier, largest peak first, or\n\
         # other KEY COUNT LIST-ROOT       nothing: a search ends at this key, or\n\
         # empty                           nothing: there is no key\n\
         # step BIT SIBLING                the path, leaf to root\n# next POSITION ROOT | refuse REASON\n\n",
    );
    let keys = |heads: &[&str]| heads.iter().map(|head| key(head)).collect::<Vec<_>>();
    let mut index = Index::new();
    index.replay(&[listing(0, vec![])]).unwrap();
    let first = [listing(1, keys(&["00", "80"])), listing(2, keys(&["80", "c0"]))];
    let start = index.stage(&first).unwrap();
    index.commit().unwrap();
    let second = [listing(4, keys(&["80", "a0"])), listing(5, vec![]), listing(6, keys(&["00", "80"]))];
    let next = index.stage(&second).unwrap();

    let given = next.transition.touched();
    let without = |at: usize| [&given[..at], &given[at + 1..]].concat();
    let emptied = Touched { key: given[0].key, old: Old::Absent(Absence::Empty) };
    let (hidden, late) = (listing(4, keys(&["80"])), listing(7, vec![]));
    for (what, old, listed, touched) in [
        ("A key that is touched is not given.", start.entry, second.to_vec(), without(0)),
        ("The last key that is touched is not given.", start.entry, second.to_vec(), without(2)),
        ("A key twice.", start.entry, second.to_vec(), [&given[..1], given].concat()),
        ("Keys out of order.", start.entry, second.to_vec(), given.iter().rev().cloned().collect()),
        ("A key that is not touched.", start.entry, [&[hidden], &second[1..]].concat(), given.to_vec()),
        ("An old list passed off as none.", start.entry, second.to_vec(), [&[emptied], &given[1..]].concat()),
        ("Another old root.", genesis_at(3), second.to_vec(), given.to_vec()),
        ("An entry is left out.", start.entry, [&second[..1], &second[2..]].concat(), given.to_vec()),
        ("An entry from elsewhere.", start.entry, [&second[..2], &[late]].concat(), given.to_vec()),
        ("The first keys of a log.", genesis(), first.to_vec(), start.transition.touched().to_vec()),
        ("Nothing new: the root stays.", start.entry, vec![listing(4, vec![])], vec![]),
        ("Two lists grow and one begins.", start.entry, second.to_vec(), given.to_vec()),
    ] {
        line(&mut out, format_args!("# {what}\nold {} {}", old.position, old.root));
        for listing in &listed {
            let keys: String = listing.keys().iter().map(|key| format!(" {key}")).collect();
            line(&mut out, format_args!("listed {} {}{keys}", listing.pointer().position, listing.pointer().leaf));
        }
        touched.iter().for_each(|touched| write_touched(&mut out, touched));
        let result = match check_transition(&old, &listed, &Transition::new(touched)) {
            Ok(entry) => format!("next {} {}\n", entry.position, entry.root),
            Err(TransitionError::Position { expected, found }) => format!("refuse position {expected} {found}\n"),
            Err(TransitionError::NotTouched { key }) => format!("refuse not-touched {key}\n"),
            Err(TransitionError::Missing { key }) => format!("refuse missing {key}\n"),
            Err(TransitionError::Path { key, error }) => format!("refuse path {key} {}\n", reason(&error)),
        };
        line(&mut out, result);
    }
    assert!(out.contains(&format!("next {} {}\n", next.entry.position, next.entry.root)));
    settle("transition.txt", &out);
}

fn genesis_at(position: u64) -> IndexEntry {
    IndexEntry { position, ..genesis() }
}

fn write_touched(out: &mut String, Touched { key, old }: &Touched) {
    line(out, format_args!("touched {key}"));
    match old {
        Old::Present { list, path } => {
            let peaks: String = list.peaks().iter().map(|peak| format!(" {peak}")).collect();
            line(out, format_args!("list {}{peaks}", list.size()));
            write_path(out, path);
        }
        Old::Absent(absence) => write_absence(out, absence),
    }
}

fn write_proof(out: &mut String, root: &IndexRoot, key: &IndexKey, proof: &Proof) -> Result<(), PathError> {
    match proof {
        Proof::Present { value, path } => {
            line(out, format_args!("value {} {}", value.count, value.root));
            write_path(out, path);
            path.check_present(root, key, value)
        }
        Proof::Absent(absence) => {
            write_absence(out, absence);
            absence.check_absent(root, key)
        }
    }
}

fn write_absence(out: &mut String, absence: &Absence) {
    match absence {
        Absence::Empty => line(out, "empty"),
        Absence::Other { key, value, path } => {
            line(out, format_args!("other {key} {} {}", value.count, value.root));
            write_path(out, path);
        }
    }
}

fn write_path(out: &mut String, path: &Path) {
    for Step { bit, sibling } in path.steps() {
        line(out, format_args!("step {bit} {}", hex::encode(sibling.as_bytes())));
    }
}

fn reason(error: &PathError) -> String {
    match error {
        PathError::Order { below, above } => format!("order {below} {above}"),
        PathError::Root { .. } => "root".into(),
        PathError::SameKey => "same-key".into(),
        PathError::Elsewhere { bit } => format!("elsewhere {bit}"),
    }
}
