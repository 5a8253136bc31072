//! A bucket under a seed: answers are lost after the write took effect, requests are lost, come late, or are asked twice by something on the way.
//! Conditional writes of one name happen one after the other, as a log asks of its store.

use crate::disk::SeededDisk;
use crate::random::Random;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use stele_explain::{Exit, Explain, explain};
use stele_object_store::bucket::{
    About, Bucket, BucketError, Condition, Found, MAX_LISTED, PutAnswer, Trouble, Version,
};
use stele_object_store::key::Key;
use stele_spec::hash::Digest;

/// A bucket in memory. Cloning shares it.
#[derive(Clone)]
pub struct SeededBucket(Arc<Mutex<State>>);

/// The bucket as one machine reaches it: not without power.
#[derive(Clone)]
pub struct BucketOfMachine(pub SeededBucket, pub SeededDisk);

struct State {
    objects: BTreeMap<Key, Vec<u8>>,
    /// Puts that arrive later.
    late: VecDeque<(Key, Wanted, Vec<u8>)>,
    random: Random,
    /// In how many of a hundred requests something goes wrong.
    trouble: u64,
    faults: u64,
    /// An object that may never change, and has.
    changed: Option<String>,
}

/// A condition that outlives its request.
#[derive(Clone)]
enum Wanted {
    Anything,
    Nothing,
    This(Version),
}

#[derive(Debug, thiserror::Error)]
enum NotDone {
    #[error("no answer came")]
    NoAnswer,
    #[error("the object is longer than {limit} bytes")]
    TooLarge { limit: u64 },
}

/// What becomes of a request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Done,
    AnswerLost,
    RequestLost,
    Late,
    AskedTwice,
}

impl SeededBucket {
    /// An empty one, in which so many of a hundred requests go wrong.
    pub fn new(random: Random, trouble: u64) -> Self {
        let (objects, late) = (BTreeMap::new(), VecDeque::new());
        Self(Arc::new(Mutex::new(State { objects, late, random, trouble, faults: 0, changed: None })))
    }

    /// Nothing goes wrong any more, and what was late arrives.
    pub fn heal(&self) {
        let mut state = self.state();
        state.trouble = 0;
        while let Some((key, wanted, bytes)) = state.late.pop_front() {
            state.store(&key, &wanted, &bytes);
        }
    }

    /// How many requests went wrong since this was asked last.
    pub fn take_faults(&self) -> u64 {
        std::mem::take(&mut self.state().faults)
    }

    /// An object that may never change, and has.
    pub fn changed(&self) -> Option<String> {
        self.state().changed.clone()
    }

    /// A name for the run of a writer that no other has.
    pub fn run(&self) -> [u8; 16] {
        let mut state = self.state();
        let mut run = [0; 16];
        run.chunks_mut(8).for_each(|part| part.copy_from_slice(&state.random.draw().to_be_bytes()));
        run
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What is late may arrive before the next request; then that one's fate is drawn.
    fn begin(&mut self) -> Fate {
        if !self.late.is_empty()
            && self.random.percent(30)
            && let Some((key, wanted, bytes)) = self.late.pop_front()
        {
            self.store(&key, &wanted, &bytes);
        }
        if !self.random.percent(self.trouble) {
            return Fate::Done;
        }
        self.faults += 1;
        self.random.pick(&[Fate::AnswerLost, Fate::RequestLost, Fate::Late, Fate::AskedTwice])
    }

    fn store(&mut self, key: &Key, wanted: &Wanted, bytes: &[u8]) -> PutAnswer {
        let there = self.objects.get(key);
        let may = match (wanted, there) {
            (Wanted::Anything, _) | (Wanted::Nothing, None) => true,
            (Wanted::This(version), Some(there)) => *version == version_of(there),
            (Wanted::Nothing, Some(_)) | (Wanted::This(_), None) => false,
        };
        if !may {
            return PutAnswer::ConditionFailed;
        }
        let may_change = key.as_str() == "public/checkpoint" || key.as_str().starts_with("staged/");
        if !may_change && there.is_some_and(|there| there != bytes) {
            self.changed = Some(key.to_string());
        }
        self.objects.insert(key.clone(), bytes.to_vec());
        PutAnswer::Stored(Some(version_of(bytes)))
    }
}

fn version_of(bytes: &[u8]) -> Version {
    Version(Digest::of(bytes).to_string())
}

fn no_answer() -> BucketError {
    BucketError::new(Trouble::Unclear, NotDone::NoAnswer)
}

impl BucketOfMachine {
    /// A request that only reads, or may be asked twice.
    fn asking<T>(&self, ask: impl FnOnce(&mut State) -> T) -> Result<T, BucketError> {
        self.1.touch().map_err(|_| no_answer())?;
        let mut state = self.0.state();
        match state.begin() {
            Fate::Done | Fate::AskedTwice => Ok(ask(&mut state)),
            Fate::AnswerLost => {
                ask(&mut state);
                Err(no_answer())
            }
            Fate::RequestLost | Fate::Late => Err(no_answer()),
        }
    }
}

impl Bucket for BucketOfMachine {
    fn place(&self) -> String {
        "bucket".into()
    }

    fn put(&self, key: &Key, condition: Condition<'_>, bytes: &[u8]) -> Result<PutAnswer, BucketError> {
        self.1.touch().map_err(|_| no_answer())?;
        let wanted = match condition {
            Condition::None => Wanted::Anything,
            Condition::Absent => Wanted::Nothing,
            Condition::Is(version) => Wanted::This(version.clone()),
        };
        let mut state = self.0.state();
        match state.begin() {
            Fate::Done => Ok(state.store(key, &wanted, bytes)),
            Fate::AskedTwice => {
                state.store(key, &wanted, bytes);
                Ok(state.store(key, &wanted, bytes))
            }
            Fate::AnswerLost => {
                state.store(key, &wanted, bytes);
                Err(no_answer())
            }
            Fate::RequestLost => Err(no_answer()),
            Fate::Late => {
                state.late.push_back((key.clone(), wanted, bytes.to_vec()));
                Err(no_answer())
            }
        }
    }

    fn get(&self, key: &Key, limit: u64) -> Result<Option<Found>, BucketError> {
        match self.asking(|state| state.objects.get(key).cloned())? {
            Some(bytes) if bytes.len() as u64 > limit => {
                Err(BucketError::new(Trouble::TooLarge, NotDone::TooLarge { limit }))
            }
            read => Ok(read.map(|bytes| Found { version: version_of(&bytes), bytes })),
        }
    }

    fn about(&self, key: &Key) -> Result<Option<About>, BucketError> {
        let length = self.asking(|state| state.objects.get(key).map(|bytes| bytes.len() as u64))?;
        Ok(length.map(|length| About { length, written_at: None }))
    }

    fn list(&self, folder: &Key, after: Option<&Key>) -> Result<Vec<Key>, BucketError> {
        self.asking(|state| {
            let from = after.filter(|after| *after > folder).unwrap_or(folder);
            let names = state.objects.range((Bound::Excluded(from), Bound::Unbounded)).map(|(key, _)| key);
            names.filter(|key| key.within(folder).is_some()).take(MAX_LISTED).cloned().collect()
        })
    }

    fn delete(&self, key: &Key) -> Result<(), BucketError> {
        self.asking(|state| drop(state.objects.remove(key)))
    }
}

impl fmt::Debug for BucketOfMachine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BucketOfMachine")
    }
}

impl Explain for NotDone {
    explain! {
        Self::NoAnswer => Exit::Unavailable, "no-answer";
        Self::TooLarge { .. } => Exit::Io, "too-large";
    }
}
