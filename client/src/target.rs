//! What a person points at: a folder, one file, a bundle, or a place in a Hugging Face cache.

use std::path::{Path, PathBuf};

use stele_host::exit::{Exit, Explain};

use crate::folder::BUNDLE;

/// How far above a file its bundle is looked for.
const MAX_ABOVE: usize = 32;

/// What is to be verified.
#[derive(Debug)]
pub(crate) enum What {
    /// A folder.
    Folder(PathBuf),
    /// One file.
    File(PathBuf),
    /// The evidence alone.
    Bundle,
}

/// What is to be verified, and by which bundle.
#[derive(Debug)]
pub(crate) struct Target {
    /// What.
    pub(crate) what: What,
    /// The bundle's file.
    pub(crate) bundle: PathBuf,
}

/// Finds out what a path means.
pub(crate) fn find(path: &Path, bundle: Option<&Path>) -> Result<Target, TargetError> {
    let found = std::fs::metadata(path).map_err(|source| TargetError::Unreadable { path: path.to_owned(), source })?;
    if found.is_dir() {
        let folder = snapshot_of(path)?.unwrap_or_else(|| path.to_owned());
        let bundle = bundle.map_or_else(|| folder.join(BUNDLE), Path::to_owned);
        return if bundle.exists() {
            Ok(Target { what: What::Folder(folder), bundle })
        } else {
            Err(TargetError::NoBundle { looked: vec![bundle] })
        };
    }
    if path.extension().is_some_and(|extension| extension == "stele") {
        return Ok(Target { what: What::Bundle, bundle: bundle.unwrap_or(path).to_owned() });
    }
    let what = What::File(path.to_owned());
    if let Some(bundle) = bundle {
        return if bundle.exists() {
            Ok(Target { what, bundle: bundle.to_owned() })
        } else {
            Err(TargetError::NoBundle { looked: vec![bundle.to_owned()] })
        };
    }
    let looked: Vec<PathBuf> = folders_above(path).into_iter().map(|folder| folder.join(BUNDLE)).collect();
    match looked.iter().find(|bundle| bundle.exists()) {
        Some(bundle) => Ok(Target { what, bundle: bundle.clone() }),
        None => Err(TargetError::NoBundle { looked: looked.into_iter().take(3).collect() }),
    }
}

/// The folders above a file, the nearest first. Symlinks are not resolved: a cache's names are in its snapshots.
pub(crate) fn folders_above(path: &Path) -> Vec<PathBuf> {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    absolute.ancestors().skip(1).take(MAX_ABOVE).map(Path::to_owned).collect()
}

/// The snapshot that `models--org--name` stands for: the one of `refs/main`, or the only one.
fn snapshot_of(path: &Path) -> Result<Option<PathBuf>, TargetError> {
    let snapshots = path.join("snapshots");
    let named = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let is_cache = named.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("models--"));
    if !is_cache || !snapshots.is_dir() {
        return Ok(None);
    }
    let main = std::fs::read_to_string(path.join("refs/main")).unwrap_or_default();
    let commit = main.trim();
    if !commit.is_empty() && commit.bytes().all(|b| b.is_ascii_hexdigit()) && snapshots.join(commit).is_dir() {
        return Ok(Some(snapshots.join(commit)));
    }
    let entries =
        std::fs::read_dir(&snapshots).map_err(|source| TargetError::Unreadable { path: snapshots.clone(), source })?;
    let mut found: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    found.sort();
    match found.as_slice() {
        [only] => Ok(Some(only.clone())),
        _ => Err(TargetError::WhichSnapshot { found }),
    }
}

/// Why there is nothing to verify.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TargetError {
    /// Not there, or not readable.
    #[error("cannot look at {}", .path.display())]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// What the machine said.
        #[source]
        source: std::io::Error,
    },
    /// No bundle.
    #[error("there is no {BUNDLE} to verify by")]
    NoBundle {
        /// Where it was looked for.
        looked: Vec<PathBuf>,
    },
    /// A cache with several snapshots.
    #[error("which snapshot of this cache is meant?")]
    WhichSnapshot {
        /// The snapshots.
        found: Vec<PathBuf>,
    },
}

impl Explain for TargetError {
    fn exit(&self) -> Exit {
        match self {
            Self::Unreadable { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => Exit::Io,
            Self::Unreadable { .. } => Exit::BadInput,
            Self::NoBundle { .. } => Exit::NotInLog,
            Self::WhichSnapshot { .. } => Exit::Usage,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "path-unreadable",
            Self::NoBundle { .. } => "bundle-missing",
            Self::WhichSnapshot { .. } => "which-snapshot",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unreadable { .. } => "name a folder, a file, or a snapshot in a cache".into(),
            Self::NoBundle { .. } => {
                "get release.stele from the publisher or a mirror (any copy will do: it is checked), then --bundle FILE"
                    .into()
            }
            Self::WhichSnapshot { .. } => "name the folder of one snapshot".into(),
        })
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let (expected, found, none) = match self {
            Self::Unreadable { .. } => return Vec::new(),
            Self::NoBundle { looked } => ("a bundle", looked, "nothing at "),
            Self::WhichSnapshot { found } => ("one snapshot", found, ""),
        };
        let found: Vec<_> = found.iter().map(|path| path.display().to_string()).collect();
        vec![("expected", expected.into()), ("found", format!("{none}{}", found.join(", ")))]
    }
}
