//! A swap: those who come while one writes are written together, to a journal, and their files later.

use std::sync::{PoisonError, mpsc};

use stele_durable::DurableError;
use stele_durable::compare_and_swap::{CasError, MAX_CONTENT};
use stele_spec::hash::Digest;

use super::format::{self, Entry};
use super::group::{Files, GroupCommit, Job, MAX_TOGETHER, NAMES, Newest, Word};

impl GroupCommit {
    /// Writes every content that is in journals alone to its file.
    pub fn flush(&self) -> Result<(), DurableError> {
        let _one = self.0.flushing.lock().unwrap_or_else(PoisonError::into_inner);
        self.write_files()?;
        self.turn_over(&mut self.files())?;
        self.write_files()
    }

    pub(super) fn swap(&self, name: &str, expected: Option<&[u8]>, new: &[u8]) -> Result<(), CasError> {
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
    pub(super) fn lead(&self) {
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

    pub(super) fn write(&self, jobs: &[Job], entries: Vec<Entry>) -> Result<(), DurableError> {
        // A file that is not there yet, or that is too large, is written by itself: there is nothing to replace, or no room to say so.
        let room = format::room_for(&entries) as u64;
        if room > self.0.journal || jobs.iter().any(|job| job.expected.is_none()) {
            self.flush()?;
            return self.0.dir.replace_all(entries.iter().map(|entry| (&entry.name, &entry.content)));
        }
        let mut files = self.files();
        if files.offset + room > self.0.journal && files.other_needed {
            drop(files);
            // Both are full: this one waits until files are written.
            self.flush()?;
            files = self.files();
        }
        if files.offset + room > self.0.journal && self.turn_over(&mut files)? {
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
    pub(super) fn write_files(&self) -> Result<(), DurableError> {
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
