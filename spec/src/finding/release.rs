//! The rules on one release, all of them.

use super::finding::Finding;
use super::licence_ids::SpdxList;
use super::sheet::Sheet;
use super::{ambiguity, benchmark, licence_ids, lineage, loading, openwashing, paths, wrapper};
use crate::manifest::{FilePath, Manifest};
use crate::statement::Release;

/// Every rule that needs one release and its manifest, sorted.
///
/// Without the manifest, the rules about files are silent.
pub fn of_release(position: Option<u64>, release: &Release, manifest: Option<&Manifest>) -> Vec<Finding> {
    of_release_at_hand(position, release, manifest, &|_| None)
}

/// The same for anyone who has the files: `pickled` tells whether a file is of the pickle family by its content. Where it tells
/// nothing, the name of the file decides, as in the findings of an auditor.
pub fn of_release_at_hand(
    position: Option<u64>,
    release: &Release,
    manifest: Option<&Manifest>,
    pickled: &dyn Fn(&FilePath) -> Option<bool>,
) -> Vec<Finding> {
    let mut sheet = Sheet::new(position, release.coordinate());
    openwashing::check(release, manifest, &mut sheet);
    licence_ids::check(release, &SpdxList, &mut sheet);
    paths::check(manifest, &mut sheet);
    wrapper::check(release, manifest, &mut sheet);
    benchmark::check(release, &mut sheet);
    ambiguity::check(release, manifest, &mut sheet);
    loading::check(manifest, pickled, &mut sheet);
    lineage::check(release, &mut sheet);
    sheet.into_sorted()
}
