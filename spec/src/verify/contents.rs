//! What was found at the paths of a folder. Anyone who reads the files fills it: a program with a disk, a browser with a list.

use core::ops::Range;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::cause::Cause;
use super::loadable::loadable_by_name;
use crate::hash::Digest;

/// Which part of a release was looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Scope {
    /// All of it.
    #[default]
    Whole,
    /// A folder of it, by its path in the release.
    Part(String),
    /// One file.
    File,
}

/// What stands at one path.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Found {
    /// A regular file. Without a digest it was not hashed, which is enough where its size is not the recorded one.
    File {
        /// Its length in bytes.
        size: u64,
        /// Its SHA-256.
        sha256: Option<Digest>,
        /// What it holds where it differs from the record.
        cause: Cause,
    },
    /// Something that was not read, and what a loader would take it for.
    Name {
        /// The role in a loader's eyes.
        loadable_as: Option<&'static str>,
    },
    /// Something that cannot be a file of a release.
    Unusable {
        /// What it is.
        why: String,
        /// Whether the machine failed to read it.
        is_io: bool,
        /// The role in a loader's eyes, where no record names it.
        loadable_as: Option<&'static str>,
    },
    /// A link that leads nowhere: a recorded file is missing there.
    Dangling,
}

/// What was found at the paths of a folder, each relative to the release's folder and with `/` between its parts.
///
/// What it does not hold is missing. Nothing in it is verified: [`VerifiedRelease::check`](super::VerifiedRelease::check) does that.
#[derive(Debug, Clone, Default)]
pub struct FolderContents {
    pub(super) scope: Scope,
    pub(super) found: BTreeMap<String, Found>,
    pub(super) damaged: BTreeMap<String, Vec<Range<u64>>>,
}

impl FolderContents {
    /// The contents of a whole release's folder; nothing is found yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The contents of a folder of the release, such as `text_encoder`; files outside it are not missed.
    pub fn part(folder: impl Into<String>) -> Self {
        let folder: String = folder.into();
        let scope = if folder.is_empty() { Scope::Whole } else { Scope::Part(folder) };
        Self { scope, found: BTreeMap::new(), damaged: BTreeMap::new() }
    }

    /// A file that was read.
    pub fn add_file(&mut self, path: impl Into<String>, size: u64, sha256: Digest) {
        self.add(path, Found::File { size, sha256: Some(sha256), cause: Cause::Unknown });
    }

    /// Where a file that differs is damaged, in bytes from its beginning, if its hints are right.
    pub fn add_damage(&mut self, path: impl Into<String>, ranges: Vec<Range<u64>>) {
        self.damaged.insert(path.into(), ranges);
    }

    /// Something that is there and was not read. What a loader would take it for is decided by its name.
    pub fn add_name(&mut self, path: impl Into<String>) {
        let path = path.into();
        let loadable_as = loadable_by_name(&path);
        self.add(path, Found::Name { loadable_as });
    }

    /// Something that cannot be a file of a release: a pipe, a link that leaves the folder.
    pub fn add_unusable(&mut self, path: impl Into<String>, why: impl Into<String>) {
        let path = path.into();
        let loadable_as = loadable_by_name(&path);
        self.add(path, Found::Unusable { why: why.into(), is_io: false, loadable_as });
    }

    /// Anything at a path. Two different findings for one path are unusable: neither can be preferred.
    pub fn add(&mut self, path: impl Into<String>, found: Found) {
        match self.found.entry(path.into()) {
            Entry::Vacant(place) => {
                place.insert(found);
            }
            Entry::Occupied(mut place) if *place.get() != found => {
                let loadable_as = loadable_by_name(place.key());
                place.insert(Found::Unusable { why: "two contents for one path".into(), is_io: false, loadable_as });
            }
            Entry::Occupied(_) => {}
        }
    }
}
