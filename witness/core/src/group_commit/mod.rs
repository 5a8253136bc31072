//! Files that change by compare-and-swap, many at once for one sync.
//!
//! # Contract
//! That of [`stele_durable::compare_and_swap`], for each [`CasCell`]: the file is read again from the disk and compared; when a swap returns
//! `Ok`, the new content survives the loss of power; after an error old and new are both possible.
//!
//! # How
//! A new content is first written to a *journal*, a file of fixed length in the same folder that is written in place: that costs one sync
//! of data, however many files are swapped together, and however busy others keep the file system. A swap that comes while one write is
//! under way is written with the next, together with all who came. The files themselves follow later ([`GroupCommit::flush`], at an orderly
//! stop, or when a journal is full), while new contents go to the second journal.
//!
//! ```text
//! stele-witness group v2 <salt, hex> <epoch> <number> <length of what follows, without the last line>
//! <name> <sha256 of the content before, hex> <length of the new content>
//! <the new content>
//! ...
//! sha256 <of everything above, hex>
//! <zeros up to a multiple of 4096>
//! ```
//!
//! # What a journal says counts only where it fits
//! A content in a journal is the newest of its file if and only if the file, or an earlier entry, holds the content before it. A file
//! that went on, or was written already, does not fit and stays as it is. So an entry that is left over says nothing wrong. No content of
//! one file ever comes back: each has a later time, or another phase.
//!
//! A write that failed, or that the power ended, is a group that is not whole; nobody was answered by it, and the next one takes its place.
//! After a failed sync nothing more is written before the next start.
//!
//! The salt is random, and new each time that a journal is begun: bytes behind the newest group, some of which a log chose, never
//! read as the next one. Journals of the form before (`v1`, without a salt) are read at a start.
//!
//! # A full disk
//! The files cannot be written, and need not be: the journals keep what they hold, and the newer one goes on where it ended.
//!
//! While the disk is full, each group that is written tries the files again beside: once there is room, a journal is free before both are
//! full.

mod format;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};

use stele_durable::compare_and_swap::{CasError, MAX_CONTENT};
use stele_durable::{Dir, DurableError, Journal, Op};
use stele_spec::hash::Digest;

use format::{Begun, Contents, Entry};

/// The most contents that are written together.
pub const MAX_TOGETHER: usize = 256;

/// The length of a journal: a thousand records of a checkpoint with two cosignatures.
pub const JOURNAL: u64 = 4 << 20;

/// The two journals of a folder.
const NAMES: [&str; 2] = ["journal.0", "journal.1"];

/// A folder of files that are swapped in groups. Cloning shares it; two made of one folder are not ordered.
#[derive(Clone, Debug)]
pub struct GroupCommit(Arc<Shared>);

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
struct Shared {
    dir: Dir,
    line: Mutex<Line>,
    files: Mutex<Files>,
    /// One at a time writes files.
    flushing: Mutex<()>,
    /// How the files of a full journal are written.
    beside: Beside,
}

/// Those who wait, and whether somebody writes for them.
#[derive(Debug, Default)]
struct Line {
    waiting: Vec<Job>,
    led: bool,
}

/// What is in journals and not in its file yet.
#[derive(Debug, Default)]
struct Files {
    newest: BTreeMap<String, Newest>,
    journals: Option<[Journal; 2]>,
    /// Which of them is written.
    active: usize,
    begun: Begun,
    /// Groups in it, and where the next one goes.
    number: u64,
    offset: u64,
    /// The other one holds contents that are in no file.
    other_needed: bool,
    /// There was no room for its files: the next group tries again.
    retry: bool,
    /// After a sync that failed.
    broken: Option<DurableError>,
}

#[derive(Debug)]
struct Newest {
    content: Vec<u8>,
    /// From which epoch on the journals are needed to come from what the file holds to this.
    since: u64,
    /// What the file itself holds; `None` where there is none.
    file: Option<Digest>,
    /// What it may hold as well, while it is written.
    writing: Option<Digest>,
}

#[derive(Debug)]
struct Job {
    name: String,
    expected: Option<Vec<u8>>,
    new: Vec<u8>,
    told: mpsc::Sender<Word>,
}

enum Word {
    Done(Result<(), CasError>),
    /// Nobody leads any more: the one who is told does.
    Lead,
}

impl GroupCommit {
    /// A folder. Nothing is swapped before [`recover`](Self::recover).
    pub fn new(dir: Dir, beside: Beside) -> Self {
        let (line, files) = (Mutex::default(), Mutex::default());
        Self(Arc::new(Shared { dir, line, files, flushing: Mutex::default(), beside }))
    }

    /// The folder.
    pub fn dir(&self) -> &Dir {
        &self.0.dir
    }

    /// One file.
    pub fn cell(&self, name: &str) -> CasCell {
        CasCell { group: self.clone(), name: name.to_owned() }
    }

    /// Writes what a killed process left in the journals to the files, and empties the journals. Nobody else may work on the folder.
    ///
    /// On a full disk the journals stay as they are, and are gone on with.
    pub fn recover(&self) -> Result<(), DurableError> {
        let mut files = self.files();
        let found = self.on_disk()?;
        let newest = self.fitting(in_order(&found))?;
        if !newest.is_empty() {
            tracing::info!(files = newest.len(), "finishing what was recorded and is in no file of its own yet");
        }
        let written = self.0.dir.replace_all(newest.iter().map(|(name, fits)| (name, &fits.content)));
        let [first, second] = NAMES.map(|name| self.0.dir.journal(name, JOURNAL));
        let journals = [first?, second?];
        match written {
            Ok(()) => {}
            Err(error) if error.is_disk_full() => {
                *files = self.go_on(&found, journals).ok_or(error)??;
                tracing::warn!("the disk is full: the journals keep what is in no file of its own yet");
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        let last = found.iter().filter_map(|contents| contents.begun).map(|begun| begun.epoch).max();
        if last.is_some() {
            for journal in &journals {
                journal.write(0, &[0; format::ALIGNMENT])?;
            }
        }
        let begun = self.begin(last.map_or(0, |last| last.saturating_add(1)))?;
        *files = Files { journals: Some(journals), begun, ..Files::default() };
        Ok(())
    }

    /// The newest content of each file of which these entries hold a newer one than the file does.
    fn fitting<'a>(&self, entries: impl Iterator<Item = &'a Entry>) -> Result<BTreeMap<String, Fitting>, DurableError> {
        let mut newest: BTreeMap<String, Fitting> = BTreeMap::new();
        for entry in entries {
            if let Some(fits) = newest.get_mut(&entry.name) {
                if Digest::of(&fits.content) == entry.before {
                    fits.content.clone_from(&entry.content);
                }
                continue;
            }
            let file = self.read(&entry.name)?.map(|content| Digest::of(&content));
            if file == Some(entry.before) {
                newest.insert(entry.name.clone(), Fitting { file, content: entry.content.clone() });
            }
        }
        Ok(newest)
    }

    /// The journals as they are, the newer one to be appended to; `None` where that is of the form without a salt.
    fn go_on(&self, found: &[Contents; 2], journals: [Journal; 2]) -> Option<Result<Files, DurableError>> {
        let [first, second] = found;
        let second_is_newer = second.begun.map(|begun| begun.epoch) > first.begun.map(|begun| begun.epoch);
        let (active, newer, older) = if second_is_newer { (1, second, first) } else { (0, first, second) };
        let begun = newer.begun.filter(|begun| begun.salt.is_some())?;
        // Some files may have been written before the disk was full: what is in them fits no more.
        let both = self.fitting(in_order(found)).and_then(|all| Ok((all, self.fitting(older.entries.iter())?)));
        let (all, of_older) = match both {
            Ok(both) => both,
            Err(error) => return Some(Err(error)),
        };
        let older_epoch = older.begun.map_or(begun.epoch, |older| older.epoch);
        let newest = all.into_iter().map(|(name, Fitting { file, content })| {
            let since = if of_older.contains_key(&name) { older_epoch } else { begun.epoch };
            (name, Newest { content, since, file, writing: None })
        });
        Some(Ok(Files {
            newest: newest.collect(),
            journals: Some(journals),
            active,
            begun,
            number: newer.number,
            offset: newer.offset,
            other_needed: !of_older.is_empty(),
            retry: !of_older.is_empty(),
            broken: None,
        }))
    }

    fn begin(&self, epoch: u64) -> Result<Begun, DurableError> {
        let no = |source| DurableError::Io { op: Op::Write, path: self.0.dir.path_of(NAMES[0]), source };
        Begun::new(epoch).map_err(no)
    }

    /// Writes every content that is in journals alone to its file.
    pub fn flush(&self) -> Result<(), DurableError> {
        let _one = self.0.flushing.lock().unwrap_or_else(PoisonError::into_inner);
        self.write_files()?;
        self.turn_over(&mut self.files())?;
        self.write_files()
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

    fn swap(&self, name: &str, expected: Option<&[u8]>, new: &[u8]) -> Result<(), CasError> {
        if new.len() as u64 > MAX_CONTENT {
            let path = self.0.dir.path_of(name);
            return Err(DurableError::TooLarge { path, limit: MAX_CONTENT }.into());
        }
        let (told, word) = mpsc::channel();
        let job = Job { name: name.to_owned(), expected: expected.map(<[u8]>::to_vec), new: new.to_vec(), told };
        let mut line = self.line();
        line.waiting.push(job);
        let mut lead = !std::mem::replace(&mut line.led, true);
        drop(line);
        loop {
            if lead {
                self.lead();
            }
            match word.recv() {
                Ok(Word::Done(done)) => return done,
                Ok(Word::Lead) => lead = true,
                Err(mpsc::RecvError) => {
                    return Err(self.failed(name, "whoever wrote for this request has gone").into());
                }
            }
        }
    }

    /// Writes for those who wait, then lets the next of those who came meanwhile do so.
    fn lead(&self) {
        let _leading = Leading(self);
        let jobs: Vec<Job> = {
            let mut line = self.line();
            let count = line.waiting.len().min(MAX_TOGETHER);
            line.waiting.drain(..count).collect()
        };
        let (good, entries) = self.compare(jobs);
        if good.is_empty() {
            return;
        }
        match self.write(&good, entries) {
            Ok(()) => good.into_iter().for_each(|job| job.tell(Ok(()))),
            Err(error) => good.into_iter().for_each(|job| job.tell(Err(error.again().into()))),
        }
    }

    /// The swaps that may be made, with what they write; the others are told why not.
    fn compare(&self, jobs: Vec<Job>) -> (Vec<Job>, Vec<Entry>) {
        let files = self.files();
        let (mut good, mut entries) = (Vec::<Job>::with_capacity(jobs.len()), Vec::with_capacity(jobs.len()));
        for job in jobs {
            // What an earlier one of these jobs is about to write comes first.
            let found = match good.iter().rev().find(|earlier| earlier.name == job.name) {
                Some(earlier) => Ok(Some(earlier.new.clone())),
                None => self.current(&files, &job.name),
            };
            match found {
                Ok(found) if found == job.expected => {
                    let before = Digest::of(job.expected.as_deref().unwrap_or_default());
                    entries.push(Entry { name: job.name.clone(), before, content: job.new.clone() });
                    good.push(job);
                }
                Ok(found) => {
                    let path = self.0.dir.path_of(&job.name);
                    job.tell(Err(CasError::Conflict { path, found }));
                }
                Err(error) => job.tell(Err(error.into())),
            }
        }
        (good, entries)
    }

    fn write(&self, jobs: &[Job], entries: Vec<Entry>) -> Result<(), DurableError> {
        // A file that is not there yet, or that is too large, is written by itself: there is nothing to replace, or no room to say so.
        let room = format::room_for(&entries) as u64;
        if room > JOURNAL || jobs.iter().any(|job| job.expected.is_none()) {
            self.flush()?;
            return self.0.dir.replace_all(entries.iter().map(|entry| (&entry.name, &entry.content)));
        }
        let mut files = self.files();
        if files.offset + room > JOURNAL && files.other_needed {
            drop(files);
            // Both are full: this one waits until files are written.
            self.flush()?;
            files = self.files();
        }
        if files.offset + room > JOURNAL && self.turn_over(&mut files)? {
            self.flush_beside();
        }
        self.append(&mut files, entries)?;
        let retry = std::mem::take(&mut files.retry);
        drop(files);
        if retry {
            self.flush_beside();
        }
        Ok(())
    }

    fn append(&self, files: &mut Files, entries: Vec<Entry>) -> Result<(), DurableError> {
        if let Some(error) = &files.broken {
            return Err(error.again());
        }
        let mut in_files = Vec::with_capacity(entries.len());
        for entry in &entries {
            in_files.push(self.read(&entry.name)?.map(|content| Digest::of(&content)));
        }
        let bytes = format::encode(&files.begun, files.number, &entries);
        let journal = files.journals.as_ref().and_then(|journals| journals.get(files.active));
        let journal = journal.ok_or_else(|| self.failed(NAMES[0], "the journals were not taken up"))?;
        if let Err(error) = journal.write(files.offset, &bytes) {
            if error.is_sync_failure() {
                files.broken = Some(error.again());
            }
            return Err(error);
        }
        files.offset += bytes.len() as u64;
        files.number += 1;
        let epoch = files.begun.epoch;
        for (entry, found) in entries.into_iter().zip(in_files) {
            let (since, file, writing) = match files.newest.get(&entry.name) {
                Some(newest) if newest.may_be(found) => (newest.since, newest.file, newest.writing),
                _ => (epoch, found, None),
            };
            files.newest.insert(entry.name, Newest { content: entry.content, since, file, writing });
        }
        Ok(())
    }

    /// Writes the files of the journal that is full, while the other one is written. Where that fails, the one who finds both journals full
    /// does it.
    fn flush_beside(&self) {
        let group = self.clone();
        (self.0.beside)(Box::new(move || {
            let _one = group.0.flushing.lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(error) = group.write_files() {
                tracing::error!(%error, "recorded, but not written to the files of each");
            }
        }));
    }

    /// Writes the newest content of each file for which an earlier epoch than this one is needed. Only under `flushing`.
    fn write_files(&self) -> Result<(), DurableError> {
        let mut written: Vec<(String, Vec<u8>)> = Vec::new();
        let epoch = {
            let mut files = self.files();
            let epoch = files.begun.epoch;
            for (name, newest) in files.newest.iter_mut().filter(|(_, newest)| newest.since < epoch) {
                let found = self.read(name)?.map(|content| Digest::of(&content));
                // A file that somebody else has changed is not ours to write: who reads it next will see.
                if newest.may_be(found) {
                    newest.file = found;
                    newest.writing = Some(Digest::of(&newest.content));
                    written.push((name.clone(), newest.content.clone()));
                }
            }
            epoch
        };
        let replaced = self.0.dir.replace_all(written.iter().map(|(name, content)| (name, content)));
        let mut files = self.files();
        files.retry = replaced.as_ref().is_err_and(DurableError::is_disk_full);
        replaced?;
        for (name, content) in written {
            match files.newest.get_mut(&name) {
                Some(newest) if newest.content != content => {
                    newest.file = newest.writing.take();
                    newest.since = epoch;
                }
                _ => {
                    files.newest.remove(&name);
                }
            }
        }
        files.newest.retain(|_, newest| newest.since >= epoch);
        // If the journals were turned over meanwhile, the other one is another one than we wrote from.
        if files.begun.epoch == epoch {
            files.other_needed = false;
        }
        Ok(())
    }

    /// The newest content of a file, as journals and the disk say now.
    fn current(&self, files: &Files, name: &str) -> Result<Option<Vec<u8>>, DurableError> {
        let on_disk = self.read(name)?;
        Ok(match files.newest.get(name) {
            Some(newest) if newest.may_be(on_disk.as_deref().map(Digest::of)) => Some(newest.content.clone()),
            _ => on_disk,
        })
    }

    /// What the journals hold on the disk.
    fn on_disk(&self) -> Result<[Contents; 2], DurableError> {
        let [first, second] = NAMES.map(|name| self.0.dir.read(name, JOURNAL));
        Ok([first?, second?].map(|bytes| format::parse(&bytes.unwrap_or_default())))
    }

    /// Begins the other journal, unless what it holds is still needed; whether it was.
    fn turn_over(&self, files: &mut Files) -> Result<bool, DurableError> {
        let can = !files.other_needed && files.number > 0;
        if can {
            files.begun = self.begin(files.begun.epoch + 1)?;
            files.active = 1 - files.active;
            (files.number, files.offset, files.other_needed) = (0, 0, true);
        }
        Ok(can)
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, DurableError> {
        self.0.dir.read(name, MAX_CONTENT)
    }

    fn failed(&self, name: &str, why: &'static str) -> DurableError {
        DurableError::Io { op: Op::Write, path: self.0.dir.path_of(name), source: io::Error::other(why) }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.0.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        self.0.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A content that follows on what a file holds.
struct Fitting {
    file: Option<Digest>,
    content: Vec<u8>,
}

/// The entries of both journals in the order in which they were written.
fn in_order(found: &[Contents; 2]) -> impl Iterator<Item = &Entry> {
    let mut ordered: Vec<&Contents> = found.iter().collect();
    ordered.sort_by_key(|contents| contents.begun.map(|begun| begun.epoch));
    ordered.into_iter().flat_map(|contents| &contents.entries)
}

impl Newest {
    /// Whether the file holds what it may while the newest content is in a journal.
    fn may_be(&self, found: Option<Digest>) -> bool {
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

/// Somebody writes. The next of those who wait is told to when this is dropped, also by a panic.
struct Leading<'a>(&'a GroupCommit);

impl Drop for Leading<'_> {
    fn drop(&mut self) {
        let mut line = self.0.line();
        let heir = line.waiting.first().map(|job| job.told.clone());
        line.led = heir.is_some_and(|heir| heir.send(Word::Lead).is_ok());
    }
}

impl Job {
    /// If the caller has ended, the result is dropped.
    fn tell(&self, done: Result<(), CasError>) {
        let _ = self.told.send(Word::Done(done));
    }
}
