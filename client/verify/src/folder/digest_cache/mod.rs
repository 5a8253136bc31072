//! Digests of files that were hashed before and are unchanged since: a second look at 30 GB takes a moment, and eight processes that look at
//! the same folder hash it once.
//!
//! An entry says one thing: the bytes of this inode in this state have this SHA-256. Nothing of a release, a policy or a verdict is in it. Every
//! verdict compares the digest with a manifest anew, so that another policy, another bundle or a later withdrawal is no question of the cache.
//!
//! A state is the file system, device, inode, size, and both times in nanoseconds. The kernel sets the time of change at each write, and no system
//! call sets it to a value of the caller's: bytes that were put in with size and time of modification put back have another state. Two writes in
//! one tick of that clock have one time. So a file whose times are not [`MARGIN`] seconds older than the moment at which its hashing began
//! gets no entry: a later write then leaves a later time.
//!
//! What this does not catch, since the kernel does not show it: a clock that was set back for the write; what is written to the raw disk, or by
//! an unmounted or other machine's copy of it; root by ways round the times, such as XFS's for data managers; and a process that keeps a
//! page of the file mapped and already written to, until the page is next written to disk, in half a minute as a rule. The program that
//! hashes every time catches these, as far as they were done before it read.

mod entry;
mod file_state;
mod file_system;

mod folder;

use std::fs::{File, Metadata};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use stele_spec::hash::Digest;

pub use file_state::{FileState, FileTime};
pub use folder::CacheError;

use entry::Entry;
use folder::{Claim, Folder, Locked};

/// How many seconds both times of a file must be before the moment at which its hashing begins. Clocks of file systems tick at least each 10 ms,
/// those that keep whole seconds each second.
const MARGIN: i64 = 2;

/// The fewest bytes of a file that is worth an entry: it takes as long to look up as to hash. So configurations and code are hashed each time.
pub const SMALLEST: u64 = 64 << 10;

/// What is done with what is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheUse {
    /// It is used.
    Use,
    /// Every file is hashed, and what is known of it is replaced.
    Rehash,
}

/// The cache.
#[derive(Debug)]
pub struct DigestCache {
    folder: Folder,
    mode: CacheUse,
    margin: i64,
    used: Mutex<CacheUsed>,
}

/// What of it was used, by this value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CacheUsed {
    /// How many files were not hashed.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// When the first of them was hashed, in seconds since 1970.
    pub since: Option<i64>,
}

/// A file of which the cache may know.
#[derive(Debug, Clone, Copy)]
pub(super) struct CacheKey {
    filesystem: u64,
    state: FileState,
}

impl CacheKey {
    pub(super) fn state(&self) -> FileState {
        self.state
    }
}

/// The right to hash a file, and to say what it came to.
#[derive(Debug)]
pub(super) struct Turn {
    key: CacheKey,
    locked: Locked,
}

/// Who hashes a file.
#[derive(Debug)]
pub(super) enum Hasher {
    /// This process; what it comes to is kept, where there is a turn.
    Us(Option<Turn>),
    /// Another one, at this moment.
    Other,
}

impl DigestCache {
    /// Opens the cache in a folder, and makes it where it is not there.
    pub fn open(folder: &Path, mode: CacheUse) -> Result<Self, CacheError> {
        Ok(Self { folder: Folder::open(folder)?, mode, margin: MARGIN, used: Mutex::default() })
    }

    /// The same for files of any age.
    #[cfg(test)]
    pub(super) fn without_margin(self) -> Self {
        Self { margin: i64::MIN, ..self }
    }

    /// What of it was used.
    pub fn used(&self) -> CacheUsed {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key of an open file, where the cache may know it.
    pub(super) fn key(&self, file: &File, found: &Metadata) -> Option<CacheKey> {
        (found.len() >= SMALLEST)
            .then(|| Some(CacheKey { filesystem: file_system::keeping_times(file)?, state: FileState::of(found) }))
            .flatten()
    }

    /// The digest that is known of a file.
    pub(super) fn digest(&self, key: &CacheKey) -> Option<Known> {
        if self.mode == CacheUse::Rehash {
            return None;
        }
        let entry = self.folder.read(key.filesystem, &key.state)?;
        Some(Known { sha256: entry.sha256, size: key.state.size, since: entry.hashed_at })
    }

    /// Notes that a digest was used.
    pub(super) fn note(&self, known: &Known) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.files += 1;
        used.bytes = used.bytes.saturating_add(known.size);
        used.since = Some(used.since.map_or(known.since, |since| since.min(known.since)));
    }

    /// Decides who hashes a file that is not known.
    pub(super) fn hasher(&self, key: CacheKey) -> Hasher {
        match self.folder.claim(key.filesystem, &key.state) {
            // Too young for an entry: nobody waits for it.
            Claim::Ours(locked) if !key.state.is_older(locked.now(), self.margin) => Hasher::Us(None),
            Claim::Ours(locked) => Hasher::Us(Some(Turn { key, locked })),
            Claim::Theirs if self.mode == CacheUse::Rehash => Hasher::Us(None),
            Claim::Theirs => Hasher::Other,
            Claim::None => Hasher::Us(None),
        }
    }

    /// Waits until another process has hashed a file, or no longer tries to; not where the deadline comes first.
    pub(super) fn wait(&self, key: &CacheKey, deadline: Instant) -> bool {
        self.folder.wait(key.filesystem, &key.state, deadline)
    }

    /// Keeps what files came to.
    pub(super) fn keep(&self, hashed: impl Iterator<Item = (Turn, FileState, Digest)>) {
        let mut is_changed = false;
        for (Turn { key, locked }, state, sha256) in hashed {
            // The file that was hashed may be another one than that whose turn it is.
            if key.state == state {
                is_changed = true;
                let CacheKey { filesystem, state } = key;
                locked.write(Entry { filesystem, state, sha256, hashed_at: locked.now().seconds });
            }
        }
        if is_changed {
            self.folder.tidy();
        }
    }
}

/// A digest that is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) sha256: Digest,
    pub(super) size: u64,
    since: i64,
}

/// Where the cache of this machine's user is: `$STELE_CACHE`, else `stele/digests` below `$XDG_CACHE_HOME`, else below `~/.cache`.
pub fn place() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(folder) = set("STELE_CACHE") {
        return Some(folder);
    }
    let cache = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")))?;
    Some(cache.join("stele/digests"))
}
