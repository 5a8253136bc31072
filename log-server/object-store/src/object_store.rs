//! Objects in a bucket, and the one rule by which an answer is believed.
//!
//! A request that was not answered with success may have been done, may be done later, and may have been asked twice by something on the way.
//! So after anything but success the name is read:
//!
//! | found | means |
//! |---|---|
//! | our bytes | done, by this run or another |
//! | other bytes | another was there first: final |
//! | nothing, or what was there before | unknown: the request may still arrive. The same bytes, and no others, may be put again |
//!
//! After [`TRIES`] the outcome is [`StoreErrorKind::Unknown`]. A conflict that a store reports is not believed either: it may be about our own
//! request.

use crate::bucket::{About, Bucket, BucketError, Condition, Found, PutAnswer, Trouble, Version};
use crate::key::Key;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use stele_clock::Clock;
use stele_explain::{Exit, Explain, Failure, explain};

/// How often the same bytes are put before the outcome is unknown.
pub const TRIES: u32 = 4;

/// The pause before the second try; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(100);

/// The most bytes of an object that is replaced by condition.
pub const MAX_REPLACED: u64 = 1 << 20;

/// How many objects of one call are put at a time.
const SIDE_BY_SIDE: usize = 8;

/// Objects in a bucket. Cloning shares them.
#[derive(Clone)]
pub struct ObjectStore {
    bucket: Arc<dyn Bucket>,
    clock: Arc<dyn Clock>,
    side_by_side: usize,
}

/// How an object came to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// This call put it.
    New,
    /// These very bytes are there, from this run or another.
    Same,
}

/// What a failure means for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreErrorKind {
    /// Other bytes are there under the name. They stay.
    Differs,
    /// What was to be replaced is not there any more. Final.
    Overtaken,
    /// The bytes may be there, now or later. Only the same bytes may be put under this name again.
    Unknown,
    /// The object is longer than the caller's limit.
    TooLarge,
    /// The store refuses, or could not be read. Nothing was changed.
    Failed,
}

/// Why an object could not be put or read.
#[derive(thiserror::Error)]
#[error("{failure}")]
pub struct StoreError {
    kind: StoreErrorKind,
    failure: Failure,
}

/// What the answers of a store come to.
#[derive(Debug, thiserror::Error)]
enum Outcome {
    #[error("{place}: {key} is there with other bytes")]
    Differs { place: String, key: Key },
    #[error("{place}: {key} is not what was to be replaced")]
    Overtaken { place: String, key: Key },
    #[error("{place}: whether {key} was stored is unknown: {why}")]
    Unknown { place: String, key: Key, why: String },
    #[error("{place}: {key} is never removed")]
    Permanent { place: String, key: Key },
}

impl ObjectStore {
    /// The objects of a bucket; between two tries it waits by this clock.
    pub fn new(bucket: Arc<dyn Bucket>, clock: Arc<dyn Clock>) -> Self {
        Self { bucket, clock, side_by_side: SIDE_BY_SIDE }
    }

    /// The same, putting one object after the other, without threads: so that a simulation makes the same run again.
    #[must_use]
    pub fn one_at_a_time(self) -> Self {
        Self { side_by_side: 1, ..self }
    }

    /// The bucket.
    pub fn bucket(&self) -> &Arc<dyn Bucket> {
        &self.bucket
    }

    /// Puts an object where nothing is. [`StoreErrorKind::Differs`] is final.
    pub fn put_if_absent(&self, key: &Key, bytes: &[u8]) -> Result<Put, StoreError> {
        let mut why = String::new();
        for again in 0..TRIES {
            self.pause(again);
            let refused = match self.bucket.put(key, Condition::Absent, bytes) {
                Ok(PutAnswer::Stored(_)) if again == 0 => return Ok(Put::New),
                Ok(PutAnswer::Stored(_)) => return Ok(Put::Same),
                Ok(PutAnswer::ConditionFailed) => None,
                Err(error) => {
                    why = error.to_string();
                    (error.trouble() == Trouble::Refused).then_some(error)
                }
            };
            match self.bucket.get(key, bytes.len() as u64) {
                Ok(Some(found)) if found.bytes == bytes => return Ok(Put::Same),
                Ok(Some(_)) => return Err(self.differs(key)),
                Ok(None) => {}
                Err(error) if error.trouble() == Trouble::TooLarge => return Err(self.differs(key)),
                Err(error) => why = format!("{why}; then {error}"),
            }
            if let Some(error) = refused {
                return Err(error.into());
            }
        }
        Err(self.unknown(key, why))
    }

    /// Puts many objects where nothing is, side by side. Not atomic: after an error some may be there.
    pub fn put_all(&self, objects: &[(Key, &[u8])]) -> Result<(), StoreError> {
        if objects.len().min(self.side_by_side) <= 1 {
            return objects.iter().try_for_each(|(key, bytes)| self.put_if_absent(key, bytes).map(drop));
        }
        let next = AtomicUsize::new(0);
        let work = || -> Result<(), StoreError> {
            while let Some((key, bytes)) = objects.get(next.fetch_add(1, Ordering::Relaxed)) {
                self.put_if_absent(key, bytes)?;
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..objects.len().min(self.side_by_side)).map(|_| scope.spawn(work)).collect();
            // All are waited for: what is still on its way when this returns would have no owner.
            let ended: Vec<_> = workers.into_iter().map(|worker| worker.join()).collect();
            ended.into_iter().try_for_each(|ended| ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        })
    }

    /// Puts an object of at most [`MAX_REPLACED`] bytes in the place of exactly what was seen; `None`: nothing was there. The version that it
    /// has. [`StoreErrorKind::Overtaken`] is final.
    pub fn replace(&self, key: &Key, seen: Option<&Version>, bytes: &[u8]) -> Result<Version, StoreError> {
        let condition = seen.map_or(Condition::Absent, Condition::Is);
        let mut why = String::new();
        for again in 0..TRIES {
            self.pause(again);
            let refused = match self.bucket.put(key, condition, bytes) {
                Ok(PutAnswer::Stored(Some(version))) => return Ok(version),
                Ok(PutAnswer::Stored(None) | PutAnswer::ConditionFailed) => None,
                Err(error) => {
                    why = error.to_string();
                    (error.trouble() == Trouble::Refused).then_some(error)
                }
            };
            match self.bucket.get(key, MAX_REPLACED) {
                Ok(Some(found)) if found.bytes == bytes => return Ok(found.version),
                Ok(found) if found.as_ref().map(|found| &found.version) == seen => {}
                Ok(_) => return Err(self.overtaken(key)),
                Err(error) if error.trouble() == Trouble::TooLarge => return Err(self.overtaken(key)),
                Err(error) => why = format!("{why}; then {error}"),
            }
            if let Some(error) = refused {
                return Err(error.into());
            }
        }
        Err(self.unknown(key, why))
    }

    /// Puts an object in the place of whatever is there: what was damaged, and of which all writers would put the same bytes.
    pub fn overwrite(&self, key: &Key, bytes: &[u8]) -> Result<(), StoreError> {
        let mut why = String::new();
        for again in 0..TRIES {
            self.pause(again);
            match self.bucket.put(key, Condition::None, bytes) {
                Ok(PutAnswer::Stored(_)) => return Ok(()),
                Ok(PutAnswer::ConditionFailed) => {}
                Err(error) if error.trouble() == Trouble::Refused => return Err(error.into()),
                Err(error) => why = error.to_string(),
            }
            if let Ok(Some(found)) = self.bucket.get(key, bytes.len() as u64)
                && found.bytes == bytes
            {
                return Ok(());
            }
        }
        Err(self.unknown(key, why))
    }

    /// Reads an object of at most `limit` bytes; `None` when it is not there. It may be stale: nothing that is signed rests on an absence.
    pub fn read(&self, key: &Key, limit: u64) -> Result<Option<Found>, StoreError> {
        self.asking(|| self.bucket.get(key, limit))
    }

    /// What is known of an object without reading it; `None` when it is not there.
    pub fn about(&self, key: &Key) -> Result<Option<About>, StoreError> {
        self.asking(|| self.bucket.about(key))
    }

    /// The first names in a folder, ascending, that come after `after`: at most [`MAX_LISTED`](crate::bucket::MAX_LISTED). It may be stale.
    pub fn list(&self, folder: &Key, after: Option<&Key>) -> Result<Vec<Key>, StoreError> {
        self.asking(|| self.bucket.list(folder, after))
    }

    /// Removes an object. One that is not there is no error; one that is [permanent](Key::is_permanent) stays.
    pub fn remove(&self, key: &Key) -> Result<(), StoreError> {
        if key.is_permanent() {
            let error = Outcome::Permanent { place: self.bucket.place(), key: key.clone() };
            return Err(StoreError { kind: StoreErrorKind::Failed, failure: error.into() });
        }
        self.asking(|| self.bucket.delete(key))
    }

    /// Asks for what changes nothing when it is asked again.
    fn asking<T>(&self, ask: impl Fn() -> Result<T, BucketError>) -> Result<T, StoreError> {
        let mut again = 0;
        loop {
            match ask() {
                Err(error) if error.trouble() == Trouble::Unclear && again + 1 < TRIES => again += 1,
                answer => return answer.map_err(StoreError::from),
            }
            self.pause(again);
        }
    }

    fn pause(&self, again: u32) {
        if again > 0 {
            self.clock.sleep(PAUSE * 2_u32.pow(again - 1));
        }
    }

    fn differs(&self, key: &Key) -> StoreError {
        let error = Outcome::Differs { place: self.bucket.place(), key: key.clone() };
        StoreError { kind: StoreErrorKind::Differs, failure: error.into() }
    }

    fn overtaken(&self, key: &Key) -> StoreError {
        let error = Outcome::Overtaken { place: self.bucket.place(), key: key.clone() };
        StoreError { kind: StoreErrorKind::Overtaken, failure: error.into() }
    }

    fn unknown(&self, key: &Key, why: String) -> StoreError {
        let why = if why.is_empty() { "the store says that the condition does not hold".into() } else { why };
        let error = Outcome::Unknown { place: self.bucket.place(), key: key.clone(), why };
        StoreError { kind: StoreErrorKind::Unknown, failure: error.into() }
    }
}

impl StoreError {
    /// What it means.
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl From<BucketError> for StoreError {
    fn from(error: BucketError) -> Self {
        let kind = match error.trouble() {
            Trouble::TooLarge => StoreErrorKind::TooLarge,
            Trouble::Unclear | Trouble::Refused => StoreErrorKind::Failed,
        };
        Self { kind, failure: error.into() }
    }
}

impl fmt::Debug for ObjectStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectStore({})", self.bucket.place())
    }
}

impl fmt::Debug for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {:?}", self.kind, self.failure)
    }
}

impl Explain for StoreError {
    explain! {
        Self { failure, .. } => failure.as_explain();
    }
}

impl Explain for Outcome {
    explain! {
        Self::Differs { .. } => Exit::Inconsistent, "object-differs",
            hint: "what is stored there was not written by this log, or was changed: nothing was written over it";
        Self::Overtaken { .. } => Exit::Inconsistent, "overtaken",
            hint: "another writer of this log is at work; this one has stopped, and nothing was lost";
        Self::Unknown { .. } => Exit::Unavailable, "outcome-unknown",
            hint: "start the log again when the store answers: it reads what is there before it goes on";
        Self::Permanent { .. } => Exit::Internal, "object-permanent";
    }
}
