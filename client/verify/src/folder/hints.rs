//! The hints beside a bundle. Nothing depends on them but time: where they cannot be read there are none.

use std::path::{Path, PathBuf};

use stele_spec::hints::{Hints, MAX_HINTS};

use crate::bounded_read::read_if_there;

/// Where the hints of a bundle are: beside it, under its name with another ending.
pub fn beside(bundle: &Path) -> PathBuf {
    bundle.with_extension("hints")
}

/// The hints beside a bundle: none where there are none, and why not where there is a file that is none.
pub fn read(bundle: &Path) -> Result<Option<Hints>, String> {
    let path = beside(bundle);
    let unusable = |error: &dyn std::fmt::Display| format!("{} is not used: {error}", path.display());
    let bytes = read_if_there(&path, MAX_HINTS as u64).map_err(|error| unusable(&error))?;
    bytes.map(|bytes| Hints::parse(&bytes).map_err(|error| unusable(&error))).transpose()
}
