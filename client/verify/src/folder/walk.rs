//! Which files of a folder count, and what else lies there.
//!
//! Not counted: `.git/` at any depth; `.cache/`, `release.toml`, `release.stele`, `release.hints` and `model.sig` at the top, with what a killed program
//! left of the last four (`.release.toml.<16 hex digits>`). To verify, `release.hints` and `model.sig` count where the manifest names them. Everything else is either
//! a regular file with a path that a manifest can hold, or an [`Oddity`].
//!
//! To publish, a symlink counts as the file that it leads to when that is inside the folder, or among the blobs of the
//! Hugging Face cache that the folder is a snapshot of: those of its repository, and those that all repositories of the cache share. To verify, it may lead anywhere: the manifest names the digest, so
//! what a link leads to cannot prove anything false.

use std::fs::{self, FileType, Metadata};
use std::io;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use stele_explain::printable::one_line;
use stele_explain::{Exit, Explain, explain};
use stele_spec::manifest::{FilePath, MAX_SEGMENTS, PathError};

use crate::skipped::is_skipped;
pub use crate::skipped::{BUNDLE, DRAFT, HINTS, SIGNATURE};

/// The most files and folders that are looked at: twice what the largest manifest holds and more.
const MAX_ENTRIES: usize = 200_000;

/// A file that counts.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its path in a manifest.
    pub path: FilePath,
    /// Where to open it.
    pub open: PathBuf,
    /// Its size.
    pub size: u64,
}

/// What cannot be a file of a release.
#[derive(Debug, thiserror::Error)]
pub enum Oddity {
    /// A pipe.
    #[error("a pipe")]
    Fifo,
    /// A socket.
    #[error("a socket")]
    Socket,
    /// A device.
    #[error("a device")]
    Device,
    /// A symlink out of the folder.
    #[error("a symlink that leaves the folder, to {}", .0.display())]
    LinkOut(PathBuf),
    /// A symlink to a folder.
    #[error("a symlink to a folder")]
    LinkToFolder,
    /// A symlink that leads nowhere.
    #[error("a symlink that leads nowhere")]
    LinkBroken,
    /// A symlink that leads back to itself.
    #[error("a symlink loop")]
    LinkLoop,
    /// A name that is no path of a manifest.
    #[error("a path that a release cannot have: {0}")]
    Path(PathError),
    /// A name that is not UTF-8.
    #[error("a name that is not UTF-8")]
    NotUtf8,
    /// It cannot be read.
    #[error("unreadable: {0}")]
    Unreadable(io::Error),
}

/// What lies in a folder.
#[derive(Debug, Default)]
pub struct Walk {
    /// The files that count, by the bytes of their paths.
    pub files: Vec<Found>,
    /// The rest, with their paths as well as they can be shown.
    pub odd: Vec<(String, Oddity)>,
    /// What is not counted by rule, with where it is.
    pub skipped: Vec<(String, PathBuf)>,
}

/// Where the symlinks of a folder may lead.
enum Links<'a> {
    /// To files in one of these folders.
    Inside([Option<PathBuf>; 3]),
    /// To any file, and to any folder that is wanted by its path.
    Anywhere(&'a dyn Fn(&str) -> bool),
}

/// Looks through a folder whose files are to be published.
pub fn walk(root: &Path) -> Result<Walk, FolderError> {
    if is_cached_repository(root) {
        return Err(FolderError::Cache { path: root.to_owned() });
    }
    let home = canonical(root)?;
    let links = Links::Inside([Some(home.clone()), blobs_of(&home), shared_blobs_of(&home)]);
    walk_by(&home, "", &links)
}

/// Looks through a folder whose files are to be compared with a manifest; `within` is its path in the release, and is
/// empty for the whole release. A symlink to a folder is followed where `wanted` says so of its path.
pub fn walk_to_verify(root: &Path, within: &str, wanted: &dyn Fn(&str) -> bool) -> Result<Walk, FolderError> {
    walk_by(&canonical(root)?, within, &Links::Anywhere(wanted))
}

fn canonical(root: &Path) -> Result<PathBuf, FolderError> {
    let unreadable = |source| FolderError::Unreadable { path: root.to_owned(), source };
    if !fs::metadata(root).map_err(unreadable)?.is_dir() {
        return Err(FolderError::NotAFolder { path: root.to_owned() });
    }
    root.canonicalize().map_err(unreadable)
}

fn walk_by(root: &Path, within: &str, links: &Links<'_>) -> Result<Walk, FolderError> {
    let unreadable = |source| FolderError::Unreadable { path: root.to_owned(), source };
    let mut walk = Walk::default();
    let top = if within.is_empty() { String::new() } else { format!("{within}/") };
    let mut folders = vec![(root.to_owned(), top.clone())];
    let mut seen = 0;
    while let Some((folder, prefix)) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if prefix == top => return Err(unreadable(error)),
            Err(error) => {
                walk.odd.push((prefix, Oddity::Unreadable(error)));
                continue;
            }
        };
        for entry in entries {
            let entry = entry.map_err(unreadable)?;
            seen += 1;
            if seen > MAX_ENTRIES {
                return Err(FolderError::TooMany { path: root.to_owned() });
            }
            let name = entry.file_name();
            let shown = format!("{prefix}{}", name.to_string_lossy());
            // A release that was made before these were left aside may have a file of the name.
            let is_recorded =
                [HINTS, SIGNATURE].contains(&&*shown) && matches!(links, Links::Anywhere(wanted) if wanted(&shown));
            // A loader follows a link to a folder, whatever its name. Git may keep its own so.
            let leads_away = || {
                entry.file_type().is_ok_and(|kind| kind.is_symlink())
                    && !shown.ends_with(".git")
                    && fs::metadata(entry.path()).is_ok_and(|found| found.is_dir())
            };
            if is_skipped(&shown) && !is_recorded && !leads_away() {
                walk.skipped.push((shown, entry.path()));
                continue;
            }
            if name.to_str().is_none() {
                walk.odd.push((shown, Oddity::NotUtf8));
                continue;
            }
            match look(&entry.path(), &shown, links) {
                Ok(Look::Folder(open)) if shown.split('/').count() < MAX_SEGMENTS => folders.push((open, shown + "/")),
                Ok(Look::Folder(_)) => {
                    walk.odd.push((shown, Oddity::Path(PathError::TooDeep { found: MAX_SEGMENTS + 1 })))
                }
                Ok(Look::File(open, size)) => match shown.parse() {
                    Ok(path) => walk.files.push(Found { path, open, size }),
                    Err(error) => walk.odd.push((shown, Oddity::Path(error))),
                },
                Err(oddity) => walk.odd.push((shown, oddity)),
            }
        }
    }
    walk.files.sort_by(|a, b| a.path.cmp(&b.path));
    walk.odd.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(walk)
}

impl Walk {
    /// The files, if nothing else is there.
    pub fn into_publishable(self, root: &Path) -> Result<Vec<Found>, FolderError> {
        if self.odd.is_empty() {
            Ok(self.files)
        } else {
            Err(FolderError::Odd { path: root.to_owned(), odd: self.odd })
        }
    }
}

/// The blobs of the Hugging Face cache that a folder is a snapshot of: `models--org--name/snapshots/<commit>`.
pub fn blobs_of(snapshot: &Path) -> Option<PathBuf> {
    let snapshots = snapshot.parent()?;
    let repository = snapshots.parent()?;
    let named =
        |path: &Path, is: &dyn Fn(&str) -> bool| path.file_name().and_then(|name| name.to_str()).is_some_and(is);
    let is_cache =
        named(snapshots, &|name| name == "snapshots") && named(repository, &|name| name.starts_with("models--"));
    is_cache.then(|| repository.join("blobs").canonicalize().ok()).flatten()
}

/// The blobs that all repositories of a Hugging Face cache share: `blobs/` beside them, which `huggingface_hub` marks as its own. What comes
/// over Xet lies there since version 1.32, and a repository's blob is a link to it.
fn shared_blobs_of(snapshot: &Path) -> Option<PathBuf> {
    let cache = blobs_of(snapshot)?.parent()?.parent()?.to_owned();
    let shared = cache.join("blobs");
    let marker = shared.join(".huggingface-shared-blobs");
    let is_marked = fs::symlink_metadata(&marker).is_ok_and(|marker| marker.is_file());
    is_marked.then(|| shared.canonicalize().ok()).flatten()
}

/// Whether a folder is the one of a whole repository in a Hugging Face cache, with all its snapshots.
pub fn is_cached_repository(path: &Path) -> bool {
    let named = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let named = named.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("models--"));
    named && path.join("snapshots").is_dir()
}

/// What stands at a path.
enum Look {
    Folder(PathBuf),
    File(PathBuf, u64),
}

fn look(path: &Path, shown: &str, links: &Links<'_>) -> Result<Look, Oddity> {
    let found = fs::symlink_metadata(path).map_err(Oddity::Unreadable)?;
    if !found.file_type().is_symlink() {
        return plain(path.to_owned(), &found);
    }
    let target = path.canonicalize().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Oddity::LinkBroken,
        _ if rustix::io::Errno::from_io_error(&error) == Some(rustix::io::Errno::LOOP) => Oddity::LinkLoop,
        _ => Oddity::Unreadable(error),
    })?;
    if let Links::Inside(allowed) = links
        && !allowed.iter().flatten().any(|folder| target.starts_with(folder))
    {
        return Err(Oddity::LinkOut(target));
    }
    let found = fs::metadata(&target).map_err(Oddity::Unreadable)?;
    // Each wanted path is a folder of the manifest, so links that lead round in a circle end with it.
    let is_wanted = || matches!(links, Links::Anywhere(wanted) if wanted(shown));
    if found.is_dir() && !is_wanted() { Err(Oddity::LinkToFolder) } else { plain(target, &found) }
}

fn plain(path: PathBuf, found: &Metadata) -> Result<Look, Oddity> {
    let kind: FileType = found.file_type();
    if kind.is_dir() {
        Ok(Look::Folder(path))
    } else if kind.is_file() {
        Ok(Look::File(path, found.len()))
    } else if kind.is_fifo() {
        Err(Oddity::Fifo)
    } else if kind.is_socket() {
        Err(Oddity::Socket)
    } else {
        Err(Oddity::Device)
    }
}

/// Why a folder cannot be looked through or published.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It cannot be read.
    #[error("cannot read the folder {}", .path.display())]
    Unreadable {
        /// The folder.
        path: PathBuf,
        /// What the machine said.
        #[source]
        source: io::Error,
    },
    /// It is no folder.
    #[error("{} is not a folder", .path.display())]
    NotAFolder {
        /// As it was named.
        path: PathBuf,
    },
    /// A repository of a cache, with all its snapshots.
    #[error("{} is a repository in a cache, and not one snapshot of it", .path.display())]
    Cache {
        /// The folder.
        path: PathBuf,
    },
    /// More files and folders than are looked at.
    #[error("{} has more than {MAX_ENTRIES} files and folders", .path.display())]
    TooMany {
        /// The folder.
        path: PathBuf,
    },
    /// It holds what a release cannot hold.
    #[error("{} holds what a release cannot hold", .path.display())]
    Odd {
        /// The folder.
        path: PathBuf,
        /// What, and where.
        odd: Vec<(String, Oddity)>,
    },
}

impl Explain for FolderError {
    explain! {
        Self::Unreadable { source, .. } =>
            if source.kind() == io::ErrorKind::NotFound { Exit::BadInput } else { Exit::Io },
            "folder-unreadable", hint: "check the name, the owner and the mode of the folder";
        Self::NotAFolder { .. } => Exit::BadInput, "not-a-folder", hint: "name the folder that holds the weights";
        Self::Cache { path } => Exit::BadInput, "which-snapshot",
            hint: format!("name one snapshot: {}/snapshots/COMMIT", path.display());
        Self::TooMany { .. } => Exit::BadInput, "folder-too-large", hint: "is this the folder of one model?";
        Self::Odd { odd, .. } =>
            match odd.iter().all(|(_, oddity)| matches!(oddity, Oddity::Unreadable(_))) {
                true => Exit::Io,
                false => Exit::BadInput,
            },
            "folder-not-publishable",
            hint: "move these away, or put regular files in their place; nothing has been sent",
            facts: first_of(odd);
    }
}

/// The first of the files that are none, as facts.
fn first_of(odd: &[(String, Oddity)]) -> Vec<(&'static str, String)> {
    let mut facts = vec![("expected", "regular files inside the folder".to_owned())];
    facts.extend(odd.iter().take(20).map(|(path, oddity)| ("found", format!("{}: {oddity}", one_line(path)))));
    if odd.len() > 20 {
        facts.push(("more", (odd.len() - 20).to_string()));
    }
    facts
}
