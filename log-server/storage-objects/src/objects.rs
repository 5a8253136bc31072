//! Objects of a log by their names in a store.

use crate::public_checkpoint::{PublicCheckpoint, PublishError};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use stele_explain::{Exit, Explain, explain};
use stele_log_core::contract::objects::{ObjectError, ObjectErrorKind, ObjectName, Objects};
use stele_object_store::bucket::MAX_LISTED;
use stele_object_store::key::{BadKey, Key};
use stele_object_store::object_store::{ObjectStore, StoreError, StoreErrorKind};
use stele_spec::tile::{TILE_WIDTH, TilePath};

/// The published checkpoint.
const CHECKPOINT: Key = Key::fixed("public/checkpoint");

/// The folder of tiles and entry bundles.
const TILES: Key = Key::fixed("public/tile");

/// The folder of staged objects.
const STAGED: Key = Key::fixed("staged");

/// How many objects may wait to be forgotten. What finds no room here stays, and means nothing.
const WAITING: usize = 4096;

/// The most answers of which a listing is put together: a hundred thousand names.
const MAX_ANSWERS: usize = 100;

/// The objects of a log in a store.
#[derive(Debug)]
pub struct StoredObjects {
    store: ObjectStore,
    checkpoint: PublicCheckpoint,
    forgotten: SyncSender<Key>,
}

/// What is forgotten, and not removed yet.
#[derive(Debug)]
pub struct Removal {
    store: ObjectStore,
    removing: Receiver<Key>,
}

/// A failure of the store, or a name that it cannot have.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Publish(#[from] PublishError),
    #[error(transparent)]
    Key(#[from] BadKey),
    #[error("{folder} holds more than {most} objects")]
    TooMany { folder: Key, most: usize },
    #[error("the object store has no room left")]
    NoRoom,
}

impl StoredObjects {
    /// The objects in a store. What is forgotten is removed by a thread of its own, so that no batch waits for it.
    pub fn new(store: &ObjectStore) -> std::io::Result<Self> {
        let (objects, removal) = Self::with_removal(store);
        std::thread::Builder::new().name("forget".into()).spawn(move || removal.run())?;
        Ok(objects)
    }

    /// The same; what is forgotten is removed when the caller lets it be.
    pub fn with_removal(store: &ObjectStore) -> (Self, Removal) {
        let (forgotten, removing) = sync_channel(WAITING);
        let checkpoint = PublicCheckpoint::new(store, CHECKPOINT);
        (Self { store: store.clone(), checkpoint, forgotten }, Removal { store: store.clone(), removing })
    }

    fn put_named(&self, objects: &[(ObjectName, &[u8])]) -> Result<(), ObjectError> {
        let keyed = objects.iter().map(|(name, bytes)| Ok((key(name)?, *bytes))).collect::<Result<Vec<_>, BadKey>>();
        let keyed = keyed.map_err(|error| failed(error, ObjectErrorKind::Failed))?;
        // What is staged and not signed means nothing: it may arrive later, or never.
        let is_staged = objects.iter().all(|(name, _)| matches!(name, ObjectName::Staged(_)));
        let unknown = if is_staged { ObjectErrorKind::Failed } else { ObjectErrorKind::Uncertain };
        self.store.put_all(&keyed).map_err(|error| failed(error, unknown))
    }

    /// Everything in a folder.
    fn listed(&self, folder: &Key) -> Result<Vec<Key>, ObjectError> {
        let mut all: Vec<Key> = Vec::new();
        for _ in 0..MAX_ANSWERS {
            let some = self.store.list(folder, all.last()).map_err(|error| failed(error, ObjectErrorKind::Failed))?;
            let is_last = some.is_empty();
            all.extend(some);
            if is_last {
                return Ok(all);
            }
        }
        let error = Failed::TooMany { folder: folder.clone(), most: MAX_ANSWERS * MAX_LISTED };
        Err(ObjectError::new(ObjectErrorKind::Failed, error))
    }
}

impl Removal {
    /// Removes what is forgotten until the objects are dropped.
    pub fn run(&self) {
        while let Ok(key) = self.removing.recv() {
            self.remove(&key);
        }
    }

    /// Removes what is forgotten so far.
    pub fn catch_up(&self) {
        while let Ok(key) = self.removing.try_recv() {
            self.remove(&key);
        }
    }

    fn remove(&self, key: &Key) {
        if let Err(error) = self.store.remove(key) {
            tracing::debug!(%key, %error, "an object that is no longer needed stays");
        }
    }
}

impl Objects for StoredObjects {
    fn put(&self, objects: &[(ObjectName, &[u8])]) -> Result<(), ObjectError> {
        self.put_named(objects)
    }

    /// What a store has acknowledged is durable.
    fn put_staged(&self, objects: &[(ObjectName, &[u8])]) -> Result<(), ObjectError> {
        self.put_named(objects)
    }

    fn replace_staged(&self, name: &ObjectName, bytes: &[u8]) -> Result<(), ObjectError> {
        self.replace(name, bytes)
    }

    fn prepare(&self) {}

    fn sync(&self) -> Result<(), ObjectError> {
        Ok(())
    }

    fn get(&self, name: &ObjectName, limit: u64) -> Result<Option<Vec<u8>>, ObjectError> {
        let read = key(name).map_err(Failed::from).and_then(|key| Ok(self.store.read(&key, limit)?));
        let read = read.map_err(|error| failed(error, ObjectErrorKind::Failed))?;
        Ok(read.map(|found| found.bytes))
    }

    fn length(&self, name: &ObjectName) -> Result<Option<u64>, ObjectError> {
        let about = key(name).map_err(Failed::from).and_then(|key| Ok(self.store.about(&key)?));
        let about = about.map_err(|error| failed(error, ObjectErrorKind::Failed))?;
        Ok(about.map(|about| about.length))
    }

    fn replace(&self, name: &ObjectName, bytes: &[u8]) -> Result<(), ObjectError> {
        let replaced = match name {
            ObjectName::Checkpoint => self.checkpoint.publish(bytes).map_err(Failed::from),
            name => key(name).map_err(Failed::from).and_then(|key| Ok(self.store.overwrite(&key, bytes)?)),
        };
        replaced.map_err(|error| failed(error, ObjectErrorKind::Uncertain))
    }

    fn remove(&self, name: &ObjectName) -> Result<(), ObjectError> {
        let removed = key(name).map_err(Failed::from).and_then(|key| Ok(self.store.remove(&key)?));
        removed.map_err(|error| failed(error, ObjectErrorKind::Failed))
    }

    fn forget(&self, name: &ObjectName) {
        if let Ok(key) = key(name) {
            // Full, or without its thread: it stays, and means nothing.
            let _ = self.forgotten.try_send(key);
        }
    }

    fn staged(&self) -> Result<Vec<String>, ObjectError> {
        Ok(self.listed(&STAGED)?.iter().filter_map(|key| key.within(&STAGED)).map(str::to_owned).collect())
    }

    fn has_tiles(&self) -> Result<bool, ObjectError> {
        let listed = self.store.list(&TILES, None);
        Ok(!listed.map_err(|error| failed(error, ObjectErrorKind::Failed))?.is_empty())
    }

    fn partials(&self, full: TilePath) -> Vec<u16> {
        let Ok(folder) = partials_of(full) else { return Vec::new() };
        let listed = self.store.list(&folder, None).unwrap_or_default();
        let widths = listed.iter().filter_map(|key| key.within(&folder)?.parse().ok());
        widths.filter(|width| (1..TILE_WIDTH).contains(width)).collect()
    }

    fn forget_partials(&self, full: TilePath) {
        for width in self.partials(full) {
            self.forget(&ObjectName::Tile(TilePath { width, ..full }));
        }
    }

    fn written_at(&self, name: &ObjectName) -> Option<u64> {
        self.store.about(&key(name).ok()?).ok()??.written_at
    }

    fn free_bytes(&self) -> Option<u64> {
        None
    }

    fn no_room(&self) -> ObjectError {
        ObjectError::new(ObjectErrorKind::NoRoom, Failed::NoRoom)
    }
}

/// The name of an object in the store.
fn key(name: &ObjectName) -> Result<Key, BadKey> {
    match name {
        ObjectName::Staged(_) => name.to_string().parse(),
        public => format!("public/{public}").parse(),
    }
}

/// The folder of the partial tiles of a full one.
fn partials_of(full: TilePath) -> Result<Key, BadKey> {
    format!("public/{full}.p").parse()
}

/// A failure as the log sees it; `unknown` is what an unknown outcome means there.
fn failed(error: impl Into<Failed>, unknown: ObjectErrorKind) -> ObjectError {
    let error = error.into();
    let kind = match &error {
        Failed::Store(error) | Failed::Publish(PublishError::Store(error)) => match error.kind() {
            StoreErrorKind::Differs => ObjectErrorKind::Differs,
            StoreErrorKind::TooLarge => ObjectErrorKind::TooLarge,
            StoreErrorKind::Unknown | StoreErrorKind::Overtaken => unknown,
            StoreErrorKind::Failed => ObjectErrorKind::Failed,
        },
        Failed::Publish(_) => ObjectErrorKind::Uncertain,
        Failed::Key(_) | Failed::TooMany { .. } => ObjectErrorKind::Failed,
        Failed::NoRoom => ObjectErrorKind::NoRoom,
    };
    ObjectError::new(kind, error)
}

impl Explain for Failed {
    explain! {
        Self::Store(error) => error;
        Self::Publish(error) => error;
        Self::Key(_) => Exit::Internal, "object-name";
        Self::TooMany { .. } => Exit::Inconsistent, "objects-too-many",
            hint: "remove what is left of batches older than seven days, by a rule of the bucket for `staged/`";
        Self::NoRoom => Exit::Io, "disk-full";
    }
}
