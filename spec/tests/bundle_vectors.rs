//! The vectors in `spec/vectors/bundle`: written here, by `STELE_WRITE_VECTORS=1 cargo test -p stele-spec --test bundle_vectors`, and compared
//! with what is in the repository by the same test without the variable. Every code is written by hand; nothing is expected because it was found.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

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

struct Case {
    comment: String,
    policy: &'static str,
    bundle: Vec<u8>,
    expected: Result<u64, &'static str>,
}

struct World {
    log: Log,
    /// Another log in which the same name is claimed by the same key.
    other: Log,
    /// A log with the first one's key and other entries: a fork of the same size.
    fork: Log,
    cases: Vec<Case>,
}

const EARLY: u64 = 1;
const CLAIM: u64 = 2;
const CLAIM_OTHER: u64 = 3;
const TINY: u64 = 4;
const TINY_NEXT: u64 = 5;
const OF_OTHER: u64 = 6;
const STRANGER: u64 = 7;
const FORGED: u64 = 8;
const UNLIKE: u64 = 9;
const CHANGE: u64 = 10;
const LATE_OLD_KEY: u64 = 11;
const LATE_NEW_KEY: u64 = 12;

impl World {
    fn new() -> Self {
        let (first, second, other) = (key(50), key(51), key(60));
        let (tiny, next) = (manifest(b"the weights"), manifest(b"other weights"));
        let mut log = Log::new(ORIGIN, 1);
        let acme = "acme.example";
        log.push(b"the first entry");
        assert_eq!(log.push(&signed(release(acme, "0.9.0", &tiny), &first)), EARLY);
        assert_eq!(log.push(&claim(acme, &first)), CLAIM);
        assert_eq!(log.push(&claim("other.example", &other)), CLAIM_OTHER);
        assert_eq!(log.push(&signed(release(acme, "1.0.0", &tiny), &first)), TINY);
        assert_eq!(log.push(&signed(release(acme, "1.1.0", &next), &first)), TINY_NEXT);
        assert_eq!(log.push(&signed(release("other.example", "1.0.0", &tiny), &other)), OF_OTHER);
        assert_eq!(log.push(&signed(release(acme, "1.2.0", &tiny), &other)), STRANGER);
        let mut forged = signed(release(acme, "1.3.0", &tiny), &first);
        *forged.last_mut().unwrap() ^= 1;
        assert_eq!(log.push(&forged), FORGED);
        let mut unlike = release(acme, "1.4.0", &tiny);
        unlike.weights.bytes += 1;
        assert_eq!(log.push(&signed(unlike, &first)), UNLIKE);
        let changed = change(acme, &first, &second, (CLAIM, &log.entries[CLAIM as usize]));
        assert_eq!(log.push(&changed), CHANGE);
        assert_eq!(log.push(&signed(release(acme, "2.0.0", &tiny), &first)), LATE_OLD_KEY);
        assert_eq!(log.push(&signed(release(acme, "2.1.0", &tiny), &second)), LATE_NEW_KEY);
        let mut elsewhere = Log::new("elsewhere.example/log", 2);
        elsewhere.push(b"the first entry");
        elsewhere.push(&claim(acme, &first));
        let mut fork = Log::new(ORIGIN, 1);
        for at in 0..log.entries.len() {
            let entry = if at == 0 { b"another first entry".to_vec() } else { log.entries[at].clone() };
            fork.push(&entry);
        }
        Self { log, other: elsewhere, fork, cases: Vec::new() }
    }

    fn raw(
        &mut self,
        comment: impl Into<String>,
        policy: &'static str,
        bundle: Vec<u8>,
        expected: Result<u64, &'static str>,
    ) {
        self.cases.push(Case { comment: comment.into(), policy, bundle, expected });
    }

    fn refuse(&mut self, code: &'static str, comment: impl Into<String>, bundle: &Bundle) {
        self.raw(comment, "two of three", bundle.encode().unwrap(), Err(code));
    }

    fn cases(mut self) -> (Vec<Case>, Vec<(&'static str, String)>) {
        let (tiny, next) = (manifest(b"the weights"), manifest(b"other weights"));
        let size = self.log.size();
        let good = self.log.bundle(TINY, &tiny, &[CLAIM]);
        let encoded = good.encode().unwrap();

        // Parts of two bundles.
        self.refuse(
            "manifest-digest-differs",
            "the manifest of another release",
            &Bundle { manifest: next.encode(), ..good.clone() },
        );
        let another = Bundle { proof: self.log.proof(TINY_NEXT), ..good.clone() };
        self.refuse("not-in-log", "the proof of another release of the publisher", &another);
        let another = Bundle { statement: self.log.entries[TINY_NEXT as usize].clone(), ..good.clone() };
        self.refuse("not-in-log", "the statement of another release of the publisher", &another);
        let another = Bundle { keys: vec![self.log.logged(CLAIM_OTHER)], ..good.clone() };
        self.refuse("key-not-held", "the key statements of another publisher", &another);
        let mut claim_of_other = self.log.logged(CLAIM);
        claim_of_other.proof = self.log.proof(CLAIM_OTHER);
        let another = Bundle { keys: vec![claim_of_other], ..good.clone() };
        self.refuse("not-in-log", "the claim with the proof of another claim", &another);
        let proof = self.log.proof_with(TINY, size, self.log.checkpoint(size - 1, 3));
        self.refuse("not-in-log", "the path in one tree, the checkpoint of another", &Bundle { proof, ..good.clone() });
        let proof = self.log.proof_with(TINY, size, self.fork.checkpoint(size, 3));
        self.refuse("log-forked", "the checkpoint of a fork", &Bundle { proof, ..good.clone() });
        let (head, older) = (self.log.checkpoint(size, 3), self.log.checkpoint(size - 1, 3));
        let lines = [&head.signatures()[..1], &older.signatures()[1..]].concat();
        let proof = self.log.proof_with(TINY, size, with_lines(&head, lines));
        self.refuse("bad-cosignature", "the cosignatures of another checkpoint", &Bundle { proof, ..good.clone() });
        let lines = [&older.signatures()[..1], &head.signatures()[1..]].concat();
        let proof = self.log.proof_with(TINY, size, with_lines(&head, lines));
        self.refuse(
            "bad-log-signature",
            "the log's signature of another checkpoint",
            &Bundle { proof, ..good.clone() },
        );
        let fork = LoggedStatement { proof: self.fork.proof(CLAIM), ..self.log.logged(CLAIM) };
        self.refuse(
            "log-forked",
            "the claim under another root of the same size",
            &Bundle { keys: vec![fork], ..good.clone() },
        );
        // A fork of another size has another claim at the same entry: no two roots of one size show it.
        let mut shorter = Log::new(ORIGIN, 1);
        self.log.entries.iter().take(CLAIM as usize).for_each(|entry| {
            shorter.push(entry);
        });
        shorter.push(&claim("acme.example", &key(60)));
        let keys = vec![self.log.logged(CLAIM), shorter.logged(CLAIM)];
        self.refuse("key-history-broken", "two claims at one entry", &Bundle { keys, ..good.clone() });
        let keys = vec![self.log.logged(CLAIM), self.log.logged(CLAIM)];
        let twice = Bundle { keys, ..good.clone() }.encode().unwrap();
        self.raw("the claim twice", "two of three", twice, Ok(TINY));
        let elsewhere = self.other.logged(1);
        let bundle = Bundle { keys: vec![elsewhere], ..good.clone() }.encode().unwrap();
        self.raw("the claim in another log of the policy", "two logs", bundle.clone(), Err("other-log"));
        self.raw("the claim in a log that the policy does not have", "two of three", bundle, Err("unknown-log"));

        // Who signed.
        self.refuse("key-not-held", "no key statements", &Bundle { keys: vec![], ..good.clone() });
        let bundle = self.log.bundle(STRANGER, &tiny, &[CLAIM]);
        self.refuse("key-not-held", "signed by a key that never held the name", &bundle);
        let bundle = self.log.bundle(STRANGER, &tiny, &[CLAIM, CLAIM_OTHER]);
        self.refuse("key-not-held", "signed by a key that holds another name", &bundle);
        let bundle = self.log.bundle(EARLY, &tiny, &[CLAIM]);
        self.refuse("claimed-later", "released before the name was claimed", &bundle);
        let bundle = self.log.bundle(LATE_OLD_KEY, &tiny, &[CLAIM, CHANGE]);
        self.refuse("key-revoked", "signed by a key after it was revoked", &bundle);
        let bundle = self.log.bundle(LATE_NEW_KEY, &tiny, &[CLAIM]);
        self.refuse("key-not-held", "signed by a new key, without the change of keys", &bundle);
        let bundle = self.log.bundle(LATE_NEW_KEY, &tiny, &[CHANGE]);
        self.refuse("key-history-broken", "the change of keys without the claim before it", &bundle);
        let bundle = self.log.bundle(FORGED, &tiny, &[CLAIM]);
        self.refuse("bad-signature", "logged, and the signature is not the key's", &bundle);

        // The policy.
        for (policy, code, comment) in [
            ("three of three", "quorum-missing", "two cosignatures of three that are needed"),
            ("another log", "unknown-log", "a policy without this log"),
            ("another key", "other-log-key", "a policy with another key for this log"),
        ] {
            let proof = self.log.proof_with(TINY, size, self.log.checkpoint(size, 2));
            self.raw(comment, policy, Bundle { proof, ..good.clone() }.encode().unwrap(), Err(code));
        }
        for cosigning in [0, 1] {
            let proof = self.log.proof_with(TINY, size, self.log.checkpoint(size, cosigning));
            let comment = format!("{cosigning} of two cosignatures that are needed");
            self.refuse("quorum-missing", comment, &Bundle { proof, ..good.clone() });
        }
        let lines = head.signatures()[1..].to_vec();
        let proof = self.log.proof_with(TINY, size, with_lines(&head, lines));
        self.refuse("other-log-key", "all witnesses, and no signature of the log", &Bundle { proof, ..good.clone() });
        let proof = self.log.proof_with(CLAIM, size, self.log.checkpoint(size - 1, 1));
        let keys = vec![LoggedStatement { proof, ..good.keys[0].clone() }];
        self.refuse(
            "quorum-missing",
            "the claim under a checkpoint without a quorum",
            &Bundle { keys, ..good.clone() },
        );

        // Each part damaged.
        let bundle = self.log.bundle(CLAIM, &tiny, &[CLAIM]);
        self.refuse("not-a-release", "a claim in the place of a release", &bundle);
        let bundle = self.log.bundle(UNLIKE, &tiny, &[CLAIM]);
        self.refuse("manifest-count-differs", "a release whose numbers are not its manifest's", &bundle);
        let proof = String::from_utf8(good.proof.clone()).unwrap();
        for (comment, text, code) in [
            ("an index one higher", proof.replace("index 4\n", "index 5\n"), "not-in-log"),
            ("an index beyond the tree", proof.replace("index 4\n", "index 13\n"), "not-in-log"),
            ("an index with a zero before it", proof.replace("index 4\n", "index 04\n"), "proof-malformed"),
            ("another size in the checkpoint", proof.replace("\n13\n", "\n12\n"), "bad-log-signature"),
            (
                "another origin in the checkpoint",
                proof.replace("\n\nlog.example/stele\n", "\n\nlog.example/other\n"),
                "unknown-log",
            ),
            ("no empty line before the checkpoint", proof.replacen("\n\n", "\n", 1), "proof-malformed"),
            ("lines with carriage returns", proof.replace('\n', "\r\n"), "proof-malformed"),
            ("another version of the proof", proof.replace("@v1", "@v2"), "proof-malformed"),
        ] {
            assert_ne!(text, proof, "{comment}");
            let comment = format!("proof: {comment}");
            self.refuse(code, comment, &Bundle { proof: text.into_bytes(), ..good.clone() });
        }
        let mut lines: Vec<&str> = proof.split_inclusive('\n').collect();
        lines.remove(2);
        self.refuse(
            "not-in-log",
            "proof: a path that is one hash short",
            &Bundle { proof: lines.concat().into_bytes(), ..good.clone() },
        );
        let mut lines: Vec<&str> = proof.split_inclusive('\n').collect();
        lines.insert(2, lines[2]);
        self.refuse(
            "not-in-log",
            "proof: a path that is one hash long",
            &Bundle { proof: lines.concat().into_bytes(), ..good.clone() },
        );
        self.refuse("proof-malformed", "no proof", &Bundle { proof: vec![], ..good.clone() });
        let keys = vec![LoggedStatement { proof: vec![], ..good.keys[0].clone() }];
        self.refuse("proof-malformed", "no proof of the claim", &Bundle { keys, ..good.clone() });
        let keys = vec![LoggedStatement { statement: vec![], ..good.keys[0].clone() }];
        self.refuse("truncated", "an empty key statement", &Bundle { keys, ..good.clone() });
        self.refuse("truncated", "an empty statement", &Bundle { statement: vec![], ..good.clone() });
        self.refuse("manifest-encoding", "no manifest", &Bundle { manifest: vec![], ..good.clone() });
        let cut = good.manifest[..good.manifest.len() - 1].to_vec();
        self.refuse(
            "manifest-encoding",
            "a manifest that is one byte short",
            &Bundle { manifest: cut, ..good.clone() },
        );
        for end in [0, 1, 5, encoded.len() / 2, encoded.len() - 1] {
            let comment = format!("the first {end} bytes of a bundle");
            self.raw(comment, "two of three", encoded[..end].to_vec(), Err("bundle-malformed"));
        }
        let long = [encoded.as_slice(), &[0]].concat();
        self.raw("a bundle and one byte more", "two of three", long, Err("bundle-malformed"));
        let at = encoded.windows(15).position(|bytes| bytes == b"stele/bundle@v1").unwrap();
        let mut version = encoded.clone();
        version[at + 14] = b'2';
        self.raw("another version of the bundle", "two of three", version, Err("bundle-malformed"));
        let mut double = encoded.clone();
        // The map says that it has six fields.
        double[0] += 1;
        self.raw("a bundle that says a field more than it has", "two of three", double, Err("bundle-malformed"));

        // What is accepted.
        self.raw("a release", "two of three", encoded.clone(), Ok(TINY));
        let two = Bundle { proof: self.log.proof_with(TINY, size, self.log.checkpoint(size, 2)), ..good.clone() };
        self.raw(
            "a release with two cosignatures of two that are needed",
            "two of three",
            two.encode().unwrap(),
            Ok(TINY),
        );
        let keys = vec![LoggedStatement { proof: self.log.proof_in(CLAIM, size - 1), ..good.keys[0].clone() }];
        let older = Bundle { keys, ..good.clone() };
        self.raw("the claim under an older checkpoint", "two of three", older.encode().unwrap(), Ok(TINY));
        let proof = self.log.proof_with(CLAIM, size - 1, self.log.checkpoint_by(&self.log.second, size - 1, 3));
        let keys = vec![LoggedStatement { proof, ..good.keys[0].clone() }];
        let second = Bundle { keys, ..good.clone() }.encode().unwrap();
        self.raw("the claim under a checkpoint of the log's other key", "two keys", second.clone(), Ok(TINY));
        self.raw(
            "the claim under a checkpoint of a key of the log that the policy does not have",
            "two of three",
            second,
            Err("other-log-key"),
        );
        let revoked = self.log.bundle(TINY, &tiny, &[CLAIM, CHANGE]);
        self.raw("signed by a key that was revoked later", "two of three", revoked.encode().unwrap(), Ok(TINY));
        let rotated = self.log.bundle(LATE_NEW_KEY, &tiny, &[CLAIM, CHANGE]);
        self.raw(
            "signed by the key that replaced the first",
            "two of three",
            rotated.encode().unwrap(),
            Ok(LATE_NEW_KEY),
        );
        let rotated = self.log.bundle(LATE_NEW_KEY, &tiny, &[CHANGE, CLAIM]);
        self.raw("the key statements in another order", "two of three", rotated.encode().unwrap(), Ok(LATE_NEW_KEY));
        let others = self.log.bundle(TINY, &tiny, &[CLAIM_OTHER, CLAIM]);
        self.raw("a key statement of another publisher beside", "two of three", others.encode().unwrap(), Ok(TINY));
        let other = self.log.bundle(OF_OTHER, &tiny, &[CLAIM_OTHER]);
        self.raw(
            "a release of another publisher with the same files",
            "two of three",
            other.encode().unwrap(),
            Ok(OF_OTHER),
        );

        let with_other = self.log.policy("2").replacen('\n', &format!("\nlog {}\n", self.other.signer.verifier()), 1);
        let with_second = self.log.policy("2").replacen('\n', &format!("\nlog {}\n", self.log.second.verifier()), 1);
        let policies = vec![
            ("two keys", with_second),
            ("two of three", self.log.policy("2")),
            ("three of three", self.log.policy("all")),
            ("another log", self.other.policy("2")),
            ("another key", Log::new(ORIGIN, 3).policy("2")),
            ("two logs", with_other),
        ];
        self.cases.sort_by_key(|case| case.expected.is_ok());
        (self.cases, policies)
    }
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
        let found = found.map(|release| release.entry_index()).map_err(|error| error.code());
        if found != case.expected {
            wrong.push(format!("{}: expected {:?}, found {found:?}", case.comment, case.expected));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let cases: Vec<Json> = cases
        .iter()
        .map(|case| {
            let mut json = json!({ "comment": case.comment, "policy": case.policy });
            match case.expected {
                Ok(entry) => json["accept"] = json!({ "entry": entry }),
                Err(code) => json["refuse"] = code.into(),
            }
            json["bundle"] = to_base64(&case.bundle).into();
            json
        })
        .collect();
    let policies: serde_json::Map<String, Json> =
        policies.into_iter().map(|(name, text)| (name.to_owned(), text.into())).collect();
    let document = json!({
        "comment": "Bundles (base64) under a policy, each refused with the code or accepted as the release at the entry (spec/text/verify.md). The refused ones come first.",
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
            Ok(release) => assert_eq!(case["accept"]["entry"], release.entry_index(), "{}", case["comment"]),
            Err(error) => assert_eq!(case["refuse"], error.code(), "{}", case["comment"]),
        }
    }
}

#[test]
fn no_byte_of_a_bundle_can_change_what_is_accepted() {
    let document: Json = serde_json::from_slice(&std::fs::read(file()).unwrap()).unwrap();
    let case = document["cases"].as_array().unwrap().iter().find(|case| case["comment"] == "a release").unwrap();
    let policy = Policy::parse(document["policies"]["two of three"].as_str().unwrap().as_bytes()).unwrap();
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
