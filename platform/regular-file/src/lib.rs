#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::{OFlags, ioctl_ficlone};

/// Opens a regular file to be read, and says what it was when it was open. Symlinks are followed.
pub fn open(path: &Path) -> Result<(File, Metadata), OpenError> {
    // Without the flag a pipe hangs the call until somebody writes to it.
    let file = match OpenOptions::new().read(true).custom_flags(flags(OFlags::NONBLOCK)).open(path) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => behind_a_lease(path)?,
        opened => opened?,
    };
    let found = file.metadata()?;
    is_regular(&found)?;
    Ok((file, found))
}

/// Opens a file on which another process holds a lease (fcntl(2), `F_SETLEASE`): the kernel asks that process to give it up, and ends it after
/// `/proc/sys/fs/lease-break-time` seconds. So that is waited for, and only at what is a regular file.
fn behind_a_lease(path: &Path) -> Result<File, OpenError> {
    let place = OpenOptions::new().read(true).custom_flags(flags(OFlags::PATH)).open(path)?;
    is_regular(&place.metadata()?)?;
    Ok(File::open(format!("/proc/self/fd/{}", place.as_raw_fd()))?)
}

fn is_regular(found: &Metadata) -> Result<(), OpenError> {
    if found.is_dir() {
        Err(OpenError::Folder)
    } else if found.is_file() {
        Ok(())
    } else {
        Err(OpenError::NotRegular)
    }
}

fn flags(flags: OFlags) -> i32 {
    i32::try_from(flags.bits()).unwrap_or_default()
}

/// Makes an empty file a copy of another one by sharing its blocks; false, and nothing done, where the file system cannot do it, or the two lie on
/// different ones.
pub fn share_blocks(from: &File, into: &File) -> bool {
    ioctl_ficlone(into, from).is_ok()
}

/// Why there is no open file.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The machine says why.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A folder is at the path.
    #[error("a folder, and not a file")]
    Folder,
    /// A pipe, a socket or a device is at the path.
    #[error("not a regular file")]
    NotRegular,
}

impl From<OpenError> for io::Error {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Io(error) => error,
            OpenError::Folder => io::ErrorKind::IsADirectory.into(),
            OpenError::NotRegular => Self::new(io::ErrorKind::InvalidInput, "not a regular file"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    use std::io::Read as _;

    #[test]
    fn what_is_no_regular_file_is_told_and_hangs_nobody() {
        let home = tempfile::tempdir().unwrap();
        let [file, link, pipe] = ["file", "link", "pipe"].map(|name| home.path().join(name));
        std::fs::write(&file, b"weights").unwrap();
        std::os::unix::fs::symlink("file", &link).unwrap();
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR, 0).unwrap();
        for path in [&file, &link] {
            let (mut opened, found) = open(path).unwrap();
            let mut bytes = Vec::new();
            opened.read_to_end(&mut bytes).unwrap();
            assert_eq!((bytes.as_slice(), found.len()), (&b"weights"[..], 7));
        }
        assert!(matches!(open(&pipe), Err(OpenError::NotRegular)));
        assert!(matches!(open(Path::new("/dev/null")), Err(OpenError::NotRegular)));
        assert!(matches!(open(home.path()), Err(OpenError::Folder)));
        let missing = open(&home.path().join("none")).map(|_| ()).map_err(io::Error::from);
        assert_eq!(missing.unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn blocks_are_shared_or_nothing_is_done() {
        let home = tempfile::tempdir().unwrap();
        let [from, into] = ["from", "into"].map(|name| home.path().join(name));
        std::fs::write(&from, [7; 10_000]).unwrap();
        let is_shared = share_blocks(&File::open(&from).unwrap(), &File::create_new(&into).unwrap());
        let expected = if is_shared { vec![7; 10_000] } else { Vec::new() };
        assert_eq!(std::fs::read(&into).unwrap(), expected);
    }
}
