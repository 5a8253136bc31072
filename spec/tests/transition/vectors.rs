//! The vectors in `spec/vectors/transition`: written here, by `STELE_WRITE_VECTORS=1 cargo test -p stele-spec --test transition`,
//! and compared with what is in the repository by the same test without the variable.

use std::fmt::Write as _;
use std::path::PathBuf;

use stele_spec::entry::IndexEntry;
use stele_spec::hash::{Digest, IndexKey, LeafHash, ListRoot, NodeHash};
use stele_spec::index::{Index, Listing, Pointer, Subtree, Value, genesis};
use stele_spec::merkle::Frontier;
use stele_spec::transition::{MalformedTransition, Node, TransitionProof, check};

/// Compares `text` with the file of that name, or writes it.
fn settle(name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors/transition").join(name);
    if std::env::var_os("STELE_WRITE_VECTORS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == text, "{} differs; if that is meant, write it again", path.display());
}

/// The proof of these nodes, whatever they show.
fn of_nodes(nodes: &[Node]) -> TransitionProof {
    let mut bytes = b"stele/transition@v1\n".to_vec();
    for node in nodes {
        match node {
            Node::Pruned(hash) => bytes.extend([&[0][..], hash.as_bytes()].concat()),
            Node::Inner(bit) => bytes.extend([1, *bit]),
            Node::Touched { key, list } => {
                bytes.extend([&[2][..], key.as_bytes(), &list.size().to_be_bytes()].concat());
                list.peaks().iter().for_each(|peak| bytes.extend(peak.as_bytes()));
            }
            Node::Other { key, value } => bytes.extend([&[3][..], key.as_bytes(), &value.to_bytes()].concat()),
            Node::Empty => bytes.push(4),
        }
    }
    TransitionProof::parse(&bytes).unwrap()
}

/// A key from the first hex digits of it; the others are 0.
fn key(head: &str) -> IndexKey {
    IndexKey::from_bytes(stele_spec::text::hex_exact(&format!("{head:0<64}")).unwrap())
}

fn listing(position: u64, heads: &[&str]) -> Listing {
    let leaf = LeafHash::from_bytes(*Digest::of(&position.to_be_bytes()).as_bytes());
    Listing::new(Pointer { position, leaf }, heads.iter().map(|head| key(head)).collect())
}

/// An index in which keys have lists of one to five entries, and its entry.
fn old() -> (Index, IndexEntry) {
    let mut index = Index::new();
    index.stage_entry(&[]).unwrap();
    index.commit().unwrap();
    let first = ["00", "20", "80", "81", "c0"].map(key);
    let listing = |position| listing(position, &["00", "20", "80", "81", "c0"][position as usize % 5..]);
    let batch: Vec<_> = (1..6).map(listing).collect();
    assert!(first.iter().all(|key| index.value(key).is_none()));
    let entry = index.stage_entry(&batch).unwrap();
    index.commit().unwrap();
    (index, entry)
}

#[test]
fn vectors_of_malformed_transitions() {
    let mut out = String::from(
        "# Bytes that are no transition proof (spec/text/transition.md).\n#\n# malformed CODE HEX   hex of the bytes\n\n",
    );
    let header = b"stele/transition@v1\n";
    let proof = |nodes: &[&[u8]]| [&header[..], &nodes.concat()].concat();
    let hash = [7; 32];
    let pruned = [&[0][..], &hash].concat();
    let other = |count: u64| [&[3][..], &hash, &count.to_be_bytes(), &hash].concat();
    let touched = |count: u64, peaks: usize| [&[2][..], &hash, &count.to_be_bytes(), &hash.repeat(peaks)].concat();
    for (what, bytes) in [
        ("Nothing.", Vec::new()),
        ("Another version.", [&b"stele/transition@v2\n"[..], &pruned].concat()),
        ("A carriage return.", [&b"stele/transition@v1\r\n"[..], &pruned].concat()),
        ("No node.", proof(&[])),
        ("A hash of 31 bytes.", proof(&[&pruned[..32]])),
        ("A byte after the node.", proof(&[&pruned, &[0]])),
        ("Two nodes.", proof(&[&pruned, &pruned])),
        ("An empty index, and another node.", proof(&[&[4], &pruned])),
        ("An unknown kind of node.", proof(&[&[5], &hash])),
        ("An inner node without its bit.", proof(&[&[1]])),
        ("An inner node with one side.", proof(&[&[1, 9], &pruned])),
        ("An empty index below an inner node.", proof(&[&[1, 9], &[4], &pruned])),
        ("Bits that fall on the way down.", proof(&[&[1, 9], &[1, 8], &pruned, &pruned, &pruned])),
        ("The same bit twice on the way down, on the right.", proof(&[&[1, 9], &pruned, &[1, 9], &pruned, &pruned])),
        ("A list of no pointers.", proof(&[&touched(0, 0)])),
        ("Another key with a list of no pointers.", proof(&[&other(0)])),
        ("A frontier of one hash for three pointers.", proof(&[&touched(3, 1)])),
        ("A frontier of two hashes for four pointers.", proof(&[&touched(4, 2)])),
        ("A key of 31 bytes.", proof(&[&[2], &hash[..31]])),
    ] {
        let error = TransitionProof::parse(&bytes).unwrap_err();
        let code = match error {
            MalformedTransition::TooLong { .. } => "too-long",
            MalformedTransition::Header => "header",
            MalformedTransition::Short { .. } => "short",
            MalformedTransition::Tag { .. } => "node",
            MalformedTransition::Bits { .. } => "bits",
            MalformedTransition::NoPointer { .. } => "no-pointer",
            MalformedTransition::Empty { .. } => "empty",
            MalformedTransition::Trailing { .. } => "trailing",
        };
        writeln!(out, "# {what}\nmalformed {code} {}", hex::encode(bytes)).unwrap();
    }
    settle("malformed.txt", &out);
}

#[test]
fn vectors_of_transition_proofs() {
    let mut out = String::from(
        "# Transition proofs (spec/text/transition.md).\n#\n\
         # old POSITION ROOT                 the old index entry\n\
         # listed POSITION LEAF-HASH KEY...  an entry after it, and its keys\n\
         # proof HEX                         hex of the proof\n\
         # next POSITION ROOT | refuse CODE  the index entry that follows\n\n",
    );
    let (index, entry) = old();
    let batch = vec![listing(7, &["00", "30"]), listing(8, &[]), listing(9, &["00", "80", "c8", "40"])];
    let good = TransitionProof::of(&index, &batch);
    let nodes = good.nodes().to_vec();
    let edited = |edit: &dyn Fn(&mut Vec<Node>)| {
        let mut nodes = nodes.clone();
        edit(&mut nodes);
        of_nodes(&nodes)
    };
    let at = |wanted: &dyn Fn(&Node) -> bool| nodes.iter().position(wanted).unwrap();
    let key_of = |node: &Node| match node {
        Node::Touched { key, .. } | Node::Other { key, .. } => Some(*key),
        _ => None,
    };
    let touched = at(&|node| key_of(node) == Some(key("80")));
    let other = at(&|node| matches!(node, Node::Other { .. }));
    let hidden = at(&|node| matches!(node, Node::Pruned(_)));
    let Node::Touched { key: held, list } = nodes[touched].clone() else { panic!("the key is touched") };
    let leaf = Subtree::leaf(&held, &Value::of(&list));
    let longer = |list: &Frontier| {
        let mut list = list.clone();
        list.push(LeafHash::from_bytes([7; 32]));
        list
    };
    let fewer = vec![batch[0].clone(), batch[1].clone(), listing(9, &["00", "80", "c8"])];
    let of_the_end = |heads: &[&str]| {
        let batch = vec![listing(7, heads)];
        (TransitionProof::of(&index, &batch), batch)
    };
    let (present, of_present) = of_the_end(&["81"]);
    let (absent, of_absent) = of_the_end(&["82"]);
    let (deep, of_deep) = of_the_end(&["00000001", "00000003", "00000002"]);
    let (above, of_above) = of_the_end(&["60"]);
    let (nothing, of_nothing) = of_the_end(&[]);
    let (untouched, none) = (TransitionProof::of(&index, &[]), Vec::new());
    let first = vec![listing(1, &["00", "80"]), listing(2, &["80", "c0"])];
    let of_first = TransitionProof::of(&Index::new(), &first);

    for (what, old, listed, proof) in [
        ("A key that is touched is not shown.", entry, &batch, edited(&|nodes| nodes[touched] = Node::Pruned(leaf))),
        (
            "A part that is reached is not shown.",
            entry,
            &batch,
            edited(&|nodes| *nodes = vec![Node::Pruned(Subtree::from_bytes(*entry.root.as_bytes()))]),
        ),
        (
            "A key that no entry touches, with its list.",
            entry,
            &batch,
            edited(&|nodes| nodes[hidden] = nodes[touched].clone()),
        ),
        ("A key that no search ends at.", entry, &batch, edited(&|nodes| nodes[hidden] = nodes[other].clone())),
        (
            "An inner node that no search passes.",
            entry,
            &batch,
            edited(&|nodes| {
                nodes
                    .splice(hidden..=hidden, [Node::Inner(250), nodes[hidden].clone(), nodes[hidden].clone()].to_vec());
            }),
        ),
        (
            "A key that is touched, without its list.",
            entry,
            &batch,
            edited(&|nodes| nodes[touched] = Node::Other { key: held, value: Value::of(&list) }),
        ),
        (
            "A search that ends at a key, which is shown with its list.",
            entry,
            &batch,
            edited(&|nodes| {
                let Node::Other { key, .. } = nodes[other] else { panic!("another key") };
                nodes[other] = Node::Touched { key, list: list.clone() };
            }),
        ),
        (
            "Two sides exchanged.",
            entry,
            &batch,
            edited(&|nodes| {
                let places: Vec<usize> = (0..nodes.len()).filter(|i| key_of(&nodes[*i]).is_some()).collect();
                nodes.swap(places[0], places[1]);
            }),
        ),
        (
            "Another key at the wrong side of the first node.",
            entry,
            &batch,
            edited(&|nodes| {
                let Node::Other { key, value } = nodes[other] else { panic!("another key") };
                let mut bytes = *key.as_bytes();
                bytes[0] ^= 0x80;
                nodes[other] = Node::Other { key: IndexKey::from_bytes(bytes), value };
            }),
        ),
        (
            "Another key that parts from its neighbour before their node does.",
            entry,
            &batch,
            edited(&|nodes| {
                let Node::Other { key, value } = nodes[other] else { panic!("another key") };
                let mut bytes = *key.as_bytes();
                bytes[0] ^= 0x08;
                nodes[other] = Node::Other { key: IndexKey::from_bytes(bytes), value };
            }),
        ),
        ("A bit at which the keys do not part.", entry, &of_present, {
            let mut nodes = present.nodes().to_vec();
            let last = nodes.iter().rposition(|node| matches!(node, Node::Inner(_))).unwrap();
            nodes[last] = Node::Inner(9);
            of_nodes(&nodes)
        }),
        (
            "Another list of a key that is touched: a pointer more.",
            entry,
            &batch,
            edited(&|nodes| nodes[touched] = Node::Touched { key: held, list: longer(&list) }),
        ),
        (
            "Another list of a key that is touched: another hash.",
            entry,
            &batch,
            edited(&|nodes| {
                let peaks = vec![NodeHash::from_bytes([9; 32]); list.peaks().len()];
                nodes[touched] = Node::Touched { key: held, list: Frontier::from_parts(list.size(), peaks).unwrap() };
            }),
        ),
        (
            "Another list root of another key.",
            entry,
            &batch,
            edited(&|nodes| {
                let Node::Other { key, value } = nodes[other] else { panic!("another key") };
                nodes[other] = Node::Other { key, value: Value { root: ListRoot::from_bytes([9; 32]), ..value } };
            }),
        ),
        (
            "Another count of another key.",
            entry,
            &batch,
            edited(&|nodes| {
                let Node::Other { key, value } = nodes[other] else { panic!("another key") };
                nodes[other] = Node::Other { key, value: Value { count: value.count + 1, ..value } };
            }),
        ),
        ("Another hash of what no search passes.", entry, &batch, edited(&|nodes| nodes[hidden] = Node::Pruned(leaf))),
        ("An index passed off as empty.", entry, &batch, edited(&|nodes| *nodes = vec![Node::Empty])),
        ("An empty index where no key is touched.", genesis(), &none, edited(&|nodes| *nodes = vec![Node::Empty])),
        ("The old root of another tree.", IndexEntry { position: 6, ..genesis() }, &batch, good.clone()),
        ("An entry is left out.", entry, &batch[1..].to_vec(), good.clone()),
        ("An entry comes twice.", entry, &[&batch[..1], &batch].concat(), good.clone()),
        ("Entries in another order.", entry, &batch.iter().rev().cloned().collect(), good.clone()),
        ("A key of an entry is left out: its place is shown and not reached.", entry, &fewer, good.clone()),
        ("The first keys of a log.", genesis(), &first, of_first),
        ("No entry, an empty index.", genesis(), &none, TransitionProof::of(&Index::new(), &[])),
        ("No entry: the root stays.", entry, &none, untouched),
        ("An entry without keys: the root stays.", entry, &of_nothing, nothing),
        ("A list grows.", entry, &of_present, present),
        ("A list begins, at the bottom.", entry, &of_absent, absent),
        ("A list begins, above what is there.", entry, &of_above, above),
        ("Three lists begin below one another, all at the place of one key.", entry, &of_deep, deep),
        ("Lists grow and begin.", entry, &batch, good.clone()),
    ] {
        writeln!(out, "# {what}\nold {} {}", old.position, old.root).unwrap();
        for listing in listed {
            let keys: String = listing.keys().iter().map(|key| format!(" {key}")).collect();
            writeln!(out, "listed {} {}{keys}", listing.pointer().position, listing.pointer().leaf).unwrap();
        }
        let bytes = proof.to_bytes();
        assert_eq!(TransitionProof::parse(&bytes), Ok(proof.clone()), "{what}");
        writeln!(out, "proof {}", hex::encode(bytes)).unwrap();
        match check(&proof, &old, listed) {
            Ok(verified) => writeln!(out, "next {} {}\n", verified.to().position, verified.to().root).unwrap(),
            Err(refused) => writeln!(out, "refuse {}\n", refused.code()).unwrap(),
        }
    }
    settle("proofs.txt", &out);
}
