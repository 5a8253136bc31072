//! A bucket under a seed: answers are lost after the write took effect, requests are lost, come late, or are asked twice by something on the way.
//! Conditional writes of one name happen one after the other, as a log asks of its store. What is late arrives between any two requests of
//! anybody: also between two of one start.

use crate::disk::SeededDisk;
use crate::random::Random;
use crate::turns;
use std::cell::Cell;
use std::collections::BTreeMap;
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
    /// What arrives later, in any order.
    late: Vec<Change>,
    /// In how many of a hundred requests something late arrives before.
    pace: u64,
    random: Random,
    /// In how many of a hundred requests something goes wrong.
    trouble: u64,
    faults: u64,
    /// An object that may never change, and has.
    changed: Option<String>,
}

thread_local! {
    /// Whether deletes are sent, and their answers awaited by nobody.
    static ONLY_SENDS: Cell<bool> = const { Cell::new(false) };
}

/// A request that changes something.
enum Change {
    Put(Key, Wanted, Vec<u8>),
    Delete(Key),
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

/// How soon what is late arrives.
const PACES: &[u64] = &[2, 8, 30];

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
    pub fn new(mut random: Random, trouble: u64) -> Self {
        let (objects, late, pace) = (BTreeMap::new(), Vec::new(), random.pick(PACES));
        Self(Arc::new(Mutex::new(State { objects, late, pace, random, trouble, faults: 0, changed: None })))
    }

    /// Nothing goes wrong any more, and what was late arrives.
    pub fn heal(&self) {
        let mut state = self.state();
        state.trouble = 0;
        std::mem::take(&mut state.late).into_iter().for_each(|change| state.change(change));
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
        while !self.late.is_empty() && self.random.percent(self.pace) {
            let which = self.random.index(self.late.len());
            let change = self.late.swap_remove(which);
            self.change(change);
        }
        if !self.random.percent(self.trouble) {
            return Fate::Done;
        }
        self.faults += 1;
        self.random.pick(&[Fate::AnswerLost, Fate::RequestLost, Fate::Late, Fate::AskedTwice])
    }

    fn change(&mut self, change: Change) {
        match change {
            Change::Put(key, wanted, bytes) => drop(self.store(&key, &wanted, &bytes)),
            Change::Delete(key) => drop(self.objects.remove(&key)),
        }
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

/// What a thread beside the writer deletes: it is sent, and arrives at any time.
pub fn only_sending(what: impl FnOnce()) {
    ONLY_SENDS.set(true);
    what();
    ONLY_SENDS.set(false);
}

impl BucketOfMachine {
    /// A request begins, where there is power for it. What a machine was sending when its power went may arrive.
    fn send(&self, change: impl FnOnce() -> Change) -> Result<(), BucketError> {
        turns::before_a_request();
        let was_on = !self.1.is_off();
        self.1.touch().map_err(|_| {
            let mut state = self.0.state();
            if was_on && state.random.bit() {
                state.late.push(change());
            }
            no_answer()
        })
    }

    /// A request that only reads.
    fn asking<T>(&self, ask: impl FnOnce(&mut State) -> T) -> Result<T, BucketError> {
        turns::before_a_request();
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
        let wanted = match condition {
            Condition::None => Wanted::Anything,
            Condition::Absent => Wanted::Nothing,
            Condition::Is(version) => Wanted::This(version.clone()),
        };
        self.send(|| Change::Put(key.clone(), wanted.clone(), bytes.to_vec()))?;
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
                state.late.push(Change::Put(key.clone(), wanted, bytes.to_vec()));
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
        self.send(|| Change::Delete(key.clone()))?;
        let mut state = self.0.state();
        if ONLY_SENDS.get() {
            state.late.push(Change::Delete(key.clone()));
            return Ok(());
        }
        let fate = state.begin();
        match fate {
            Fate::Done | Fate::AskedTwice | Fate::AnswerLost => drop(state.objects.remove(key)),
            Fate::Late => state.late.push(Change::Delete(key.clone())),
            Fate::RequestLost => {}
        }
        if matches!(fate, Fate::Done | Fate::AskedTwice) { Ok(()) } else { Err(no_answer()) }
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
