//! The rooms of the format against vectors that Go packages and OpenSSL made (`spec/vectors/foreign/README.md`).

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::path::Path;

use serde_json::Value;
use stele_spec::checkpoint::{Checkpoint, Subtree, sign_checkpoint, verify_log_signature};
use stele_spec::cosignature::{UnixTime, cosign, cosign_subtree, verify_cosignature, verify_subtree};
use stele_spec::hash::{Digest, NodeHash, RootHash};
use stele_spec::key::{PublicKey, SecretKey, Signature};
use stele_spec::merkle::{
    ConsistencyProof, InclusionProof, MemoryTree, Nodes as _, SubtreeProof, leaf_hash, prove_consistency,
    prove_inclusion, prove_subtree, root_at, subtree_root,
};
use stele_spec::note::{Material, NoteSignature, SignedNote, SignerKey, VerifierKey};
use stele_spec::policy::Policy;
use stele_spec::proof::{TlogProof, check};
use stele_spec::text::{base64_exact, to_base64};
use stele_spec::tile::{Resource, Tile, TilePath, encode_bundle, tiles_for};

#[test]
fn notes_and_their_keys_get_the_verdicts_written_down() {
    let vectors = load("note.json");
    for case in list(&vectors, "vkeys") {
        judge(case, text(case, "key").parse::<VerifierKey>().is_ok());
    }
    for case in list(&vectors, "skeys") {
        judge(case, SignerKey::from_secret_string(text(case, "key")).is_ok());
    }
    let keys: Vec<VerifierKey> = list(&vectors, "keys").iter().map(|key| text(key, "vkey").parse().unwrap()).collect();
    for case in list(&vectors, "notes") {
        judge(case, open(text(case, "note").as_bytes(), &keys));
    }
}

/// Go's `note.Open`: at least one known signer, and none of the known ones forged.
fn open(note: &[u8], keys: &[VerifierKey]) -> bool {
    let Ok(note) = SignedNote::parse(note) else { return false };
    let mut known = 0;
    for line in note.signatures() {
        for key in keys.iter().filter(|key| key.is_meant_by(line)) {
            if key.verify(note.text().as_bytes(), &line.bytes).is_err() {
                return false;
            }
            known += 1;
        }
    }
    known > 0
}

#[test]
fn checkpoints_get_the_verdicts_written_down_and_go_s_tree_heads_verify() {
    let vectors = load("checkpoint.json");
    for case in list(&vectors, "cases") {
        judge(case, Checkpoint::parse(text(case, "text")).is_ok());
    }
    let key: VerifierKey = text(&vectors, "vkey").parse().unwrap();
    for head in list(&vectors, "heads") {
        let note = SignedNote::parse(text(head, "note").as_bytes()).unwrap();
        let checkpoint = verify_log_signature(&note, &key).unwrap();
        assert_eq!(checkpoint.to_string(), text(head, "text"));
        assert_eq!(checkpoint.size(), head["size"].as_u64().unwrap());
    }
}

#[test]
fn cosignatures_get_the_verdicts_written_down_and_ours_are_go_s_byte_for_byte() {
    let vectors = load("cosignature.json");
    let known: VerifierKey = text(&vectors, "known").parse().unwrap();
    for case in list(&vectors, "cases") {
        let line = NoteSignature::parse_line(text(case, "line"));
        judge(case, line.is_ok_and(|line| verify_cosignature(text(case, "text"), &line, &known).is_ok()));
    }
    for case in list(&vectors, "cosignatures") {
        let keys = list(&vectors, "keys");
        let key = keys.iter().find(|key| key["name"] == case["witness"]).unwrap();
        let signer = SignerKey::from_secret_string(text(key, "skey")).unwrap();
        let time = UnixTime::new(case["time"].as_u64().unwrap()).unwrap();
        assert_eq!(cosign(text(case, "text"), &signer, time).unwrap().to_string(), text(case, "line"));
    }
}

#[test]
fn ml_dsa_44_keys_lines_and_parts_of_trees_get_the_verdicts_written_down() {
    let vectors = load("mldsa.json");
    for case in list(&vectors, "vkeys") {
        judge(case, text(case, "key").parse::<VerifierKey>().is_ok());
    }
    for case in list(&vectors, "skeys") {
        judge(case, SignerKey::from_secret_string(text(case, "key")).is_ok());
    }
    let known: VerifierKey = text(&vectors, "known").parse().unwrap();
    let line = |case: &Value| NoteSignature::parse_line(text(case, "line"));
    for case in list(&vectors, "cases") {
        judge(case, line(case).is_ok_and(|line| verify_cosignature(text(case, "text"), &line, &known).is_ok()));
    }
    for case in list(&vectors, "subtrees") {
        judge(case, line(case).is_ok_and(|line| verify_subtree(&subtree(case), &line, &known).is_ok()));
    }
    let log: VerifierKey = text(&vectors, "log").parse().unwrap();
    for head in list(&vectors, "heads") {
        let note = SignedNote::parse(text(head, "note").as_bytes()).unwrap();
        assert_eq!(verify_log_signature(&note, &log).unwrap().to_string(), text(head, "text"));
    }
}

#[test]
fn what_we_sign_with_ml_dsa_44_is_go_s_byte_for_byte() {
    let vectors = load("mldsa.json");
    let [witness, log] = list(&vectors, "keys") else { panic!("two keys") };
    let signer = |key: &Value| SignerKey::from_secret_string(text(key, "skey")).unwrap();
    for (key, signer) in [(witness, signer(witness)), (log, signer(log))] {
        assert_eq!(signer.verifier().to_string(), text(key, "vkey"));
    }
    for case in list(&vectors, "cosignatures") {
        let time = UnixTime::new(case["time"].as_u64().unwrap()).unwrap();
        assert_eq!(cosign(text(case, "text"), &signer(witness), time).unwrap().to_string(), text(case, "line"));
    }
    for head in list(&vectors, "heads") {
        let checkpoint = Checkpoint::parse(text(head, "text")).unwrap();
        assert_eq!(sign_checkpoint(&checkpoint, &signer(log)).unwrap().to_string(), text(head, "note"));
    }
    for case in list(&vectors, "subtrees").iter().filter(|case| text(case, "stele") == "accepts") {
        assert_eq!(cosign_subtree(&subtree(case), &signer(witness)).unwrap().to_string(), text(case, "line"));
    }
}

fn subtree(case: &Value) -> Subtree {
    Subtree {
        origin: text(case, "origin").parse().unwrap(),
        start: case["start"].as_u64().unwrap(),
        end: case["end"].as_u64().unwrap(),
        hash: RootHash::from_bytes(base64_exact(text(case, "hash")).unwrap()),
    }
}

#[test]
fn the_tree_and_both_proofs_equal_go_s() {
    let vectors = load("tree.json");
    let mut reference = MemoryTree::new();
    for (i, leaf) in list(&vectors["reference"], "leaves").iter().enumerate() {
        let hash = leaf_hash(&hex::decode(leaf.as_str().unwrap()).unwrap());
        assert_eq!(hash.to_string(), vectors["reference"]["leaf_hashes"][i].as_str().unwrap());
        reference.push(hash);
    }
    for (size, root) in list(&vectors["reference"], "roots").iter().enumerate() {
        assert_eq!(root_at(&reference, size as u64).unwrap().to_string(), root.as_str().unwrap());
    }
    let tree = leaves(300);
    let root = |size: &Value| {
        RootHash::from_bytes(base64_exact(vectors["roots"][size.as_u64().unwrap() as usize].as_str().unwrap()).unwrap())
    };
    for case in list(&vectors, "inclusion") {
        let (size, position) = (case["size"].as_u64().unwrap(), case["position"].as_u64().unwrap());
        let theirs = InclusionProof::from_path(path(case)).unwrap();
        assert_eq!(prove_inclusion(&tree, position, size).unwrap(), theirs);
        let leaf = leaf_hash(format!("leaf {position}").as_bytes());
        assert_eq!(theirs.check(leaf, position, size, root(&case["size"])), Ok(()));
    }
    for case in list(&vectors, "consistency") {
        let (old, new) = (case["old"].as_u64().unwrap(), case["new"].as_u64().unwrap());
        let theirs = ConsistencyProof::from_path(path(case)).unwrap();
        assert_eq!(prove_consistency(&tree, old, new).unwrap(), theirs);
        assert_eq!(theirs.check(old, root(&case["old"]), new, root(&case["new"])), Ok(()));
    }
}

#[test]
fn parts_of_trees_and_their_proofs_equal_go_s() {
    let vectors = load("tree.json");
    let tree = leaves(20);
    let cases = list(&vectors, "subtrees");
    assert!(cases.len() > 200);
    for case in cases {
        let number = |key: &str| case[key].as_u64().unwrap();
        let (start, end, size) = (number("start"), number("end"), number("size"));
        let hash = RootHash::from_bytes(base64_exact(text(case, "hash")).unwrap());
        assert_eq!(subtree_root(&tree, start, end), Ok(hash));
        let theirs = SubtreeProof::from_path(path(case)).unwrap();
        assert_eq!(prove_subtree(&tree, start, end, size), Ok(theirs.clone()));
        assert_eq!(theirs.check(start, end, hash, size, root_at(&tree, size).unwrap()), Ok(()));
    }
}

#[test]
fn one_hash_covers_every_proof_up_to_size_300() {
    let vectors = load("tree.json");
    let tree = leaves(300);
    let (mut inclusion, mut consistency) = (String::new(), String::new());
    let write = |all: &mut String, head: String, path: &[NodeHash]| {
        all.push_str(&head);
        path.iter().for_each(|hash| all.push_str(&format!("{}\n", to_base64(hash.as_bytes()))));
    };
    for size in 1..=300 {
        for position in 0..size {
            let proof = prove_inclusion(&tree, position, size).unwrap();
            write(&mut inclusion, format!("{position}/{size}\n"), proof.path());
        }
        for old in 1..=size {
            let proof = prove_consistency(&tree, old, size).unwrap();
            write(&mut consistency, format!("{old}>{size}\n"), proof.path());
        }
    }
    assert_eq!(Digest::of(inclusion.as_bytes()).to_string(), text(&vectors["accumulated"], "inclusion"));
    assert_eq!(Digest::of(consistency.as_bytes()).to_string(), text(&vectors["accumulated"], "consistency"));
}

#[test]
fn tiles_their_paths_and_entry_bundles_equal_tessera_s() {
    let vectors = load("tile.json");
    for case in list(&vectors, "refused") {
        judge(case, TilePath::parse(text(case, "path")).is_ok());
    }
    for case in list(&vectors, "paths") {
        let resource = case["level"].as_u64().map_or(Resource::Entries, |level| Resource::Level(level as u8));
        let width = match case["width"].as_u64().unwrap() {
            0 => 256,
            width => width as u16,
        };
        let ours = TilePath { resource, index: case["index"].as_u64().unwrap(), width };
        assert_eq!(ours.to_string(), text(case, "path"));
        assert_eq!(TilePath::parse(text(case, "path")), Ok(ours));
    }
    for case in list(&vectors, "trees") {
        let size = case["size"].as_u64().unwrap();
        let tree = leaves(size);
        assert_eq!(to_base64(root_at(&tree, size).unwrap().as_bytes()), text(case, "root"));
        let ours = tiles_for(0, size);
        let files: Vec<_> = ["tiles", "bundles"].iter().flat_map(|kind| list(case, kind)).collect();
        // Of the largest tree only the rightmost files are in the vectors.
        assert!(files.len() == ours.len() || size > 60_000);
        for file in files {
            let path = TilePath::parse(text(file, "path")).unwrap();
            assert!(ours.contains(&path), "{path} of size {size}");
            assert_eq!(Digest::of(&contents(&tree, &path)).to_string(), text(file, "sha256"), "{path} of size {size}");
        }
    }
}

/// The bytes of one tile or bundle of the tree of `leaf 0`, `leaf 1` and so on.
fn contents(tree: &MemoryTree, path: &TilePath) -> Vec<u8> {
    let range = path.index * 256..path.index * 256 + u64::from(path.width);
    match path.resource {
        Resource::Entries => {
            let entries: Vec<_> = range.map(|i| format!("leaf {i}").into_bytes()).collect();
            encode_bundle(entries.iter().map(Vec::as_slice)).unwrap()
        }
        Resource::Level(level) => {
            let hashes = range.map(|i| tree.node(level * 8, i).unwrap()).collect();
            Tile::from_hashes(hashes).unwrap().to_bytes()
        }
    }
}

#[test]
fn policies_get_the_verdicts_written_down_and_every_quorum_equals_go_s() {
    let vectors = load("policy.json");
    for case in list(&vectors, "cases") {
        judge(case, Policy::parse(text(case, "policy").as_bytes()).is_ok());
    }
    for case in list(&vectors, "quorums") {
        let policy = Policy::parse(text(case, "policy").as_bytes()).unwrap();
        for set in 0..16u64 {
            let lines: String = (1..=4)
                .filter(|witness| set & (1 << (witness - 1)) != 0)
                .map(|witness| text(&vectors["lines"], &format!("w{witness}")))
                .collect();
            let note = format!("{}{lines}", text(&vectors, "text"));
            let enough = list(case, "enough").iter().any(|enough| enough.as_u64() == Some(set));
            assert_eq!(policy.verify(note.as_bytes()).is_ok(), enough, "{}: set {set:04b}", text(case, "name"));
        }
    }
}

#[test]
fn proofs_of_inclusion_get_the_verdicts_written_down() {
    let vectors = load("tlog-proof.json");
    let policy = Policy::parse(text(&vectors, "policy").as_bytes()).unwrap();
    let verdict = |case: &Value| {
        TlogProof::parse(text(case, "proof").as_bytes())
            .is_ok_and(|proof| check(&proof, text(case, "entry").as_bytes(), &policy).is_ok())
    };
    for case in list(&vectors, "cases") {
        judge(case, verdict(case));
    }
    for proof in list(&vectors, "proofs") {
        assert!(verdict(proof), "{}", text(proof, "proof"));
    }
}

#[test]
fn the_corners_of_ed25519_get_the_verdicts_written_down() {
    let vectors = load("ed25519-edges.json");
    let key = |case: &Value| PublicKey::from_bytes(&bytes(text(case, "key")));
    for case in list(&vectors, "keys") {
        judge(case, key(case).is_ok());
    }
    let signatures = list(&vectors, "signatures");
    assert!(signatures.len() > 100);
    for case in signatures {
        let signature = Signature::from_bytes(bytes(text(case, "sig")));
        judge(case, key(case).is_ok_and(|key| key.verify(text(case, "msg").as_bytes(), &signature).is_ok()));
    }
}

#[test]
fn openssl_s_keys_are_read_and_other_kinds_refused() {
    let file = |name: &str| std::fs::read_to_string(folder().join("openssl").join(name)).unwrap();
    for name in ["ed25519", "ed25519-second"] {
        let secret = SecretKey::from_pkcs8_pem(&file(&format!("{name}-private.pem"))).unwrap();
        assert_eq!(Ok(secret.public()), PublicKey::from_pem(&file(&format!("{name}-public.pem"))));
        assert_eq!(secret.public().key_id().to_string(), file(&format!("{name}.kid")).trim());
        assert_eq!(secret.to_pkcs8_pem(), file(&format!("{name}-private.pem")));
        assert_eq!(secret.public().to_pem(), file(&format!("{name}-public.pem")));
    }
    for name in ["ed448", "p256", "x25519"] {
        assert!(SecretKey::from_pkcs8_pem(&file(&format!("{name}-private.pem"))).is_err(), "{name}");
        assert!(PublicKey::from_pem(&file(&format!("{name}-public.pem"))).is_err(), "{name}");
    }
}

#[test]
fn a_key_type_is_part_of_the_key_id() {
    let vectors = load("cosignature.json");
    let key = &list(&vectors, "keys")[0];
    let vkey: VerifierKey = text(key, "vkey").parse().unwrap();
    let Material::Cosigner(public) = vkey.material() else { panic!("a cosigner's key") };
    let as_log = VerifierKey::new(vkey.name().clone(), Material::Log(*public));
    assert!(as_log.same_key(&vkey));
    assert_ne!(as_log.hash(), vkey.hash());
}

fn leaves(size: u64) -> MemoryTree {
    let mut tree = MemoryTree::new();
    (0..size).for_each(|i| tree.push(leaf_hash(format!("leaf {i}").as_bytes())));
    tree
}

fn path(case: &Value) -> Vec<NodeHash> {
    list(case, "path").iter().map(|hash| NodeHash::from_bytes(base64_exact(hash.as_str().unwrap()).unwrap())).collect()
}

/// Compares our verdict with the one in the case.
#[track_caller]
fn judge(case: &Value, accepted: bool) {
    assert_eq!(if accepted { "accepts" } else { "refuses" }, text(case, "stele"), "{case}");
}

fn bytes<const N: usize>(hex: &str) -> [u8; N] {
    hex::decode(hex).unwrap().try_into().unwrap()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} in {value}"))
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().unwrap_or_else(|| panic!("{key}"))
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/foreign"))
}

fn load(name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(folder().join(name)).unwrap()).unwrap()
}
