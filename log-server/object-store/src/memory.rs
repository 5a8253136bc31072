//! A bucket in memory that fails and lies on demand. For tests.

use crate::bucket::{About, Bucket, BucketError, Condition, Found, MAX_LISTED, PutAnswer, Trouble, Version};
use crate::key::Key;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};
use stele_explain::{Exit, Explain, explain};
use stele_spec::hash::Digest;

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is done, and no answer comes.
    AnswerLost,
    /// It is not done, and no answer comes.
    RequestLost,
    /// No answer comes, and it is done right after the next request.
    Late,
    /// It is done and asked once more by something on the way, whose answer comes: a conflict with itself.
    AskedTwice,
    /// The store says that it will not, and has not.
    Refused,
}

impl Fault {
    /// Each.
    pub const ALL: [Self; 5] = [Self::AnswerLost, Self::RequestLost, Self::Late, Self::AskedTwice, Self::Refused];
}

/// How it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lying {
    /// `If-None-Match` is ignored.
    CreateIgnored,
    /// `If-Match` is ignored where something is.
    ReplaceIgnored,
    /// `If-Match` is ignored where nothing is.
    ReplaceOfNothing,
    /// Conditions are checked, and a moment later the bytes are stored.
    ChecksThenActs,
    /// Of those who were refused, some are stored.
    LoserStored,
    /// A read gives what was there one write ago.
    StaleRead,
    /// A listing lacks what was stored last.
    StaleList,
    /// A put names another version than a get.
    VersionDiffers,
    /// The version is that of the length.
    VersionKept,
}

impl Lying {
    /// Each.
    pub const ALL: [Self; 9] = [
        Self::CreateIgnored,
        Self::ReplaceIgnored,
        Self::ReplaceOfNothing,
        Self::ChecksThenActs,
        Self::LoserStored,
        Self::StaleRead,
        Self::StaleList,
        Self::VersionDiffers,
        Self::VersionKept,
    ];
}

/// Decides the fate of each request by its number, from 0.
pub type Plan = Box<dyn Fn(usize) -> Option<Fault> + Send + Sync>;

/// Objects in memory.
#[derive(Default)]
pub struct MemoryBucket {
    state: Mutex<State>,
    plan: Option<Plan>,
    lying: Option<Lying>,
}

#[derive(Default)]
struct State {
    objects: BTreeMap<Key, Vec<u8>>,
    /// The object that was written last, and what was there before.
    before: Option<(Key, Option<Vec<u8>>)>,
    late: Option<(Key, Wanted, Vec<u8>)>,
    requests: usize,
    refused: usize,
}

/// A condition that outlives its request.
#[derive(Clone)]
enum Wanted {
    Anything,
    Nothing,
    This(Version),
}

/// What a request comes to.
#[derive(Debug, thiserror::Error)]
enum Told {
    #[error("no answer came")]
    NoAnswer,
    #[error("access is denied")]
    Denied,
    #[error("the object is longer than {limit} bytes")]
    TooLarge { limit: u64 },
}

impl MemoryBucket {
    /// An honest one in which nothing fails.
    pub fn new() -> Self {
        Self::default()
    }

    /// One whose requests fail by this plan.
    pub fn failing(plan: Plan) -> Self {
        Self { plan: Some(plan), ..Self::default() }
    }

    /// One that lies.
    pub fn lying(lying: Lying) -> Self {
        Self { lying: Some(lying), ..Self::default() }
    }

    /// How many requests there were.
    pub fn requests(&self) -> usize {
        self.state().requests
    }

    /// Changes what is there behind everybody's back; `None` removes it.
    pub fn tamper(&self, key: &Key, bytes: Option<&[u8]>) {
        let mut state = self.state();
        match bytes {
            Some(bytes) => state.objects.insert(key.clone(), bytes.to_vec()),
            None => state.objects.remove(key),
        };
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request, and does what was late.
    fn begin(&self) -> Option<Fault> {
        let mut state = self.state();
        let number = state.requests;
        state.requests += 1;
        self.plan.as_ref().and_then(|plan| plan(number))
    }

    /// A late put happens once the request after it has been answered.
    fn end(&self) {
        let late = self.state().late.take();
        if let Some((key, wanted, bytes)) = late {
            self.store(&key, &wanted, &bytes);
        }
    }

    fn version(&self, bytes: &[u8]) -> Version {
        match self.lying {
            Some(Lying::VersionKept) => Version(format!("\"{}\"", bytes.len())),
            _ => Version(format!("\"{}\"", Digest::of(bytes))),
        }
    }

    fn store(&self, key: &Key, wanted: &Wanted, bytes: &[u8]) -> PutAnswer {
        let holds = |there: Option<&Vec<u8>>| match (wanted, there) {
            (Wanted::Anything, _) | (Wanted::Nothing, None) => true,
            (Wanted::Nothing, Some(_)) => self.lying == Some(Lying::CreateIgnored),
            (Wanted::This(_), None) => self.lying == Some(Lying::ReplaceOfNothing),
            (Wanted::This(version), Some(there)) => {
                *version == self.version(there) || self.lying == Some(Lying::ReplaceIgnored)
            }
        };
        let mut state = self.state();
        let mut may = holds(state.objects.get(key));
        if self.lying == Some(Lying::ChecksThenActs) {
            drop(state);
            std::thread::sleep(std::time::Duration::from_millis(2));
            state = self.state();
        }
        let mut answer = PutAnswer::Stored(Some(match self.lying {
            Some(Lying::VersionDiffers) => Version("\"another\"".into()),
            _ => self.version(bytes),
        }));
        if !may {
            answer = PutAnswer::ConditionFailed;
            state.refused += 1;
            // Not the first one, which a single thread would find.
            may = self.lying == Some(Lying::LoserStored) && state.refused > 4;
        }
        if may {
            let before = state.objects.insert(key.clone(), bytes.to_vec());
            state.before = Some((key.clone(), before));
        }
        answer
    }

    fn read(&self, key: &Key) -> Option<Vec<u8>> {
        let state = self.state();
        match &state.before {
            Some((last, before)) if last == key && self.lying == Some(Lying::StaleRead) => before.clone(),
            _ => state.objects.get(key).cloned(),
        }
    }

    /// A request that only reads.
    fn reading<T>(&self, read: impl FnOnce() -> T) -> Result<T, BucketError> {
        let outcome = match self.begin() {
            None | Some(Fault::AskedTwice) => Ok(read()),
            Some(Fault::Refused) => Err(BucketError::new(Trouble::Refused, Told::Denied)),
            Some(Fault::AnswerLost | Fault::RequestLost | Fault::Late) => {
                Err(BucketError::new(Trouble::Unclear, Told::NoAnswer))
            }
        };
        self.end();
        outcome
    }
}

impl Bucket for MemoryBucket {
    fn place(&self) -> String {
        "memory".into()
    }

    fn put(&self, key: &Key, condition: Condition<'_>, bytes: &[u8]) -> Result<PutAnswer, BucketError> {
        let wanted = match condition {
            Condition::None => Wanted::Anything,
            Condition::Absent => Wanted::Nothing,
            Condition::Is(version) => Wanted::This(version.clone()),
        };
        let fault = self.begin();
        let no_answer = || Err(BucketError::new(Trouble::Unclear, Told::NoAnswer));
        let outcome = match fault {
            None => Ok(self.store(key, &wanted, bytes)),
            Some(Fault::AskedTwice) => {
                self.store(key, &wanted, bytes);
                Ok(self.store(key, &wanted, bytes))
            }
            Some(Fault::AnswerLost) => {
                self.store(key, &wanted, bytes);
                no_answer()
            }
            Some(Fault::RequestLost | Fault::Late) => no_answer(),
            Some(Fault::Refused) => Err(BucketError::new(Trouble::Refused, Told::Denied)),
        };
        self.end();
        if fault == Some(Fault::Late) {
            self.state().late = Some((key.clone(), wanted, bytes.to_vec()));
        }
        outcome
    }

    fn get(&self, key: &Key, limit: u64) -> Result<Option<Found>, BucketError> {
        let read = self.reading(|| self.read(key))?;
        match read {
            Some(bytes) if bytes.len() as u64 > limit => {
                Err(BucketError::new(Trouble::TooLarge, Told::TooLarge { limit }))
            }
            read => Ok(read.map(|bytes| Found { version: self.version(&bytes), bytes })),
        }
    }

    fn about(&self, key: &Key) -> Result<Option<About>, BucketError> {
        let read = self.reading(|| self.read(key))?;
        Ok(read.map(|bytes| About { length: bytes.len() as u64, written_at: Some(0) }))
    }

    fn list(&self, folder: &Key, after: Option<&Key>) -> Result<Vec<Key>, BucketError> {
        self.reading(|| {
            let state = self.state();
            let from = match after {
                Some(after) if after > folder => Bound::Excluded(after),
                _ => Bound::Excluded(folder),
            };
            let hidden = state.before.as_ref().map(|(key, _)| key).filter(|_| self.lying == Some(Lying::StaleList));
            let names = state.objects.range((from, Bound::Unbounded)).map(|(key, _)| key);
            let within = names.filter(|key| key.within(folder).is_some() && Some(*key) != hidden);
            within.take(MAX_LISTED).cloned().collect()
        })
    }

    fn delete(&self, key: &Key) -> Result<(), BucketError> {
        self.reading(|| {
            self.state().objects.remove(key);
        })
    }
}

impl fmt::Debug for MemoryBucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemoryBucket({} objects, lying: {:?})", self.state().objects.len(), self.lying)
    }
}

impl Explain for Told {
    explain! {
        Self::NoAnswer => Exit::Unavailable, "no-answer";
        Self::Denied => Exit::Refused, "access-denied";
        Self::TooLarge { .. } => Exit::Io, "too-large";
    }
}
