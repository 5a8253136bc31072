//! Which folders must be held as they are, so that a path leads to its view and nowhere else.
//!
//! A mount stands on a folder and not on a name. Whoever may rename in a folder above it, in whatever namespace, puts another folder
//! behind the name, and the path then leads there. So each folder on the way in which others than root may do that is held.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::error::ViewError;
use crate::lookups::{Lookups, STICKY};

/// Folders that are held, and the names in them that lead on.
#[derive(Debug, Default)]
pub struct Pins {
    pub(crate) folders: BTreeMap<PathBuf, BTreeMap<OsString, Pin>>,
}

/// What a name in a held folder is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pin {
    Folder,
    Link(PathBuf),
}

impl Pins {
    /// Adds what must be held so that `path` leads to what it leads to now; where that is, without links. What lies in `tops`, which get
    /// views, needs no holding. To be asked before a namespace is entered: in it the owners of folders are not told.
    pub fn hold(&mut self, path: &Path, tops: &[PathBuf]) -> Result<(), ViewError> {
        let failed = ViewError::io("cannot look at", path);
        self.hold_each(path, tops).map_err(failed)?;
        if self.folders.contains_key(Path::new("/")) { Err(ViewError::UnsafeRoot) } else { Ok(()) }
    }

    fn hold_each(&mut self, path: &Path, tops: &[PathBuf]) -> io::Result<()> {
        for lookup in Lookups::of(path)?.steps {
            let is_inside = tops.iter().any(|top| lookup.folder.starts_with(top));
            let is_held = lookup.folder.ancestors().any(|above| self.folders.contains_key(above));
            if is_inside || (!is_held && lookup.is_stable()?) {
                continue;
            }
            let pin = lookup.link.map_or(Pin::Folder, Pin::Link);
            self.folders.entry(lookup.folder).or_default().insert(lookup.name, pin);
        }
        Ok(())
    }

    /// Where a path leads, without links.
    pub fn resolved(path: &Path) -> Result<PathBuf, ViewError> {
        Lookups::of(path).map(|lookups| lookups.end).map_err(ViewError::io("cannot look at", path))
    }

    /// The folders that are held and in which nothing new can be made: all but those where everybody makes temporary files. To be asked before
    /// they are held.
    pub fn read_only(&self) -> impl Iterator<Item = &Path> {
        self.folders().filter(|folder| !std::fs::metadata(folder).is_ok_and(|found| is_shared(&found)))
    }

    fn folders(&self) -> impl Iterator<Item = &Path> {
        self.folders.keys().map(PathBuf::as_path)
    }

    /// Those that lie in no other one.
    pub(crate) fn topmost(&self) -> impl Iterator<Item = &Path> {
        self.folders().filter(|folder| !folder.ancestors().skip(1).any(|above| self.folders.contains_key(above)))
    }
}

/// Whether everybody makes files in a folder, and removes his own alone: the sticky bit, as on `/tmp`.
pub(crate) fn is_shared(folder: &Metadata) -> bool {
    folder.mode() & STICKY != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_the_first_folder_in_which_others_may_rename_all_are_held() {
        let home = tempfile::tempdir().unwrap();
        let top = home.path().canonicalize().unwrap();
        let open = top.join("open");
        std::fs::create_dir_all(open.join("x/model/weights")).unwrap();
        std::fs::set_permissions(&open, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
        std::os::unix::fs::symlink("x", open.join("current")).unwrap();
        let model = open.join("x/model");
        let mut pins = Pins::default();
        pins.hold(&open.join("current/model/weights"), std::slice::from_ref(&model)).unwrap();
        let held = |folder: &Path| pins.folders.get(folder).cloned().unwrap_or_default();
        let expected = [("current".into(), Pin::Link("x".into())), ("x".into(), Pin::Folder)];
        assert_eq!(held(&open), expected.into());
        assert_eq!(held(&open.join("x")), [("model".into(), Pin::Folder)].into());
        assert_eq!(held(&model), BTreeMap::new());
        assert!(pins.topmost().all(|folder| open.starts_with(folder)));
    }
}
