//! Paths that some disks take for one file. A manifest with them is well formed: which characters fold on which changes with Unicode.

use super::Code;
use super::sheet::{Sheet, shown};
use crate::manifest::Manifest;

pub(super) fn check(manifest: Option<&Manifest>, sheet: &mut Sheet) {
    let Some((first, second)) = manifest.and_then(Manifest::colliding) else { return };
    let summary = format!("{first} and {second} are one name where case or normalisation is ignored");
    sheet.report(Code::PathsCollide, summary, vec![shown("file", first), shown("other", second)]);
}
