//! A log, three witnesses, a publisher and a model's folder, all in this process; `stele` itself is the real binary.

#![allow(dead_code, reason = "each test file uses its part")]

pub(crate) mod publishing;
mod served;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use stele_schemas::document;
use stele_spec::bundle::{Bundle, LoggedStatement};
use stele_spec::checkpoint::{Checkpoint, sign_checkpoint};
use stele_spec::cosignature::{UnixTime, cosign};
use stele_spec::key::SecretKey;
use stele_spec::manifest::{FileDigests, Manifest, ManifestFile, Role};
use stele_spec::merkle::{MemoryTree, leaf_hash, prove_inclusion, root_at};
use stele_spec::note::{KeyType, SignedNote, SignerKey};
use stele_spec::proof::TlogProof;
use stele_spec::statement::{PublisherClaim, Release, Statement, sign};
use tempfile::TempDir;

#[allow(unused_imports, reason = "each test file uses its part")]
pub(crate) use served::{Served, file_server};

pub(crate) const ORIGIN: &str = "log.example/stele";
pub(crate) const PUBLISHER: &str = "acme.example";
/// 2026-06-25T09:31:00Z.
pub(crate) const COSIGNED: u64 = 1_782_379_860;

/// The files of the model, in the order of their paths.
pub(crate) const FILES: [(&str, &[u8]); 5] = [
    ("LICENSE", b"Apache License\nVersion 2.0, January 2004\n"),
    ("README.md", b"---\nlicense: apache-2.0\n---\n# Tiny\n"),
    ("config.json", b"{\"architectures\": [\"LlamaForCausalLM\"]}"),
    ("model.safetensors", b"\x38\x00\x00\x00\x00\x00\x00\x00{\"w\":{\"dtype\":\"U8\",\"shape\":[27],\"data_offsets\":[0,27]}} the weights of a tiny model"),
    ("safety/input-classifier.safetensors", b"\x38\x00\x00\x00\x00\x00\x00\x00{\"w\":{\"dtype\":\"U8\",\"shape\":[12],\"data_offsets\":[0,12]}} a classifier"),
];

/// A log with its tree, in memory.
pub(crate) struct Log {
    signer: SignerKey,
    witnesses: Vec<SignerKey>,
    pub(crate) cosigning: usize,
    /// The entry that it gives as the reason for a refusal, if not the true one.
    pub(crate) lies_about: Option<usize>,
    /// The entries that its lookups leave out.
    pub(crate) hidden: Vec<usize>,
    pub(crate) entries: Vec<Vec<u8>>,
    tree: MemoryTree,
}

impl Log {
    pub(crate) fn new(seed: u8) -> Self {
        let signer = SignerKey::new(ORIGIN.parse().unwrap(), KeyType::Log, [seed; 32]);
        let witness = |n: u8| {
            let name = format!("witness-{n}.example/w");
            SignerKey::new(name.parse().unwrap(), KeyType::Cosigner, [100 + n; 32])
        };
        let mut log = Self {
            signer,
            witnesses: (1..=3).map(witness).collect(),
            cosigning: 3,
            lies_about: None,
            hidden: Vec::new(),
            entries: Vec::new(),
            tree: MemoryTree::new(),
        };
        log.push(b"the first entry".to_vec());
        log
    }

    pub(crate) fn push(&mut self, entry: Vec<u8>) -> u64 {
        self.tree.push(leaf_hash(&entry));
        self.entries.push(entry);
        self.entries.len() as u64 - 1
    }

    pub(crate) fn policy(&self, url: Option<&str>, quorum: usize) -> String {
        let mut text = format!("log {} {}\n", self.signer.verifier(), url.unwrap_or(""));
        for (n, witness) in self.witnesses.iter().enumerate() {
            text += &format!("witness w{} {}\n", n + 1, witness.verifier());
        }
        text + &format!("group operators {quorum} w1 w2 w3\nquorum operators\n")
    }

    pub(crate) fn proof(&self, position: u64) -> Vec<u8> {
        let size = self.entries.len() as u64;
        TlogProof::new(position, prove_inclusion(&self.tree, position, size).unwrap(), self.checkpoint()).to_bytes()
    }

    /// Writes the static files of the log, as a mirror keeps them.
    pub(crate) fn mirror(&self, folder: &Path) {
        let size = self.entries.len();
        let manifest = World::manifest();
        let leaves: Vec<u8> = self.entries.iter().flat_map(|entry| *leaf_hash(entry).as_bytes()).collect();
        let length = |entry: &Vec<u8>| u16::try_from(entry.len()).unwrap().to_be_bytes();
        let bundle: Vec<u8> =
            self.entries.iter().flat_map(|entry| [length(entry).as_slice(), entry].concat()).collect();
        for (path, bytes) in [
            ("checkpoint".to_owned(), self.checkpoint().to_bytes()),
            (format!("tile/0/000.p/{size}"), leaves),
            (format!("tile/entries/000.p/{size}"), bundle),
            (format!("manifests/{}", manifest.digest()), manifest.encode()),
        ] {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
    }

    /// The newest head.
    pub(crate) fn checkpoint(&self) -> SignedNote {
        let size = self.entries.len() as u64;
        let checkpoint = Checkpoint::new(ORIGIN.parse().unwrap(), size, root_at(&self.tree, size).unwrap());
        let note = sign_checkpoint(&checkpoint, &self.signer).unwrap();
        let mut lines = note.signatures().to_vec();
        for (n, witness) in self.witnesses.iter().take(self.cosigning).enumerate() {
            lines.push(cosign(note.text(), witness, UnixTime::new(COSIGNED + n as u64).unwrap()).unwrap());
        }
        SignedNote::new(note.text().to_owned(), lines).unwrap()
    }
}

/// A folder with a model that is released.
pub(crate) struct World {
    pub(crate) home: TempDir,
    pub(crate) log: Log,
    pub(crate) key: SecretKey,
}

impl World {
    pub(crate) fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let world = Self { home, log: Log::new(1), key: SecretKey::from_seed([50; 32]) };
        for (path, content) in FILES {
            world.write(path, content);
        }
        world.write_policy(2);
        world
    }

    /// Releases the model and writes the bundle beside it.
    pub(crate) fn released() -> Self {
        let mut world = Self::new();
        let bundle = world.bundle(&SecretKey::from_seed([50; 32]));
        world.write_bundle(&bundle);
        world
    }

    pub(crate) fn model(&self) -> PathBuf {
        self.home.path().join("model")
    }

    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.home.path().join(path)
    }

    pub(crate) fn write(&self, path: &str, content: &[u8]) {
        let path = self.model().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub(crate) fn write_policy(&self, quorum: usize) {
        std::fs::write(self.at("policy"), self.log.policy(None, quorum)).unwrap();
    }

    pub(crate) fn write_bundle(&self, bundle: &Bundle) {
        self.write("release.stele", &bundle.encode().unwrap());
    }

    pub(crate) fn manifest() -> Manifest {
        Manifest::new(FILES.map(Self::manifest_file).to_vec()).unwrap()
    }

    fn manifest_file((path, content): (&str, &[u8])) -> ManifestFile {
        let path: stele_spec::manifest::FilePath = path.parse().unwrap();
        let FileDigests { size, sha256, git_sha1 } = FileDigests::of(content);
        ManifestFile { role: Role::of_path(&path), path, size, sha256, git_sha1 }
    }

    pub(crate) fn release(manifest: &Manifest) -> Release {
        let mut release: Release =
            toml::from_str(include_str!("../../../../../spec/vectors/statement/sample-release.toml")).unwrap();
        release.manifest = manifest.digest();
        release.weights.digest = manifest.weights_digest();
        release.weights.files = manifest.weights_files();
        release.weights.bytes = manifest.weights_bytes();
        release.tree.digest = manifest.tree_digest();
        let digest = |path: &str| manifest.file(&path.parse().unwrap()).unwrap().sha256;
        release.license.text.sha256 = digest("LICENSE");
        release.model_card.sha256 = digest("README.md");
        if let Some(stele_spec::statement::Docs {
            limitations: stele_spec::statement::Document::Present(limitations),
            ..
        }) = &mut release.docs
        {
            limitations.sha256 = digest("README.md");
        }
        release
    }

    /// Claims the name for the world's key and logs a release that has one file more.
    pub(crate) fn bundle_with(&mut self, path: &str, content: &[u8]) -> Bundle {
        let files = FILES.into_iter().chain([(path, content)]).map(Self::manifest_file).collect();
        let manifest = Manifest::new(files).unwrap();
        let mut release = Self::release(&manifest);
        // The sample names a model.sig that there is not.
        (release.weights.oms_root, release.weights.oms_bundle) = (None, None);
        self.bundle_of(&manifest, release, &SecretKey::from_seed([50; 32]))
    }

    /// Claims the name for the world's key and logs a release that `signer` signs.
    pub(crate) fn bundle(&mut self, signer: &SecretKey) -> Bundle {
        let manifest = Self::manifest();
        self.bundle_of(&manifest, Self::release(&manifest), signer)
    }

    fn bundle_of(&mut self, manifest: &Manifest, release: Release, signer: &SecretKey) -> Bundle {
        let claim = PublisherClaim::new(
            PUBLISHER.parse().unwrap(),
            "2026-06-24T09:30:00Z".parse().unwrap(),
            &[self.key.public()],
        );
        let claim = sign(&Statement::Publisher(claim), &self.key).unwrap();
        let release = sign(&Statement::Release(Box::new(release)), signer).unwrap();
        let claimed = self.log.push(claim.bytes().to_vec());
        let released = self.log.push(release.bytes().to_vec());
        // This log has no index, and so no name proofs: a tree that ends with an index entry must have them.
        self.log.push(b"an entry of another kind".to_vec());
        Bundle {
            statement: release.bytes().to_vec(),
            manifest: manifest.encode(),
            proof: self.log.proof(released),
            names: None,
            keys: vec![LoggedStatement { statement: claim.bytes().to_vec(), proof: self.log.proof(claimed) }],
        }
    }

    /// `stele verify` of the model with the world's policy; without `--json` or `--quiet` the whole page.
    pub(crate) fn verify(&self, more: &[&str]) -> Ran {
        self.verify_path(&self.model(), more)
    }

    pub(crate) fn verify_path(&self, path: &Path, more: &[&str]) -> Ran {
        let is_page = !more.iter().any(|argument| ["--json", "--quiet"].contains(argument));
        self.verify_briefly(path, &[more, if is_page { &["--verbose"] } else { &[] }].concat())
    }

    /// `stele verify` with no other arguments than these and the policy.
    pub(crate) fn verify_briefly(&self, path: &Path, more: &[&str]) -> Ran {
        let policy = self.at("policy");
        let mut arguments = vec!["verify", path.to_str().unwrap()];
        if !more.contains(&"--policy") {
            arguments.extend(["--policy", policy.to_str().unwrap()]);
        }
        arguments.extend(more);
        stele_remembering(&arguments, Some(&self.at("state")))
    }
}

/// What a run of `stele` gave.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// The document on stdout, which is as its schema says.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let document: Value = serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        document::check(&document).unwrap_or_else(|refused| panic!("{refused}\n{self:?}"));
        document
    }

    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{self:#?}");
        self
    }

    /// It failed with a code, and said each of these.
    #[track_caller]
    pub(crate) fn fails(self, code: i32, said: &[&str]) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        for text in said {
            assert!(self.err.contains(text), "no {text:?} in {self:#?}");
        }
        self
    }

    /// It failed with a code, and its document has this error.
    #[track_caller]
    pub(crate) fn fails_json(self, code: i32, error: &str) -> Value {
        assert_eq!(self.code, code, "{self:#?}");
        let document = self.json();
        assert_eq!((&document["error"], &document["exit"]), (&error.into(), &code.into()), "{self:#?}");
        document
    }

    #[track_caller]
    pub(crate) fn says(self, said: &[&str]) -> Self {
        for text in said {
            assert!(self.out.contains(text), "no {text:?} in {self:#?}");
        }
        self
    }
}

/// Runs the real binary, with no policy and no memory of this machine.
pub(crate) fn stele(arguments: &[&str]) -> Ran {
    stele_remembering(arguments, None)
}

/// The same with a folder for what is remembered.
pub(crate) fn stele_remembering(arguments: &[&str], state: Option<&Path>) -> Ran {
    let state = state.map(|state| ("STELE_STATE", state.to_str().unwrap()));
    stele_with(arguments, state.as_slice())
}

/// The same with variables of the environment.
pub(crate) fn stele_with(arguments: &[&str], environment: &[(&str, &str)]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stele"));
    let home = tempfile::tempdir().unwrap();
    command.args(arguments).env("HOME", home.path());
    stranger(&mut command, environment);
    ran(command.output().unwrap())
}

/// A process that knows nothing of this machine's user but these variables.
pub(crate) fn stranger(command: &mut Command, environment: &[(&str, &str)]) {
    for name in [
        "STELE_POLICY",
        "STELE_DEFAULTS",
        "STELE_STATE",
        "STELE_CACHE",
        "XDG_CONFIG_HOME",
        "XDG_STATE_HOME",
        "XDG_CACHE_HOME",
        "HF_HOME",
        "HF_HUB_CACHE",
        "HUGGINGFACE_HUB_CACHE",
        "STELE_KEY",
        "STELE_PASSPHRASE",
        "STELE_KEY_GROUP_READABLE",
        "SSH_AUTH_SOCK",
        "http_proxy",
        "https_proxy",
        "HTTPS_PROXY",
        "all_proxy",
        "ALL_PROXY",
        "no_proxy",
        "NO_PROXY",
    ] {
        command.env_remove(name);
    }
    // Two hours after the witnesses cosigned: whose clock is far from theirs signs nothing.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let offset = i64::try_from(COSIGNED + 7200).unwrap() - i64::try_from(now).unwrap();
    command.env("STELE_TEST_CLOCK_OFFSET", offset.to_string());
    command.envs(environment.iter().copied());
}

/// What a process gave.
pub(crate) fn ran(output: Output) -> Ran {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    // A process that was killed has no code: what a shell gives for SIGKILL.
    Ran { code: output.status.code().unwrap_or(137), out: text(output.stdout), err: text(output.stderr) }
}
