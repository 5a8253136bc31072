//! What a store tells readers of a log's objects beside their bytes, as c2sp.org/tlog-tiles asks for it: so the bucket, or a CDN before it, can be read by anybody without rules of its own.

use stele_object_store::bucket::Served;
use stele_object_store::key::Key;
use stele_spec::frozen;

/// The folder of what readers see.
const PUBLIC: Key = Key::fixed("public");

/// What never changes under its name: for a year.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// What changes: a cache asks again after seconds, and answers for a minute with what it has while it does.
const FOR_SECONDS: &str = "public, max-age=5, stale-while-revalidate=60";

/// What is said of the object with this name; nothing of one that is not for readers.
pub fn served(key: &Key) -> Served {
    let of = |content_type, cache_control, is_packed| Served { content_type, cache_control, is_packed };
    match key.within(&PUBLIC) {
        // Entry bundles may come in gzip without being asked for; tiles are hashes, which nothing makes shorter.
        Some(name) if name.starts_with("tile/entries/") => of("application/octet-stream", FOR_EVER, true),
        Some(name) if name.starts_with("tile/") => of("application/octet-stream", FOR_EVER, false),
        Some(name) if name.starts_with("manifests/") => of("application/cbor", FOR_EVER, false),
        Some("checkpoint" | frozen::FILE) => of("text/plain; charset=utf-8", FOR_SECONDS, false),
        _ => Served::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_changes_is_kept_for_ever_and_what_is_not_for_readers_says_nothing() {
        let said = |name: &str| served(&name.parse().unwrap());
        for (name, is_packed) in [
            ("public/tile/0/000", false),
            ("public/tile/0/x001/234.p/5", false),
            ("public/tile/entries/000.p/5", true),
            ("public/manifests/00ff", false),
        ] {
            let found = said(name);
            assert!(found.cache_control.contains("immutable") && found.is_packed == is_packed, "{name}: {found:?}");
        }
        for name in ["public/checkpoint", "public/frozen"] {
            assert!(said(name).cache_control.contains("max-age=5,") && !said(name).is_packed, "{name}");
        }
        for name in ["lock/00000000000000000001", "staged/1-a", "probe/0", "tile/0/000"] {
            assert_eq!(said(name), Served::default(), "{name}");
        }
    }
}
