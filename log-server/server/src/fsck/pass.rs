//! Every entry, once, in order: what it hashes to, the tiles above it, its manifest, what it lists in the index.
//!
//! A group of 256 entries is there twice, as a bundle and as a tile of their hashes, and its root a third time in the tile above. Where they
//! differ two of three are believed, until the root of all that was believed is that of the signed head: then what was believed is right,
//! and every file that differs from it is wrong. Where it is another root nothing is certain, and nothing is written.

use super::finding::{Finding, Findings, Problem, Remedy};
use super::index_rows::IndexRows;
use super::levels::Levels;
use super::wanted::{Flaw, Wanted, public};
use crate::fsck_error::FsckError;
use std::path::Path;
use stele_log_core::replay::parse_entries;
use stele_log_core::tree::Object;
use stele_spec::entry::{Entry, IndexEntry};
use stele_spec::hash::{LeafHash, NodeHash, RootHash};
use stele_spec::index::keys_of;
use stele_spec::merkle::{Nodes as _, leaf_hash};
use stele_spec::tile::{Resource, TILE_WIDTH, Tile, TileNodes, TilePath, decode_bundle, encode_bundle};

/// The most positions that a finding names.
const NAMED: usize = 8;

/// How far it is, and what it has found.
#[derive(Debug)]
pub(super) struct Pass {
    /// The tree of the groups that are done.
    pub(super) levels: Levels,
    /// What their entries list.
    pub(super) rows: IndexRows,
    /// What is not as it should be.
    pub(super) findings: Findings,
    /// Whether every entry is there.
    pub(super) is_whole: bool,
    /// Statements that were read.
    pub(super) statements: u64,
    /// Releases with a manifest among them.
    pub(super) releases: u64,
    /// The newest index entry, with its position.
    pub(super) last: Option<(u64, IndexEntry)>,
}

/// What the whole of it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// What was believed leads to the signed root.
    Proven,
    /// It leads to another root, or to none.
    Doubtful(Option<RootHash>),
}

/// What a group is taken to be.
struct Group {
    leaves: Option<Vec<LeafHash>>,
    entries: Option<Vec<Vec<u8>>>,
    root: Option<NodeHash>,
}

impl Pass {
    /// At the beginning; rows of the index go to `scratch` where they are many.
    pub(super) fn new(scratch: &Path) -> Self {
        Self {
            levels: Levels::default(),
            rows: IndexRows::new(scratch, 0),
            findings: Findings::default(),
            is_whole: true,
            statements: 0,
            releases: 0,
            last: None,
        }
    }

    /// Looks at the next full group.
    pub(super) fn group(&mut self, wanted: &Wanted<'_>, size: u64) -> Result<(), FsckError> {
        let index = self.levels.groups();
        let width = TILE_WIDTH;
        let read = self.read(wanted, index, width)?;
        let above = || TileNodes::new(wanted.store, size).node(8, index).ok();
        let group = self.believed(read, index, width, above);
        self.entries(wanted, index, width, &group)?;
        let Some(root) = group.root else {
            // Without a root for the group nothing behind it can be placed in the tree: its files are held against each other alone.
            self.levels.push(NodeHash::from_bytes([0; 32]));
            return Ok(());
        };
        for object in self.levels.push(root) {
            self.compare(wanted, &object)?;
        }
        Ok(())
    }

    /// Looks at what is behind the full groups, and at the root of all. `is_alone`: nothing else writes, so that nothing is beyond the head.
    pub(super) fn finish(
        &mut self,
        wanted: &Wanted<'_>,
        size: u64,
        root: RootHash,
        is_alone: bool,
    ) -> Result<Ending, FsckError> {
        let (index, width) = (size / u64::from(TILE_WIDTH), (size % u64::from(TILE_WIDTH)) as u16);
        let mut found = self.levels.root(&[]);
        if width > 0 {
            let read = self.read(wanted, index, width)?;
            // Of the last entries there are two readings, and the root tells which is right.
            let fits = |leaves: &Option<Vec<LeafHash>>| {
                leaves.as_ref().is_some_and(|leaves| self.levels.root(leaves) == Some(root))
            };
            let by_tile = !fits(&read.of_entries) && fits(&read.of_tile);
            let believed = if by_tile { read.tile_root } else { None };
            let group = self.believed(read, index, width, || believed);
            found = group.leaves.as_ref().and_then(|leaves| self.levels.root(leaves));
            self.entries(wanted, index, width, &group)?;
        }
        for object in self.levels.partials() {
            self.compare(wanted, &object)?;
        }
        if is_alone {
            self.beyond(wanted, index, width)?;
        }
        Ok(if found == Some(root) { Ending::Proven } else { Ending::Doubtful(found) })
    }

    fn read(&mut self, wanted: &Wanted<'_>, index: u64, width: u16) -> Result<Read, FsckError> {
        let path = |resource| TilePath { resource, index, width };
        let bundle = wanted.read(path(Resource::Entries), &mut self.findings)?;
        let tile = wanted.read(path(Resource::Level(0)), &mut self.findings)?;
        let entries: Result<Vec<Vec<u8>>, Flaw> = bundle.and_then(|bytes| {
            let entries = decode_bundle(&bytes, width).map_err(|error| (Problem::Damaged, error.to_string()))?;
            Ok(entries.into_iter().map(<[u8]>::to_vec).collect())
        });
        let tile =
            tile.and_then(|bytes| Tile::parse(&bytes, width).map_err(|error| (Problem::Damaged, error.to_string())));
        let of_tile = tile.as_ref().ok().and_then(|tile| (0..width).map(|at| tile.leaf(at)).collect());
        let of_entries = entries.as_ref().ok().map(|entries| entries.iter().map(|entry| leaf_hash(entry)).collect());
        Ok(Read { tile_root: tile.as_ref().ok().map(Tile::root), entries, tile: tile.map(drop), of_entries, of_tile })
    }

    /// What is taken to be right, with a finding for what differs from it. `above` is the root of the group as another file has it.
    fn believed(&mut self, read: Read, index: u64, width: u16, above: impl FnOnce() -> Option<NodeHash>) -> Group {
        let path = |resource| public(TilePath { resource, index, width });
        let (bundle, tile) = (path(Resource::Entries), path(Resource::Level(0)));
        let Read { entries, tile: tile_flaw, of_entries, of_tile, tile_root } = read;
        if of_entries.is_some() && of_entries == of_tile {
            return Group { leaves: of_entries, entries: entries.ok(), root: tile_root };
        }
        let entries_root = of_entries.as_ref().and_then(|leaves| root_of(leaves));
        let above = above();
        let differs = || (Problem::Damaged, String::new());
        if of_entries.is_some() && (above.is_none() || above == entries_root)
            || of_tile.is_none() && of_entries.is_some()
        {
            let (problem, found) = tile_flaw.err().unwrap_or_else(differs);
            self.findings.add(Finding::new(tile, problem, Remedy::Entries, found));
            return Group { leaves: of_entries, entries: entries.ok(), root: entries_root };
        }
        self.is_whole = false;
        let wrong = of_entries.as_ref().zip(of_tile.as_ref()).map(|(ours, theirs)| named(index, ours, theirs));
        let (problem, found) = match entries.as_ref() {
            Err(flaw) => flaw.clone(),
            Ok(_) => (Problem::Damaged, wrong.unwrap_or_default()),
        };
        self.findings.add(Finding::new(bundle, problem, Remedy::Copy, found));
        if of_tile.is_some() && (above.is_none() || above == tile_root) {
            return Group { leaves: of_tile, entries: entries.ok(), root: tile_root };
        }
        let (problem, found) = tile_flaw.err().unwrap_or_else(differs);
        self.findings.add(Finding::new(tile, problem, Remedy::Copy, found));
        Group { leaves: None, entries: None, root: above }
    }

    /// What the entries of a group say: keys, manifests, index entries. And the partial files beside it, of smaller trees.
    fn entries(&mut self, wanted: &Wanted<'_>, index: u64, width: u16, group: &Group) -> Result<(), FsckError> {
        let Some(leaves) = &group.leaves else { return Ok(()) };
        let path = TilePath { resource: Resource::Entries, index, width };
        let entries = group.entries.as_deref().unwrap_or_default();
        let first = index * u64::from(TILE_WIDTH);
        let mut all_right = entries.len() == leaves.len();
        for (((position, bytes), leaf), parsed) in (first..).zip(entries).zip(leaves).zip(parse_entries(entries)) {
            if leaf_hash(bytes) != *leaf {
                all_right = false;
                continue;
            }
            match parsed.map(|parsed| parsed.entry) {
                Ok(Entry::Index(entry)) => {
                    if entry.position != position {
                        let found = format!("the index entry at {position} says {}", entry.position);
                        self.findings.add(Finding::new(public(path), Problem::Damaged, Remedy::Person, found));
                    }
                    self.last = Some((position, entry));
                }
                Ok(entry) => {
                    self.statements += 1;
                    let added = self.rows.add(&keys_of(&entry), position, *leaf);
                    added.map_err(|source| FsckError::Scratch { path: self.rows.folder().to_owned(), source })?;
                    if let Entry::Statement(signed) = &entry
                        && let Some(digest) = signed.statement().manifest_digest()
                    {
                        self.releases += 1;
                        wanted.manifest(&digest, &mut self.findings)?;
                    }
                }
                Err(error) => {
                    let found = format!("entry {position} was signed and is none: {error}");
                    self.findings.add(Finding::new(public(path), Problem::Damaged, Remedy::Person, found));
                }
            }
        }
        if all_right {
            self.smaller(wanted, path, |width| {
                let entries = entries.iter().take(usize::from(width)).map(Vec::as_slice);
                encode_bundle(entries).ok()
            })?;
        }
        let tile: Vec<u8> = leaves.iter().flat_map(|leaf| *leaf.as_bytes()).collect();
        let path = TilePath { resource: Resource::Level(0), ..path };
        self.smaller(wanted, path, |width| Some(tile.iter().take(usize::from(width) * 32).copied().collect()))
    }

    /// A tile that follows from what is below it.
    fn compare(&mut self, wanted: &Wanted<'_>, object: &Object) -> Result<(), FsckError> {
        let read = wanted.read(object.path, &mut self.findings)?;
        if read.as_ref() != Ok(&object.bytes) {
            let (problem, found) = read.err().unwrap_or((Problem::Damaged, String::new()));
            self.findings.add(Finding::new(public(object.path), problem, Remedy::Entries, found));
        }
        let bytes = &object.bytes;
        self.smaller(wanted, object.path, |width| Some(bytes.iter().take(usize::from(width) * 32).copied().collect()))
    }

    /// The partial tiles of smaller trees: readers with an older checkpoint still ask for them.
    fn smaller(
        &mut self,
        wanted: &Wanted<'_>,
        path: TilePath,
        begins: impl Fn(u16) -> Option<Vec<u8>>,
    ) -> Result<(), FsckError> {
        let full = TilePath { width: TILE_WIDTH, ..path };
        for width in wanted.store.objects().partials(full).into_iter().filter(|width| *width < path.width) {
            let partial = TilePath { width, ..path };
            let (Some(found), Some(expected)) = (wanted.file(partial)?, begins(width)) else { continue };
            if found != expected {
                self.findings.add(Finding::new(public(partial), Problem::Damaged, Remedy::Entries, ""));
            }
        }
        Ok(())
    }

    /// Files of a larger tree than the signed head's: the head is older than what was signed.
    fn beyond(&mut self, wanted: &Wanted<'_>, index: u64, width: u16) -> Result<(), FsckError> {
        for resource in [Resource::Entries, Resource::Level(0)] {
            let full = TilePath::full(resource, index);
            let mut widths = wanted.store.objects().partials(full);
            if wanted.file(full)?.is_some() {
                widths.push(TILE_WIDTH);
            }
            for width in widths.into_iter().filter(|found| *found > width) {
                let found = "of a larger tree than lock/signed-head".to_owned();
                let path = public(TilePath { width, ..full });
                self.findings.add(Finding::new(path, Problem::Beyond, Remedy::Copy, found));
            }
        }
        Ok(())
    }
}

/// A group as both of its files have it.
struct Read {
    entries: Result<Vec<Vec<u8>>, Flaw>,
    tile: Result<(), Flaw>,
    of_entries: Option<Vec<LeafHash>>,
    of_tile: Option<Vec<LeafHash>>,
    tile_root: Option<NodeHash>,
}

fn root_of(leaves: &[LeafHash]) -> Option<NodeHash> {
    Tile::from_hashes(leaves.iter().map(|leaf| NodeHash::from(*leaf)).collect()).map(|tile| tile.root())
}

/// Which entries differ from their leaves.
fn named(index: u64, ours: &[LeafHash], theirs: &[LeafHash]) -> String {
    let first = index * u64::from(TILE_WIDTH);
    let wrong = (first..).zip(ours.iter().zip(theirs)).filter(|(_, (ours, theirs))| ours != theirs);
    let positions: Vec<String> = wrong.map(|(position, _)| position.to_string()).collect();
    let more = positions.len().saturating_sub(NAMED);
    let listed = positions.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    if more > 0 { format!("entries {listed} and {more} more") } else { format!("entry {listed}") }
}
