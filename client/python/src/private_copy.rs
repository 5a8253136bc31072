//! The recorded files of a folder, copied to where nobody else can write, and compared with the record there.
//!
//! What a loader takes and the record does not name is refused before anything is copied. The copies share their blocks with the originals
//! where the file system can do that.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use stele_explain::Failure;
use stele_spec::hints::Hints;
use stele_verify::folder::Survey;
use stele_verify::{Allow, FolderMismatch, FolderReport, VerifiedRelease};

use crate::sealed::{CopyError, open_regular};

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
    let copied = survey.copied(|file, from| {
        let to = into.join(file.path.as_str());
        copy_file(from, &to, into, file.size).map(|()| to)
    })?;
    let report = release.check(&copied.hash(hints, &|_| {}));
    report.require(Allow::default().missing(true))?;
    Ok(report)
}

fn copy_file(from: &Path, to: &Path, top: &Path, size: u64) -> Result<(), CopyError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| CopyError::Io { path, source }
    };
    let source = open_regular(from).map_err(failed(from))?;
    make_folders(to, top).map_err(failed(to))?;
    // Not there yet, by the flag; readable by its owner alone.
    let target = OpenOptions::new().write(true).create_new(true).mode(0o400).open(to).map_err(failed(to))?;
    let copied = clone_or_copy(source, &target, size).map_err(failed(to))?;
    if copied == size { Ok(()) } else { Err(CopyError::Changed { path: from.to_owned() }) }
}

/// How many bytes the copy has, or one more than `size`.
fn clone_or_copy(source: File, target: &File, size: u64) -> io::Result<u64> {
    if rustix::fs::ioctl_ficlone(target, &source).is_ok() {
        return Ok(target.metadata()?.len());
    }
    io::copy(&mut source.take(size.saturating_add(1)), &mut &*target)
}

fn make_folders(file: &Path, top: &Path) -> io::Result<()> {
    let folder: PathBuf = file.parent().unwrap_or(top).to_owned();
    if folder == top { Ok(()) } else { DirBuilder::new().recursive(true).mode(0o700).create(folder) }
}
