//! Manifests on a disk that damages them.

use crate::common::files;
use stele_log_core::manifests::{Manifests, Stored};
use stele_log_core::samples::release;
use stele_spec::manifest::MAX_MANIFEST;

#[test]
fn a_manifest_that_is_lost_or_damaged_is_told_and_put_back() {
    let home = tempfile::tempdir().unwrap();
    let manifests = Manifests::new(&files(home.path()));
    let manifest = release("acme.example", 1, "base", 1).1;
    let (digest, bytes) = (manifest.digest(), manifest.bytes());
    let file = home.path().join("public/manifests").join(digest.to_string());
    assert_eq!(manifests.read(&digest).unwrap(), Stored::Missing);
    manifests.keep(&digest, bytes).unwrap();
    assert_eq!(manifests.read(&digest).unwrap(), Stored::Sound(bytes.to_vec()));

    let mut flipped = bytes.to_vec();
    flipped[40] ^= 1;
    for damage in [flipped, Vec::new(), vec![0; MAX_MANIFEST + 1]] {
        std::fs::write(&file, damage).unwrap();
        assert_eq!(manifests.read(&digest).unwrap(), Stored::Damaged);
        assert_eq!(manifests.read(&digest).unwrap(), Stored::Damaged);
        assert_eq!(manifests.count_damaged(), 1);
        std::fs::remove_file(&file).unwrap();
        assert_eq!(manifests.count_damaged(), 1, "gone is not whole");
        // An operator copies it from a mirror; a publisher sends it again.
        std::fs::write(&file, bytes).unwrap();
        assert_eq!(manifests.count_damaged(), 0);
        std::fs::write(&file, b"damaged").unwrap();
        assert_eq!(manifests.read(&digest).unwrap(), Stored::Damaged);
        manifests.keep(&digest, bytes).unwrap();
        assert_eq!(manifests.count_damaged(), 0);
        assert_eq!(manifests.read(&digest).unwrap(), Stored::Sound(bytes.to_vec()));
    }
    std::fs::remove_file(&file).unwrap();
    assert_eq!(manifests.read(&digest).unwrap(), Stored::Missing);
    manifests.keep(&digest, bytes).unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), bytes);
}
