//! What a person points at: a folder, a folder of a release, one file, a bundle, or a place in a Hugging Face cache.

use std::path::{Path, PathBuf};

use stele_explain::{Exit, Explain, explain};
use stele_spec::manifest::Manifest;

use super::hub_cache;
use super::walk::{self, BUNDLE};

/// How far above a file its bundle is looked for.
const MAX_ABOVE: usize = 32;

/// What is to be verified.
#[derive(Debug)]
pub enum TargetKind {
    /// A folder.
    Folder(PathBuf),
    /// One file.
    File(PathBuf),
    /// The evidence alone.
    Bundle,
}

/// What is to be verified, and by which bundle.
#[derive(Debug)]
pub struct Target {
    /// A folder, a file or a bundle.
    pub kind: TargetKind,
    /// The bundle's file.
    pub bundle: PathBuf,
}

/// Finds out what a path means, and where its bundle is.
pub fn find(path: &Path, bundle: Option<&Path>) -> Result<Target, TargetError> {
    let kind = kind_of(path)?;
    let looked = match (&kind, bundle) {
        (_, Some(bundle)) => vec![bundle.to_owned()],
        (TargetKind::Bundle, None) => vec![path.to_owned()],
        // A folder of a release lies below the bundle, as a file does.
        (TargetKind::Folder(folder), None) => {
            std::iter::once(folder.clone()).chain(folders_above(folder)).map(|at| at.join(BUNDLE)).collect()
        }
        (TargetKind::File(file), None) => folders_above(file).into_iter().map(|folder| folder.join(BUNDLE)).collect(),
    };
    match &kind {
        // Reading it says what is wrong with it.
        TargetKind::Bundle => Ok(Target { kind, bundle: bundle.unwrap_or(path).to_owned() }),
        TargetKind::Folder(_) | TargetKind::File(_) => Ok(Target { bundle: first_of(looked)?, kind }),
    }
}

/// Finds out what a path means. `acme/tiny`, where that is no path, is the repository of that name in the Hugging Face cache.
pub fn kind_of(path: &Path) -> Result<TargetKind, TargetError> {
    let found = match std::fs::metadata(path) {
        Ok(found) => found,
        Err(source) => {
            let is_absent = source.kind() == std::io::ErrorKind::NotFound;
            let is_link = std::fs::symlink_metadata(path).is_ok_and(|link| link.is_symlink());
            return match hub_cache::cached_repository(path) {
                _ if is_absent && is_link => Err(TargetError::Dangling { path: path.to_owned() }),
                Some(repository) if is_absent => kind_of(&repository),
                _ => Err(TargetError::Unreadable { path: path.to_owned(), source }),
            };
        }
    };
    if found.is_dir() {
        return Ok(TargetKind::Folder(snapshot_of(path)?.unwrap_or_else(|| path.to_owned())));
    }
    if path.extension().is_some_and(|extension| extension == "stele") {
        return Ok(TargetKind::Bundle);
    }
    Ok(TargetKind::File(path.to_owned()))
}

fn first_of(looked: Vec<PathBuf>) -> Result<PathBuf, TargetError> {
    match looked.iter().find(|bundle| bundle.exists()) {
        Some(bundle) => Ok(bundle.clone()),
        None => Err(TargetError::NoBundle { looked: looked.into_iter().take(3).collect() }),
    }
}

/// The path in the release that a folder has; empty for the whole release. `is_given` says that the bundle was named, and
/// may lie anywhere.
pub fn place_of(folder: &Path, bundle: &Path, is_given: bool, manifest: &Manifest) -> Result<String, TargetError> {
    let above = bundle.parent().map(absolute).unwrap_or_default();
    let folder = absolute(folder);
    let files = || manifest.files().iter().map(|file| file.path.as_str());
    let holds = |place: &str| files().any(|path| path.strip_prefix(place).is_some_and(|rest| rest.starts_with('/')));
    let text = |path: &Path| path.to_str().map(str::to_owned);
    let place = folder.strip_prefix(&above).ok().and_then(text);
    match place {
        Some(place) if place.is_empty() || holds(&place) => return Ok(place),
        _ if is_given => {}
        // What lies above has nothing to do with this folder.
        _ => return Err(TargetError::NoBundle { looked: vec![folder.join(BUNDLE)] }),
    }
    let names: Vec<&str> = folder.iter().filter_map(|name| name.to_str()).collect();
    let suffixes = (1..names.len()).filter_map(|from| Some(names.get(from..)?.join("/")));
    let Some(place) = suffixes.into_iter().find(|place| holds(place)) else { return Ok(String::new()) };
    // A folder may have a file of the name of one at the top: then it is where more files have the recorded length.
    let fitting = |place: &str| {
        let of = |path: &str| if place.is_empty() { Some(folder.join(path)) } else { below(&folder, place, path) };
        let here = manifest.files().iter().filter_map(|file| {
            let length = std::fs::metadata(of(file.path.as_str())?).ok()?.len();
            Some(usize::from(length == file.size))
        });
        let here: Vec<usize> = here.collect();
        (here.iter().sum::<usize>(), here.len())
    };
    let top = fitting("");
    Ok(if top.1 == 0 || fitting(&place) > top { place } else { String::new() })
}

/// Where a file of a release is, in a folder that has a place in it.
fn below(folder: &Path, place: &str, path: &str) -> Option<PathBuf> {
    Some(folder.join(path.strip_prefix(place)?.strip_prefix('/')?))
}

/// The folder of the whole release, by one in it and its place there.
pub fn root_of(folder: &Path, place: &str) -> PathBuf {
    if place.is_empty() {
        return folder.to_owned();
    }
    let folder = absolute(folder);
    folder.ancestors().nth(place.split('/').count()).map_or_else(|| folder.clone(), Path::to_owned)
}

/// A path from the root of the file system. Only where it goes up are links resolved, and that of the file itself never: the names of a
/// cache are in its snapshots.
pub(super) fn absolute(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    if !path.components().any(|part| part == std::path::Component::ParentDir) {
        return path;
    }
    let resolved = match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) => folder.canonicalize().map(|folder| folder.join(name)),
        _ => path.canonicalize(),
    };
    resolved.unwrap_or(path)
}

/// The folders above a file, the nearest first. Symlinks are not resolved: a cache's names are in its snapshots.
pub fn folders_above(path: &Path) -> Vec<PathBuf> {
    absolute(path).ancestors().skip(1).take(MAX_ABOVE).map(Path::to_owned).collect()
}

/// The snapshot that `models--org--name` stands for: the one of `refs/main`, or the only one.
pub fn snapshot_of(path: &Path) -> Result<Option<PathBuf>, TargetError> {
    let snapshots = path.join("snapshots");
    if !walk::is_cached_repository(path) {
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

/// The name of the repository in whose snapshot a path of a Hugging Face cache is.
fn repository_of(path: &Path) -> Option<String> {
    let folder = path.ancestors().find(|above| walk::is_cached_repository(above))?;
    let name = folder.file_name()?.to_str()?.strip_prefix("models--")?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    name.bytes().all(plain).then(|| name.replacen("--", "/", 1))
}

/// Why there is nothing to verify.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// Not there, or not readable.
    #[error("cannot look at {}", .path.display())]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// What the machine said.
        #[source]
        source: std::io::Error,
    },
    /// A link that leads nowhere.
    #[error("{} is a link, and what it leads to is not here", .path.display())]
    Dangling {
        /// The link.
        path: PathBuf,
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

/// What to do without a bundle. A loader downloads the files that it reads, and `release.stele` is none of them.
fn without_bundle(searched: &[PathBuf]) -> String {
    let name = searched.iter().find_map(|path| repository_of(path));
    let hub = name.map(|name| format!("`hf download {name} release.stele`, or ")).unwrap_or_default();
    format!(
        "{hub}`stele fetch PATH` makes it anew from the log; or get it from the publisher or a mirror (any copy will do: it is \
         checked), then --bundle FILE"
    )
}

impl Explain for TargetError {
    explain! {
        Self::Unreadable { source, .. } =>
            if source.kind() == std::io::ErrorKind::PermissionDenied { Exit::Io } else { Exit::BadInput },
            "path-unreadable",
            hint: "name a folder, a file, or a snapshot in a cache; a name such as acme/tiny stands for the repository in the Hugging Face \
                   cache, if it is there";
        Self::Dangling { .. } => Exit::Incomplete, "incomplete", hint: "download what it leads to: in a cache of a hub that is its blob";
        Self::NoBundle { looked } => Exit::NotInLog, "bundle-missing",
            hint: without_bundle(looked),
            "expected": "a bundle", "found": format!("nothing at {}", paths(looked));
        Self::WhichSnapshot { found } => Exit::Usage, "which-snapshot", hint: "name the folder of one snapshot",
            "expected": "one snapshot", "found": paths(found);
    }
}

fn paths(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use stele_spec::manifest::{FileDigests, ManifestFile, Role};

    use super::*;

    #[test]
    fn a_copied_folder_is_at_its_place_although_the_top_has_a_file_of_the_same_name() {
        let file = |path: &str, bytes: &[u8]| {
            let digests = FileDigests::of(bytes);
            let (path, role) = (path.parse().unwrap(), Role::Config);
            ManifestFile { path, role, size: digests.size, sha256: digests.sha256, git_sha1: digests.git_sha1 }
        };
        let files = vec![file("1_Pooling/config.json", b"pooling"), file("config.json", b"{}"), file("w", b"w")];
        let manifest = Manifest::new(files).unwrap();
        let home = tempfile::tempdir().unwrap();
        let bundle = home.path().join("elsewhere/release.stele");
        let place = |folder: &str, files: &[(&str, &str)]| {
            let folder = home.path().join(folder);
            std::fs::create_dir_all(&folder).unwrap();
            files.iter().for_each(|(name, text)| std::fs::write(folder.join(name), text).unwrap());
            place_of(&folder, &bundle, true, &manifest).unwrap()
        };
        assert_eq!(place("a/1_Pooling", &[("config.json", "pooling")]), "1_Pooling");
        assert_eq!(
            place("b/1_Pooling", &[("config.json", "{}"), ("w", "w")]),
            "",
            "a part of the whole under that name"
        );
        assert_eq!(place("c/part", &[("config.json", "pooling")]), "", "nothing says that it is that folder");
        assert_eq!(place("d/1_Pooling", &[]), "1_Pooling");
        let given = home.path().join("release.stele");
        assert!(place_of(&home.path().join("c/part"), &given, false, &manifest).is_err());
    }
}
