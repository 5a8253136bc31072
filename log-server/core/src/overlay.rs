//! Tiles as they will be once a batch is published: what a self-check reads.

use crate::tiles::{StoreError, TileStore};
use crate::tree::Object;
use std::collections::HashMap;
use stele_spec::tile::{TILE_WIDTH, Tile, TilePath, TileSource};

/// The store as it will be when some objects are put: what a self-check reads.
#[derive(Debug)]
pub struct Overlay<'a> {
    store: &'a TileStore,
    objects: HashMap<TilePath, &'a [u8]>,
}

impl<'a> Overlay<'a> {
    /// `objects` over `store`.
    pub fn new(store: &'a TileStore, objects: &'a [Object]) -> Self {
        Self { store, objects: objects.iter().map(|object| (object.path, object.bytes.as_slice())).collect() }
    }
}

impl TileSource for Overlay<'_> {
    type Error = StoreError;

    fn tile(&self, path: TilePath) -> Result<Tile, StoreError> {
        if let Some(bytes) = self.objects.get(&path) {
            return Ok(Tile::parse(bytes, path.width)?);
        }
        // A narrower tile than the one to be published must be read from that one: it is what will be served.
        let wider = (path.width..=TILE_WIDTH).find_map(|width| {
            let bytes = self.objects.get(&TilePath { width, ..path })?;
            bytes.get(..usize::from(path.width) * 32)
        });
        match wider {
            Some(bytes) => Ok(Tile::parse(bytes, path.width)?),
            None => self.store.tile(path),
        }
    }
}
