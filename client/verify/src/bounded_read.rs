//! Whole files of a bounded size, given by their paths.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use stele_explain::{Exit, Explain, explain};
use stele_regular_file::OpenError;

/// Why a file on this machine cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Nothing is at the path.
    #[error("there is no {}", .path.display())]
    Missing {
        /// The path as given.
        path: PathBuf,
        /// What it should be.
        what: &'static str,
    },
    /// A folder is at the path.
    #[error("{} is a folder, and not a file", .path.display())]
    Folder {
        /// The path as given.
        path: PathBuf,
    },
    /// The machine failed to read it.
    #[error("cannot read {}", .path.display())]
    Io {
        /// The path as given.
        path: PathBuf,
        /// The machine's error.
        #[source]
        source: io::Error,
    },
    /// The file is longer than the caller reads.
    #[error("{} is larger than {limit} bytes", .path.display())]
    TooLarge {
        /// The path as given.
        path: PathBuf,
        /// The limit in bytes.
        limit: u64,
    },
}

/// Reads a whole file of at most `limit` bytes; none where nothing is at the path.
pub fn read_if_there(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, ReadError> {
    let io = |source| ReadError::Io { path: path.to_owned(), source };
    let too_large = || ReadError::TooLarge { path: path.to_owned(), limit };
    let (file, found) = match stele_regular_file::open(path) {
        Ok(opened) => opened,
        Err(OpenError::Io(error)) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(OpenError::Folder) => return Err(ReadError::Folder { path: path.to_owned() }),
        Err(error) => return Err(io(error.into())),
    };
    if found.len() > limit {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > limit { Err(too_large()) } else { Ok(Some(bytes)) }
}

/// Reads a whole file of at most `limit` bytes; `what` says what it should be.
pub fn read(path: &Path, limit: u64, what: &'static str) -> Result<Vec<u8>, ReadError> {
    read_if_there(path, limit)?.ok_or_else(|| ReadError::Missing { path: path.to_owned(), what })
}

impl Explain for ReadError {
    explain! {
        Self::Missing { what, .. } => Exit::BadInput, "file-missing", hint: format!("name {what}"),
            "expected": what, "found": "nothing";
        Self::Folder { .. } => Exit::BadInput, "file-is-folder",
            hint: "move the folder away, or name the file that is meant",
            "expected": "a file", "found": "a folder";
        Self::TooLarge { .. } => Exit::Io, "file-too-large";
        Self::Io { source, .. } => Exit::Io,
            if source.kind() == io::ErrorKind::PermissionDenied { "permission-denied" } else { "io" },
            hint: "check the owner and mode of the path";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, b"four").unwrap();
        assert_eq!(read(&path, 4, "a file").unwrap(), b"four");
        assert_eq!(read(&path, 3, "a file").unwrap_err().code(), "file-too-large");
        assert_eq!(read(&folder.path().join("none"), 3, "a file").unwrap_err().code(), "file-missing");
        let of_folder = read_if_there(folder.path(), 3).unwrap_err();
        assert_eq!((of_folder.code(), of_folder.exit()), ("file-is-folder", Exit::BadInput));
        assert!(of_folder.to_string().ends_with("is a folder, and not a file"), "{of_folder}");
        assert_eq!(read_if_there(&folder.path().join("none"), 3).unwrap(), None);
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
        assert_eq!(read(&pipe, 3, "a file").unwrap_err().code(), "io");
    }
}
