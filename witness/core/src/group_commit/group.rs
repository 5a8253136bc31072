//! A folder of files that are swapped in groups, and what is known of it.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};

use stele_durable::compare_and_swap::{CasError, MAX_CONTENT};
use stele_durable::{Dir, DurableError, Journal, Op};
use stele_spec::hash::Digest;

use super::format::{self, Begun, Contents, Entry};

/// The most contents that are written together.
pub const MAX_TOGETHER: usize = 256;

/// The length of a journal: a thousand records of a checkpoint with two cosignatures.
pub const JOURNAL: u64 = 4 << 20;

/// The two journals of a folder.
pub(super) const NAMES: [&str; 2] = ["journal.0", "journal.1"];

/// A folder of files that are swapped in groups. Cloning shares it; two made of one folder are not ordered.
#[derive(Clone, Debug)]
pub struct GroupCommit(pub(super) Arc<Shared>);

/// How work is done beside the caller: on a thread of its own in a server, at once in a test.
pub type Beside = fn(Box<dyn FnOnce() + Send>);

/// What the journals of a folder held when they were read, for a look from beside at many files.
#[derive(Clone, Debug)]
pub struct JournalView(Vec<Entry>);

/// One file of a group's folder.
#[derive(Clone, Debug)]
pub struct CasCell {
    group: GroupCommit,
    name: String,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) dir: Dir,
    pub(super) line: Mutex<Line>,
    pub(super) files: Mutex<Files>,
    /// One at a time writes files.
    pub(super) flushing: Mutex<()>,
    /// How the files of a full journal are written.
    pub(super) beside: Beside,
    /// The length of a journal.
    pub(super) journal: u64,
}

/// Those who wait, and whether somebody writes for them.
#[derive(Debug, Default)]
pub(super) struct Line {
    pub(super) waiting: Vec<Job>,
    pub(super) led: bool,
}

/// What is in journals and not in its file yet.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) newest: BTreeMap<String, Newest>,
    pub(super) journals: Option<[Journal; 2]>,
    /// Which of them is written.
    pub(super) active: usize,
    pub(super) begun: Begun,
    /// Groups in it, and where the next one goes.
    pub(super) number: u64,
    pub(super) offset: u64,
    /// The other one holds contents that are in no file.
    pub(super) other_needed: bool,
    /// There was no room for its files: the next group tries again.
    pub(super) retry: bool,
    /// After a sync that failed.
    pub(super) broken: Option<DurableError>,
}

#[derive(Debug)]
pub(super) struct Newest {
    pub(super) content: Vec<u8>,
    /// From which epoch on the journals are needed to come from what the file holds to this.
    pub(super) since: u64,
    /// What the file itself holds; `None` where there is none.
    pub(super) file: Option<Digest>,
    /// What it may hold as well, while it is written.
    pub(super) writing: Option<Digest>,
}

#[derive(Debug)]
pub(super) struct Job {
    pub(super) name: String,
    pub(super) expected: Option<Vec<u8>>,
    pub(super) new: Vec<u8>,
    pub(super) told: mpsc::Sender<Word>,
}

pub(super) enum Word {
    Done(Result<(), CasError>),
    /// Nobody leads any more: the one who is told does.
    Lead,
}

impl GroupCommit {
    /// A folder. Nothing is swapped before [`recover`](Self::recover).
    pub fn new(dir: Dir, beside: Beside) -> Self {
        Self::with_journals(dir, beside, JOURNAL)
    }

    /// The same with journals of another length than [`JOURNAL`], a multiple of 4096: short ones are full after a few swaps.
    pub fn with_journals(dir: Dir, beside: Beside, journal: u64) -> Self {
        let (line, files) = (Mutex::default(), Mutex::default());
        Self(Arc::new(Shared { dir, line, files, flushing: Mutex::default(), beside, journal }))
    }

    /// The folder.
    pub fn dir(&self) -> &Dir {
        &self.0.dir
    }

    /// One file.
    pub fn cell(&self, name: &str) -> CasCell {
        CasCell { group: self.clone(), name: name.to_owned() }
    }

    /// Reads the journals from the disk, for a look from beside.
    pub fn view(&self) -> Result<JournalView, DurableError> {
        Ok(JournalView(in_order(&self.on_disk()?).cloned().collect()))
    }

    /// What a file holds with what the journals said of it: for a look from beside, which changes nothing. The journals are read first: a
    /// file that is read after them is not older than they are.
    pub fn peek(&self, journals: &JournalView, name: &str) -> Result<Option<Vec<u8>>, DurableError> {
        let mut content = self.read(name)?;
        for entry in journals.0.iter().filter(|entry| entry.name == name) {
            if content.as_deref().map(Digest::of) == Some(entry.before) {
                content = Some(entry.content.clone());
            }
        }
        Ok(content)
    }

    /// The newest content of a file, as journals and the disk say now.
    pub(super) fn current(&self, files: &Files, name: &str) -> Result<Option<Vec<u8>>, DurableError> {
        let on_disk = self.read(name)?;
        Ok(match files.newest.get(name) {
            Some(newest) if newest.may_be(on_disk.as_deref().map(Digest::of)) => Some(newest.content.clone()),
            _ => on_disk,
        })
    }

    /// What the journals hold on the disk.
    pub(super) fn on_disk(&self) -> Result<[Contents; 2], DurableError> {
        let [first, second] = NAMES.map(|name| self.0.dir.read(name, self.0.journal));
        Ok([first?, second?].map(|bytes| format::parse(&bytes.unwrap_or_default())))
    }

    pub(super) fn begin(&self, epoch: u64) -> Result<Begun, DurableError> {
        let no = |source| DurableError::Io { op: Op::Write, path: self.0.dir.path_of(NAMES[0]), source };
        Ok(Begun::new(epoch, self.0.dir.random().map_err(no)?))
    }

    /// Begins the other journal, unless what it holds is still needed; whether it was.
    pub(super) fn turn_over(&self, files: &mut Files) -> Result<bool, DurableError> {
        let can = !files.other_needed && files.number > 0;
        if can {
            files.begun = self.begin(files.begun.epoch + 1)?;
            files.active = 1 - files.active;
            (files.number, files.offset, files.other_needed) = (0, 0, true);
        }
        Ok(can)
    }

    pub(super) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, DurableError> {
        self.0.dir.read(name, MAX_CONTENT)
    }

    pub(super) fn failed(&self, name: &str, why: &'static str) -> DurableError {
        DurableError::Io { op: Op::Write, path: self.0.dir.path_of(name), source: io::Error::other(why) }
    }

    pub(super) fn line(&self) -> MutexGuard<'_, Line> {
        self.0.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn files(&self) -> MutexGuard<'_, Files> {
        self.0.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Newest {
    /// Whether the file holds what it may while the newest content is in a journal.
    pub(super) fn may_be(&self, found: Option<Digest>) -> bool {
        found == self.file || (found.is_some() && found == self.writing)
    }
}

impl CasCell {
    /// What the file holds; `None` when it was never written.
    pub fn load(&self) -> Result<Option<Vec<u8>>, DurableError> {
        self.group.current(&self.group.files(), &self.name)
    }

    /// Replaces `expected` (`None`: no file) by `new`, durably.
    pub fn swap(&self, expected: Option<&[u8]>, new: &[u8]) -> Result<(), CasError> {
        self.group.swap(&self.name, expected, new)
    }
}

/// The entries of both journals in the order in which they were written.
pub(super) fn in_order(found: &[Contents; 2]) -> impl Iterator<Item = &Entry> {
    let mut ordered: Vec<&Contents> = found.iter().collect();
    ordered.sort_by_key(|contents| contents.begun.map(|begun| begun.epoch));
    ordered.into_iter().flat_map(|contents| &contents.entries)
}
