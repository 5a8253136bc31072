//! A copy of one file in memory that nobody can change any more, whose content is then compared with the record.
//!
//! The order is what makes it safe: the copy is sealed first (`memfd_create(2)`, `F_ADD_SEALS`), and hashed after. What a loader reads by
//! `/proc/self/fd/N` is the memory that was hashed, whatever happens to the file.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::fd::{AsRawFd as _, IntoRawFd as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{MemfdFlags, OFlags, SealFlags};
use stele_explain::{Exit, Explain, Failure, explain};
use stele_spec::hints::Hints;
use stele_verify::folder::check_recorded;
use stele_verify::{FilePath, VerifiedRelease};

/// Copies, seals and compares; the descriptor is the caller's to close.
pub(crate) fn copy(
    path: &Path,
    recorded: &FilePath,
    release: &VerifiedRelease,
    hints: Option<&Hints>,
) -> Result<i32, Failure> {
    let Some(file) = release.manifest().file(recorded) else {
        // Says that the record has no such file.
        return Err(match check_recorded(path, recorded, release, None) {
            Err(mismatch) => mismatch.into(),
            Ok(_) => CopyError::Impossible.into(),
        });
    };
    let failed = |source| CopyError::Io { path: path.to_owned(), source };
    let source = open_regular(path).map_err(failed)?;
    if source.metadata().map_err(failed)?.len() != file.size {
        // A length that differs needs no copy to be told.
        check_recorded(path, recorded, release, None)?;
    }
    let sealed = memory().map_err(CopyError::NoSealedMemory)?;
    // One byte more shows a file that grew; a file without end is not copied for ever.
    let copied = io::copy(&mut source.take(file.size.saturating_add(1)), &mut &sealed).map_err(failed)?;
    if copied != file.size {
        return Err(CopyError::Changed { path: path.to_owned() }.into());
    }
    seal(&sealed).map_err(CopyError::NoSealedMemory)?;
    check_recorded(&by_descriptor(&sealed), recorded, release, hints)?;
    Ok(sealed.into_raw_fd())
}

/// Memory that can be sealed.
fn memory() -> io::Result<File> {
    Ok(rustix::fs::memfd_create("stele", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?.into())
}

fn seal(file: &File) -> io::Result<()> {
    let seals = SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL;
    rustix::fs::fcntl_add_seals(file, seals)?;
    Ok(())
}

fn by_descriptor(file: &File) -> PathBuf {
    format!("/proc/self/fd/{}", file.as_raw_fd()).into()
}

/// Opens a regular file. A pipe in its place does not hang the caller.
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    let nonblocking = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
    let file = OpenOptions::new().read(true).custom_flags(nonblocking).open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"))
    }
}

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CopyError {
    /// The machine failed.
    #[error("cannot copy {}", .path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// It was written to meanwhile.
    #[error("{} changed while it was copied", .path.display())]
    Changed { path: PathBuf },
    /// No `memfd_create` here.
    #[error("this machine gives no memory that can be sealed")]
    NoSealedMemory(#[source] io::Error),
    /// A bug.
    #[error("a file that is not recorded compares as equal")]
    Impossible,
}

impl Explain for CopyError {
    explain! {
        Self::Io { source, .. } => if source.kind() == io::ErrorKind::NotFound { Exit::BadInput } else { Exit::Io },
            if source.kind() == io::ErrorKind::NotFound { "file-missing" } else { "io" },
            hint: "check the path, its mode, and the room that is left where it is copied to";
        Self::Changed { .. } => Exit::Io, "file-unreadable", hint: "stop whatever writes to it, and try again";
        Self::NoSealedMemory(_) => Exit::Io, "guard-unsupported", hint: "a guard needs Linux with memfd_create(2) and /proc";
        Self::Impossible => Exit::Internal, "internal";
    }
}
