//! `adopt`: the way back from a copy of the log's public files, after its disk was lost or an older copy of it was put back.
//!
//! ```text
//! copy ─> data/adopting ─> recover, as at a start ─> the head here ─> the witnesses ─> manifests, tiles, signed head, checkpoint
//!         entries alone    every entry, every root   not newer        not ahead        in this order, each durable
//! ```
//!
//! Everything is proven before the log's own files are touched, and nothing that is there is changed but the signed head, by
//! compare-and-swap, the checkpoint, and a manifest that is not what its name says. Killed at any point, it can be run again.
//! What is derived (lookups) follows at the next start.

use crate::cosign::{WITNESS_TIME, Witnesses};
use crate::error::LogError;
use crate::head::SignedHead;
use crate::lock::HeadLock;
use crate::recall::{Elsewhere, compare};
use crate::recover::{RecoverError, Recovered, recover};
use crate::run::Options;
use crate::staging::Staging;
use crate::status::Status;
use crate::store::{MAX_OBJECT, Store, StoreError};
use crate::tree::Object;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use stele_host::compare_and_swap::CasError;
use stele_host::durable::{Dir, DurableError};
use stele_host::exit::{Exit, Explain};
use stele_host::log_source::{LogSource, SourceError};
use stele_host::output;
use stele_spec::checkpoint::CheckpointError;
use stele_spec::hash::Digest;
use stele_spec::manifest::MAX_MANIFEST;
use stele_spec::note::{MAX_NOTE, VerifierKey};
use stele_spec::policy::{Policy, Quorum, RefusedCheckpoint};
use stele_spec::tile::{Resource, TILE_WIDTH, TileError, TilePath, decode_bundle, encode_bundle, tiles_for};

/// Where a copy is put together, below the data folder.
const FOLDER: &str = "adopting";

/// How many tiles are put at a time.
const AT_ONCE: usize = 32;

/// Why a copy is not adopted. Nothing of the log was changed.
#[derive(Debug, thiserror::Error)]
pub enum AdoptError {
    /// A file of the copy cannot be had.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Its checkpoint is not this log's.
    #[error("the checkpoint in {from} is not signed by this log's key: {error}")]
    NotOurs {
        /// The copy.
        from: String,
        /// What is wrong.
        error: CheckpointError,
    },
    /// Its checkpoint has too few cosignatures.
    #[error("the checkpoint in {from} does not satisfy the policy: {error}")]
    BelowPolicy {
        /// The copy.
        from: String,
        /// What is wrong.
        error: RefusedCheckpoint,
    },
    /// A bundle is none.
    #[error("{place} is no entry bundle of its width: {error}")]
    Bundle {
        /// Where.
        place: String,
        /// What is wrong.
        error: TileError,
    },
    /// Its entries do not lead to its checkpoint.
    #[error("what {from} holds is not the tree of its checkpoint: {error}")]
    Unproven {
        /// The copy.
        from: String,
        /// What a start would say.
        error: Box<RecoverError>,
    },
    /// The log knows more than the copy, or something else.
    #[error("{}", behind(.from, .found))]
    Behind {
        /// The copy.
        from: String,
        /// What holds more, and what.
        found: Elsewhere,
    },
    /// Too few witnesses can be asked.
    #[error("too few witnesses have said what they cosigned last: {}", .missing.join("; "))]
    NotAsked {
        /// Each that has not, and why.
        missing: Vec<String>,
    },
    /// Other bytes are here under the name of a tile.
    #[error("{path} here holds other bytes than the copy, which leads to the signed root")]
    Differs {
        /// Which.
        path: TilePath,
    },
    /// A file cannot be read back.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The machine failed.
    #[error(transparent)]
    Durable(#[from] DurableError),
    /// The signed head was changed meanwhile.
    #[error(transparent)]
    Swap(#[from] CasError),
}

fn behind(from: &str, found: &Elsewhere) -> String {
    match found {
        Elsewhere::Larger { holder, theirs, ours } => format!(
            "{holder} has a tree head of {theirs} entries signed by this log's key, and the copy in {from} only {ours} entries"
        ),
        Elsewhere::Other { holder, size, theirs, ours } => format!(
            "{holder} has a tree head of {size} entries with root {theirs} signed by this log's key; the first {size} entries \
             of {from} have root {ours}: two histories were signed"
        ),
    }
}

impl Explain for AdoptError {
    fn exit(&self) -> Exit {
        match self {
            Self::Source(error) => error.exit(),
            Self::NotOurs { .. } => Exit::BadSignature,
            Self::BelowPolicy { .. } => Exit::QuorumMissing,
            Self::Bundle { .. } => Exit::Inconsistent,
            Self::Unproven { error, .. } => error.exit(),
            Self::Behind { .. } | Self::Differs { .. } => Exit::Inconsistent,
            Self::NotAsked { .. } => Exit::Unavailable,
            Self::Store(StoreError::Durable(error)) | Self::Durable(error) => error.exit(),
            Self::Store(_) => Exit::Inconsistent,
            Self::Swap(error) => error.exit(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Source(error) => error.code(),
            Self::NotOurs { .. } => "checkpoint-refused",
            Self::BelowPolicy { .. } => "quorum-missing",
            Self::Bundle { .. } => "entries-damaged",
            Self::Unproven { error, .. } => error.code(),
            Self::Behind { .. } => "adopts-older",
            Self::NotAsked { .. } => "asking-witnesses",
            Self::Differs { .. } => "tile-differs",
            Self::Store(StoreError::Durable(error)) | Self::Durable(error) => error.code(),
            Self::Store(_) => "entries-damaged",
            Self::Swap(error) => error.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Source(error) => return error.hint(),
            Self::Store(StoreError::Durable(error)) | Self::Durable(error) => return error.hint(),
            Self::Swap(error) => return error.hint(),
            Self::NotOurs { .. } => "name the copy of this log, or bring back the key that it was made with",
            Self::BelowPolicy { .. } => "take a copy whose checkpoint the witnesses of the policy have cosigned",
            Self::Bundle { .. } | Self::Unproven { .. } | Self::Store(_) => {
                "nothing was changed: take another copy, or fetch this one again when it is complete"
            }
            Self::Behind { .. } => {
                "nothing was changed: find a newer copy (the web server's, a mirror's, an auditor's)"
            }
            Self::NotAsked { .. } => {
                "nothing was changed: try again when they can be reached; a newer tree head may be known to them alone"
            }
            Self::Differs { .. } => "nothing was changed: move data/public away and run this again",
        };
        Some(hint.into())
    }
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adopted {
    /// The size before, if anything was signed here.
    pub before: Option<u64>,
    /// The size that the log goes on from.
    pub size: u64,
    /// Manifests that were brought.
    pub manifests: usize,
    /// Manifests that the copy lacks, or has damaged.
    pub lost: BTreeSet<Digest>,
}

/// Adopts a copy, and says what was done.
pub fn run(options: Options, from: &str) -> Result<(), LogError> {
    let source = LogSource::parse(from, concat!("stele-log/", env!("CARGO_PKG_VERSION")));
    let unasked = *options.policy.quorum() == Quorum::None;
    let Adopted { before, size, manifests, lost } = adopt(options, &source)?;
    let mut text = match before {
        Some(before) if before == size => {
            format!("the log here has its {size} entries already; what was missing was put back\n")
        }
        Some(before) => format!("goes on from {size} entries instead of {before}\n"),
        None => format!("goes on from {size} entries\n"),
    };
    text += &format!(
        "every entry was read from {source} and leads to the signed root; {manifests} manifests were brought\n"
    );
    text += if unasked {
        "the policy has no quorum: no witness could be asked whether more was signed\n"
    } else {
        "no witness holds a newer tree head of this log\n"
    };
    if let Some(first) = lost.first() {
        let count = lost.len();
        text +=
            &format!("{count} manifests are not in the copy, {first} first: their publishers can upload them again\n");
    }
    output::print(&text)?;
    Ok(())
}

/// Proves a copy, then makes it what the log goes on from.
pub fn adopt(options: Options, source: &LogSource) -> Result<Adopted, LogError> {
    let Options { data, signer, policy, .. } = options;
    let data = Dir::open(data)?;
    let lock = HeadLock::take(&data)?;
    let key = signer.verifier();
    clear(&data);
    let adopted = Adoption { data: &data, lock: &lock, source, key: &key, policy: &policy }.adopt();
    clear(&data);
    Ok(adopted?)
}

/// Best effort: what is left behind takes room, and the next run begins with it.
fn clear(data: &Dir) {
    let path = data.path_of(FOLDER);
    match std::fs::remove_dir_all(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(path = %path.display(), %error, "cannot remove what was put together");
        }
        _ => {}
    }
}

struct Adoption<'a> {
    data: &'a Dir,
    lock: &'a HeadLock,
    source: &'a LogSource,
    key: &'a VerifierKey,
    policy: &'a Policy,
}

impl Adoption<'_> {
    fn adopt(&self) -> Result<Adopted, AdoptError> {
        let bytes = self.source.needed("checkpoint", MAX_NOTE as u64)?;
        let head = self.checked(&bytes)?;
        let size = head.checkpoint.size();

        let side = Dir::open(self.data.path_of(FOLDER))?;
        let copy = Store::new(&side);
        self.fetch_entries(&copy, size)?;
        let found = self.proven(&side, &copy, &head, &bytes)?;

        let store = Store::new(self.data);
        let signed = self.lock.load()?;
        let before = self.not_behind(&copy, &store, &head, signed.as_deref())?;
        self.ask_witnesses(&copy, &head)?;
        let paths = tiles_for(0, size);
        for path in &paths {
            let here = store.read(*path)?;
            if here.is_some() && here != copy.read(*path)? {
                return Err(AdoptError::Differs { path: *path });
            }
        }

        let (manifests, lost) = self.bring_manifests(&store, found.manifests.into_iter().collect())?;
        for paths in paths.chunks(AT_ONCE) {
            let read = |path: &TilePath| {
                let bytes = copy.read(*path)?.ok_or(StoreError::Missing { path: *path })?;
                Ok::<_, StoreError>(Object { path: *path, bytes })
            };
            store.put(&paths.iter().map(read).collect::<Result<Vec<_>, _>>()?)?;
        }
        let note = head.note.to_bytes();
        if signed.as_deref() != Some(note.as_slice()) {
            self.lock.swap(signed.as_deref(), &note)?;
        }
        store.publish(&bytes)?;
        Ok(Adopted { before, size, manifests, lost })
    }

    /// The head of the copy: by this log's key, and enough for the policy.
    fn checked(&self, bytes: &[u8]) -> Result<SignedHead, AdoptError> {
        let from = || self.source.to_string();
        let head = SignedHead::read(bytes, self.key).map_err(|error| AdoptError::NotOurs { from: from(), error })?;
        self.policy.verify(bytes).map_err(|error| AdoptError::BelowPolicy { from: from(), error })?;
        Ok(head)
    }

    fn fetch_entries(&self, copy: &Store, size: u64) -> Result<(), AdoptError> {
        let width = u64::from(TILE_WIDTH);
        for index in 0..size.div_ceil(width) {
            let wanted =
                TilePath { resource: Resource::Entries, index, width: (size - index * width).min(width) as u16 };
            let bad = |error| AdoptError::Bundle { place: self.source.place_of(&wanted.to_string()), error };
            let bytes = match self.source.read(&wanted.to_string(), MAX_OBJECT)? {
                Some(bytes) => bytes,
                // A copy that has grown, or was tidied, holds the full one alone.
                None => {
                    let full = TilePath::full(Resource::Entries, index).to_string();
                    let bytes = self.source.needed(&full, MAX_OBJECT)?;
                    let entries = decode_bundle(&bytes, TILE_WIDTH).map_err(bad)?;
                    encode_bundle(entries.into_iter().take(usize::from(wanted.width))).map_err(bad)?
                }
            };
            decode_bundle(&bytes, wanted.width).map_err(bad)?;
            copy.put(&[Object { path: wanted, bytes }])?;
        }
        Ok(())
    }

    /// What a start over the copy finds: each entry parsed and hashed, the root, each index entry; its tiles are made on the way.
    fn proven(&self, side: &Dir, copy: &Store, head: &SignedHead, bytes: &[u8]) -> Result<Recovered, AdoptError> {
        let unproven = |error| AdoptError::Unproven { from: self.source.to_string(), error: Box::new(error) };
        let lock = HeadLock::take(side).map_err(|error| match error {
            crate::lock::TakeError::Durable(error) => AdoptError::Durable(error),
            crate::lock::TakeError::Lock(error) => unproven(RecoverError::Busy(error)),
        })?;
        lock.swap(None, &head.note.to_bytes())?;
        copy.publish(bytes)?;
        recover(&lock, &Staging::new(side), copy, self.key, self.policy).map_err(unproven)
    }

    /// The signed head and the checkpoint here are beginnings of the copy; the size that is signed here.
    fn not_behind(
        &self,
        copy: &Store,
        store: &Store,
        head: &SignedHead,
        signed: Option<&[u8]>,
    ) -> Result<Option<u64>, AdoptError> {
        let read = |bytes: &[u8]| {
            let from = self.data.path_of("lock/signed-head").display().to_string();
            SignedHead::read(bytes, self.key).map_err(|error| AdoptError::NotOurs { from, error })
        };
        let signed = signed.map(read).transpose()?;
        // A damaged checkpoint is what the copy replaces; one that reads must not be newer.
        let public = store.checkpoint()?.and_then(|bytes| SignedHead::read(&bytes, self.key).ok());
        for (holder, theirs) in [("lock/signed-head", &signed), ("public/checkpoint", &public)] {
            if let Some(theirs) = theirs {
                self.same_history(holder, copy, head, theirs)?;
            }
        }
        Ok(signed.map(|signed| signed.checkpoint.size()))
    }

    fn ask_witnesses(&self, copy: &Store, head: &SignedHead) -> Result<(), AdoptError> {
        if *self.policy.quorum() == Quorum::None {
            return Ok(());
        }
        let mut witnesses = Witnesses::start(self.policy, copy, self.key, &Arc::new(Status::default()));
        let round = WITNESS_TIME + Duration::from_secs(1);
        let asked = witnesses.recall(Some(&Arc::new(head.clone())), head.checkpoint.size(), round);
        for (witness, theirs) in witnesses.take_heads() {
            self.same_history(&witness, copy, head, &theirs)?;
        }
        asked.map_err(|missing| AdoptError::NotAsked { missing: missing.lines() })
    }

    fn same_history(
        &self,
        holder: &str,
        copy: &Store,
        head: &SignedHead,
        theirs: &SignedHead,
    ) -> Result<(), AdoptError> {
        match compare(holder, copy, Some(head), theirs)? {
            None => Ok(()),
            Some(found) => Err(AdoptError::Behind { from: self.source.to_string(), found }),
        }
    }

    /// Brings the manifests that are not here; how many, and which the copy has not.
    fn bring_manifests(&self, store: &Store, named: BTreeSet<Digest>) -> Result<(usize, BTreeSet<Digest>), AdoptError> {
        let (mut brought, mut lost) = (0, BTreeSet::new());
        for digest in named {
            if store.manifest(&digest)?.is_some_and(|bytes| Digest::of(&bytes) == digest) {
                continue;
            }
            let path = format!("manifests/{digest}");
            match self.source.read(&path, MAX_MANIFEST as u64)?.filter(|bytes| Digest::of(bytes) == digest) {
                Some(bytes) => {
                    // What is there under the name is not what the name says.
                    self.data.replace(&format!("public/{path}"), &bytes)?;
                    brought += 1;
                }
                None => {
                    lost.insert(digest);
                }
            }
        }
        Ok((brought, lost))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::{Offline, claim, config, policy, release, signer};
    use std::fs;
    use std::path::{Path, PathBuf};
    use stele_host::fault;

    struct Place {
        _home: tempfile::TempDir,
        data: PathBuf,
        mirror: PathBuf,
        older: PathBuf,
    }

    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            let to = to.join(entry.file_name());
            if entry.path().is_dir() {
                copy(&entry.path(), &to)
            } else {
                fs::copy(entry.path(), to).map(|_| ()).unwrap()
            }
        }
    }

    /// A log of 308 entries, its public files, and its data as it was at 302.
    fn place() -> Place {
        let home = tempfile::tempdir().unwrap();
        let at = |name: &str| home.path().join(name);
        let (data, mirror, older) = (at("data"), at("mirror"), at("older"));
        let mut log = Offline::start(&data).unwrap();
        log.write(vec![]).unwrap();
        log.write((0..300).map(|i| claim(&format!("a{i}.example"), 1)).collect()).unwrap();
        log.publish();
        copy(&data, &older);
        log.write(vec![claim("acme.example", 1)]).unwrap();
        let (signed, manifest) = release("acme.example", 1, "base", 1);
        log.store.put_manifest(&manifest.digest(), manifest.bytes()).unwrap();
        log.write(vec![signed]).unwrap();
        log.write(vec![release("acme.example", 1, "instruct", 2).0]).unwrap();
        log.publish();
        copy(&data.join("public"), &mirror);
        Place { data, mirror, older, _home: home }
    }

    fn adopt_into(data: &Path, mirror: &Path) -> Result<Adopted, &'static str> {
        let (config, policy) = (config(), policy("quorum none\n"));
        let options = Options { config, data: data.into(), signer: signer(), policy, listen: String::new() };
        adopt(options, &LogSource::folder(mirror)).map_err(|error| error.code())
    }

    fn head(data: &Path) -> Option<Vec<u8>> {
        fs::read(data.join("lock/signed-head")).ok()
    }

    fn goes_on(place: &Place, data: &Path) {
        assert_eq!(head(data), head(&place.data));
        assert_eq!(
            fs::read(data.join("public/checkpoint")).unwrap(),
            fs::read(place.mirror.join("checkpoint")).unwrap()
        );
        assert!(!data.join(FOLDER).exists());
        let mut log = Offline::start(data).unwrap();
        assert_eq!(log.found.take().unwrap().lost_manifests.len(), 1);
        assert_eq!(log.write(vec![claim("next.example", 2)]).unwrap().head.checkpoint.size(), 310);
    }

    #[test]
    fn a_log_goes_on_from_a_copy_of_its_public_files() {
        let place = place();
        let fresh = place.data.with_file_name("fresh");
        let adopted = adopt_into(&fresh, &place.mirror).unwrap();
        assert_eq!((adopted.before, adopted.size, adopted.manifests, adopted.lost.len()), (None, 308, 1, 1));
        let again = adopt_into(&fresh, &place.mirror).unwrap();
        assert_eq!((again.before, again.size, again.manifests), (Some(308), 308, 0));
        goes_on(&place, &fresh);
    }

    #[test]
    fn an_older_copy_of_the_data_is_brought_up_to_date() {
        let place = place();
        let adopted = adopt_into(&place.older, &place.mirror).unwrap();
        assert_eq!((adopted.before, adopted.size), (Some(302), 308));
        goes_on(&place, &place.older);
    }

    #[test]
    fn what_is_not_proven_is_refused_and_changes_nothing() {
        let place = place();
        let changed = |what: &str, change: &dyn Fn(Vec<u8>) -> Vec<u8>| {
            let mirror = place.mirror.with_file_name("changed");
            let _ = fs::remove_dir_all(&mirror);
            copy(&place.mirror, &mirror);
            let path = mirror.join(what);
            let bytes = fs::read(&path).unwrap();
            fs::remove_file(&path).unwrap();
            fs::write(&path, change(bytes)).unwrap();
            let before = head(&place.older);
            let refused = adopt_into(&place.older, &mirror).unwrap_err();
            assert_eq!(head(&place.older), before);
            assert!(!place.older.join("public/tile/0/001.p/52").exists());
            refused
        };
        let flip = |at: usize| {
            move |mut bytes: Vec<u8>| {
                bytes[at] ^= 1;
                bytes
            }
        };
        let other =
            |bytes: Vec<u8>| String::from_utf8(bytes).unwrap().replace("log.example", "log.elsewhere").into_bytes();
        assert_eq!(changed("checkpoint", &other), "checkpoint-refused");
        assert_eq!(changed("checkpoint", &flip(30)), "checkpoint-refused");
        assert!(matches!(changed("tile/entries/001.p/52", &flip(40)), "root-differs" | "entries-damaged"));
        assert_eq!(changed("tile/entries/001.p/52", &|bytes| bytes[..9].to_vec()), "entries-damaged");
        // The copy is older than what is here.
        assert_eq!(adopt_into(&place.data, &place.older.join("public")), Err("adopts-older"));
        // Below the policy, with which the witness cannot be reached either.
        let witness = stele_spec::note::SignerKey::new(
            "w1.example".parse().unwrap(),
            stele_spec::note::KeyType::Cosigner,
            [3; 32],
        );
        let policy = policy(&format!("witness w1 {} http://127.0.0.1:1\nquorum w1\n", witness.verifier()));
        let options =
            Options { config: config(), data: place.older.clone(), signer: signer(), policy, listen: String::new() };
        let refused = adopt(options, &LogSource::folder(&place.mirror)).unwrap_err();
        assert_eq!(refused.code(), "quorum-missing");
        // A bit that flipped here is not papered over.
        let tile = place.older.join("public/tile/0/000");
        fs::write(&tile, flip(3)(fs::read(&tile).unwrap())).unwrap();
        assert_eq!(adopt_into(&place.older, &place.mirror), Err("tile-differs"));
    }

    #[test]
    fn whatever_step_fails_it_can_be_run_again() {
        let mut failed = 0;
        let place = place();
        for what in ["adopting", "public/manifests", "public/tile", "lock/signed-head", "public/checkpoint"] {
            for step in ["create", "write", "rename", "link", "sync-dir"] {
                let data = place.older.with_file_name("case");
                let _ = fs::remove_dir_all(&data);
                copy(&place.older, &data);
                let armed = fault::arm(&format!("fail:{step}:{}/{what}:1", data.display())).unwrap();
                let outcome = adopt_into(&data, &place.mirror);
                drop(armed);
                failed += usize::from(outcome.is_err());
                // In between, a start goes on from the older head or from the newer one, and never from anything else.
                drop(Offline::start(&data).unwrap_or_else(|error| panic!("{step} {what}: {error}")));
                assert_eq!(adopt_into(&data, &place.mirror).unwrap().size, 308, "{step} {what}");
                goes_on(&place, &data);
            }
        }
        assert!(failed >= 12, "{failed}");
    }
}
