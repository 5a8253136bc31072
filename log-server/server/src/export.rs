//! `export`: a copy of what readers see of a log, for any web server that serves files, or in a bucket that is served as it is: checkpoint, tiles, entry
//! bundles, manifests, the mark of its end.
//!
//! Entries are read from the log's storage, a folder or a bucket, and each bundle is known to be of the tree of the newest published checkpoint before it
//! is written; tiles are made from the entries. The checkpoint follows when everything that it covers is durably there, so the copy is whole at each moment.
//! A later run goes on from the count in `copied`.

use crate::config::{self, Config};
use crate::copy_place::{CopyPlace, CopyTo};
use crate::error::LogError;
use crate::export_error::ExportError;
use crate::options::{policy_in, policy_path};
use crate::storage;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use stele_daemon::config::load;
use stele_log_core::tiles::{StoreError, TileStore};
use stele_spec::checkpoint::Origin;
use stele_spec::entry::Entry;
use stele_spec::frozen;
use stele_spec::hash::Digest;
use stele_spec::policy::{Policy, TrustedCheckpoint};
use stele_spec::text::decimal;
use stele_spec::tile::{TILE_WIDTH, TilePath};
use stele_spec::tiledlog::{Chunk, FilesFn, Growth, TiledLog};
use stele_terminal::finish::Output;

/// How many entries are in the copy, with every file that they make and every manifest that they name.
const COPIED: &str = "copied";

/// The bytes that are gathered before they are written together.
const AT_ONCE: usize = 8 << 20;

/// What was copied.
#[derive(Debug)]
struct Exported {
    /// How many entries were there before.
    before: u64,
    /// The size of the tree.
    size: u64,
    /// Manifests that the log lacks, or has damaged.
    lost: BTreeSet<Digest>,
}

/// Copies, and says what.
pub fn run(dir: &Path, to: &CopyTo, policy: Option<PathBuf>) -> Result<Output, LogError> {
    let loaded = load::<Config>(&dir.join(config::FILE))?;
    let policy = policy_in(&policy_path(&loaded, policy))?;
    let store = TileStore::new(&storage::readable(&loaded)?);
    let to = to.open(loaded.config.objects.as_ref().map(|objects| objects.url.to_string()))?;
    let mut text = to.to_string();
    let Exported { before, size, lost } = Export { store, policy, origin: loaded.config.origin, to }.run()?;
    text += &format!(": {size} entries, each of the tree of its checkpoint; {before} of them were there\n");
    if let Some(first) = lost.first() {
        text += &format!(
            "{} manifests are missing in the log, {first} first; they are looked for again by the next run\n",
            lost.len()
        );
    }
    let lost: Vec<String> = lost.iter().map(ToString::to_string).collect();
    Ok((text, json!({"before": before, "tree_size": size, "lost_manifests": lost})).into())
}

struct Export {
    store: TileStore,
    policy: Policy,
    origin: Origin,
    to: CopyPlace,
}

impl Export {
    fn run(mut self) -> Result<Exported, ExportError> {
        let note = self.store.checkpoint()?.ok_or(ExportError::Nothing)?;
        let head = TrustedCheckpoint::parse(&note, &self.policy).map_err(ExportError::Policy)?;
        self.is_ours(&head, "the published checkpoint")?;
        let there = self.to.checkpoint()?;
        let store = self.store.clone();
        let files = FilesFn(|path: &str, _| match TilePath::parse(path) {
            Ok(path) => store.read(path),
            Err(_) => Ok::<_, StoreError>(None),
        });
        let log = TiledLog::open(files, head.checkpoint().clone())?;
        if let Some(there) = there {
            let place = format!("{}/checkpoint", self.to);
            let there = TrustedCheckpoint::parse(&there, &self.policy)
                .map_err(|error| ExportError::NotACopy { place: place.clone(), error })?;
            self.is_ours(&there, &place)?;
            if there.size() > head.size() {
                return Err(ExportError::Older { copied: there.size(), size: head.size() });
            }
            log.check_prefix(there.size(), there.root())?;
        }
        let before = self.copied()?.min(log.size());
        let mut growth = Growth::after(before, &log)?;
        let mut lost = BTreeSet::new();
        for chunk in log.entries(growth.size()) {
            let chunk = chunk?;
            self.manifests(&chunk, &mut lost)?;
            growth.bundle(&chunk.entries, &chunk.leaves)?;
            if growth.untaken() >= AT_ONCE {
                self.put(growth.take())?;
                self.count(growth.size() / u64::from(TILE_WIDTH) * u64::from(TILE_WIDTH), &lost)?;
            }
        }
        self.put(growth.take().into_iter().chain(growth.edge()))?;
        self.count(growth.size(), &lost)?;
        match self.store.end_mark()? {
            Some(mark) => self.to.replace(frozen::FILE, &mark)?,
            None => self.to.remove(frozen::FILE)?,
        }
        self.to.publish(&note)?;
        Ok(Exported { before, size: head.size(), lost })
    }

    fn is_ours(&self, head: &TrustedCheckpoint, place: &str) -> Result<(), ExportError> {
        let (found, expected) = (head.checkpoint().origin(), &self.origin);
        if found == expected {
            return Ok(());
        }
        Err(ExportError::OtherLog { place: place.to_owned(), found: found.to_string(), expected: expected.to_string() })
    }

    /// Copies what the releases of a chunk name.
    fn manifests(&self, chunk: &Chunk, lost: &mut BTreeSet<Digest>) -> Result<(), ExportError> {
        for entry in &chunk.entries {
            let Ok(Entry::Statement(signed)) = Entry::parse(entry) else { continue };
            let Some(digest) = signed.statement().manifest_digest() else { continue };
            let name = format!("manifests/{digest}");
            if self.to.exists(&name)? {
                continue;
            }
            match self.store.manifest(&digest)?.filter(|bytes| Digest::of(bytes) == digest) {
                Some(bytes) => self.to.put(&[(name, bytes)])?,
                None => _ = lost.insert(digest),
            }
        }
        Ok(())
    }

    fn put(&self, files: impl IntoIterator<Item = (TilePath, Vec<u8>)>) -> Result<(), ExportError> {
        let named: Vec<_> = files.into_iter().map(|(path, bytes)| (path.to_string(), bytes)).collect();
        self.to.put(&named)
    }

    /// How many entries are there; 0 where nothing has counted.
    fn copied(&self) -> Result<u64, ExportError> {
        let text = String::from_utf8(self.to.read(COPIED, 32)?.unwrap_or_default()).unwrap_or_default();
        Ok(text.strip_suffix('\n').and_then(|digits| decimal(digits).ok()).unwrap_or_default())
    }

    /// Says so; not behind a manifest that is looked for again.
    fn count(&self, entries: u64, lost: &BTreeSet<Digest>) -> Result<(), ExportError> {
        if lost.is_empty() { self.to.replace(COPIED, format!("{entries}\n").as_bytes()) } else { Ok(()) }
    }
}
