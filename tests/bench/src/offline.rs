//! A released folder made without a network: its own log key, three witness keys, and a tree in memory.
//!
//! ```text
//! HOME/policy                 two of the three witnesses
//! HOME/model/00001..          the weights, pseudo-random; the other files of the record are absent, as in a partial download
//! HOME/model/release.stele    the evidence
//! HOME/model/release.hints    by which long weights are hashed on all cores
//! ```

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use stele_spec::bundle::{Bundle, LoggedStatement};
use stele_spec::checkpoint::{Checkpoint, sign_checkpoint};
use stele_spec::cosignature::{UnixTime, cosign};
use stele_spec::entry::Entry;
use stele_spec::hints::{Hints, PieceSize, State};
use stele_spec::index::{self, Index, Listing};
use stele_spec::manifest::{FileHasher, FilePath, Manifest, ManifestFile, Role};
use stele_spec::merkle::{MemoryTree, leaf_hash, prove_inclusion, root_at};
use stele_spec::note::{KeyType, SignedNote, SignerKey};
use stele_spec::proof::TlogProof;
use stele_spec::statement::{Statement, sign};

use stele_harness::network::ORIGIN;
use stele_probe::failure::{During, Step};
use stele_samples::statements::{Speaker, bind};
use stele_samples::supply::Supply;

/// Other entries of the log: the proof is as long as in a log that is used.
const OTHERS: usize = 1000;

/// Written and hashed at once.
const CHUNK: usize = 1 << 20;

/// 2026-06-25T12:00:00Z.
const COSIGNED: u64 = 1_782_388_800;

/// A folder that can be verified offline.
#[derive(Debug)]
pub struct Released {
    /// The policy.
    pub policy: PathBuf,
    /// The folder with the weights and the evidence.
    pub folder: PathBuf,
    /// The evidence.
    pub bundle: PathBuf,
    /// The hints, where the weights are long.
    pub hints: PathBuf,
    /// The names of the weights, in the folder.
    pub weights: Vec<String>,
}

/// Releases `files` weights of `size` bytes each.
pub fn release(home: &Path, files: usize, size: usize) -> Step<Released> {
    let folder = home.join("model");
    fs::create_dir_all(&folder).during("making a folder")?;
    let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
    let mut weights = Vec::new();
    let mut names = Vec::new();
    let mut states = Vec::new();
    for number in 1..=files {
        // Short, so that OpenSSL takes fifty thousand of them as arguments.
        let name = format!("{number:05}.safetensors");
        let (file, own) = write(&folder.join(&name), &name, size, &mut noise)?;
        states.push((file.sha256, own));
        weights.push(file);
        names.push(name);
    }
    let hints = folder.join("release.hints");
    if let Some(found) = Hints::of(states) {
        fs::write(&hints, found.encode().during("making hints")?).during("writing hints")?;
    }
    let (policy, bundle) = (home.join("policy"), folder.join("release.stele"));
    let mut log = Log::new()?;
    fs::write(&bundle, log.release(weights)?.encode().during("making a bundle")?).during("writing a bundle")?;
    fs::write(&policy, log.policy()).during("writing a policy")?;
    Ok(Released { policy, folder, bundle, hints, weights: names })
}

/// Writes a file of noise: nothing that a disk or a file system could leave out. With the states between its pieces, where it has some.
fn write(path: &Path, name: &str, size: usize, noise: &mut Noise) -> Step<(ManifestFile, Vec<State>)> {
    let mut file = File::create(path).during("making a file of weights")?;
    let mut hasher = FileHasher::new(size as u64);
    let (mut state, mut states, mut written) = (State::INITIAL, Vec::new(), 0);
    let mut chunk = vec![0; CHUNK];
    while written < size {
        let length = CHUNK.min(size - written);
        let chunk = chunk.get_mut(..length).unwrap_or_default();
        for word in chunk.chunks_mut(8) {
            word.copy_from_slice(noise.next().to_le_bytes().get(..word.len()).unwrap_or_default());
        }
        hasher.update(chunk);
        file.write_all(chunk).during("writing weights")?;
        written += length;
        if PieceSize::FORMAT.is_hinted(size as u64) {
            state = state.after(chunk.as_chunks().0);
            if written < size && (written as u64).is_multiple_of(PieceSize::FORMAT.bytes()) {
                states.push(state);
            }
        }
    }
    let digests = hasher.finish().during("hashing weights")?;
    let path: FilePath = name.parse().during("naming weights")?;
    let (size, sha256, git_sha1) = (digests.size, digests.sha256, digests.git_sha1);
    Ok((ManifestFile { role: Role::of_path(&path), path, size, sha256, git_sha1 }, states))
}

/// xorshift64* (Vigna 2016): the same bytes every time, faster than a disk.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

/// A log and its witnesses.
struct Log {
    signer: SignerKey,
    witnesses: Vec<SignerKey>,
    tree: MemoryTree,
    index: Index,
}

impl Log {
    fn new() -> Step<Self> {
        let signer = SignerKey::new(ORIGIN.parse().during("naming a log")?, KeyType::Log, [1; 32]);
        let witness = |number: u8| {
            let name = format!("witness-{number}.example").parse().during("naming a witness")?;
            Ok(SignerKey::new(name, KeyType::Cosigner, [100 + number; 32]))
        };
        let witnesses = (1..=3).map(witness).collect::<Step<_>>()?;
        let mut log = Self { signer, witnesses, tree: MemoryTree::new(), index: Index::new() };
        log.push(index::genesis().to_string().as_bytes())?;
        Ok(log)
    }

    fn policy(&self) -> String {
        let mut text = format!("log {}\n", self.signer.verifier());
        for (number, witness) in (1..).zip(&self.witnesses) {
            text.push_str(&format!("witness witness-{number} {}\n", witness.verifier()));
        }
        text + "group witnesses 2 witness-1 witness-2 witness-3\nquorum witnesses\n"
    }

    fn push(&mut self, bytes: &[u8]) -> Step<u64> {
        let position = self.tree.size();
        let entry = Entry::parse(bytes).during("reading an entry")?;
        self.index.replay(&[Listing::of(position, &entry)]).during("indexing an entry")?;
        self.tree.push(leaf_hash(bytes));
        Ok(position)
    }

    /// Logs a claim, a release of the weights, and the releases of another.
    fn release(&mut self, weights: Vec<ManifestFile>) -> Step<Bundle> {
        let speaker = Speaker::new(1)?;
        let (mut release, sample) = speaker.unsigned_release("1.0.0", 1)?;
        let others = sample.files().iter().filter(|file| file.role != Role::Weights);
        let manifest = Manifest::new(others.cloned().chain(weights).collect()).during("making a manifest")?;
        bind(&mut release, &manifest);
        release.check_manifest(&manifest).during("comparing a release and its manifest")?;
        let release = sign(&Statement::Release(Box::new(release)), &speaker.key).during("signing a release")?;
        let claim = speaker.claim()?;

        let claimed = self.push(claim.bytes())?;
        let released = self.push(release.bytes())?;
        let mut another = Supply::new(2)?;
        self.push(another.claim()?.bytes())?;
        for statement in another.take(OTHERS)? {
            self.push(&statement)?;
        }
        let last = self.index.entry().to_string();
        self.push(last.as_bytes())?;
        Ok(Bundle {
            statement: release.bytes().to_vec(),
            manifest: manifest.encode(),
            proof: self.prove(released)?,
            keys: vec![LoggedStatement { statement: claim.bytes().to_vec(), proof: self.prove(claimed)? }],
            names: None,
        })
    }

    fn prove(&self, position: u64) -> Step<Vec<u8>> {
        let size = self.tree.size();
        let root = root_at(&self.tree, size).during("hashing a tree")?;
        let checkpoint = Checkpoint::new(ORIGIN.parse().during("naming a log")?, size, root);
        let note = sign_checkpoint(&checkpoint, &self.signer).during("signing a tree head")?;
        let time = UnixTime::new(COSIGNED).during("telling the time")?;
        let mut lines = note.signatures().to_vec();
        for witness in &self.witnesses {
            lines.push(cosign(note.text(), witness, time).during("cosigning a tree head")?);
        }
        let note = SignedNote::new(note.text().to_owned(), lines).during("making a note")?;
        let path = prove_inclusion(&self.tree, position, size).during("proving an entry")?;
        Ok(TlogProof::new(position, path, note).to_bytes())
    }
}
