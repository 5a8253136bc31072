//! The folder of the cache: its owner's alone, and a file in it for each inode.
//!
//! Whoever writes here decides what counts as hashed. So the folder is used only where this user owns it and nobody else may write; every
//! file in it is opened below it, by its name alone, and no link is followed.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags, Timespec, Timestamps, UTIME_NOW};
use stele_explain::{Exit, Explain, explain};

use super::entry::{Entry, LENGTH};
use super::file_state::{FileState, FileTime};
use super::file_system;

/// The most entries; each takes a block of the disk, of 4 KiB as a rule. The least used go first.
const MAX_ENTRIES: usize = 16_384;
/// How many are left when that is exceeded, so that it is looked at once in a while.
const KEPT: usize = MAX_ENTRIES - MAX_ENTRIES / 8;
/// How often somebody else's lock is tried again.
const RETRY: Duration = Duration::from_millis(10);

/// The open folder.
#[derive(Debug)]
pub(super) struct Folder {
    file: File,
    path: PathBuf,
}

/// The file of one inode's entry, locked: no other process hashes that inode meanwhile.
#[derive(Debug)]
pub(super) struct Locked {
    file: File,
    path: PathBuf,
    now: FileTime,
}

/// What came of the wish to hash an inode.
#[derive(Debug)]
pub(super) enum Claim {
    /// Nobody else does.
    Ours(Locked),
    /// Another process does.
    Theirs,
    /// The folder gives no lock.
    None,
}

impl Folder {
    /// Opens the folder; makes it where it is not there.
    pub(super) fn open(path: &Path) -> Result<Self, CacheError> {
        let unusable = |source| CacheError::Io { path: path.to_owned(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(unusable)?;
        let flags = i32::try_from((OFlags::DIRECTORY | OFlags::NOFOLLOW).bits()).unwrap_or_default();
        let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(unusable)?;
        let found = file.metadata().map_err(unusable)?;
        let user = rustix::process::geteuid().as_raw();
        if found.uid() != user {
            return Err(CacheError::OtherOwner { path: path.to_owned(), owner: found.uid(), user });
        }
        if found.mode() & 0o022 != 0 {
            return Err(CacheError::Writable { path: path.to_owned(), mode: found.mode() & 0o7777 });
        }
        if !file_system::has_own_clock(&file) {
            return Err(CacheError::OtherClock { path: path.to_owned() });
        }
        Ok(Self { file, path: path.to_owned() })
    }

    /// What is known of an inode. What cannot be read, or is no entry, is nothing.
    pub(super) fn read(&self, filesystem: u64, state: &FileState) -> Option<Entry> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = self.open_entry(filesystem, state, flags).ok()?;
        let mut bytes = [0; LENGTH + 1];
        let length = read_from_start(&file, &mut bytes).ok()?;
        let entry = Entry::parse(bytes.get(..length)?)?;
        // The least used go first; and its time is the clock's.
        let now = touch(&file).ok();
        // What was hashed later than now was hashed before the clock was set back, and then times come again.
        let is_of_the_future = now.is_some_and(|now| now.seconds < entry.hashed_at);
        (entry.filesystem == filesystem && entry.state == *state && !is_of_the_future).then_some(entry)
    }

    /// Locks the entry of an inode, and makes it where it is not there.
    pub(super) fn claim(&self, filesystem: u64, state: &FileState) -> Claim {
        let Ok(file) = self.open_to_write(filesystem, state) else { return Claim::None };
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => match touch(&file) {
                Ok(now) => Claim::Ours(Locked { file, now, path: self.path.join(name(filesystem, state)) }),
                Err(_) => Claim::None,
            },
            Err(rustix::io::Errno::WOULDBLOCK) => Claim::Theirs,
            Err(_) => Claim::None,
        }
    }

    /// Waits until no process holds the lock of an inode's entry, or until the deadline; whether the lock is free.
    pub(super) fn wait(&self, filesystem: u64, state: &FileState, deadline: Instant) -> bool {
        let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let Ok(file) = self.open_entry(filesystem, state, flags) else { return true };
        loop {
            match rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared) {
                Err(rustix::io::Errno::WOULDBLOCK) if Instant::now() < deadline => std::thread::sleep(RETRY),
                Err(rustix::io::Errno::WOULDBLOCK) => return false,
                _ => return true,
            }
        }
    }

    /// Removes the entries that were not used for longest, where there are too many.
    pub(super) fn tidy(&self) {
        self.keep(MAX_ENTRIES, KEPT);
    }

    fn keep(&self, most: usize, kept: usize) {
        let Ok(folder) = rustix::fs::Dir::read_from(&self.file) else { return };
        // Whatever else lies there is somebody's.
        let names = folder.flatten().filter_map(|entry| entry.file_name().to_str().ok().map(str::to_owned));
        let mut names: Vec<String> = names.filter(|name| is_entry(name)).collect();
        if names.len() <= most {
            return;
        }
        let used = |name: &String| {
            let found = rustix::fs::statat(&self.file, name.as_str(), AtFlags::SYMLINK_NOFOLLOW).ok()?;
            Some((found.st_mtime, found.st_mtime_nsec))
        };
        names.sort_by_cached_key(|name| std::cmp::Reverse(used(name)));
        for name in names.iter().skip(kept) {
            let _ = std::fs::remove_file(self.path.join(name));
        }
    }

    fn open_to_write(&self, filesystem: u64, state: &FileState) -> io::Result<File> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        self.open_entry(filesystem, state, flags)
    }

    fn open_entry(&self, filesystem: u64, state: &FileState, flags: OFlags) -> io::Result<File> {
        let name = name(filesystem, state);
        let file: File = rustix::fs::openat(&self.file, name, flags, Mode::RUSR | Mode::WUSR)?.into();
        let found = file.metadata()?;
        let is_ours = found.uid() == rustix::process::geteuid().as_raw() && found.mode() & 0o022 == 0;
        if found.is_file() && is_ours { Ok(file) } else { Err(io::ErrorKind::PermissionDenied.into()) }
    }
}

impl Locked {
    /// When the lock was taken, by the clock of the folder's file system: the one that sets the times of files here.
    pub(super) fn now(&self) -> FileTime {
        self.now
    }

    /// Writes the entry in place. One that is written in part is no entry.
    pub(super) fn write(&self, entry: Entry) {
        let written = self.file.write_all_at(&entry.to_bytes(), 0);
        // What is longer than an entry is none.
        let _ = written.and_then(|()| self.file.set_len(u64::try_from(LENGTH).unwrap_or_default()));
    }
}

/// What holds nothing is not left behind: a file that was too young, or that changed, would leave one each time.
impl Drop for Locked {
    fn drop(&mut self) {
        if self.file.metadata().is_ok_and(|found| found.len() == 0) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn name(filesystem: u64, state: &FileState) -> String {
    format!("{filesystem:x}-{:x}-{:x}", state.device, state.inode)
}

/// Whether a name is that of an entry: three numbers in hex.
fn is_entry(name: &str) -> bool {
    let is_number = |part: &str| (1..=16).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    name.split('-').count() == 3 && name.split('-').all(is_number)
}

/// Marks a file as used, and tells the time by it.
fn touch(file: &File) -> io::Result<FileTime> {
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    rustix::fs::futimens(file, &Timestamps { last_access: now, last_modification: now })?;
    Ok(FileState::of(&file.metadata()?).changed)
}

fn read_from_start(file: &File, room: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = room.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, u64::try_from(filled).unwrap_or_default())? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}

/// Why the folder is not used.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// It cannot be made or opened.
    #[error("the cache of digests at {} cannot be used", .path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// What the machine said.
        #[source]
        source: io::Error,
    },
    /// Somebody else's.
    #[error("the cache of digests at {} belongs to another user", .path.display())]
    OtherOwner {
        /// The folder.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who runs this program.
        user: u32,
    },
    /// Others may write there.
    #[error("others than its owner may write to the cache of digests at {}", .path.display())]
    Writable {
        /// The folder.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// On a file system whose clock is another machine's.
    #[error("the cache of digests at {} is on a file system whose times this machine does not set", .path.display())]
    OtherClock {
        /// The folder.
        path: PathBuf,
    },
}

impl Explain for CacheError {
    explain! {
        Self::Io { .. } => Exit::Io, "cache-unusable", hint: "name another folder in $STELE_CACHE, or say --no-cache";
        Self::OtherOwner { owner, user, .. } => Exit::Io, "cache-of-another",
            hint: "name a folder of your own in $STELE_CACHE, or say --no-cache",
            "expected": format!("user {user}"), "found": format!("user {owner}");
        Self::Writable { path, mode } => Exit::Io, "cache-writable",
            hint: format!("remove what is in it, which others may have written, then: chmod 700 {}", path.display()),
            "expected": "mode 700", "found": format!("mode {mode:o}");
        Self::OtherClock { .. } => Exit::Io, "cache-on-network", hint: "name a folder on a disk of this machine in $STELE_CACHE, or say --no-cache";
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn state(inode: u64) -> FileState {
        let time = FileTime { seconds: 1, nanoseconds: 0 };
        FileState { device: 1, inode, size: 1, modified: time, changed: time }
    }

    fn entry(inode: u64, hashed_at: i64) -> Entry {
        Entry { filesystem: 7, state: state(inode), sha256: stele_spec::hash::Digest::of(b"x"), hashed_at }
    }

    fn write(folder: &Folder, inode: u64) {
        let Claim::Ours(locked) = folder.claim(7, &state(inode)) else { panic!("the lock is free") };
        locked.write(entry(inode, 1));
    }

    #[test]
    fn a_folder_of_others_or_that_others_write_to_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a/b");
        Folder::open(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        for mode in [0o720, 0o702, 0o777] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(Folder::open(&path).unwrap_err().code(), "cache-writable");
        }
        std::os::unix::fs::symlink(home.path().join("a"), home.path().join("link")).unwrap();
        assert_eq!(Folder::open(&home.path().join("link")).unwrap_err().code(), "cache-unusable");
        std::fs::write(home.path().join("file"), "").unwrap();
        assert_eq!(Folder::open(&home.path().join("file")).unwrap_err().code(), "cache-unusable");
    }

    #[test]
    fn an_entry_is_of_its_state_alone_and_damage_is_nothing() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::open(home.path()).unwrap();
        write(&folder, 5);
        assert_eq!(folder.read(7, &state(5)), Some(entry(5, 1)));
        assert_eq!(folder.read(8, &state(5)), None);
        assert_eq!(folder.read(7, &FileState { size: 2, ..state(5) }), None);
        let file = home.path().join("7-1-5");
        let good = std::fs::read(&file).unwrap();
        for bad in [&good[1..], &[&good[..], b"x"].concat(), b""] {
            std::fs::write(&file, bad).unwrap();
            assert_eq!(folder.read(7, &state(5)), None);
            write(&folder, 5);
            assert_eq!(folder.read(7, &state(5)), Some(entry(5, 1)), "it is written anew");
        }
        // One that others may write to, a link, and a folder in its place.
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o622)).unwrap();
        assert_eq!(folder.read(7, &state(5)), None);
        std::fs::remove_file(&file).unwrap();
        std::fs::write(home.path().join("elsewhere"), &good).unwrap();
        std::os::unix::fs::symlink(home.path().join("elsewhere"), &file).unwrap();
        assert_eq!(folder.read(7, &state(5)), None);
        std::fs::remove_file(&file).unwrap();
        std::fs::create_dir(&file).unwrap();
        assert_eq!(folder.read(7, &state(5)), None);
        assert!(matches!(folder.claim(7, &state(5)), Claim::None));
    }

    #[test]
    fn a_turn_that_comes_to_nothing_leaves_nothing() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::open(home.path()).unwrap();
        let left = || std::fs::read_dir(home.path()).unwrap().count();
        drop(folder.claim(7, &state(5)));
        assert_eq!(left(), 0);
        write(&folder, 5);
        drop(folder.claim(7, &state(5)));
        assert_eq!(left(), 1, "what is known stays");
        assert_eq!(folder.read(7, &state(5)), Some(entry(5, 1)));
    }

    #[test]
    fn what_was_hashed_after_now_is_nothing() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::open(home.path()).unwrap();
        let Claim::Ours(locked) = folder.claim(7, &state(5)) else { panic!("the lock is free") };
        locked.write(entry(5, locked.now().seconds));
        assert!(folder.read(7, &state(5)).is_some());
        locked.write(entry(5, locked.now().seconds + 3600));
        assert_eq!(folder.read(7, &state(5)), None);
    }

    #[test]
    fn one_process_holds_an_inode_and_others_wait_for_it_but_not_for_ever() {
        let home = tempfile::tempdir().unwrap();
        let (one, other) = (Folder::open(home.path()).unwrap(), Folder::open(home.path()).unwrap());
        let Claim::Ours(locked) = one.claim(7, &state(5)) else { panic!("the lock is free") };
        assert!(matches!(other.claim(7, &state(5)), Claim::Theirs));
        assert!(matches!(other.claim(7, &state(6)), Claim::Ours(_)));
        assert!(!other.wait(7, &state(5), Instant::now()));
        let far = Instant::now() + Duration::from_secs(600);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| other.wait(7, &state(5), far));
            locked.write(entry(5, 1));
            drop(locked);
            assert!(waiting.join().unwrap());
        });
        assert_eq!(other.read(7, &state(5)), Some(entry(5, 1)));
        assert!(matches!(other.claim(7, &state(5)), Claim::Ours(_)));
    }

    #[test]
    fn the_least_used_are_removed_where_there_are_too_many() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::open(home.path()).unwrap();
        for inode in 0..10 {
            write(&folder, inode);
            let old = std::time::UNIX_EPOCH + Duration::from_secs(1000 + inode);
            File::options()
                .write(true)
                .open(home.path().join(format!("7-1-{inode:x}")))
                .unwrap()
                .set_modified(old)
                .unwrap();
        }
        assert!(folder.read(7, &state(0)).is_some(), "used now");
        for other in ["notes", "a-b", "7-1-x", ".7-1-1"] {
            std::fs::write(home.path().join(other), "somebody's").unwrap();
        }
        folder.keep(10, 4);
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 10 + 4);
        folder.keep(9, 4);
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 4 + 4, "what is no entry stays");
        let left: Vec<u64> = (0..10).filter(|inode| folder.read(7, &state(*inode)).is_some()).collect();
        assert_eq!(left, [0, 7, 8, 9]);
    }
}
