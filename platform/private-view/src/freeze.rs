//! Held folders: each is covered by one in which everything is where it was, and stays there whatever happens to the names below it.

use std::collections::BTreeMap;
use std::ffi::{CString, OsString};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::mount::{MountFlags, mount, mount_bind_recursive, mount_remount};

use crate::copies::by_descriptor;
use crate::error::ViewError;
use crate::namespace::Namespace;
use crate::pins::{Pin, Pins, is_shared};

/// How many files and folders are kept in one held folder: each is a mount, of which a namespace has 100,000 (`fs.mount-max`).
const MAX_KEPT: usize = 20_000;

/// What a covering folder is mounted with.
pub(crate) const COVER: MountFlags = MountFlags::NOSUID.union(MountFlags::NODEV);

/// Covers the held folders. What is at `tops` is left empty, for views.
pub(crate) fn freeze(_: &Namespace, pins: &Pins, tops: &[PathBuf]) -> Result<(), ViewError> {
    for folder in pins.topmost() {
        let real = open_folder(folder).map_err(ViewError::io("cannot open", folder))?;
        cover(folder, &real, pins, tops)?;
    }
    Ok(())
}

fn cover(folder: &Path, real: &File, pins: &Pins, tops: &[PathBuf]) -> Result<(), ViewError> {
    let none = BTreeMap::new();
    let pinned = pins.folders.get(folder).unwrap_or(&none);
    let failed = || ViewError::io("cannot hold", folder);
    let found = real.metadata().map_err(failed())?;
    let names = names(real).map_err(failed())?;
    if names.len() > MAX_KEPT {
        return Err(ViewError::TooMany { folder: folder.to_owned(), limit: MAX_KEPT });
    }
    mount_memory(folder, found.mode()).map_err(failed())?;
    for name in names.iter().filter(|name| !pinned.contains_key(*name)) {
        // What has gone since, or cannot be mounted, is not there.
        let _ = keep(&by_descriptor(real).join(name), &folder.join(name));
    }
    for (name, pin) in pinned {
        let at = folder.join(name);
        match pin {
            Pin::Link(target) => symlink(target, &at).map_err(failed())?,
            Pin::Folder if pins.folders.contains_key(&at) => {
                fs::create_dir(&at).map_err(failed())?;
                let below = open_folder(&by_descriptor(real).join(name)).map_err(ViewError::io("cannot open", &at))?;
                cover(&at, &below, pins, tops)?;
            }
            Pin::Folder if tops.contains(&at) => fs::create_dir(&at).map_err(failed())?,
            // Something passes through it, and comes back.
            Pin::Folder => keep(&by_descriptor(real).join(name), &at).map_err(failed())?,
        }
    }
    // A folder for temporary files goes on to be one.
    if !is_shared(&found) {
        make_read_only(folder).map_err(failed())?;
    }
    Ok(())
}

/// Puts what is at `from` to `at` as well.
fn keep(from: &Path, at: &Path) -> io::Result<()> {
    let found: Metadata = fs::symlink_metadata(from)?;
    if found.is_symlink() {
        return symlink(fs::read_link(from)?, at);
    }
    if found.is_dir() {
        fs::create_dir(at)?;
    } else {
        File::create_new(at)?;
    }
    mount_bind_recursive(from, at).map_err(|error| {
        let _ = if found.is_dir() { fs::remove_dir(at) } else { fs::remove_file(at) };
        error.into()
    })
}

/// Mounts an empty file system over a folder.
pub(crate) fn mount_memory(at: &Path, mode: u32) -> io::Result<()> {
    let options = CString::new(format!("mode={:o}", mode & 0o7777))?;
    Ok(mount("tmpfs", at, "tmpfs", COVER, options.as_c_str())?)
}

/// Makes a mount read-only. A user may not take off what it was mounted with before.
pub(crate) fn make_read_only(at: &Path) -> io::Result<()> {
    let had = rustix::fs::statvfs(at)?.f_flag;
    let mut flags = COVER | MountFlags::BIND | MountFlags::RDONLY;
    flags.set(MountFlags::NOEXEC, had.contains(rustix::fs::StatVfsMountFlags::NOEXEC));
    Ok(mount_remount(at, flags, c"")?)
}

fn open_folder(path: &Path) -> io::Result<File> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

fn names(folder: &File) -> io::Result<Vec<OsString>> {
    let entries = fs::read_dir(by_descriptor(folder))?.take(MAX_KEPT + 1);
    entries.map(|entry| Ok(entry?.file_name())).collect()
}

/// For the place of a file in a view: its folders are made.
pub(crate) fn make_folders(top: &Path, below: &Path) -> io::Result<PathBuf> {
    let at = top.join(below);
    if let Some(folder) = at.parent() {
        fs::create_dir_all(folder)?;
    }
    Ok(at)
}
