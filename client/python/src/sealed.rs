//! A copy of one file in memory that nobody can change any more, and whose content is the recorded one.
//!
//! The copy is hashed while it is written, from the memory from which it is written. That is the digest of what is sealed only where nobody else writes to the
//! copy before it is sealed: another process of the same user may open `/proc/PID/fd/N`. So the descriptor holds a write lease (`F_SETLEASE`, fcntl(2)) from
//! before the first byte until after the seal (`memfd_create(2)`, `F_SEAL_WRITE`). The kernel gives it only where nobody else has the file open or mapped, and
//! breaks it when somebody opens it. Where there is no lease, or it was broken, what was sealed is hashed once more.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd as _, IntoRawFd as _};
use std::path::{Path, PathBuf};

use pyo3::prelude::*;
use rustix::fs::{MemfdFlags, SealFlags};
use stele_explain::{Exit, Explain, Failure, explain};
use stele_spec::hints::Hints;
use stele_verify::folder::{check_recorded, copy_recorded};
use stele_verify::{FilePath, VerifiedRelease};

use crate::error::failed;

/// Copies, compares and seals; the descriptor is the caller's to close.
pub(crate) fn copy(
    py: Python<'_>,
    path: &Path,
    recorded: &FilePath,
    release: &VerifiedRelease,
    hints: Option<&Hints>,
) -> PyResult<i32> {
    let no_memory = |source| failed(py, &NoSealedMemory(source).into());
    let memory = memory().map_err(no_memory)?;
    let lease = Lease::take(py, &memory);
    let copied = py.detach(|| copy_recorded(path, recorded, release, hints, &memory));
    copied.map_err(|failure| failed(py, &failure))?;
    seal(&memory).map_err(no_memory)?;
    let was_alone = lease.is_some_and(|lease| lease.end(py));
    if !was_alone {
        let checked: Result<_, Failure> =
            py.detach(|| check_recorded(&by_descriptor(&memory), recorded, release, hints));
        checked.map_err(|failure| failed(py, &failure))?;
    }
    Ok(memory.into_raw_fd())
}

/// Memory that can be sealed, opened by its path: the kernel counts no other descriptor as a writer, and no lease is given that it cannot count.
fn memory() -> io::Result<File> {
    let made: File = rustix::fs::memfd_create("stele", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?.into();
    OpenOptions::new().read(true).write(true).open(by_descriptor(&made))
}

fn seal(file: &File) -> io::Result<()> {
    let seals = SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL;
    rustix::fs::fcntl_add_seals(file, seals)?;
    Ok(())
}

fn by_descriptor(file: &File) -> PathBuf {
    format!("/proc/self/fd/{}", file.as_raw_fd()).into()
}

/// A write lease: for as long as it holds nobody else has the file open.
///
/// Through Python's own call, which is safe where that of C is not.
struct Lease<'a> {
    file: &'a File,
}

impl<'a> Lease<'a> {
    /// None where the machine gives none, or somebody has the file open.
    fn take(py: Python<'_>, file: &'a File) -> Option<Self> {
        let lease = Self { file };
        // A lease that is broken is told by a signal. One that is ignored by default, and then none: who ends a lease asks.
        let ignored = py.import("signal").and_then(|signal| signal.getattr("SIGURG")).ok()?.extract::<i32>().ok()?;
        lease.call(py, "F_SETSIG", ignored)?;
        lease.call(py, "F_SETLEASE", lease.constant(py, "F_WRLCK")?)?;
        lease.call(py, "F_SETOWN", 0);
        Some(lease)
    }

    /// Ends it. Whether it held until now.
    fn end(self, py: Python<'_>) -> bool {
        let (found, held) = (self.call(py, "F_GETLEASE", 0), self.constant(py, "F_WRLCK"));
        if let Some(none) = self.constant(py, "F_UNLCK") {
            self.call(py, "F_SETLEASE", none);
        }
        held.is_some() && found == held
    }

    fn call(&self, py: Python<'_>, command: &str, argument: i32) -> Option<i32> {
        let command = self.constant(py, command)?;
        let called = py
            .import("fcntl")
            .and_then(|fcntl| fcntl.call_method1("fcntl", (self.file.as_raw_fd(), command, argument)));
        called.ok()?.extract().ok()
    }

    fn constant(&self, py: Python<'_>, name: &str) -> Option<i32> {
        py.import("fcntl").and_then(|fcntl| fcntl.getattr(name)).ok()?.extract().ok()
    }
}

/// No `memfd_create` here, or no `/proc`.
#[derive(Debug, thiserror::Error)]
#[error("this machine gives no memory that can be sealed")]
struct NoSealedMemory(#[source] io::Error);

impl Explain for NoSealedMemory {
    explain! {
        Self(_) => Exit::Io, "guard-unsupported", hint: "a guard needs Linux with memfd_create(2) and /proc";
    }
}
