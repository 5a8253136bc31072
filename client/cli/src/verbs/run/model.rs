//! The models of a command: what is named, what a view must cover, and on which ways a program gets there.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use stele_explain::Failure;
use stele_private_view::{Inherited, Pins};
use stele_spec::verify::loadable_by_name;
use stele_verify::folder::locate::{TargetError, TargetKind, find, kind_of};
use stele_verify::folder::walk::is_cached_repository;

use super::error::RunError;
use crate::args::RunArgs;
use crate::hub_snapshot;

/// A model that a command is to see.
#[derive(Debug)]
pub(super) struct Model {
    /// The folder that is verified.
    pub(super) folder: PathBuf,
    /// The folder that the view covers, without links: it, or the repository of a cache that it is a snapshot of, so that no other snapshot is
    /// taken in its place.
    pub(super) top: PathBuf,
    /// Where the files are below that.
    pub(super) below: PathBuf,
    /// Paths by which a program may look for it.
    pub(super) ways: Vec<PathBuf>,
}

impl Model {
    /// The models that are named; else those that arguments of the command are.
    pub(super) fn all(args: &RunArgs, inherited: &Inherited) -> Result<Vec<Self>, Failure> {
        let mut models: Vec<Self> = Vec::new();
        let named = args.models.iter().map(|path| Self::named(path, args.required.online, inherited).map(Some));
        let found = args.command.iter().skip(1).filter(|_| args.models.is_empty());
        let found = found.flat_map(|word| words(word)).map(|word| Self::found(word, inherited));
        for model in named.chain(found) {
            models.extend(model?);
        }
        // One view for a folder that is named twice, and none inside another.
        models.sort_by(|a, b| a.top.cmp(&b.top));
        models.dedup_by(|later, first| {
            let is_same = later.top.starts_with(&first.top) && later.folder == first.folder;
            if is_same {
                first.ways.append(&mut later.ways);
            }
            is_same
        });
        for pair in models.windows(2) {
            if let [outer, inner] = pair
                && inner.top.starts_with(&outer.top)
            {
                let [outer, inner] = [outer, inner].map(|model| model.folder.display().to_string());
                return Err(RunError::OneInAnother { outer, inner }.into());
            }
        }
        Ok(models)
    }

    fn named(path: &Path, online: bool, inherited: &Inherited) -> Result<Self, Failure> {
        let path = &*hub_snapshot::meant(path)?;
        let (kind, bundle) = match find(path, None) {
            Ok(target) => (target.kind, Some(target.bundle)),
            // The log may have what is not here.
            Err(TargetError::NoBundle { .. }) if online => (kind_of(path)?, None),
            Err(error) => return Err(error.into()),
        };
        let folder = match (kind, &bundle) {
            (TargetKind::Folder(folder), _) => folder,
            (TargetKind::File(file), None) => folder_of(&file),
            (TargetKind::File(_), Some(bundle)) => folder_of(bundle),
            (TargetKind::Bundle, _) => return Err(RunError::NoFiles { path: path.display().to_string() }.into()),
        };
        Self::of(inherited.absolute(&folder), inherited.absolute(path))
    }

    /// A model that a word of the command is. What a loader would take by its name is not passed over because there is no bundle for it.
    fn found(word: &Path, inherited: &Inherited) -> Result<Option<Self>, Failure> {
        match find(word, None) {
            Ok(target) if matches!(target.kind, TargetKind::Bundle) => Ok(None),
            Ok(_) => Self::named(word, false, inherited).map(Some),
            Err(error @ TargetError::NoBundle { .. }) if is_weights(word) => Err(error.into()),
            Err(_) => Ok(None),
        }
    }

    fn of(folder: PathBuf, named: PathBuf) -> Result<Self, Failure> {
        let resolved = Pins::resolved(&folder)?;
        let repository = resolved.ancestors().nth(2).filter(|above| is_cached_repository(above)).map(Path::to_owned);
        let top = repository.unwrap_or_else(|| resolved.clone());
        let below = resolved.strip_prefix(&top).unwrap_or(Path::new("")).to_owned();
        // A name at a hub is no path; the folder that it stands for is one.
        let ways = [folder.clone(), named].into_iter().filter(|way| way.exists()).collect();
        Ok(Self { folder, top, below, ways })
    }
}

/// A word of a command line, and what follows its equals sign.
fn words(word: &OsStr) -> Vec<&Path> {
    let value = word.to_str().and_then(|text| text.split_once('=')).map(|(_, value)| Path::new(value));
    [Path::new(word)].into_iter().chain(value).collect()
}

fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn is_weights(word: &Path) -> bool {
    word.is_file() && word.file_name().and_then(OsStr::to_str).is_some_and(|name| loadable_by_name(name).is_some())
}
