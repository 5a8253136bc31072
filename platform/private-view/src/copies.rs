//! Copies of files, in files without a name.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{Mode, OFlags, RawMode};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsconfig_set_string, fsmount, fsopen};
use stele_regular_file::share_blocks;

use crate::error::ViewError;
use crate::namespace::Namespace;

/// Everybody reads: only what has the view gets that far.
pub(crate) const READABLE: RawMode = 0o444;

/// Where the copies of one view are kept.
#[derive(Debug)]
pub struct Copies {
    pub(crate) place: Place,
    open: Mutex<BTreeMap<PathBuf, Arc<File>>>,
}

#[derive(Debug)]
pub(crate) enum Place {
    /// Beside each file, where that can be, else in one of these folders.
    Disk { beside: bool, folders: Vec<PathBuf> },
    /// A file system in memory that is mounted nowhere yet.
    Memory(OwnedFd),
}

/// A copy. Its only names are the descriptors of this process.
#[derive(Debug)]
pub struct Copied {
    /// For reading.
    pub(crate) file: File,
    /// The folder that it was made in: by now its path may lead elsewhere.
    pub(crate) folder: Arc<File>,
    size: u64,
    is_shared: bool,
}

impl Copies {
    /// On a disk: in `workdir`; else beside each file, so that file systems that can do it share the blocks, else where temporary files are.
    pub fn on_disk(_: &Namespace, workdir: Option<&Path>) -> Self {
        let folders = match workdir {
            Some(folder) => vec![folder.to_owned()],
            None => vec![PathBuf::from("/var/tmp"), std::env::temp_dir()],
        };
        Self { place: Place::Disk { beside: workdir.is_none(), folders }, open: Mutex::default() }
    }

    /// In memory, which nobody but root can reach.
    pub fn in_memory(_: &Namespace) -> Result<Self, ViewError> {
        let memory = detached_memory().map_err(|source| ViewError::Unsupported("it keep files in memory", source))?;
        Ok(Self { place: Place::Memory(memory), open: Mutex::default() })
    }

    /// Begins the copy of an open file, which was at `from` and has this size: its copy, and the descriptor by which the caller writes it. When that one is
    /// closed there is none for writing any more. A copy that shares its blocks is written already.
    pub fn begin(&self, source: &File, from: &Path, size: u64) -> Result<(Copied, File), ViewError> {
        let (target, folder) = self.unnamed(from)?;
        let failed = || ViewError::io("cannot copy", from);
        let is_shared = share_blocks(source, &target);
        let file = File::open(by_descriptor(&target)).map_err(failed())?;
        rustix::fs::fchmod(&target, Mode::from_raw_mode(READABLE)).map_err(io::Error::from).map_err(failed())?;
        Ok((Copied { file, folder, size, is_shared }, target))
    }

    /// An empty file without a name, and the folder that it could have one in.
    fn unnamed(&self, from: &Path) -> Result<(File, Arc<File>), ViewError> {
        let folders: Vec<PathBuf> = match &self.place {
            Place::Memory(memory) => vec![by_descriptor(memory)],
            Place::Disk { beside, folders } => from
                .parent()
                .filter(|_| *beside)
                .map(Path::to_owned)
                .into_iter()
                .chain(folders.iter().cloned())
                .collect(),
        };
        let mut tried = Vec::new();
        for folder in folders {
            match self.folder(&folder).and_then(|open| Ok((unnamed_in(&open)?, open))) {
                Ok(made) => return Ok(made),
                Err(error) => tried.push(format!("{}: {error}", folder.display())),
            }
        }
        Err(ViewError::NoPlace { path: from.to_owned(), tried })
    }

    /// A folder, opened once.
    fn folder(&self, path: &Path) -> io::Result<Arc<File>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = open.get(path) {
            return Ok(Arc::clone(known));
        }
        let opened = Arc::new(File::open(path)?);
        open.insert(path.to_owned(), Arc::clone(&opened));
        Ok(opened)
    }
}

fn unnamed_in(folder: &File) -> io::Result<File> {
    let flags = i32::try_from(OFlags::TMPFILE.bits()).unwrap_or_default();
    OpenOptions::new().read(true).write(true).mode(0o600).custom_flags(flags).open(by_descriptor(folder))
}

impl Copied {
    /// Where it is read, by this process alone.
    pub fn path(&self) -> PathBuf {
        by_descriptor(&self.file)
    }

    /// How long it is.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Whether it shares its blocks with the original, and takes no room.
    pub const fn is_shared(&self) -> bool {
        self.is_shared
    }
}

/// The path of a descriptor of this process.
pub(crate) fn by_descriptor(file: &impl std::os::fd::AsRawFd) -> PathBuf {
    format!("/proc/self/fd/{}", file.as_raw_fd()).into()
}

/// A name that is free as a rule.
pub(crate) fn passing_name(attempt: u32) -> OsString {
    format!(".stele-run-{}-{attempt}", std::process::id()).into()
}

fn detached_memory() -> io::Result<OwnedFd> {
    let context = fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_set_string(&context, "mode", "0755")?;
    fsconfig_create(&context)?;
    let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV;
    Ok(fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)?)
}
