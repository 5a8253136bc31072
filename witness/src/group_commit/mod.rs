//! Files that change by compare-and-swap, many at once for the syncs of one.
//!
//! # Contract
//! That of [`stele_host::compare_and_swap`], for each [`Member`]: the file is read again from the disk and compared; when a swap returns
//! `Ok`, the new content survives the loss of power; after an error old and new are both possible.
//!
//! # How
//! Whoever swaps while nobody else does writes its file as ever. What others ask for meanwhile is then written together: one *group*,
//! a file that never changes and holds each new content with the digest of the content that it replaces. The files themselves
//! follow later, many with one sync ([`Group::flush`]), and the group is removed after them.
//!
//! ```text
//! stele-witness group v1
//! <name> <sha256 of the content before, hex> <length of the new content>
//! <the new content>
//! ...
//! sha256 <of everything above, hex>
//! ```
//!
//! # What a group says counts only where it fits
//! A content in a group is the newest of its file if and only if the file, or an earlier group, holds the content before it. A file
//! that went on by itself, or was written already, does not fit and stays as it is. So a group that is left over says nothing
//! wrong, in whatever order groups are removed. No content of one file ever comes back: each has a later time, or another phase.
//!
//! Contents wait in memory as well: at most [`MAX_WAITING`] groups of [`MAX_TOGETHER`], then the files are written.

mod format;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};

use stele_host::compare_and_swap::{CasError, MAX_CONTENT};
use stele_host::durable::{Dir, DurableError, Op};
use stele_spec::hash::Digest;

use format::Entry;
pub use format::NotAGroup;

/// The most contents of one group.
pub const MAX_TOGETHER: usize = 256;

/// The most groups whose contents are not in their files yet.
pub const MAX_WAITING: usize = 64;

/// From so many on, a group costs less than each file by itself: two syncs instead of two each.
const WORTH_A_GROUP: usize = 2;

/// What a group's file is called: this and a number.
const PREFIX: &str = "group.";

/// A folder of files that are swapped in groups. Cloning shares it; two made of one folder are not ordered.
#[derive(Clone, Debug)]
pub struct Group(Arc<Shared>);

/// One file of a group's folder.
#[derive(Clone, Debug)]
pub struct Member {
    group: Group,
    name: String,
}

/// Why what groups say could not be found out.
#[derive(Debug, thiserror::Error)]
pub enum GroupError {
    /// A file that was written whole is not whole, or another program wrote it.
    #[error("{} is damaged: {reason}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: NotAGroup,
    },
    /// The machine failed.
    #[error(transparent)]
    Durable(#[from] DurableError),
}

#[derive(Debug)]
struct Shared {
    dir: Dir,
    line: Mutex<Line>,
    files: Mutex<Files>,
}

/// Those who wait, and whether somebody writes for them.
#[derive(Debug, Default)]
struct Line {
    waiting: Vec<Job>,
    led: bool,
}

/// What is in groups and not in its file yet.
#[derive(Debug, Default)]
struct Files {
    newest: BTreeMap<String, Newest>,
    groups: Vec<String>,
    /// Groups that an error left behind, there or not: gone before anything else is written, for nobody was answered by them.
    doubtful: Vec<String>,
    next: u64,
}

#[derive(Debug)]
struct Newest {
    /// The digest of what the file itself holds; `None` where there is none.
    file: Option<Digest>,
    content: Vec<u8>,
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

impl Group {
    /// A folder. What a killed process left in groups counts only after [`recover`](Self::recover).
    pub fn new(dir: Dir) -> Self {
        Self(Arc::new(Shared { dir, line: Mutex::default(), files: Mutex::default() }))
    }

    /// The folder.
    pub fn dir(&self) -> &Dir {
        &self.0.dir
    }

    /// One file.
    pub fn member(&self, name: &str) -> Member {
        Member { group: self.clone(), name: name.to_owned() }
    }

    /// Writes what a killed process left in groups to the files. Nobody else may work on the folder.
    pub fn recover(&self) -> Result<(), GroupError> {
        let mut files = self.files();
        let (names, groups) = self.on_disk()?;
        let mut newest: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for entry in groups {
            let before = match newest.get(&entry.name) {
                Some(content) => Some(Digest::of(content)),
                None => self.read(&entry.name)?.map(|content| Digest::of(&content)),
            };
            if before == Some(entry.before) {
                newest.insert(entry.name, entry.content);
            }
        }
        if !newest.is_empty() {
            tracing::info!(files = newest.len(), "finishing changes that were recorded together");
        }
        self.0.dir.replace_all(&newest)?;
        // Those that fit nowhere were finished before, or their file went on by itself.
        if !names.is_empty() {
            self.0.dir.remove_all("", &names)?;
        }
        files.next = names.last().and_then(|name| number(name)).map_or(0, |last| last + 1);
        Ok(())
    }

    /// Writes every content that is in groups alone to its file, and removes the groups.
    pub fn flush(&self) -> Result<(), DurableError> {
        self.flush_files(&mut self.files())
    }

    /// What a file holds with what groups on the disk say of it: for a look from beside, which changes nothing.
    pub fn peek(&self, name: &str) -> Result<Option<Vec<u8>>, GroupError> {
        // The groups first: a file that is read after them is not older than they are.
        let (_, groups) = self.on_disk()?;
        let mut content = self.read(name)?;
        for entry in groups.into_iter().filter(|entry| entry.name == name) {
            if content.as_deref().map(Digest::of) == Some(entry.before) {
                content = Some(entry.content);
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
                Err(mpsc::RecvError) => return Err(self.lost(name).into()),
            }
        }
    }

    /// Writes for those who wait, then lets the next of those who came meanwhile do so.
    fn lead(&self) {
        let jobs: Vec<Job> = {
            let mut line = self.line();
            let count = line.waiting.len().min(MAX_TOGETHER);
            line.waiting.drain(..count).collect()
        };
        let _leading = Leading(self);
        let mut files = self.files();
        self.write(&mut files, jobs);
        if files.groups.len() >= MAX_WAITING
            && let Err(error) = self.flush_files(&mut files)
        {
            // The groups are durable and stay; a disk that cannot be written will say so to the next swap.
            tracing::error!(%error, "files recorded together are not written yet");
        }
    }

    fn write(&self, files: &mut Files, jobs: Vec<Job>) {
        if let Err(error) = self.settle_doubts(files) {
            return jobs.into_iter().for_each(|job| job.tell(Err(error.again().into())));
        }
        let mut good: Vec<Job> = Vec::with_capacity(jobs.len());
        for job in jobs {
            // What an earlier one of these jobs is about to write comes first.
            let found = match good.iter().rev().find(|earlier| earlier.name == job.name) {
                Some(earlier) => Ok(Some(earlier.new.clone())),
                None => self.current(files, &job.name),
            };
            match found {
                Ok(found) if found == job.expected => good.push(job),
                Ok(found) => {
                    let path = self.0.dir.path_of(&job.name);
                    job.tell(Err(CasError::Conflict { path, found }));
                }
                Err(error) => job.tell(Err(error.into())),
            }
        }
        // A file that is not there yet belongs in no group: there is nothing that its content would replace.
        if good.len() < WORTH_A_GROUP || good.iter().any(|job| job.expected.is_none()) {
            for job in good {
                let done = self.0.dir.replace(&job.name, &job.new);
                if done.is_ok() {
                    files.newest.remove(&job.name);
                }
                job.tell(done.map_err(CasError::from));
            }
            return;
        }
        match self.write_group(files, &good) {
            Ok(()) => good.into_iter().for_each(|job| job.tell(Ok(()))),
            Err(error) => good.into_iter().for_each(|job| job.tell(Err(error.again().into()))),
        }
    }

    fn write_group(&self, files: &mut Files, jobs: &[Job]) -> Result<(), DurableError> {
        let entries = jobs.iter().map(|job| {
            let before = Digest::of(job.expected.as_deref().unwrap_or_default());
            Entry { name: job.name.clone(), before, content: job.new.clone() }
        });
        let bytes = format::encode(&entries.collect::<Vec<_>>());
        let mut in_files = Vec::with_capacity(jobs.len());
        for job in jobs {
            in_files.push(self.read(&job.name)?.map(|content| Digest::of(&content)));
        }
        let name = format!("{PREFIX}{:020}", files.next);
        files.next += 1;
        if let Err(error) = self.0.dir.put_if_absent(&name, &bytes) {
            files.doubtful.push(name);
            return Err(error);
        }
        files.groups.push(name);
        for (job, file) in jobs.iter().zip(in_files) {
            files.newest.insert(job.name.clone(), Newest { file, content: job.new.clone() });
        }
        Ok(())
    }

    /// A group that was not answered for must not be found beside one that was.
    fn settle_doubts(&self, files: &mut Files) -> Result<(), DurableError> {
        if !files.doubtful.is_empty() {
            self.0.dir.remove_all("", &files.doubtful)?;
            files.doubtful.clear();
        }
        Ok(())
    }

    fn flush_files(&self, files: &mut Files) -> Result<(), DurableError> {
        self.settle_doubts(files)?;
        let mut written = Vec::with_capacity(files.newest.len());
        for (name, newest) in &files.newest {
            // A file that somebody else has changed is not ours to write: who reads it next will see.
            if self.read(name)?.map(|content| Digest::of(&content)) == newest.file {
                written.push((name, &newest.content));
            }
        }
        self.0.dir.replace_all(written)?;
        if !files.groups.is_empty() {
            self.0.dir.remove_all("", &files.groups)?;
        }
        files.newest.clear();
        files.groups.clear();
        Ok(())
    }

    /// The newest content of a file, as groups and the disk say now.
    fn current(&self, files: &Files, name: &str) -> Result<Option<Vec<u8>>, DurableError> {
        let on_disk = self.read(name)?;
        Ok(match files.newest.get(name) {
            Some(newest) if newest.file == on_disk.as_deref().map(Digest::of) => Some(newest.content.clone()),
            _ => on_disk,
        })
    }

    /// The groups on the disk, by number, and what they hold.
    fn on_disk(&self) -> Result<(Vec<String>, Vec<Entry>), GroupError> {
        let listed = self.0.dir.list("")?.unwrap_or_default();
        let names: Vec<String> =
            listed.into_iter().map(|listed| listed.name).filter(|name| number(name).is_some()).collect();
        let mut entries = Vec::new();
        for name in &names {
            // One that a running witness has removed since is in its files.
            let Some(bytes) = self.0.dir.read(name, MAX_CONTENT * MAX_TOGETHER as u64)? else { continue };
            let path = || self.0.dir.path_of(name);
            entries.extend(format::parse(&bytes).map_err(|reason| GroupError::Damaged { path: path(), reason })?);
        }
        Ok((names, entries))
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, DurableError> {
        self.0.dir.read(name, MAX_CONTENT)
    }

    fn lost(&self, name: &str) -> DurableError {
        let source = io::Error::other("whoever wrote for this request has gone");
        DurableError::Io { op: Op::Sync, path: self.0.dir.path_of(name), source }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.0.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        self.0.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Member {
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
struct Leading<'a>(&'a Group);

impl Drop for Leading<'_> {
    fn drop(&mut self) {
        let mut line = self.0.line();
        let heir = line.waiting.first().map(|job| job.told.clone());
        line.led = heir.is_some_and(|heir| heir.send(Word::Lead).is_ok());
    }
}

impl Job {
    /// Whoever has gone is not told.
    fn tell(&self, done: Result<(), CasError>) {
        let _ = self.told.send(Word::Done(done));
    }
}

/// The number of a group by its name; numbers have one width, so names sort as they do.
fn number(name: &str) -> Option<u64> {
    let digits = name.strip_prefix(PREFIX)?;
    (digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok())?
}
