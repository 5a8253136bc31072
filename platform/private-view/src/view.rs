//! A folder of copies, mounted read-only.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, CWD, linkat, unlinkat};
use rustix::io::Errno;
use rustix::mount::{MoveMountFlags, mount_bind, move_mount};

use crate::copies::{Copied, Copies, Place, READABLE, by_descriptor, passing_name};
use crate::error::ViewError;
use crate::freeze::{make_folders, make_read_only, mount_memory};
use crate::namespace::Namespace;

/// How many names are tried: as many may be left of killed processes with the same number.
const MAX_ATTEMPTS: u32 = 100;

/// What will be at a path: these files and no others.
#[derive(Debug)]
pub struct View {
    top: PathBuf,
    copies: Copies,
    files: Vec<(PathBuf, Content)>,
}

#[derive(Debug)]
enum Content {
    Copied(Copied),
    Short(Vec<u8>),
}

impl View {
    /// An empty one, for a folder whose path has no links.
    pub fn new(top: PathBuf, copies: Copies) -> Self {
        Self { top, copies, files: Vec::new() }
    }

    /// Where it will be.
    pub fn top(&self) -> &Path {
        &self.top
    }

    /// Where its copies are kept.
    pub const fn copies(&self) -> &Copies {
        &self.copies
    }

    /// Adds a copy at a path below the top.
    pub fn add(&mut self, below: impl Into<PathBuf>, copied: Copied) -> Result<(), ViewError> {
        self.put(below.into(), Content::Copied(copied))
    }

    /// Adds a short file.
    pub fn add_short(&mut self, below: impl Into<PathBuf>, bytes: Vec<u8>) -> Result<(), ViewError> {
        self.put(below.into(), Content::Short(bytes))
    }

    fn put(&mut self, below: PathBuf, content: Content) -> Result<(), ViewError> {
        let is_below = below.components().all(|part| matches!(part, Component::Normal(_)));
        if !is_below || below.as_os_str().is_empty() {
            return Err(ViewError::Path { path: below });
        }
        self.files.push((below, content));
        Ok(())
    }

    /// Mounts it.
    pub(crate) fn mount(self, _: &Namespace) -> Result<(), ViewError> {
        let top = &self.top;
        let failed = || ViewError::io("cannot mount over", top);
        let memory = match &self.copies.place {
            Place::Memory(memory) => Some(memory),
            Place::Disk { .. } => None,
        };
        match memory {
            Some(memory) => {
                move_mount(memory, c"", CWD, top.as_path(), MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
                    .map_err(io::Error::from)
                    .map_err(failed())?;
            }
            None => mount_memory(top, 0o755).map_err(failed())?,
        }
        for (below, content) in &self.files {
            let failed = || ViewError::io("cannot mount", top.join(below));
            let at = make_folders(top, below).map_err(failed())?;
            match content {
                Content::Short(bytes) => write(&at, bytes).map_err(failed())?,
                // It lies in that file system already, and lacks a name.
                Content::Copied(copied) if memory.is_some() => name(&copied.file, &at).map_err(failed())?,
                Content::Copied(copied) => mount_file(copied, &at).map_err(failed())?,
            }
        }
        make_read_only(top).map_err(failed())
    }
}

fn write(at: &Path, bytes: &[u8]) -> io::Result<()> {
    OpenOptions::new().write(true).create_new(true).mode(READABLE).open(at)?.write_all(bytes)
}

fn name(file: &File, at: &Path) -> io::Result<()> {
    Ok(linkat(CWD, by_descriptor(file), CWD, at, AtFlags::SYMLINK_FOLLOW)?)
}

/// Mounts a copy over an empty file. The kernel mounts nothing without a name, so it has one for that moment.
fn mount_file(copied: &Copied, at: &Path) -> io::Result<()> {
    File::create_new(at)?;
    let folder = copied.folder.as_ref();
    let mut attempt = 0;
    let name = loop {
        let name = passing_name(attempt);
        match linkat(CWD, copied.path(), folder.as_fd(), &name, AtFlags::SYMLINK_FOLLOW) {
            Ok(()) => break name,
            Err(Errno::EXIST) if attempt < MAX_ATTEMPTS => attempt += 1,
            Err(error) => return Err(error.into()),
        }
    };
    let mounted = mount_bind(by_descriptor(folder).join(&name), at);
    unlinkat(folder, &name, AtFlags::empty())?;
    mounted?;
    // Somebody may have put another file behind the name.
    let (expected, found) = (copied.file.metadata()?, fs::metadata(at)?);
    if (expected.dev(), expected.ino()) != (found.dev(), found.ino()) {
        return Err(io::Error::other("another file was put in the place of a copy"));
    }
    make_read_only(at)
}
