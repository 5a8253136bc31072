//! Staged objects as files. Each is durable when its put returns; one that finds a spare file costs one sync, any other two.
//!
//! A spare is an empty file `staged/spare-<number>`, made beside everything else; the sync that was due then made its name durable. Those of an earlier run
//! are taken over by the one that writes: who reads removes nothing, since the folder may be that of a log that runs. What is
//! put into it stands behind four lines: `stele/spare@v1`, the object's name, its length in bytes, its SHA-256 in hex. A file without spare has
//! the object's name, and its bytes alone.
//!
//! A put that did not return may have left a spare in part. It is not whole, so another file of that name is taken in its place; where
//! there is none, its bytes are given as they are, and who reads them refuses them.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::{Mutex, MutexGuard, PoisonError};
use stele_durable::{Dir, DurableError, Op};
use stele_spec::hash::Digest;
use stele_spec::text::decimal;

/// The folder, below the data folder.
const FOLDER: &str = "staged";

/// What the names of spares begin with.
const SPARE: &str = "spare-";

/// The first line of a spare that was filled.
const HEADER: &str = "stele/spare@v1";

/// The most bytes of the four lines.
const MAX_LINES: u64 = 1 << 10;

/// The most bytes of a staged object that is read back.
const MAX_STAGED: u64 = 1 << 30;

/// Spares that are kept ready: at least, and at most.
const READY: (usize, usize) = (4, 128);

/// The staged objects of one data folder.
#[derive(Debug, Default)]
pub(crate) struct StagedFiles(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The file of each object, by the object's name; `None` before the folder was read.
    files: Option<BTreeMap<String, String>>,
    /// Spares whose names are durable.
    ready: Vec<String>,
    /// Spares whose names the next sync makes durable.
    made: Vec<String>,
    /// The number of the next spare.
    next: u64,
    /// Objects that were put since spares were made.
    puts: usize,
}

/// What a file holds.
struct Content<'a> {
    name: &'a str,
    bytes: &'a [u8],
    is_whole: bool,
}

impl StagedFiles {
    /// Puts an object, durably.
    pub(crate) fn put(&self, data: &Dir, name: &str, bytes: &[u8]) -> Result<(), DurableError> {
        if let Some(there) = self.get(data, name, MAX_STAGED)? {
            if there != bytes {
                let path = data.path_of(&path(name));
                return Err(DurableError::Differs { path, offered: bytes.len() as u64, found: there.len() as u64 });
            }
            // Who put it may have been killed before its sync.
            return data.sync_filesystem();
        }
        let spare = {
            let mut state = self.state();
            state.puts += 1;
            state.ready.pop()
        };
        let file = match spare {
            Some(file) if is_filled(data, &file, &filled(name, bytes))? => file,
            // None, or somebody took it away.
            Some(_) | None => {
                // Known from here on: after an error it may be there, and whoever discards it must find it.
                self.note(name, name);
                return data.put_if_absent(&path(name), bytes).map(drop);
            }
        };
        self.note(name, &file);
        Ok(())
    }

    fn note(&self, name: &str, file: &str) {
        self.state().files.get_or_insert_default().insert(name.to_owned(), file.to_owned());
    }

    /// An object of at most `limit` bytes.
    pub(crate) fn get(&self, data: &Dir, name: &str, limit: u64) -> Result<Option<Vec<u8>>, DurableError> {
        let Some(file) = self.file_of(data, name)? else { return Ok(None) };
        if file == name {
            return data.read(&path(&file), limit);
        }
        let Some(bytes) = data.read(&path(&file), limit.saturating_add(MAX_LINES))? else { return Ok(None) };
        // A head that is damaged by now leaves bytes that are no object.
        Ok(Some(content(&bytes).map_or_else(Vec::new, |content| content.bytes.to_vec())))
    }

    /// The names of all.
    pub(crate) fn names(&self, data: &Dir) -> Result<Vec<String>, DurableError> {
        Ok(self.known(data)?.files.iter().flatten().map(|(name, _)| name.clone()).collect())
    }

    /// Removes one, durably or not.
    pub(crate) fn remove(&self, data: &Dir, name: &str, durably: bool) -> Result<(), DurableError> {
        let Some(file) = self.file_of(data, name)? else { return Ok(()) };
        if durably {
            data.remove(&path(&file))?;
        } else {
            data.remove_unsynced(&path(&file))?;
        }
        self.state().files.get_or_insert_default().remove(name);
        Ok(())
    }

    /// Makes spares: twice as many as were asked for since the last time. They are ready after the next [`Self::sync`].
    pub(crate) fn prepare(&self, data: &Dir) {
        let numbers = {
            // Without knowing what is there nothing is made.
            let Ok(mut state) = self.known(data) else { return };
            let wanted = (2 * std::mem::take(&mut state.puts)).clamp(READY.0, READY.1);
            let missing = wanted.saturating_sub(state.ready.len() + state.made.len());
            let first = state.next;
            state.next += missing as u64;
            first..state.next
        };
        for number in numbers {
            let file = format!("{SPARE}{number}");
            match data.make_spare(&path(&file)) {
                Ok(()) => self.state().made.push(file),
                Err(error) => {
                    tracing::debug!(%error, "no spare file: the next batch costs one sync more");
                    return;
                }
            }
        }
    }

    /// Syncs the file system; the spares that were made before are ready then.
    pub(crate) fn sync(&self, data: &Dir) -> Result<(), DurableError> {
        let made = std::mem::take(&mut self.state().made);
        data.sync_filesystem()?;
        self.state().ready.extend(made);
        Ok(())
    }

    fn file_of(&self, data: &Dir, name: &str) -> Result<Option<String>, DurableError> {
        Ok(self.known(data)?.files.as_ref().and_then(|files| files.get(name)).cloned())
    }

    /// The state, the folder having been read.
    fn known(&self, data: &Dir) -> Result<MutexGuard<'_, State>, DurableError> {
        let mut state = self.state();
        if state.files.is_none() {
            let Folder { files, spares, next } = read_folder(data)?;
            state.files = Some(files);
            state.made.extend(spares);
            state.next = state.next.max(next);
        }
        Ok(state)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is in the folder.
struct Folder {
    /// The file of each object.
    files: BTreeMap<String, String>,
    /// Empty spares. Whether their names are durable is not known.
    spares: Vec<String>,
    /// A number that no spare has, nor one above it.
    next: u64,
}

/// Reads the folder. What is no object, or less whole than another of its name, goes by the name of its file: whoever discards what is staged finds it.
fn read_folder(data: &Dir) -> Result<Folder, DurableError> {
    let mut found: BTreeMap<String, (bool, String)> = BTreeMap::new();
    let (mut spares, mut next) = (Vec::new(), 0);
    for file in data.list(FOLDER)?.unwrap_or_default().into_iter().filter(|listed| !listed.is_dir) {
        let file = file.name;
        let (name, is_whole) = if let Some(number) = file.strip_prefix(SPARE) {
            next = decimal(number).map_or(next, |number: u64| next.max(number.saturating_add(1)));
            let bytes = data.read(&path(&file), MAX_STAGED + MAX_LINES)?.unwrap_or_default();
            if bytes.is_empty() {
                spares.push(file);
                continue;
            }
            content(&bytes).map_or_else(|| (file.clone(), true), |content| (content.name.to_owned(), content.is_whole))
        } else {
            // It got its name when it was whole.
            (file.clone(), true)
        };
        let less = match found.get(&name) {
            Some((true, _)) => Some((is_whole, file)),
            _ => found.insert(name, (is_whole, file)),
        };
        found.extend(less.map(|(_, file)| (file.clone(), (false, file))));
    }
    let files = found.into_iter().map(|(name, (_, file))| (name, file)).collect();
    Ok(Folder { files, spares, next })
}

/// Fills a spare; not where it is there no more.
fn is_filled(data: &Dir, file: &str, bytes: &[u8]) -> Result<bool, DurableError> {
    match data.fill(&path(file), bytes) {
        Ok(()) => Ok(true),
        Err(DurableError::Io { op: Op::Open, source, .. }) if source.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => {
            remove_if_possible(data, file);
            Err(error)
        }
    }
}

fn path(file: &str) -> String {
    format!("{FOLDER}/{file}")
}

/// What is left behind is found by the next start, and is nothing then.
fn remove_if_possible(data: &Dir, file: &str) {
    if let Err(error) = data.remove_unsynced(&path(file)) {
        tracing::debug!(%error, "a spare file cannot be removed");
    }
}

fn filled(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut file = format!("{HEADER}\n{name}\n{}\n{}\n", bytes.len(), Digest::of(bytes)).into_bytes();
    file.extend_from_slice(bytes);
    file
}

/// What a filled spare holds; `None` where its lines are not there.
fn content(file: &[u8]) -> Option<Content<'_>> {
    let mut rest = file;
    let mut line = || {
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let (line, after) = rest.split_at_checked(end)?;
        rest = after.get(1..)?;
        std::str::from_utf8(line).ok()
    };
    let header = line()?;
    let (name, length, digest) = (line()?, line()?, line()?);
    let is_name = !name.is_empty() && !name.starts_with(['.', ' ']) && !name.contains(['/', '\0']);
    if header != HEADER || !is_name {
        return None;
    }
    let (length, digest) = (decimal(length).ok()?, Digest::from_hex(digest).ok()?);
    let is_whole = rest.len() as u64 == length && Digest::of(rest) == digest;
    Some(Content { name, bytes: rest, is_whole })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use stele_durable::ForgetfulDisk;

    fn folder(disk: &ForgetfulDisk) -> Dir {
        Dir::open_on(Arc::new(disk.clone()), "/data").unwrap()
    }

    /// Files with a spare ready, and one object that had none.
    fn with_spares(data: &Dir) -> StagedFiles {
        let files = StagedFiles::default();
        files.put(data, "first", b"put without a spare").unwrap();
        files.prepare(data);
        files.sync(data).unwrap();
        files
    }

    #[test]
    fn what_was_put_is_there_after_a_loss_of_power_and_what_was_being_put_is_whole_or_nothing() {
        let long: Vec<u8> = (0..200).collect();
        let (mut whole, mut other) = (0, 0);
        for cut in 0..40 {
            for seed in 0..8 {
                let disk = ForgetfulDisk::new();
                let data = folder(&disk);
                let files = with_spares(&data);
                disk.cut_after(cut);
                let outcome = files.put(&data, "second", &long);
                disk.power_cycle(31 * cut + seed);
                let data = folder(&disk);
                let files = StagedFiles::default();
                assert_eq!(files.get(&data, "first", 100).unwrap().unwrap(), b"put without a spare");
                match files.get(&data, "second", 1000).unwrap() {
                    Some(found) if found == long => whole += 1,
                    found => {
                        assert!(outcome.is_err(), "cut after {cut}: {found:?}");
                        other += 1;
                    }
                }
                // Whatever was left, the same name can be put once it was removed.
                files.remove(&data, "second", true).unwrap();
                files.prepare(&data);
                files.sync(&data).unwrap();
                files.put(&data, "second", &long).unwrap();
                disk.power_cycle(seed);
                let data = folder(&disk);
                assert_eq!(StagedFiles::default().get(&data, "second", 1000).unwrap().unwrap(), long);
            }
        }
        assert!(whole > 8 && other > 8, "{whole} {other}");
    }

    #[test]
    fn a_spare_that_is_whole_is_taken_before_one_of_the_same_name_that_is_not() {
        let disk = ForgetfulDisk::new();
        let data = folder(&disk);
        let good = filled("name", b"content");
        let mut torn = good.clone();
        torn[good.len() - 2] ^= 1;
        for files in [[&torn, &good], [&good, &torn]] {
            for (number, bytes) in files.into_iter().enumerate() {
                data.put_if_absent(&format!("staged/spare-{number}"), bytes).unwrap();
            }
            let files = StagedFiles::default();
            assert_eq!(files.get(&data, "name", 100).unwrap().unwrap(), b"content");
            assert_eq!(files.names(&data).unwrap().len(), 2, "the other is known, and can be discarded");
            for name in files.names(&data).unwrap() {
                files.remove(&data, &name, true).unwrap();
            }
            assert!(data.list("staged").unwrap().unwrap().is_empty());
        }
    }

    /// Whoever looks at a copy, or at the folder of a log that runs, changes nothing in it; and a spare that is gone costs a sync, and no batch.
    #[test]
    fn who_reads_removes_nothing_and_who_writes_does_without_a_spare_that_is_gone() {
        let disk = ForgetfulDisk::new();
        let data = folder(&disk);
        let files = with_spares(&data);
        let listed = || data.list("staged").unwrap().unwrap().into_iter().map(|file| file.name).collect::<Vec<_>>();
        let before = listed();
        assert_eq!(before.iter().filter(|name| name.starts_with(SPARE)).count(), READY.0);
        assert_eq!(StagedFiles::default().names(&data).unwrap(), ["first"]);
        assert_eq!(listed(), before);
        for name in before.iter().filter(|name| name.starts_with(SPARE)).skip(1) {
            data.remove(&path(name)).unwrap();
        }
        for name in ["second", "third"] {
            files.put(&data, name, b"content").unwrap();
            assert_eq!(files.get(&data, name, 100).unwrap().unwrap(), b"content");
        }
        // The next run takes over what is left, and makes no file of a name that is taken.
        let next = StagedFiles::default();
        for round in 0..3 {
            next.prepare(&data);
            next.sync(&data).unwrap();
            next.put(&data, &format!("round {round}"), b"content").unwrap();
        }
        assert_eq!(next.names(&data).unwrap().len(), 6);
        assert!(listed().len() <= 6 + READY.0, "{:?}", listed());
    }

    #[test]
    fn other_bytes_under_a_name_are_refused_and_the_same_are_no_error() {
        let disk = ForgetfulDisk::new();
        let data = folder(&disk);
        let files = with_spares(&data);
        for name in ["second", "first"] {
            let bytes = files.get(&data, name, 100).unwrap().unwrap_or_else(|| b"in a spare".to_vec());
            files.put(&data, name, &bytes).unwrap();
            files.put(&data, name, &bytes).unwrap();
            assert!(matches!(files.put(&data, name, b"others"), Err(DurableError::Differs { .. })), "{name}");
            files.remove(&data, name, false).unwrap();
            assert_eq!(files.get(&data, name, 100).unwrap(), None);
        }
    }

    #[test]
    fn a_file_that_is_no_object_is_none_whatever_it_holds() {
        let good = filled("name", b"content");
        for length in 0..good.len() {
            let cut = content(&good[..length]);
            assert!(cut.is_none_or(|content| !content.is_whole), "{length}");
        }
        for name in ["", ".tmp", "a/b", " "] {
            assert!(content(&filled(name, b"content")).is_none(), "{name:?}");
        }
        assert!(content(&filled("name", b"content")).is_some_and(|content| content.is_whole));
    }
}
