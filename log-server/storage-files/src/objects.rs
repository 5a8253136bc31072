//! Objects as files below a data folder. The layout of `public/` is that of c2sp.org/tlog-tiles, so that any web server can serve it.

use crate::staged_files::StagedFiles;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::UNIX_EPOCH;
use stele_durable::{Dir, DurableError, Op};
use stele_log_core::contract::objects::{ObjectError, ObjectErrorKind, ObjectName, Objects};
use stele_spec::tile::{Resource, TILE_WIDTH, TilePath};

/// The objects below a data folder. Cloning shares them.
#[derive(Clone, Debug)]
pub struct FileObjects {
    data: Dir,
    staged: Arc<StagedFiles>,
}

impl FileObjects {
    /// The objects below `data`.
    pub fn new(data: &Dir) -> Self {
        Self { data: data.clone(), staged: Arc::default() }
    }

    /// Makes files of entry bundles older than any time that is asked for: of a copy nobody knows when its entries were logged.
    ///
    /// Best effort: an entry that seems younger than it is counts against its publisher's quota for a day.
    pub fn forget_times(&self, paths: impl IntoIterator<Item = TilePath>) {
        for path in paths.into_iter().filter(|path| path.resource == Resource::Entries) {
            let path = self.path_of(&ObjectName::Tile(path));
            let outcome = std::fs::File::open(&path).and_then(|file| file.set_modified(UNIX_EPOCH));
            if let Err(error) = outcome {
                tracing::debug!(path = %path.display(), %error, "the time of a file cannot be set");
            }
        }
    }

    fn path_of(&self, name: &ObjectName) -> PathBuf {
        self.data.path_of(&file(name))
    }
}

impl Objects for FileObjects {
    fn put(&self, objects: &[(ObjectName, &[u8])]) -> Result<(), ObjectError> {
        let mut files = Vec::with_capacity(objects.len());
        for (name, bytes) in objects {
            match name {
                ObjectName::Staged(name) => self.staged.put(&self.data, name, bytes).map_err(failed)?,
                public => files.push((file(public), bytes)),
            }
        }
        self.data.put_all_if_absent(files).map(|_| ()).map_err(failed)
    }

    fn put_staged(&self, objects: &[(ObjectName, &[u8])]) -> Result<(), ObjectError> {
        self.data.put_all_unsynced(objects.iter().map(|(name, bytes)| (file(name), bytes))).map_err(failed)
    }

    fn replace_staged(&self, name: &ObjectName, bytes: &[u8]) -> Result<(), ObjectError> {
        self.data.replace_unsynced(&file(name), bytes).map_err(failed)
    }

    fn prepare(&self) {
        self.staged.prepare(&self.data);
    }

    fn sync(&self) -> Result<(), ObjectError> {
        self.staged.sync(&self.data).map_err(failed)
    }

    fn get(&self, name: &ObjectName, limit: u64) -> Result<Option<Vec<u8>>, ObjectError> {
        let read = match name {
            ObjectName::Staged(name) => self.staged.get(&self.data, name, limit),
            public => self.data.read(&file(public), limit),
        };
        read.map_err(failed)
    }

    fn length(&self, name: &ObjectName) -> Result<Option<u64>, ObjectError> {
        let found = self.data.open_file(&file(name)).map_err(failed)?;
        Ok(found.map(|(_, length)| length))
    }

    fn replace(&self, name: &ObjectName, bytes: &[u8]) -> Result<(), ObjectError> {
        self.data.replace(&file(name), bytes).map_err(failed)
    }

    fn remove(&self, name: &ObjectName) -> Result<(), ObjectError> {
        let removed = match name {
            ObjectName::Staged(name) => self.staged.remove(&self.data, name, true),
            public => self.data.remove(&file(public)).map(drop),
        };
        removed.map_err(failed)
    }

    /// Not synced, so no batch waits for the disk here.
    fn forget(&self, name: &ObjectName) {
        let removed = match name {
            ObjectName::Staged(name) => self.staged.remove(&self.data, name, false),
            public => self.data.remove_unsynced(&file(public)),
        };
        if let Err(error) = removed {
            tracing::warn!(%error, "cannot remove a file that is no longer needed");
        }
    }

    fn staged(&self) -> Result<Vec<String>, ObjectError> {
        self.staged.names(&self.data).map_err(failed)
    }

    fn has_tiles(&self) -> Result<bool, ObjectError> {
        self.data.exists("public/tile").map_err(failed)
    }

    fn partials(&self, full: TilePath) -> Vec<u16> {
        let listed = self.data.list(&partials_of(full)).ok().flatten().unwrap_or_default();
        let widths = listed.into_iter().filter_map(|listed| listed.name.parse().ok());
        widths.filter(|width| (1..TILE_WIDTH).contains(width)).collect()
    }

    fn forget_partials(&self, full: TilePath) {
        if let Err(error) = self.data.remove_folder_unsynced(&partials_of(full)) {
            tracing::warn!(%error, "cannot remove partial tiles");
        }
    }

    fn written_at(&self, name: &ObjectName) -> Option<u64> {
        self.data.modified(&file(name))
    }

    fn free_bytes(&self) -> Option<u64> {
        self.data.free_bytes()
    }

    fn no_room(&self) -> ObjectError {
        let source = io::Error::from_raw_os_error(rustix::io::Errno::NOSPC.raw_os_error());
        failed(DurableError::Io { op: Op::Write, path: self.data.path().to_owned(), source })
    }
}

/// Where the partial tiles of a full one are, below the data folder.
fn partials_of(full: TilePath) -> String {
    format!("{}.p", file(&ObjectName::Tile(full)))
}

/// Where a public object is, below the data folder.
fn file(name: &ObjectName) -> String {
    format!("public/{name}")
}

fn failed(error: DurableError) -> ObjectError {
    let kind = match &error {
        error if error.is_sync_failure() => ObjectErrorKind::Uncertain,
        error if error.is_disk_full() => ObjectErrorKind::NoRoom,
        DurableError::Differs { .. } => ObjectErrorKind::Differs,
        DurableError::TooLarge { .. } => ObjectErrorKind::TooLarge,
        DurableError::Io { .. } | DurableError::BadPath { .. } => ObjectErrorKind::Failed,
    };
    ObjectError::new(kind, error)
}
