//! The storage of a log, with everything noted that is put into it. What is stored and what is answered is the product's.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use stele_log_core::contract::head_store::{HeadError, HeadErrorKind, HeadStore};
use stele_log_core::contract::objects::{ObjectError, ObjectName, Objects};
use stele_spec::tile::TilePath;

/// What was noted. Cloning shares it.
#[derive(Clone, Debug, Default)]
pub struct Notes(Arc<Mutex<Noted>>);

#[derive(Debug, Default)]
struct Noted {
    staged: BTreeMap<String, Vec<u8>>,
    heads: Vec<Stored>,
}

/// What became of a signed head in the head store.
#[derive(Clone, Debug)]
pub enum Stored {
    /// It is there, durably.
    Swapped(Vec<u8>),
    /// It may be there.
    Uncertain(Vec<u8>),
    /// A start found it there, or nothing.
    Loaded(Option<Vec<u8>>),
}

/// Objects, watched.
#[derive(Debug)]
pub struct WatchedObjects<O>(pub O, pub Notes);

/// A head store, watched.
#[derive(Debug)]
pub struct WatchedHeads<H>(pub H, pub Notes);

impl Notes {
    /// What became of heads since this was asked last.
    pub fn take_heads(&self) -> Vec<Stored> {
        std::mem::take(&mut self.noted().heads)
    }

    /// The bytes of every batch that was ever staged under a name.
    pub fn staged(&self, name: &str) -> Option<Vec<u8>> {
        self.noted().staged.get(name).cloned()
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<H: HeadStore> HeadStore for WatchedHeads<H> {
    fn load(&self) -> Result<Option<Vec<u8>>, HeadError> {
        let found = self.0.load()?;
        self.1.noted().heads.push(Stored::Loaded(found.clone()));
        Ok(found)
    }

    fn compare_and_swap(&self, expected: Option<&[u8]>, new: &[u8]) -> Result<(), HeadError> {
        let swapped = self.0.compare_and_swap(expected, new);
        match &swapped {
            Ok(()) => self.1.noted().heads.push(Stored::Swapped(new.to_vec())),
            Err(error) if error.kind() == HeadErrorKind::Uncertain => {
                self.1.noted().heads.push(Stored::Uncertain(new.to_vec()));
            }
            Err(_) => {}
        }
        swapped
    }

    fn check_held(&self) -> Result<(), HeadError> {
        self.0.check_held()
    }

    fn excludes_others(&self) -> bool {
        self.0.excludes_others()
    }
}

impl<O: Objects> Objects for WatchedObjects<O> {
    fn put(&self, objects: &[(ObjectName, &[u8])]) -> Result<(), ObjectError> {
        for (name, bytes) in objects {
            if let ObjectName::Staged(name) = name {
                self.1.noted().staged.insert(name.clone(), bytes.to_vec());
            }
        }
        self.0.put(objects)
    }

    fn put_staged(&self, objects: &[(ObjectName, &[u8])]) -> Result<(), ObjectError> {
        self.0.put_staged(objects)
    }

    fn replace_staged(&self, name: &ObjectName, bytes: &[u8]) -> Result<(), ObjectError> {
        self.0.replace_staged(name, bytes)
    }

    fn prepare(&self) {
        self.0.prepare();
    }

    fn sync(&self) -> Result<(), ObjectError> {
        self.0.sync()
    }

    fn get(&self, name: &ObjectName, limit: u64) -> Result<Option<Vec<u8>>, ObjectError> {
        self.0.get(name, limit)
    }

    fn length(&self, name: &ObjectName) -> Result<Option<u64>, ObjectError> {
        self.0.length(name)
    }

    fn replace(&self, name: &ObjectName, bytes: &[u8]) -> Result<(), ObjectError> {
        self.0.replace(name, bytes)
    }

    fn remove(&self, name: &ObjectName) -> Result<(), ObjectError> {
        self.0.remove(name)
    }

    fn forget(&self, name: &ObjectName) {
        self.0.forget(name);
    }

    fn staged(&self) -> Result<Vec<String>, ObjectError> {
        self.0.staged()
    }

    fn has_tiles(&self) -> Result<bool, ObjectError> {
        self.0.has_tiles()
    }

    fn partials(&self, full: TilePath) -> Vec<u16> {
        self.0.partials(full)
    }

    fn forget_partials(&self, full: TilePath) {
        self.0.forget_partials(full);
    }

    fn written_at(&self, name: &ObjectName) -> Option<u64> {
        self.0.written_at(name)
    }

    fn free_bytes(&self) -> Option<u64> {
        self.0.free_bytes()
    }

    fn no_room(&self) -> ObjectError {
        self.0.no_room()
    }
}
