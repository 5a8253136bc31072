//! The recorded files of a folder, copied to where nobody else can write, and compared with the record while they are copied.
//!
//! What a loader takes and the record does not name is refused before anything is copied. The copies share their blocks with the originals
//! where the file system can do that.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use stele_explain::Failure;
use stele_regular_file::share_blocks;
use stele_spec::hints::Hints;
use stele_verify::folder::Survey;
use stele_verify::folder::hash::CopyInto;
use stele_verify::{Allow, FolderMismatch, FolderReport, VerifiedRelease};

/// Copies what the record names of a folder, whose path in the release is `within`, below `into` under the paths of the release.
pub(crate) fn copy(
    folder: &Path,
    within: &str,
    into: &Path,
    release: &VerifiedRelease,
    hints: Option<&Hints>,
) -> Result<FolderReport, Failure> {
    let survey = Survey::of(folder, within, release)?;
    let beside = release.check(survey.beside());
    let unrecorded = beside.unrecorded();
    if !unrecorded.is_empty() {
        return Err(FolderMismatch::Unrecorded { files: unrecorded.into_iter().cloned().collect() }.into());
    }
    let contents =
        survey.hash_copying(&|file, source, _| begin(source, &into.join(file.path.as_str()), into), hints, &|_| {})?;
    let report = release.check(&contents);
    report.require(Allow::default().missing(true))?;
    Ok(report)
}

fn begin(source: &File, to: &Path, top: &Path) -> io::Result<CopyInto> {
    if let Some(folder) = to.parent().filter(|folder| *folder != top) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    // Not there yet, by the flag; readable by its owner alone.
    let target = OpenOptions::new().read(true).write(true).create_new(true).mode(0o400).open(to)?;
    Ok(if share_blocks(source, &target) { CopyInto::Shared(target) } else { CopyInto::Empty(target) })
}
