//! Gives back what follows from something that is certain. Called only where the entries were proven to lead to the signed root, with the
//! writer's lock held.

use super::finding::{Finding, Findings, Remedy};
use crate::fsck_error::FsckError;
use stele_durable::Dir;
use stele_log_core::contract::objects::ObjectName;
use stele_log_core::tiles::{StoreError, TileStore};
use stele_spec::hash::NodeHash;
use stele_spec::merkle::leaf_hash;
use stele_spec::tile::{Resource, TILE_WIDTH, Tile, TilePath, TileSource as _, encode_bundle};

/// Repairs what can be, in the order in which one follows from the other: hashes from entries, higher levels from lower ones.
pub(super) fn repair(data: &Dir, store: &TileStore, size: u64, findings: &mut Findings) -> Result<(), FsckError> {
    let mut tiles: Vec<(TilePath, &mut Finding)> = Vec::new();
    for finding in findings.list_mut().iter_mut().filter(|finding| !finding.repaired) {
        match finding.remedy {
            Remedy::Entries => {
                let path = finding.path.strip_prefix("public/").and_then(|path| TilePath::parse(path).ok());
                tiles.extend(path.map(|path| (path, finding)));
            }
            Remedy::Remove => {
                data.remove(&finding.path)?;
                finding.repaired = true;
            }
            _ => {}
        }
    }
    // Bundles first, then levels upwards; of each the full ones first, since the partial ones are cut from them.
    tiles.sort_by_key(|(path, _)| (path.resource != Resource::Entries, path.resource, TILE_WIDTH - path.width));
    for (path, finding) in tiles {
        let bytes = expected(store, path, size)?;
        store.restore(&ObjectName::Tile(path), &bytes)?;
        finding.repaired = true;
    }
    store.objects().sync()?;
    Ok(())
}

/// The bytes of a tile or bundle, from what is below it.
fn expected(store: &TileStore, path: TilePath, size: u64) -> Result<Vec<u8>, StoreError> {
    let width = usize::from(path.width);
    let entries = || -> Result<Vec<Vec<u8>>, StoreError> {
        let mut entries = store.bundle(path.index, size)?;
        entries.truncate(width);
        Ok(entries)
    };
    let hashes: Vec<NodeHash> = match path.resource {
        Resource::Entries => return Ok(encode_bundle(entries()?.iter().map(Vec::as_slice))?),
        Resource::Level(0) => entries()?.iter().map(|entry| NodeHash::from(leaf_hash(entry))).collect(),
        Resource::Level(level) => {
            let first = path.index * u64::from(TILE_WIDTH);
            let below = first..first + u64::from(path.width);
            let root = |index| Ok(store.tile(TilePath::full(Resource::Level(level - 1), index))?.root());
            below.map(root).collect::<Result<_, StoreError>>()?
        }
    };
    Ok(Tile::from_hashes(hashes).ok_or(StoreError::Missing { path })?.to_bytes())
}
