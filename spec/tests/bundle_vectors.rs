//! The vectors in `spec/vectors/bundle`: written here, by `STELE_WRITE_VECTORS=1 cargo test -p stele-spec --test bundle_vectors`, and compared
//! with what is in the repository by the same test without the variable. Every code is written by hand; nothing is expected because it was found.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

#[path = "bundle_vectors/names.rs"]
mod names;
#[path = "bundle_vectors/world.rs"]
mod world;

use std::path::PathBuf;

use serde_json::{Value as Json, json};
use stele_explain::Explain as _;
use stele_spec::bundle::{Bundle, LoggedStatement};
use stele_spec::checkpoint::{Checkpoint, sign_checkpoint};
use stele_spec::cosignature::{UnixTime, cosign};
use stele_spec::key::SecretKey;
use stele_spec::manifest::{FileDigests, FilePath, Manifest, ManifestFile, Role};
use stele_spec::merkle::{MemoryTree, leaf_hash, prove_inclusion, root_at};
use stele_spec::note::{KeyType, SignedNote, SignerKey};
use stele_spec::policy::Policy;
use stele_spec::proof::TlogProof;
use stele_spec::statement::{Action, LoggedEntry, PublisherClaim, Release, SignedStatement, Statement, sign};
use stele_spec::text::{base64, to_base64};
use stele_spec::verify::{VerifiedRelease, verify};

use world::{Accepted, World};

const ORIGIN: &str = "log.example/stele";
/// 2026-06-25T09:31:00Z.
const COSIGNED: u64 = 1_782_379_860;

/// A log with its whole tree, and three witnesses that cosign what it shows.
struct Log {
    signer: SignerKey,
    /// The same log's key of another kind.
    second: SignerKey,
    witnesses: Vec<SignerKey>,
    entries: Vec<Vec<u8>>,
    tree: MemoryTree,
}

impl Log {
    fn new(origin: &str, seed: u8) -> Self {
        let witness = |n: u8| {
            let name = format!("witness-{n}.example/w");
            SignerKey::new(name.parse().unwrap(), KeyType::Cosigner, [100 + n; 32])
        };
        let signer = SignerKey::new(origin.parse().unwrap(), KeyType::Log, [seed; 32]);
        let second = SignerKey::new(origin.parse().unwrap(), KeyType::MlDsa, [seed + 100; 32]);
        Self { signer, second, witnesses: (1..=3).map(witness).collect(), entries: Vec::new(), tree: MemoryTree::new() }
    }

    fn push(&mut self, entry: &[u8]) -> u64 {
        self.tree.push(leaf_hash(entry));
        self.entries.push(entry.to_vec());
        self.entries.len() as u64 - 1
    }

    fn size(&self) -> u64 {
        self.entries.len() as u64
    }

    /// The checkpoint of a size, cosigned by so many witnesses.
    fn checkpoint(&self, size: u64, cosigning: usize) -> SignedNote {
        self.checkpoint_by(&self.signer, size, cosigning)
    }

    fn checkpoint_by(&self, signer: &SignerKey, size: u64, cosigning: usize) -> SignedNote {
        let origin = signer.verifier().name().as_str().parse().unwrap();
        let checkpoint = Checkpoint::new(origin, size, root_at(&self.tree, size).unwrap());
        let note = sign_checkpoint(&checkpoint, signer).unwrap();
        let mut lines = note.signatures().to_vec();
        for (n, witness) in self.witnesses.iter().take(cosigning).enumerate() {
            lines.push(cosign(note.text(), witness, UnixTime::new(COSIGNED + n as u64).unwrap()).unwrap());
        }
        SignedNote::new(note.text().to_owned(), lines).unwrap()
    }

    fn proof_in(&self, index: u64, size: u64) -> Vec<u8> {
        self.proof_with(index, size, self.checkpoint(size, 3))
    }

    fn proof_with(&self, index: u64, size: u64, checkpoint: SignedNote) -> Vec<u8> {
        TlogProof::new(index, prove_inclusion(&self.tree, index, size).unwrap(), checkpoint).to_bytes()
    }

    fn proof(&self, index: u64) -> Vec<u8> {
        self.proof_in(index, self.size())
    }

    fn logged(&self, index: u64) -> LoggedStatement {
        LoggedStatement { statement: self.entries[index as usize].clone(), proof: self.proof(index) }
    }

    fn bundle(&self, index: u64, manifest: &Manifest, keys: &[u64]) -> Bundle {
        Bundle {
            statement: self.entries[index as usize].clone(),
            manifest: manifest.encode(),
            proof: self.proof(index),
            keys: keys.iter().map(|key| self.logged(*key)).collect(),
            names: None,
        }
    }

    fn policy(&self, needed: &str) -> String {
        let mut text = format!("log {}\n", self.signer.verifier());
        for (n, witness) in self.witnesses.iter().enumerate() {
            text += &format!("witness w{} {}\n", n + 1, witness.verifier());
        }
        text + &format!("group operators {needed} w1 w2 w3\nquorum operators\n")
    }
}

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed([seed; 32])
}

/// The manifest of the sample release, with other weights.
fn manifest(weights: &[u8]) -> Manifest {
    let sample: Json = serde_json::from_str(include_str!("../vectors/statement/manifest.json")).unwrap();
    let file = |file: &Json| {
        let path: FilePath = file["path"].as_str().unwrap().parse().unwrap();
        let content = format!("The content of {path}.\n");
        let role = Role::of_path(&path);
        let bytes = if path.as_str() == "model.safetensors" { weights } else { content.as_bytes() };
        let FileDigests { size, sha256, git_sha1 } = FileDigests::of(bytes);
        ManifestFile { role, path, size, sha256, git_sha1 }
    };
    Manifest::new(sample["files"].as_array().unwrap().iter().map(file).collect()).unwrap()
}

fn release(publisher: &str, version: &str, manifest: &Manifest) -> Release {
    let sample = include_str!("../vectors/statement/sample-release.toml");
    let mut release: Release = toml::from_str(sample).unwrap();
    release.publisher.name = publisher.parse().unwrap();
    release.model.version = version.parse().unwrap();
    release.manifest = manifest.digest();
    release.weights.digest = manifest.weights_digest();
    release.weights.files = manifest.weights_files();
    release.weights.bytes = manifest.weights_bytes();
    release.tree.digest = manifest.tree_digest();
    for evaluation in &mut release.evaluations {
        evaluation.subject = manifest.weights_digest();
    }
    release
}

fn signed(release: Release, key: &SecretKey) -> Vec<u8> {
    sign(&Statement::Release(Box::new(release)), key).unwrap().bytes().to_vec()
}

fn claim(publisher: &str, key: &SecretKey) -> Vec<u8> {
    let issued_at = "2026-06-24T09:30:00Z".parse().unwrap();
    let claim = PublisherClaim::new(publisher.parse().unwrap(), issued_at, &[key.public()]);
    sign(&Statement::Publisher(claim), key).unwrap().bytes().to_vec()
}

/// A release, approved by further keys.
fn signed_by(release: Release, signer: u8, approvers: &[u8]) -> Vec<u8> {
    let mut statement = Statement::Release(Box::new(release));
    approvers.iter().for_each(|seed| statement.approve(&key(*seed)).unwrap());
    sign(&statement, &key(signer)).unwrap().bytes().to_vec()
}

/// A change of keys after an entry: those added, those revoked, and both thresholds.
struct KeyChange<'a> {
    after: (u64, &'a [u8]),
    add: &'a [u8],
    revoke: &'a [u8],
    threshold: u64,
    release_threshold: Option<u64>,
}

impl KeyChange<'_> {
    fn signed_by(&self, publisher: &str, signer: u8, approvers: &[u8]) -> Vec<u8> {
        let issued_at = "2026-06-27T09:30:00Z".parse().unwrap();
        let add: Vec<_> = self.add.iter().map(|seed| key(*seed).public()).collect();
        let mut change = PublisherClaim::new(publisher.parse().unwrap(), issued_at, &add);
        change.action = if self.add.is_empty() { Action::Revoke } else { Action::Add };
        change.revoked = self.revoke.iter().map(|seed| key(*seed).public().key_id()).collect();
        (change.threshold, change.release_threshold) = (self.threshold, self.release_threshold);
        change.previous = Some(LoggedEntry { entry: self.after.0, leaf_hash: leaf_hash(self.after.1) });
        let mut statement = Statement::Publisher(change);
        approvers.iter().for_each(|seed| statement.approve(&key(*seed)).unwrap());
        sign(&statement, &key(signer)).unwrap().bytes().to_vec()
    }
}

/// The key `new` in place of `old`.
fn change(publisher: &str, old: &SecretKey, new: &SecretKey, previous: (u64, &[u8])) -> Vec<u8> {
    let issued_at = "2026-06-26T09:30:00Z".parse().unwrap();
    let mut change = PublisherClaim::new(publisher.parse().unwrap(), issued_at, &[new.public()]);
    change.action = Action::Rotate;
    change.revoked = vec![old.public().key_id()];
    change.previous = Some(LoggedEntry { entry: previous.0, leaf_hash: leaf_hash(previous.1) });
    sign(&Statement::Publisher(change), old).unwrap().bytes().to_vec()
}

/// The same note text with other signature lines.
fn with_lines(text: &SignedNote, lines: Vec<stele_spec::note::NoteSignature>) -> SignedNote {
    SignedNote::new(text.text().to_owned(), lines).unwrap()
}

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors/bundle/bundles.json")
}

#[test]
fn the_vectors_are_those_that_this_program_writes() {
    let (cases, policies) = World::new().cases();
    let policy = |name: &str| &policies.iter().find(|(known, _)| *known == name).unwrap().1;
    let mut wrong = Vec::new();
    for case in &cases {
        let found = verify(&case.bundle, &Policy::parse(policy(case.policy).as_bytes()).unwrap());
        let found = found.map(|release| Accepted::found(&release)).map_err(|error| error.code());
        if found != case.expected {
            wrong.push(format!("{}: expected {:?}, found {found:?}", case.comment, case.expected));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let cases: Vec<Json> = cases
        .iter()
        .map(|case| {
            let mut json = json!({ "comment": case.comment, "policy": case.policy });
            match &case.expected {
                Ok(accepted) => json["accept"] = accepted.json(),
                Err(code) => json["refuse"] = (*code).into(),
            }
            json["bundle"] = to_base64(&case.bundle).into();
            json
        })
        .collect();
    let policies: serde_json::Map<String, Json> =
        policies.into_iter().map(|(name, text)| (name.to_owned(), text.into())).collect();
    let document = json!({
        "comment": "Bundles (base64) under a policy, each refused with the code or accepted as the release at the entry, with what it proves of completeness (spec/text/verify.md). The refused ones come first.",
        "policies": policies,
        "cases": cases,
    });
    let text = format!("{}\n", serde_json::to_string_pretty(&document).unwrap());
    if std::env::var_os("STELE_WRITE_VECTORS").is_some() {
        std::fs::write(file(), &text).unwrap();
    }
    assert!(
        std::fs::read_to_string(file()).unwrap_or_default() == text,
        "bundles.json differs; if that is meant, write it again"
    );
}

#[test]
fn each_vector_is_accepted_or_refused_as_it_says() {
    let document: Json = serde_json::from_slice(&std::fs::read(file()).unwrap()).unwrap();
    let cases = document["cases"].as_array().unwrap();
    assert!(cases.len() > 60, "{}", cases.len());
    for case in cases {
        let policy = document["policies"][case["policy"].as_str().unwrap()].as_str().unwrap();
        let bundle = base64(case["bundle"].as_str().unwrap()).unwrap();
        match verify(&bundle, &Policy::parse(policy.as_bytes()).unwrap()) {
            Ok(release) => assert_eq!(case["accept"], Accepted::found(&release).json(), "{}", case["comment"]),
            Err(error) => assert_eq!(case["refuse"], error.code(), "{}", case["comment"]),
        }
    }
}

#[test]
fn no_byte_of_a_bundle_can_change_what_is_accepted() {
    let document: Json = serde_json::from_slice(&std::fs::read(file()).unwrap()).unwrap();
    for comment in ["a release", "names: a withdrawal by a key that came later"] {
        no_byte_can_change(&document, comment);
    }
}

fn no_byte_can_change(document: &Json, comment: &str) {
    let case = document["cases"].as_array().unwrap().iter().find(|case| case["comment"] == comment).unwrap();
    let policy = document["policies"][case["policy"].as_str().unwrap()].as_str().unwrap();
    let policy = Policy::parse(policy.as_bytes()).unwrap();
    let bundle = base64(case["bundle"].as_str().unwrap()).unwrap();
    let good = verify(&bundle, &policy).unwrap();
    for at in (0..bundle.len()).step_by(7) {
        let mut changed = bundle.clone();
        changed[at] ^= 1;
        // The claim's copy of the checkpoint has signature lines that nobody relies on.
        if let Ok(found) = verify(&changed, &policy) {
            let statement = |release: &VerifiedRelease| release.statement().value().bytes().to_vec();
            assert_eq!(statement(&found), statement(&good), "byte {at}");
            assert_eq!(found.manifest(), good.manifest(), "byte {at}");
            assert_eq!(found.checkpoint().checkpoint(), good.checkpoint().checkpoint(), "byte {at}");
            assert_eq!(found.completeness().as_str(), good.completeness().as_str(), "byte {at}");
            assert_eq!(found.history(), good.history(), "byte {at}");
        }
    }
}

/// A statement that is in the vectors is one that a log may hold.
#[test]
fn the_statements_of_the_vectors_are_statements() {
    let world = World::new();
    for entry in &world.log.entries[1..] {
        SignedStatement::parse(entry).unwrap();
    }
}
