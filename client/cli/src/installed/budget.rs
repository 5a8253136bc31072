//! How much is looked at in one place.

use std::collections::BTreeSet;
use std::fs::{self, DirEntry, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::inventory::Inventory;

/// The most files and folders of one place: a thousand models of a hundred files each, and more.
const MAX_ENTRIES: usize = 200_000;

/// What is left of it, and which folders were looked into.
#[derive(Debug)]
pub(super) struct Budget {
    left: usize,
    seen: BTreeSet<(u64, u64)>,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self { left: MAX_ENTRIES, seen: BTreeSet::new() }
    }

    /// Whether a folder was not looked into yet: links that lead in a circle end here.
    pub(super) fn is_new(&mut self, found: &Metadata) -> bool {
        self.seen.insert((found.dev(), found.ino()))
    }

    /// What is in a folder, by name. What cannot be read is a note; what is too much is one, too, and the rest is left out.
    pub(super) fn entries(&mut self, folder: &Path, into: &mut Inventory) -> Vec<DirEntry> {
        let read = match fs::read_dir(folder) {
            Ok(read) => read,
            Err(error) => {
                into.note(folder, format!("cannot be read: {error}"));
                return Vec::new();
            }
        };
        let mut entries = Vec::new();
        for entry in read {
            if self.left == 0 {
                into.note(folder, format!("not looked at further: more than {MAX_ENTRIES} files and folders"));
                break;
            }
            self.left -= 1;
            match entry {
                Ok(entry) => entries.push(entry),
                Err(error) => into.note(folder, format!("cannot be read: {error}")),
            }
        }
        entries.sort_by_key(DirEntry::file_name);
        entries
    }
}
