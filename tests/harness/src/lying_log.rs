//! A log without a server that appends whatever it is told, signs what it has, and writes the static files of it: a mirror
//! folder as an honest log would serve it, but for the lie.
//!
//! ```text
//! let mut log = LyingLog::new()?;                  the first entry is there: the index of nothing
//! log.say(&claim);  log.release(&released);        entries, and the manifest of a release
//! log.index();                                     the index entry that is right; or log.say_bytes(anything)
//! log.write(folder)?;                              checkpoint, tile/, manifests/
//! fs::write(policy, log.policy());                 whom to trust: this log, and its witnesses if it has any
//! let other = log.fork(7)?;                        the same key, and another history after the first 7 entries
//! log.relist(|position, listing| ...)?;            an index that lists something else
//! log.answer("/lookup/name/proof?name=...");       what a server of it would answer
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use stele_spec::checkpoint::{Checkpoint, sign_checkpoint};
use stele_spec::cosignature::{UnixTime, cosign};
use stele_spec::entry::Entry;
use stele_spec::hash::{Digest, LeafHash};
use stele_spec::index::{Index, Kind, Listing, Pointer, Subject};
use stele_spec::merkle::{MemoryTree, Nodes as _, leaf_hash, prove_inclusion, root_at};
use stele_spec::nameproof::{MAX_POINTERS, NameProof, Shown};
use stele_spec::note::{KeyType, SignedNote, SignerKey};
use stele_spec::statement::{LoggedEntry, LoggedRelease, SignedStatement};
use stele_spec::tile::{Resource, TilePath, encode_bundle, tiles_for};

use stele_probe::failure::{During, Failure, Step};
use stele_samples::statements::Released;

/// The origin of every lying log.
pub const ORIGIN: &str = "log.example/lying";

/// When its heads are cosigned, where they are: 2026-06-25T12:00:00Z.
const COSIGNED: u64 = 1_782_388_800;

/// A log that holds what it is told.
#[derive(Debug)]
pub struct LyingLog {
    signer: SignerKey,
    witnesses: Vec<SignerKey>,
    entries: Vec<Vec<u8>>,
    tree: MemoryTree,
    index: Index,
    listings: Vec<Listing>,
    manifests: BTreeMap<Digest, Vec<u8>>,
    time: u64,
    /// The most pointers that it shows in one name proof.
    shown: usize,
}

impl LyingLog {
    /// A log with its first entry, which no witness cosigns.
    pub fn new() -> Step<Self> {
        Self::witnessed(0)
    }

    /// A log whose heads so many witnesses cosign, all of which the policy asks for.
    pub fn witnessed(witnesses: u8) -> Step<Self> {
        let witness = |number: u8| {
            let name = format!("witness-{number}.example").parse().during("naming a witness")?;
            Ok(SignerKey::new(name, KeyType::Cosigner, [100 + number; 32]))
        };
        let witnesses = (1..=witnesses).map(witness).collect::<Step<_>>()?;
        let mut log = Self::empty(witnesses)?;
        log.index()?;
        Ok(log)
    }

    /// A log without its first entry, the index of nothing.
    pub fn unbegun() -> Step<Self> {
        Self::empty(Vec::new())
    }

    fn empty(witnesses: Vec<SignerKey>) -> Step<Self> {
        let name = ORIGIN.parse().during("naming a log")?;
        Ok(Self {
            signer: SignerKey::new(name, KeyType::Log, [66; 32]),
            witnesses,
            entries: Vec::new(),
            tree: MemoryTree::new(),
            index: Index::new(),
            listings: Vec::new(),
            manifests: BTreeMap::new(),
            time: COSIGNED,
            shown: MAX_POINTERS,
        })
    }

    /// Another history with the same keys, after the first so many entries.
    pub fn fork(&self, entries: usize) -> Step<Self> {
        let mut fork = Self::empty(self.witnesses.clone())?;
        for entry in self.entries.iter().take(entries) {
            fork.say_bytes(entry)?;
        }
        fork.manifests.clone_from(&self.manifests);
        Ok(fork)
    }

    /// Appends any bytes and gives their position.
    pub fn say_bytes(&mut self, entry: &[u8]) -> Step<u64> {
        let position = self.size();
        let listing = listing(position, entry);
        self.index.replay(core::slice::from_ref(&listing)).during("indexing an entry")?;
        self.listings.push(listing);
        self.tree.push(leaf_hash(entry));
        self.entries.push(entry.to_vec());
        Ok(position)
    }

    /// Appends a statement.
    pub fn say(&mut self, statement: &SignedStatement) -> Step<u64> {
        self.say_bytes(statement.bytes())
    }

    /// Appends a release and keeps its manifest.
    pub fn release(&mut self, released: &Released) -> Step<u64> {
        self.keep_manifest(&released.manifest.encode());
        self.say(&released.statement)
    }

    /// Serves a manifest.
    pub fn keep_manifest(&mut self, bytes: &[u8]) {
        self.manifests.insert(Digest::of(bytes), bytes.to_vec());
    }

    /// Appends the index entry that is right.
    pub fn index(&mut self) -> Step<u64> {
        let entry = self.index.entry().to_string();
        self.say_bytes(entry.as_bytes())
    }

    /// Indexes every entry anew, as what `change` makes of its listing; index entries that are there already stay as they are.
    pub fn relist(&mut self, change: impl Fn(u64, Listing) -> Listing) -> Step {
        self.listings = (0..).zip(&self.entries).map(|(at, entry)| change(at, listing(at, entry))).collect();
        self.index = Index::new();
        self.index.replay(&self.listings).during("indexing the entries")
    }

    /// What its server would answer to a path: a static file, an entry, or a name proof; none to anything else.
    pub fn answer(&self, path: &str) -> Step<Option<Vec<u8>>> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let parameter = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        match path.trim_start_matches('/').split('/').collect::<Vec<_>>().as_slice() {
            ["checkpoint"] => Ok(Some(self.head()?.to_bytes())),
            ["tile", ..] => match TilePath::parse(path.trim_start_matches('/')) {
                Ok(tile) => self.tile(tile).map(Some),
                Err(_) => Ok(None),
            },
            ["entries", position] => {
                let position = position.parse().during("reading a position")?;
                Ok(Some(self.entry(position)?.to_vec()))
            }
            ["lookup", kind, "proof"] => {
                let kind: Kind = kind.parse().during("reading a kind")?;
                let name = if kind == Kind::Digest { parameter("hex") } else { parameter("name") };
                let name = name.unwrap_or_default().replace("%23", "#");
                let from = parameter("from").unwrap_or("0").parse().during("reading a position")?;
                let subject = Subject::read(kind, &name).during("reading a name")?;
                Ok(Some(self.name_proof(&subject, from)?.to_bytes()))
            }
            _ => Ok(None),
        }
    }

    /// What it lists under a subject from a position on, and its proof.
    pub fn name_proof(&self, subject: &Subject, from: u64) -> Step<NameProof> {
        let (key, size) = (subject.key(), self.size());
        let all = self.listings.iter().filter(|listing| listing.keys().contains(&key)).map(Listing::pointer);
        let (before, mut pointers): (Vec<_>, Vec<_>) = all.partition(|pointer| pointer.position < from);
        pointers.truncate(self.shown);
        let shown = Shown { from, before: before.len() as u64, pointers };
        let inclusion = prove_inclusion(&self.tree, size.saturating_sub(1), size).during("proving an entry")?;
        let said = self.index.prove(&key);
        NameProof::new(subject.clone(), self.index.root(), inclusion, said, shown, self.head()?)
            .during("making a name proof")
    }

    /// When later heads are cosigned, in seconds since the epoch.
    pub fn cosign_at(&mut self, time: u64) {
        self.time = time;
    }

    /// How many pointers it shows in one name proof from now on.
    pub fn show_at_once(&mut self, pointers: usize) {
        self.shown = pointers.min(MAX_POINTERS);
    }

    /// How many entries.
    pub fn size(&self) -> u64 {
        self.entries.len() as u64
    }

    /// How a statement refers to a release of this log.
    pub fn released(&self, entry: u64) -> Step<LoggedRelease> {
        let signed = SignedStatement::parse(self.entry(entry)?).during("reading an entry")?;
        let coordinate = signed.statement().coordinate().ok_or_else(|| Failure::new("an entry about no coordinate"))?;
        Ok(LoggedRelease { coordinate, entry, leaf_hash: self.leaf(entry)? })
    }

    /// How a key statement refers to the one before it.
    pub fn logged(&self, entry: u64) -> Step<LoggedEntry> {
        Ok(LoggedEntry { entry, leaf_hash: self.leaf(entry)? })
    }

    /// The log's verifier key.
    pub fn vkey(&self) -> String {
        self.signer.verifier().to_string()
    }

    /// The policy that trusts it, and asks for all its witnesses.
    pub fn policy(&self) -> String {
        let mut text = format!("log {}\n", self.vkey());
        if self.witnesses.is_empty() {
            return text + "quorum none\n";
        }
        let mut names = String::new();
        for (number, witness) in (1..).zip(&self.witnesses) {
            text.push_str(&format!("witness w{number} {}\n", witness.verifier()));
            names.push_str(&format!(" w{number}"));
        }
        text + &format!("group witnesses all{names}\nquorum witnesses\n")
    }

    /// The head of what it has, signed and cosigned.
    pub fn head(&self) -> Step<SignedNote> {
        self.head_at(self.size())
    }

    /// The head of its first entries.
    pub fn head_at(&self, size: u64) -> Step<SignedNote> {
        let root = root_at(&self.tree, size).during("hashing a tree")?;
        let checkpoint = Checkpoint::new(ORIGIN.parse().during("naming a log")?, size, root);
        let note = sign_checkpoint(&checkpoint, &self.signer).during("signing a tree head")?;
        let time = UnixTime::new(self.time).during("telling the time")?;
        let mut lines = note.signatures().to_vec();
        for witness in &self.witnesses {
            lines.push(cosign(note.text(), witness, time).during("cosigning a tree head")?);
        }
        SignedNote::new(note.text().to_owned(), lines).during("making a note")
    }

    /// Writes everything that it would serve into a folder, in place of what is there.
    pub fn write(&self, folder: &Path) -> Step {
        let old = folder.join("tile");
        if old.exists() {
            fs::remove_dir_all(&old).during("removing old tiles")?;
        }
        for path in tiles_for(0, self.size()) {
            write(&folder.join(path.to_string()), &self.tile(path)?)?;
        }
        for (digest, manifest) in &self.manifests {
            write(&folder.join(format!("manifests/{digest}")), manifest)?;
        }
        write(&folder.join("checkpoint"), &self.head()?.to_bytes())
    }

    fn tile(&self, path: TilePath) -> Step<Vec<u8>> {
        let first = path.index * 256;
        let numbers = first..first + u64::from(path.width);
        match path.resource {
            Resource::Entries => {
                let entries = numbers.map(|position| self.entry(position)).collect::<Step<Vec<_>>>()?;
                encode_bundle(entries).during("writing a bundle")
            }
            Resource::Level(level) => {
                let hashes = numbers.map(|number| self.tree.node(level * 8, number).during("hashing a tree"));
                Ok(hashes.map(|hash| Ok(*hash?.as_bytes())).collect::<Step<Vec<_>>>()?.concat())
            }
        }
    }

    fn entry(&self, position: u64) -> Step<&[u8]> {
        let entry = usize::try_from(position).ok().and_then(|position| self.entries.get(position));
        entry.map(Vec::as_slice).ok_or_else(|| Failure::new(format!("there is no entry {position}")))
    }

    fn leaf(&self, position: u64) -> Step<LeafHash> {
        self.entry(position).map(leaf_hash)
    }
}

/// Under what an entry is listed by an honest log.
fn listing(position: u64, entry: &[u8]) -> Listing {
    match Entry::parse(entry) {
        Ok(entry) => Listing::of(position, &entry),
        Err(_) => Listing::new(Pointer { position, leaf: leaf_hash(entry) }, Vec::new()),
    }
}

fn write(path: &Path, bytes: &[u8]) -> Step {
    let folder = path.parent().ok_or_else(|| Failure::new("a file in no folder"))?;
    fs::create_dir_all(folder).during("making a folder")?;
    fs::write(path, bytes).during(format!("writing {}", path.display()))
}
