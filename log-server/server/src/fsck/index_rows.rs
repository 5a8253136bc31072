//! What the entries list in the index, sorted on the disk: the root of the whole index in memory that does not grow with the log.
//!
//! A row is key, position and leaf hash. Rows are gathered up to a number, sorted, and written as a *run*; the root is made from all runs
//! merged. A log with fewer rows writes none.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use stele_spec::hash::{IndexKey, IndexRoot, LeafHash};
use stele_spec::index::{Pointer, Value, root_of_sorted};
use stele_spec::merkle::Frontier;

/// Key, position, leaf hash.
const ROW: usize = 32 + 8 + 32;

/// So many rows are sorted in memory: 72 MiB of them.
const ROWS: usize = 1 << 20;

/// So many rows of each run are in memory while runs are merged.
const READ: usize = 512;

type Row = [u8; ROW];

/// Rows in memory and runs on the disk.
#[derive(Debug)]
pub(super) struct IndexRows {
    folder: PathBuf,
    rows: Vec<Row>,
    runs: u64,
}

impl IndexRows {
    /// Rows whose runs are in a folder, of which the first `runs` are there.
    pub(super) fn new(folder: &Path, runs: u64) -> Self {
        Self { folder: folder.to_owned(), rows: Vec::new(), runs }
    }

    /// Where runs are.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// How many runs there are.
    pub(super) fn runs(&self) -> u64 {
        self.runs
    }

    /// Adds an entry's rows.
    pub(super) fn add(&mut self, keys: &[IndexKey], position: u64, leaf: LeafHash) -> io::Result<()> {
        for key in keys {
            let mut row = [0; ROW];
            let (at_key, rest) = row.split_at_mut(32);
            let (at_position, at_leaf) = rest.split_at_mut(8);
            at_key.copy_from_slice(key.as_bytes());
            at_position.copy_from_slice(&position.to_be_bytes());
            at_leaf.copy_from_slice(leaf.as_bytes());
            self.rows.push(row);
        }
        if self.rows.len() >= ROWS { self.flush() } else { Ok(()) }
    }

    /// Writes what is in memory as a run.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        self.rows.sort_unstable();
        fs::create_dir_all(&self.folder)?;
        let mut file = File::create(run_path(&self.folder, self.runs))?;
        file.write_all(self.rows.as_flattened())?;
        self.rows.clear();
        self.runs += 1;
        Ok(())
    }

    /// The root of the index that lists all rows.
    pub(super) fn root(mut self) -> io::Result<IndexRoot> {
        self.rows.sort_unstable();
        let mut sources: Vec<Run> = (0..self.runs).map(|run| Run::on_disk(run_path(&self.folder, run))).collect();
        sources.push(Run::in_memory(self.rows));
        let merged = Merged::of(sources)?;
        let failed = RefCell::new(None);
        let root = root_of_sorted(Values { merged, failed: &failed, next: None });
        if let Some(error) = failed.take() {
            return Err(error);
        }
        // Merged rows ascend, and those of one key are one value.
        root.map_err(|error| io::Error::other(error.to_string()))
    }
}

fn run_path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("index-{number}"))
}

/// A sorted run, read a piece at a time. No file stays open: there may be more runs than a process may have files.
#[derive(Debug)]
struct Run {
    path: Option<PathBuf>,
    offset: u64,
    rows: std::vec::IntoIter<Row>,
}

impl Run {
    fn on_disk(path: PathBuf) -> Self {
        Self { path: Some(path), offset: 0, rows: Vec::new().into_iter() }
    }

    fn in_memory(rows: Vec<Row>) -> Self {
        Self { path: None, offset: 0, rows: rows.into_iter() }
    }

    fn next(&mut self) -> io::Result<Option<Row>> {
        if let Some(row) = self.rows.next() {
            return Ok(Some(row));
        }
        let Some(path) = &self.path else { return Ok(None) };
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(self.offset))?;
        let mut bytes = Vec::with_capacity(ROW * READ);
        file.take((ROW * READ) as u64).read_to_end(&mut bytes)?;
        self.offset += bytes.len() as u64;
        let (rows, rest) = bytes.as_chunks::<ROW>();
        if !rest.is_empty() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("{} is cut off", path.display())));
        }
        self.rows = Vec::from(rows).into_iter();
        Ok(self.rows.next())
    }
}

/// All runs as one.
#[derive(Debug)]
struct Merged {
    runs: Vec<Run>,
    heads: BinaryHeap<Reverse<(Row, usize)>>,
}

impl Merged {
    fn of(mut runs: Vec<Run>) -> io::Result<Self> {
        let mut heads = BinaryHeap::with_capacity(runs.len());
        for (at, run) in runs.iter_mut().enumerate() {
            heads.extend(run.next()?.map(|row| Reverse((row, at))));
        }
        Ok(Self { runs, heads })
    }

    fn next(&mut self) -> io::Result<Option<Row>> {
        let Some(Reverse((row, at))) = self.heads.pop() else { return Ok(None) };
        if let Some(run) = self.runs.get_mut(at) {
            self.heads.extend(run.next()?.map(|next| Reverse((next, at))));
        }
        Ok(Some(row))
    }
}

/// Keys with their lists, ascending. It ends early where a run cannot be read, and says so.
struct Values<'a> {
    merged: Merged,
    failed: &'a RefCell<Option<io::Error>>,
    next: Option<(IndexKey, Pointer)>,
}

impl Values<'_> {
    fn row(&mut self) -> Option<(IndexKey, Pointer)> {
        match self.merged.next() {
            Ok(row) => row.and_then(|row| parts(&row)),
            Err(error) => {
                self.failed.replace(Some(error));
                None
            }
        }
    }
}

impl Iterator for Values<'_> {
    type Item = (IndexKey, Value);

    fn next(&mut self) -> Option<Self::Item> {
        let (key, first) = match self.next.take() {
            Some(row) => row,
            None => self.row()?,
        };
        let mut list = Frontier::new();
        list.push(first.list_leaf());
        while let Some((other, pointer)) = self.row() {
            if other != key {
                self.next = Some((other, pointer));
                break;
            }
            list.push(pointer.list_leaf());
        }
        Some((key, Value::of(&list)))
    }
}

fn parts(row: &Row) -> Option<(IndexKey, Pointer)> {
    let (key, rest) = row.split_first_chunk::<32>()?;
    let (position, leaf) = rest.split_first_chunk::<8>()?;
    let leaf = LeafHash::from_bytes(leaf.try_into().ok()?);
    Some((IndexKey::from_bytes(*key), Pointer { position: u64::from_be_bytes(*position), leaf }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use stele_spec::index::{Index, Listing};

    #[test]
    fn the_root_is_that_of_the_index_however_many_runs_there_are() {
        let home = tempfile::tempdir().unwrap();
        for flushed in [0, 1, 7, 50] {
            let folder = home.path().join(flushed.to_string());
            let (mut rows, mut index) = (IndexRows::new(&folder, 0), Index::new());
            for position in 0..200_u64 {
                let leaf = LeafHash::from_bytes([position as u8; 32]);
                // Some keys have many entries, some one.
                let keys = vec![
                    IndexKey::from_bytes([(position % 9) as u8; 32]),
                    IndexKey::from_bytes([position as u8 ^ 0x55; 32]),
                ];
                let listing = Listing::new(Pointer { position, leaf }, keys);
                rows.add(listing.keys(), position, leaf).unwrap();
                index.replay(&[listing]).unwrap();
                if flushed > 0 && position % flushed == 0 {
                    rows.flush().unwrap();
                }
            }
            let runs = rows.runs();
            assert_eq!(rows.root().unwrap(), index.root(), "{runs} runs");
        }
    }

    #[test]
    fn a_run_that_is_cut_off_or_gone_is_an_error() {
        let home = tempfile::tempdir().unwrap();
        let mut rows = IndexRows::new(home.path(), 0);
        rows.add(&[IndexKey::from_bytes([1; 32])], 0, LeafHash::from_bytes([1; 32])).unwrap();
        rows.flush().unwrap();
        let path = run_path(home.path(), 0);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        assert!(IndexRows::new(home.path(), 1).root().is_err());
        fs::remove_file(&path).unwrap();
        assert!(IndexRows::new(home.path(), 1).root().is_err());
    }
}
