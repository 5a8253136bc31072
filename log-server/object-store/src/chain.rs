//! The lock as objects that are never changed: record *n* is `lock/<n, 20 digits>`, put where nothing is.
//!
//! The store puts the creates of one name in an order, so record *n* has one author; it holds the hash of record *n* - 1, so all records are one chain. A
//! writer who slept tries to create a number that is taken, and is refused: staleness costs time, never a fork.

use crate::key::Key;
use crate::lock::{Damage, Lock, LockError};
use crate::object_store::{ObjectStore, StoreErrorKind};
use crate::record::{MAX_RECORD, Record, Run, Step};
use std::sync::atomic::{AtomicU64, Ordering};
use stele_spec::checkpoint::Origin;
use stele_spec::text::decimal;

/// How often the newest record is looked for anew while others append.
const LOOKS: usize = 16;

/// The lock of one log in a store, as one run of a writer uses it.
#[derive(Debug)]
pub struct ChainLock {
    store: ObjectStore,
    folder: Key,
    origin: Origin,
    run: Run,
    /// A record that was there: a search for the newest begins with it.
    known: AtomicU64,
}

impl ChainLock {
    /// The lock of this log below a folder of the store; `run` is this run's alone.
    pub fn new(store: &ObjectStore, folder: Option<&Key>, origin: &Origin, run: Run) -> Self {
        let folder = folder.map_or_else(Key::lock, Key::lock_below);
        Self { store: store.clone(), folder, origin: origin.clone(), run, known: AtomicU64::new(0) }
    }

    fn key(&self, number: u64) -> Key {
        self.folder.numbered(number)
    }

    fn place(&self) -> String {
        self.store.bucket().place()
    }

    fn damaged(&self, number: u64, why: Damage) -> LockError {
        LockError::Damaged { place: self.place(), number, why }
    }

    /// The greatest number of a record, found in twice as many questions as the number has bits.
    fn greatest(&self) -> Result<u64, LockError> {
        let is_there = |number| Ok::<bool, LockError>(self.store.about(&self.key(number))?.is_some());
        let (mut low, mut stride) = (self.known.load(Ordering::Relaxed), 1_u64);
        let mut high = low.saturating_add(stride);
        // A store that says yes to everything is asked no more than 64 times.
        while high < u64::MAX && is_there(high)? {
            (low, stride) = (high, stride.saturating_mul(2));
            high = low.saturating_add(stride);
        }
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if is_there(middle)? { low = middle } else { high = middle }
        }
        Ok(low)
    }

    /// The number of the first record that is listed after this one.
    fn listed_after(&self, number: u64) -> Result<Option<u64>, LockError> {
        let after = (number > 0).then(|| self.key(number));
        let Some(first) = self.store.list(&self.folder, after.as_ref())?.into_iter().next() else { return Ok(None) };
        let name = first.within(&self.folder).unwrap_or_default();
        let digits = name.trim_start_matches('0');
        match decimal(digits) {
            Ok(found) if self.key(found) == first => Ok(Some(found)),
            _ => Err(LockError::Stranger { place: self.place(), name: first.to_string() }),
        }
    }

    fn overtaken(&self, number: u64) -> LockError {
        let fence = self.newest().ok().flatten().and_then(|newest| self.fence_of(&newest).ok()?);
        let writer = fence.as_ref().and_then(Record::writer).unwrap_or("not known").to_owned();
        LockError::Overtaken { place: self.place(), number, writer }
    }
}

impl Lock for ChainLock {
    fn newest(&self) -> Result<Option<Record>, LockError> {
        for _ in 0..LOOKS {
            let number = self.greatest()?;
            match self.listed_after(number)? {
                None => {}
                // It was appended meanwhile.
                Some(later) if later == number.saturating_add(1) => continue,
                Some(_) => return Err(self.damaged(number.saturating_add(1), Damage::Missing)),
            }
            if number == 0 {
                return Ok(None);
            }
            let record = self.record(number)?.ok_or_else(|| self.damaged(number, Damage::Missing))?;
            if number > 1 {
                let before = self.record(number - 1)?;
                let before = before.ok_or_else(|| self.damaged(number - 1, Damage::Missing))?;
                if !record.follows(&before) {
                    return Err(self.damaged(number, Damage::Unchained));
                }
            }
            self.known.store(number, Ordering::Relaxed);
            return Ok(Some(record));
        }
        Err(LockError::Overtaken { place: self.place(), number: 0, writer: "several that append at a time".into() })
    }

    fn record(&self, number: u64) -> Result<Option<Record>, LockError> {
        let Some(found) = self.store.read(&self.key(number), MAX_RECORD)? else { return Ok(None) };
        let record = Record::parse(&found.bytes).map_err(|error| self.damaged(number, error.into()))?;
        if record.origin() != &self.origin {
            return Err(self.damaged(number, Damage::Origin(record.origin().to_string())));
        }
        if record.number() != number {
            return Err(self.damaged(number, Damage::Number(record.number())));
        }
        Ok(Some(record))
    }

    fn append(&mut self, after: Option<&Record>, step: Step) -> Result<Record, LockError> {
        let record = Record::after(after, &self.origin, self.run, step)?;
        if let Some(after) = after {
            // A store that forgot it, or holds another one there, has another history than the caller.
            let number = after.number();
            match self.record(number)? {
                None => return Err(self.damaged(number, Damage::Missing)),
                Some(there) if there != *after => return Err(self.overtaken(number)),
                Some(_) => {}
            }
        }
        let number = record.number();
        match self.store.put_if_absent(&self.key(number), &record.to_bytes()) {
            // No other run writes these bytes, and no other record of this run has them: `Same` is an earlier try.
            Ok(_) => {
                self.known.store(number, Ordering::Relaxed);
                Ok(record)
            }
            Err(error) => Err(match error.kind() {
                StoreErrorKind::Differs | StoreErrorKind::Overtaken => self.overtaken(number),
                StoreErrorKind::Unknown => LockError::Unknown { place: self.place(), number, why: error.to_string() },
                StoreErrorKind::TooLarge | StoreErrorKind::Failed => error.into(),
            }),
        }
    }
}
