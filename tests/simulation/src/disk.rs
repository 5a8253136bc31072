//! A disk under a seed: it forgets, tears, fails, fills up, is copied and put back.
//!
//! A program runs on it until the power is cut, at a chosen operation. From then on every operation fails. When the power comes back,
//! each name that was not synced is there or not, each file that was not synced has blocks of its old content and of its new one.
//! After a sync that failed, later syncs of the same bytes succeed and write nothing, as on Linux: only a loss of power shows it.

use crate::disk_state::{Node, Nodes, ROOT, Tree};
use crate::random::Random;
use rustix::io::Errno;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use stele_durable::{Access, At, Disk, Handle, Listed};

/// What a disk that is not full has free.
const ROOM: u64 = 1 << 40;

/// A disk in memory. Cloning shares it.
#[derive(Clone, Debug)]
pub struct SeededDisk(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    nodes: Nodes,
    is_on: bool,
    /// Operations that are still carried out before the power is cut.
    left: Option<u64>,
    /// Syncs until one fails, and whether that one keeps what it was to write.
    failing: Option<(u64, bool)>,
    /// Whether a sync has failed since the last loss of power.
    has_failed: bool,
    is_full: bool,
    /// Whether a lock excludes other processes.
    excludes: bool,
    random: Random,
    /// The time of the machine, in milliseconds.
    time: Arc<AtomicU64>,
    /// Changes of any kind: what was looked at once need not be looked at again before this grows.
    changes: u64,
}

impl SeededDisk {
    /// An empty disk, with power, whose files have the times of a clock in milliseconds.
    pub fn new(random: Random, time: Arc<AtomicU64>) -> Self {
        let nodes = Nodes::default();
        Self(Arc::new(Mutex::new(State {
            nodes,
            is_on: true,
            left: None,
            failing: None,
            has_failed: false,
            is_full: false,
            excludes: true,
            random,
            time,
            changes: 0,
        })))
    }

    /// Lets so many more operations happen before the power is cut.
    pub fn cut_after(&self, operations: u64) {
        self.state().left = Some(operations);
    }

    /// Whether the power was cut.
    pub fn is_off(&self) -> bool {
        !self.state().is_on
    }

    /// Ends every process on it. With a loss of power a part of what was not synced is gone.
    pub fn restart(&self, random: &mut Random, loses_power: bool) {
        let mut state = self.state();
        if loses_power {
            state.nodes.lose_power(random);
            state.has_failed = false;
        } else {
            state.nodes.end_processes();
        }
        (state.is_on, state.left, state.failing) = (true, None, None);
        state.changes += 1;
    }

    /// Lets a sync fail, after so many that do not.
    pub fn fail_sync(&self, after: u64, is_kept: bool) {
        self.state().failing = Some((after, is_kept));
    }

    /// Whether a sync has failed since the last loss of power: what is read back then proves nothing.
    pub fn has_failed(&self) -> bool {
        self.state().has_failed
    }

    /// Lets nothing more be written that needs room, or does again.
    pub fn set_full(&self, is_full: bool) {
        self.state().is_full = is_full;
    }

    /// An operation of the machine that is on no file: whether there is power for it.
    pub fn touch(&self) -> io::Result<()> {
        self.begin().map(drop)
    }

    /// A number from the choices of this disk.
    pub fn draw(&self) -> u64 {
        self.state().random.draw()
    }

    /// Whether nothing more is written that needs room.
    pub fn is_full(&self) -> bool {
        self.state().is_full
    }

    /// Lets locks exclude no other process, as on some network file systems.
    pub fn ignore_locks(&self) {
        self.state().excludes = false;
    }

    /// Whether two are one disk.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Takes off everything that was asked for and has not happened: a healthy disk.
    pub fn heal(&self) {
        let mut state = self.state();
        (state.left, state.failing, state.is_full) = (None, None, false);
    }

    /// A copy of what is below a path, as a running program sees it; `None` where nothing is.
    pub fn export(&self, path: &str) -> Option<Tree> {
        let state = self.state();
        let node = state.nodes.find(&At::path(Path::new(path))).ok()?;
        Some(state.nodes.export(node))
    }

    /// Puts files and folders in the place of whatever has a path; `None` takes it away. The folder above is there.
    pub fn import(&self, path: &str, tree: Option<&Tree>) {
        let mut state = self.state();
        let time = state.seconds();
        let node = tree.map(|tree| state.nodes.import(tree, time));
        let _ = state.nodes.replace(&At::path(Path::new(path)), node);
        state.changes += 1;
    }

    /// A number that is another one whenever something has changed.
    pub fn changes(&self) -> u64 {
        self.state().changes
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins an operation, if there is power for it.
    fn begin(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        match &mut state.left {
            Some(0) => state.is_on = false,
            Some(left) => *left -= 1,
            None => {}
        }
        if state.is_on { Ok(state) } else { Err(Errno::IO.into()) }
    }

    /// Begins one that changes something.
    fn change(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.begin()?;
        state.changes += 1;
        Ok(state)
    }
}

impl State {
    fn seconds(&self) -> u64 {
        self.time.load(Ordering::Relaxed) / 1000
    }

    fn room(&self) -> io::Result<()> {
        if self.is_full { Err(Errno::NOSPC.into()) } else { Ok(()) }
    }

    /// Syncs nodes, unless this is the sync that fails.
    fn sync(&mut self, nodes: &[usize]) -> io::Result<()> {
        if let Some((0, is_kept)) = self.failing {
            (self.failing, self.has_failed) = (None, true);
            nodes.iter().for_each(|node| self.nodes.sync_failing(*node, is_kept));
            return Err(Errno::IO.into());
        }
        if let Some((left, _)) = &mut self.failing {
            *left -= 1;
        }
        nodes.iter().for_each(|node| self.nodes.sync(*node));
        Ok(())
    }
}

impl Disk for SeededDisk {
    fn open_dir(&self, at: At<'_>) -> io::Result<Handle> {
        let state = self.begin()?;
        let node = state.nodes.find(&at)?;
        state.nodes.names(node)?;
        Ok(state.nodes.open(node))
    }

    fn open_file(&self, at: At<'_>, _: Access) -> io::Result<(Handle, u64)> {
        let state = self.begin()?;
        let node = state.nodes.find(&at)?;
        let length = state.nodes.bytes(node)?.len() as u64;
        Ok((state.nodes.open(node), length))
    }

    fn create(&self, at: At<'_>, _: u32) -> io::Result<Handle> {
        let mut state = self.change()?;
        state.room()?;
        let node = state.nodes.add(&at, Node::file())?;
        Ok(state.nodes.open(node))
    }

    fn write_at(&self, file: &Handle, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut state = self.change()?;
        let node = state.nodes.node_of(file)?;
        // What is written over needs no room: a journal goes on while the disk is full.
        if offset + bytes.len() as u64 > state.nodes.bytes(node)?.len() as u64 {
            state.room()?;
        }
        let time = state.seconds();
        state.nodes.write(node, bytes, offset, time)
    }

    fn read_at(&self, file: &Handle, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let state = self.begin()?;
        let content = state.nodes.bytes(state.nodes.node_of(file)?)?;
        let rest = usize::try_from(offset).ok().and_then(|start| content.get(start..)).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn sync(&self, file: &Handle) -> io::Result<()> {
        let mut state = self.change()?;
        let node = state.nodes.node_of(file)?;
        state.sync(&[node])
    }

    fn sync_data(&self, file: &Handle) -> io::Result<()> {
        Disk::sync(self, file)
    }

    fn link(&self, from: At<'_>, to: At<'_>) -> io::Result<()> {
        let mut state = self.change()?;
        let node = state.nodes.find(&from)?;
        state.nodes.bytes(node)?;
        state.nodes.insert(&to, node)
    }

    fn rename(&self, from: At<'_>, to: At<'_>) -> io::Result<()> {
        let mut state = self.change()?;
        let node = state.nodes.find(&from)?;
        let ((old_folder, old), (folder, name)) = (state.nodes.place(&from)?, state.nodes.place(&to)?);
        state.nodes.set_name(folder, name, Some(node))?;
        if (old_folder, old) != (folder, name) {
            state.nodes.set_name(old_folder, old, None)?;
        }
        Ok(())
    }

    fn unlink(&self, at: At<'_>) -> io::Result<()> {
        let mut state = self.change()?;
        let node = state.nodes.find(&at)?;
        state.nodes.bytes(node)?;
        let (folder, name) = state.nodes.place(&at)?;
        state.nodes.set_name(folder, name, None)
    }

    fn make_dir(&self, at: At<'_>) -> io::Result<()> {
        let mut state = self.change()?;
        state.nodes.add(&at, Node::folder()).map(|_| ())
    }

    fn sync_dir(&self, folder: &Handle) -> io::Result<()> {
        let mut state = self.change()?;
        let node = state.nodes.node_of(folder)?;
        state.nodes.names(node)?;
        state.sync(&[node])
    }

    fn sync_filesystem(&self, folder: &Handle) -> io::Result<()> {
        let mut state = self.change()?;
        state.nodes.node_of(folder)?;
        let nodes = state.nodes.unsettled();
        state.sync(&nodes)
    }

    fn list(&self, folder: &Handle) -> io::Result<Vec<Listed>> {
        let state = self.begin()?;
        let names = state.nodes.names(state.nodes.node_of(folder)?)?;
        Ok(names
            .iter()
            .map(|(name, node)| Listed { name: name.clone(), is_dir: state.nodes.is_folder(*node) })
            .collect())
    }

    fn exists(&self, at: At<'_>) -> io::Result<bool> {
        match self.begin()?.nodes.find(&at) {
            Ok(_) => Ok(true),
            Err(error) => match Errno::from_io_error(&error) {
                Some(Errno::NOENT | Errno::NOTDIR) => Ok(false),
                _ => Err(error),
            },
        }
    }

    fn remove_dir(&self, at: At<'_>) -> io::Result<()> {
        let mut state = self.change()?;
        let node = state.nodes.find(&at)?;
        if node == ROOT || !state.nodes.names(node)?.is_empty() {
            return Err(Errno::NOTEMPTY.into());
        }
        let (folder, name) = state.nodes.place(&at)?;
        state.nodes.set_name(folder, name, None)
    }

    fn modified(&self, at: At<'_>) -> io::Result<u64> {
        let state = self.begin()?;
        Ok(state.nodes.modified(state.nodes.find(&at)?))
    }

    fn free_bytes(&self, _: &Handle) -> io::Result<u64> {
        Ok(if self.begin()?.is_full { 0 } else { ROOM })
    }

    fn try_lock_alone(&self, open: &Handle) -> io::Result<bool> {
        let mut state = self.begin()?;
        let is_alone = state.nodes.lock(open, true)?;
        Ok(is_alone || !state.excludes)
    }

    fn lock_shared(&self, folder: &Handle) -> io::Result<()> {
        // In one thread the holder could not give it back.
        let mut state = self.begin()?;
        if state.nodes.lock(folder, false)? || !state.excludes { Ok(()) } else { Err(Errno::DEADLK.into()) }
    }

    fn random(&self, buffer: &mut [u8]) -> io::Result<()> {
        let mut state = self.state();
        for part in buffer.chunks_mut(8) {
            let bytes = state.random.draw().to_be_bytes();
            part.copy_from_slice(&bytes[..part.len()]);
        }
        Ok(())
    }
}
