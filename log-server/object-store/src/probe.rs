//! Whether a store does what a log rests on: a store that lies is refused before anything but the probe is written to it.
//!
//! What is asked in one thread is certain: conditions that are ignored, answers that are stale. What is asked by many at once is found by chance: a store
//! that first checks and then acts has two winners only sometimes. So the races are many, and a store that passes has not proven that it never
//! lies.

use crate::bucket::{Bucket, BucketError, Condition, PutAnswer, Version};
use crate::key::Key;
use std::fmt;
use std::sync::Barrier;
use stele_explain::{Exit, Explain, explain};

/// The most bytes of an object of the probe.
const LIMIT: u64 = 4096;

/// How much is asked.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Requests at a time.
    pub racers: usize,
    /// Races for a name that is free, and as many for a version.
    pub rounds: usize,
}

impl Default for Effort {
    /// 20 rounds of 32: stores that check before they act had two winners in a third of such rounds, at the best a fifth.
    fn default() -> Self {
        Self { racers: 32, rounds: 20 }
    }
}

/// What a store did that it must not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lie {
    /// `If-None-Match: *` and something was there: it was written over.
    CreateIgnored,
    /// `If-Match` and another version was there: it was written over.
    ReplaceIgnored,
    /// `If-Match` and nothing was there: it was written.
    ReplaceOfNothing,
    /// Many created one name at once, and several were told that they had.
    CreatedTwice {
        /// How many.
        winners: usize,
    },
    /// Many replaced one version at once, and several were told that they had.
    ReplacedTwice {
        /// How many.
        winners: usize,
    },
    /// What is there is not what the winner put.
    LoserStored,
    /// What was stored is not read right afterwards.
    StaleRead,
    /// What was stored is not listed right afterwards.
    StaleList,
    /// A put and a get of the same bytes give different versions.
    VersionDiffers,
    /// Other bytes have the version of those before.
    VersionKept,
}

/// Why a store is not used.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// It lies.
    #[error("{place} cannot hold a log: {lie}")]
    Lie {
        /// Where it is.
        place: String,
        /// How.
        lie: Lie,
    },
    /// It cannot be asked.
    #[error(transparent)]
    Bucket(#[from] BucketError),
}

impl fmt::Display for Lie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CreateIgnored => f.write_str("a put with `If-None-Match: *` wrote over an object"),
            Self::ReplaceIgnored => f.write_str("a put with `If-Match` of an old version wrote over a newer one"),
            Self::ReplaceOfNothing => f.write_str("a put with `If-Match` made an object where none was"),
            Self::CreatedTwice { winners } => {
                write!(
                    f,
                    "{winners} of many puts at a time with `If-None-Match: *` were told that they made the object"
                )
            }
            Self::ReplacedTwice { winners } => {
                write!(
                    f,
                    "{winners} of many puts at a time with `If-Match` of one version were told that they replaced it"
                )
            }
            Self::LoserStored => f.write_str("it stored the bytes of a put that it had refused"),
            Self::StaleRead => f.write_str("a get right after a put did not return what was put"),
            Self::StaleList => f.write_str("a listing right after a put did not have it"),
            Self::VersionDiffers => f.write_str("a put and a get of the same object name different entity tags"),
            Self::VersionKept => f.write_str("other bytes have the entity tag of those before"),
        }
    }
}

impl Lie {
    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::CreateIgnored | Self::ReplaceIgnored | Self::ReplaceOfNothing => "objects-not-conditional",
            Self::CreatedTwice { .. } | Self::ReplacedTwice { .. } | Self::LoserStored => "objects-not-atomic",
            Self::StaleRead | Self::StaleList => "objects-stale",
            Self::VersionDiffers | Self::VersionKept => "objects-version-wrong",
        }
    }
}

impl Explain for ProbeError {
    explain! {
        Self::Lie { lie, .. } => Exit::Unsupported, lie.code(),
            hint: "a log on it could sign two histories; use a store with conditional writes, and no cache or proxy before it that drops their headers";
        Self::Bucket(error) => error;
    }
}

/// Asks a store to show that it can hold a log. What it writes is below `folder`, which no other probe has, and is removed again.
pub fn probe(bucket: &dyn Bucket, folder: &Key, effort: Effort) -> Result<(), ProbeError> {
    let probe = Probe { bucket, folder: folder.clone() };
    let mut made = Vec::new();
    let outcome = probe.ask(effort, &mut made);
    for key in &made {
        // What stays is a few hundred bytes each, and means nothing.
        let _ = bucket.delete(key);
    }
    outcome.map_err(|error| match error {
        Told::Lie(lie) => ProbeError::Lie { place: bucket.place(), lie },
        Told::Bucket(error) => ProbeError::Bucket(error),
    })
}

struct Probe<'a> {
    bucket: &'a dyn Bucket,
    folder: Key,
}

enum Told {
    Lie(Lie),
    Bucket(BucketError),
}

impl From<BucketError> for Told {
    fn from(error: BucketError) -> Self {
        Self::Bucket(error)
    }
}

impl Probe<'_> {
    fn ask(&self, effort: Effort, made: &mut Vec<Key>) -> Result<(), Told> {
        let key = self.folder.numbered(0);
        made.push(key.clone());
        self.steps(&key)?;
        for round in 1..=effort.rounds {
            let key = self.folder.numbered(round as u64);
            made.push(key.clone());
            self.create(&key, effort.racers)?;
            self.replace(&key, effort.racers)?;
        }
        Ok(())
    }

    /// What needs no race.
    fn steps(&self, key: &Key) -> Result<(), Told> {
        let (one, two, three) = (&b"one"[..], &b"two"[..], &b"three"[..]);
        if stored(self.bucket.put(key, Condition::Is(&Version("\"0123456789abcdef0123456789abcdef\"".into())), one))
            .is_some()
        {
            return Err(Told::Lie(Lie::ReplaceOfNothing));
        }
        self.bucket.put(key, Condition::Absent, one)?;
        let first = self.read(key, one)?;
        if !self.lists(key)? {
            return Err(Told::Lie(Lie::StaleList));
        }
        if stored(self.bucket.put(key, Condition::Absent, two)).is_some() {
            return Err(Told::Lie(Lie::CreateIgnored));
        }
        if let PutAnswer::Stored(Some(said)) = self.bucket.put(key, Condition::Is(&first), two)? {
            let second = self.read(key, two)?;
            if said != second {
                return Err(Told::Lie(Lie::VersionDiffers));
            }
        }
        let second = self.read(key, two)?;
        if second == first {
            return Err(Told::Lie(Lie::VersionKept));
        }
        if stored(self.bucket.put(key, Condition::Is(&first), three)).is_some() {
            return Err(Told::Lie(Lie::ReplaceIgnored));
        }
        self.read(key, two).map(drop)
    }

    fn read(&self, key: &Key, expected: &[u8]) -> Result<Version, Told> {
        match self.bucket.get(key, LIMIT)? {
            Some(found) if found.bytes == expected => Ok(found.version),
            _ => Err(Told::Lie(Lie::StaleRead)),
        }
    }

    fn lists(&self, key: &Key) -> Result<bool, Told> {
        Ok(self.bucket.list(&self.folder, None)?.contains(key))
    }

    /// Many create one name at once.
    fn create(&self, key: &Key, racers: usize) -> Result<(), Told> {
        let winners = self.race(key, Condition::Absent, racers);
        if winners.len() > 1 {
            return Err(Told::Lie(Lie::CreatedTwice { winners: winners.len() }));
        }
        self.holds(key, &winners)
    }

    /// Many replace one version at once.
    fn replace(&self, key: &Key, racers: usize) -> Result<(), Told> {
        let Some(found) = self.bucket.get(key, LIMIT)? else { return Ok(()) };
        let winners = self.race(key, Condition::Is(&found.version), racers);
        if winners.len() > 1 {
            return Err(Told::Lie(Lie::ReplacedTwice { winners: winners.len() }));
        }
        self.holds(key, &winners)
    }

    /// The bytes of those who were told that they stored them. Who got no answer is not among them.
    fn race(&self, key: &Key, condition: Condition<'_>, racers: usize) -> Vec<Vec<u8>> {
        let start = Barrier::new(racers);
        let bytes = |racer: usize| {
            let kind = if matches!(condition, Condition::Absent) { "created" } else { "replaced" };
            format!("{kind} by racer {racer}\n").into_bytes()
        };
        std::thread::scope(|scope| {
            let race = |racer: usize| {
                let (start, bytes) = (&start, bytes(racer));
                scope.spawn(move || {
                    start.wait();
                    stored(self.bucket.put(key, condition, &bytes)).map(|_| bytes)
                })
            };
            let racing: Vec<_> = (0..racers).map(race).collect();
            racing.into_iter().filter_map(|racer| racer.join().ok().flatten()).collect()
        })
    }

    fn holds(&self, key: &Key, winners: &[Vec<u8>]) -> Result<(), Told> {
        let [winner] = winners else { return Ok(()) };
        match self.bucket.get(key, LIMIT)? {
            Some(found) if found.bytes == *winner => Ok(()),
            _ => Err(Told::Lie(Lie::LoserStored)),
        }
    }
}

/// The version, where a put was done. An answer that is unclear is no promise.
fn stored(answer: Result<PutAnswer, BucketError>) -> Option<Option<Version>> {
    match answer {
        Ok(PutAnswer::Stored(version)) => Some(version),
        Ok(PutAnswer::ConditionFailed) | Err(_) => None,
    }
}
