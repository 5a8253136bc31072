//! A log of any size as static files, signed by one key: entries that nothing parses.

use std::fs;
use std::path::Path;

use stele_probe::failure::{During, Step};
use stele_spec::checkpoint::{Checkpoint, Origin, sign_checkpoint};
use stele_spec::hash::RootHash;
use stele_spec::merkle::{MemoryTree, leaf_hash, root_at};
use stele_spec::note::{KeyType, SignerKey};
use stele_spec::tiledlog::Growth;

/// The origin of the log, and the name of its key.
pub const ORIGIN: &str = "log.example/reader";

/// The entry at a position; lengths differ.
pub fn entry(position: u64) -> Vec<u8> {
    format!("entry {position} {}", "x".repeat((position % 97) as usize)).into_bytes()
}

/// The tree of the first `size` entries.
pub fn tree(size: u64) -> MemoryTree {
    let mut tree = MemoryTree::new();
    (0..size).for_each(|position| tree.push(leaf_hash(&entry(position))));
    tree
}

/// The key of the log.
pub fn signer() -> Step<SignerKey> {
    Ok(SignerKey::new(ORIGIN.parse().during("making a key name")?, KeyType::Log, [7; 32]))
}

/// A signed checkpoint of the log, of any root.
pub fn note(size: u64, root: RootHash) -> Step<Vec<u8>> {
    let origin: Origin = ORIGIN.parse().during("making an origin")?;
    let note = sign_checkpoint(&Checkpoint::new(origin, size, root), &signer()?).during("signing a checkpoint")?;
    Ok(note.to_bytes())
}

/// Writes the static files of the first `size` entries into a folder; what a tree of `old` entries had is there as well.
pub fn write(folder: &Path, tree: &MemoryTree, old: u64, size: u64) -> Step {
    let mut growth = Growth::after(old, tree).during("growing a tree")?;
    for first in (growth.size()..size).step_by(256) {
        let entries: Vec<Vec<u8>> = (first..size.min(first + 256)).map(entry).collect();
        let leaves: Vec<_> = entries.iter().map(|entry| leaf_hash(entry)).collect();
        growth.bundle(&entries, &leaves).during("making an entry bundle")?;
    }
    for (path, bytes) in growth.take().into_iter().chain(growth.edge()) {
        let file = folder.join(path.to_string());
        fs::create_dir_all(file.parent().unwrap_or(folder)).during("making a folder")?;
        fs::write(file, bytes).during("writing a file of the log")?;
    }
    let root = root_at(tree, size).during("hashing the tree")?;
    fs::write(folder.join("checkpoint"), note(size, root)?).during("writing the checkpoint")
}
