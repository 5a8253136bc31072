//! Partial tiles in a bucket.

use crate::store_of;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use stele_log_core::contract::objects::Objects;
use stele_log_core::tiles::TileStore;
use stele_log_core::tree::Object;
use stele_log_storage_objects::objects::StoredObjects;
use stele_object_store::bucket::Bucket as _;
use stele_object_store::memory::MemoryBucket;
use stele_spec::tile::{Resource, TILE_WIDTH, TilePath};

#[test]
fn a_partial_tile_goes_an_hour_after_the_full_one_is_there_and_is_read_from_that() {
    let bucket = Arc::new(MemoryBucket::new());
    let (objects, removal) = StoredObjects::with_removal(&store_of(&bucket));
    let objects: Arc<dyn Objects> = Arc::new(objects);
    let store = TileStore::new(&objects);
    let bytes = vec![7; usize::from(TILE_WIDTH) * 32];
    let path = |index, width| TilePath { resource: Resource::Level(0), index, width };
    let (partial, full, edge) = (path(0, 5), path(0, TILE_WIDTH), path(1, 44));
    for path in [partial, full, edge] {
        store.put(&[Object { path, bytes: bytes[..usize::from(path.width) * 32].to_vec() }]).unwrap();
    }
    let is_there = |path: TilePath| bucket.get(&format!("public/{path}").parse().unwrap(), 9000).unwrap().is_some();
    // By the bucket's clock everything was stored at 0.
    let (mut waiting, hour) = (VecDeque::from([full]), Duration::from_secs(3600));
    store.sweep(&mut waiting, hour, 8, 3599);
    removal.catch_up();
    assert!(is_there(partial), "a reader with an earlier checkpoint may be under way");
    store.sweep(&mut waiting, hour, 8, 3600);
    removal.catch_up();
    assert!(!is_there(partial) && waiting.is_empty());
    assert!(is_there(full) && is_there(edge), "what the last published size has stays");
    assert_eq!(store.read(partial).unwrap().unwrap(), bytes[..5 * 32]);
}
