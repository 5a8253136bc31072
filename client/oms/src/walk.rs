//! Which files a model has (section 6.1): all regular files of its folder but those that are left aside.
//!
//! Without leave a symbolic link is no file of a model. With it, one counts as the file that it leads to, wherever that is: a digest decides. One that
//! leads to a folder never counts: a list has files, and links to folders may lead round in a circle.

use core::fmt;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use stele_explain::{Exit, Explain, explain};

use crate::name::{self, NameError};
use crate::statement::MAX_RESOURCES;

/// The most files and folders that are looked at.
const MAX_ENTRIES: usize = MAX_RESOURCES;

/// The deepest folder.
const MAX_DEPTH: usize = 128;

/// Whether symbolic links count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// As what they are: no files.
    Refused,
    /// As the files that they lead to.
    Followed,
}

/// A file of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its path in the model.
    pub name: String,
    /// Where to open it.
    pub open: PathBuf,
    /// Its size.
    pub size: u64,
}

/// Why something is no file of a model.
#[derive(Debug)]
pub enum Oddity {
    /// A symbolic link, where none is followed.
    Link,
    /// A symbolic link to a folder.
    LinkToFolder,
    /// A symbolic link that leads nowhere, or in a circle.
    LinkBroken,
    /// A pipe, a socket or a device.
    Special,
    /// A folder below too many others.
    TooDeep,
    /// A name that is not UTF-8.
    NotUtf8,
    /// A name that no signature can hold.
    Name(NameError),
    /// The machine cannot read it.
    Unreadable(io::Error),
}

impl fmt::Display for Oddity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Link => f.write_str("a symbolic link; --allow-symlinks takes the file that it leads to"),
            Self::LinkToFolder => f.write_str("a symbolic link to a folder"),
            Self::LinkBroken => f.write_str("a symbolic link that leads nowhere"),
            Self::Special => f.write_str("a pipe, a socket or a device"),
            Self::TooDeep => f.write_str("a folder that lies too deep"),
            Self::NotUtf8 => f.write_str("a name that is not UTF-8"),
            Self::Name(problem) => write!(f, "a path that a signature cannot have: {problem}"),
            Self::Unreadable(error) => write!(f, "unreadable: {error}"),
        }
    }
}

/// What lies in a folder.
#[derive(Debug, Default)]
pub struct Walk {
    /// The files, by the bytes of their paths.
    pub files: Vec<Found>,
    /// What is no file of a model, with its path as well as it can be shown.
    pub odd: Vec<(String, Oddity)>,
    /// What was left aside.
    pub ignored: Vec<String>,
}

/// A model: a folder, or one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Model {
    /// A folder, by its one path.
    Folder(PathBuf),
    /// A file, by its one path, with its size.
    File(PathBuf, u64),
}

impl Model {
    /// The model at a path.
    pub fn at(path: &Path) -> Result<Self, WalkError> {
        let unreadable = |source| WalkError::Unreadable { path: path.to_owned(), source };
        let found = fs::metadata(path).map_err(unreadable)?;
        let home = path.canonicalize().map_err(unreadable)?;
        if found.is_dir() {
            Ok(Self::Folder(home))
        } else if found.is_file() {
            Ok(Self::File(home, found.len()))
        } else {
            Err(WalkError::NeitherFileNorFolder { path: path.to_owned() })
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        match self {
            Self::Folder(path) | Self::File(path, _) => path,
        }
    }

    /// The last part of its path.
    pub fn name(&self) -> Option<&str> {
        self.path().file_name()?.to_str()
    }

    /// The path in the model of what is there by this path of the machine; none where it lies elsewhere. What need not be there yet is in a folder that is.
    pub fn name_of(&self, path: &Path) -> Option<String> {
        let Self::Folder(home) = self else { return None };
        let absolute = path.canonicalize().ok().or_else(|| {
            let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
            Some(folder.canonicalize().ok()?.join(path.file_name()?))
        })?;
        let name = absolute.strip_prefix(home).ok()?.to_str()?.to_owned();
        (!name.is_empty()).then_some(name)
    }
}

/// Looks through a folder. What `is_ignored` says is left aside with all that is below it.
pub fn walk(root: &Path, links: Links, is_ignored: &dyn Fn(&str) -> bool) -> Result<Walk, WalkError> {
    let unreadable = |source| WalkError::Unreadable { path: root.to_owned(), source };
    let mut walk = Walk::default();
    let mut folders = vec![(root.to_owned(), String::new(), 0)];
    let mut seen = 0;
    while let Some((folder, prefix, depth)) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if prefix.is_empty() => return Err(unreadable(error)),
            Err(error) => {
                walk.odd.push((prefix, Oddity::Unreadable(error)));
                continue;
            }
        };
        for entry in entries {
            let entry = entry.map_err(unreadable)?;
            seen += 1;
            if seen > MAX_ENTRIES {
                return Err(WalkError::TooMany { path: root.to_owned() });
            }
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if is_ignored(&name) {
                walk.ignored.push(name);
            } else if entry.file_name().to_str().is_none() {
                walk.odd.push((name, Oddity::NotUtf8));
            } else {
                match look(&entry.path(), links) {
                    Ok(Look::Folder) if depth < MAX_DEPTH => folders.push((entry.path(), name + "/", depth + 1)),
                    Ok(Look::Folder) => walk.odd.push((name, Oddity::TooDeep)),
                    Ok(Look::File(size)) => match name::check(&name) {
                        Ok(()) => walk.files.push(Found { name, open: entry.path(), size }),
                        Err(problem) => walk.odd.push((name, Oddity::Name(problem))),
                    },
                    Err(oddity) => walk.odd.push((name, oddity)),
                }
            }
        }
    }
    walk.files.sort_by(|a, b| a.name.cmp(&b.name));
    walk.odd.sort_by(|a, b| a.0.cmp(&b.0));
    walk.ignored.sort();
    Ok(walk)
}

enum Look {
    Folder,
    File(u64),
}

fn look(path: &Path, links: Links) -> Result<Look, Oddity> {
    let found = fs::symlink_metadata(path).map_err(Oddity::Unreadable)?;
    if !found.file_type().is_symlink() {
        return plain(&found);
    }
    if links == Links::Refused {
        return Err(Oddity::Link);
    }
    let found = fs::metadata(path).map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => Oddity::Unreadable(error),
        _ => Oddity::LinkBroken,
    })?;
    match plain(&found)? {
        Look::Folder => Err(Oddity::LinkToFolder),
        file => Ok(file),
    }
}

fn plain(found: &Metadata) -> Result<Look, Oddity> {
    let kind = found.file_type();
    if kind.is_dir() {
        Ok(Look::Folder)
    } else if kind.is_fifo() || kind.is_socket() || !kind.is_file() {
        Err(Oddity::Special)
    } else {
        Ok(Look::File(found.len()))
    }
}

/// Why a model cannot be looked through.
#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    /// The machine cannot read it.
    #[error("cannot read the model {}", .path.display())]
    Unreadable {
        /// The model.
        path: PathBuf,
        /// What the machine said.
        #[source]
        source: io::Error,
    },
    /// A pipe, a socket or a device.
    #[error("{} is neither a folder nor a file", .path.display())]
    NeitherFileNorFolder {
        /// As it was named.
        path: PathBuf,
    },
    /// More files and folders than are looked at.
    #[error("{} has more than {MAX_ENTRIES} files and folders", .path.display())]
    TooMany {
        /// The folder.
        path: PathBuf,
    },
}

impl Explain for WalkError {
    explain! {
        Self::Unreadable { source, .. } =>
            if source.kind() == io::ErrorKind::NotFound { Exit::BadInput } else { Exit::Io },
            "folder-unreadable", hint: "check the name, the owner and the mode of the model";
        Self::NeitherFileNorFolder { .. } => Exit::BadInput, "not-a-folder", hint: "name the folder that holds the weights";
        Self::TooMany { .. } => Exit::BadInput, "folder-too-large", hint: "is this the folder of one model?";
    }
}
