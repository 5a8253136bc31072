//! What is on a simulated disk: what a running program sees, and what is certain to be there after a loss of power.

use crate::random::Random;
use rustix::io::Errno;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Component, Path};
use std::sync::{Arc, Weak};
use stele_durable::{At, Handle};

/// Bytes that are kept or lost together; small, so that small files tear.
const BLOCK: usize = 64;

/// The folder that everything is below.
pub(crate) const ROOT: usize = 0;

/// Files and folders that were taken off a disk, to be put on one.
#[derive(Clone, Debug)]
pub enum Tree {
    /// The bytes of a file.
    File(Arc<Vec<u8>>),
    /// What is in a folder.
    Folder(BTreeMap<String, Tree>),
}

#[derive(Debug)]
pub(crate) enum Node {
    File {
        now: Arc<Vec<u8>>,
        synced: Arc<Vec<u8>>,
        /// Whether a sync would write: not after one that failed, although the bytes are not on the disk.
        is_dirty: bool,
        modified: u64,
    },
    Folder {
        now: BTreeMap<String, usize>,
        /// What a name was before it changed, of each that changed since the last sync.
        before: BTreeMap<String, Option<usize>>,
    },
}

/// An open file or folder.
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) node: usize,
    boot: u64,
}

#[derive(Debug)]
pub(crate) struct Nodes {
    all: Vec<Node>,
    /// Nodes of which now and synced may differ.
    unsettled: BTreeSet<usize>,
    /// Handles of an earlier time are dead.
    boot: u64,
    locks: BTreeMap<usize, Vec<(Weak<Open>, bool)>>,
}

impl Default for Nodes {
    fn default() -> Self {
        Self { all: vec![Node::folder()], unsettled: BTreeSet::new(), boot: 0, locks: BTreeMap::new() }
    }
}

impl Node {
    pub(crate) fn file() -> Self {
        Self::File { now: Arc::default(), synced: Arc::default(), is_dirty: false, modified: 0 }
    }

    pub(crate) fn folder() -> Self {
        Self::Folder { now: BTreeMap::new(), before: BTreeMap::new() }
    }
}

impl Nodes {
    pub(crate) fn open(&self, node: usize) -> Handle {
        Handle::new(Arc::new(Open { node, boot: self.boot }))
    }

    /// The open file or folder of a handle of this time.
    pub(crate) fn node_of(&self, handle: &Handle) -> io::Result<usize> {
        let open: &Arc<Open> = handle.get()?;
        if open.boot == self.boot { Ok(open.node) } else { Err(Errno::IO.into()) }
    }

    /// Where a path begins, and its segments.
    fn walk<'p>(&self, at: &At<'p>) -> io::Result<(usize, Vec<&'p str>)> {
        let start = at.folder.map_or(Ok(ROOT), |folder| self.node_of(folder))?;
        let mut segments = Vec::new();
        for component in Path::components(at.path) {
            match component {
                Component::Normal(name) => segments.push(name.to_str().ok_or(Errno::INVAL)?),
                Component::RootDir | Component::CurDir => {}
                Component::ParentDir | Component::Prefix(_) => return Err(Errno::INVAL.into()),
            }
        }
        Ok((start, segments))
    }

    pub(crate) fn names(&self, node: usize) -> io::Result<&BTreeMap<String, usize>> {
        match &self.all[node] {
            Node::Folder { now, .. } => Ok(now),
            Node::File { .. } => Err(Errno::NOTDIR.into()),
        }
    }

    pub(crate) fn is_folder(&self, node: usize) -> bool {
        matches!(self.all[node], Node::Folder { .. })
    }

    pub(crate) fn bytes(&self, node: usize) -> io::Result<&Arc<Vec<u8>>> {
        match &self.all[node] {
            Node::File { now, .. } => Ok(now),
            Node::Folder { .. } => Err(Errno::ISDIR.into()),
        }
    }

    pub(crate) fn modified(&self, node: usize) -> u64 {
        if let Node::File { modified, .. } = &self.all[node] { *modified } else { 0 }
    }

    pub(crate) fn find(&self, at: &At<'_>) -> io::Result<usize> {
        let (start, segments) = self.walk(at)?;
        segments.into_iter().try_fold(start, |node, name| self.child(node, name))
    }

    fn child(&self, folder: usize, name: &str) -> io::Result<usize> {
        self.names(folder)?.get(name).copied().ok_or_else(|| Errno::NOENT.into())
    }

    /// The folder of a path, and the name in it.
    pub(crate) fn place<'p>(&self, at: &At<'p>) -> io::Result<(usize, &'p str)> {
        let (start, mut segments) = self.walk(at)?;
        let name = segments.pop().ok_or(Errno::INVAL)?;
        Ok((segments.into_iter().try_fold(start, |node, name| self.child(node, name))?, name))
    }

    /// Gives a name in a folder to a node, or takes it away.
    pub(crate) fn set_name(&mut self, folder: usize, name: &str, node: Option<usize>) -> io::Result<()> {
        let Node::Folder { now, before } = &mut self.all[folder] else { return Err(Errno::NOTDIR.into()) };
        let old = match node {
            Some(node) => now.insert(name.to_owned(), node),
            None => now.remove(name),
        };
        before.entry(name.to_owned()).or_insert(old);
        self.unsettled.insert(folder);
        Ok(())
    }

    /// Gives a node a name that is not taken.
    pub(crate) fn insert(&mut self, at: &At<'_>, node: usize) -> io::Result<()> {
        let (folder, name) = self.place(at)?;
        if self.names(folder)?.contains_key(name) {
            return Err(Errno::EXIST.into());
        }
        self.set_name(folder, name, Some(node))
    }

    pub(crate) fn add(&mut self, at: &At<'_>, node: Node) -> io::Result<usize> {
        let new = self.all.len();
        self.insert(at, new)?;
        self.all.push(node);
        Ok(new)
    }

    pub(crate) fn write(&mut self, node: usize, bytes: &[u8], offset: u64, time: u64) -> io::Result<()> {
        let Node::File { now, is_dirty, modified, .. } = &mut self.all[node] else { return Err(Errno::ISDIR.into()) };
        let start = usize::try_from(offset).map_err(|_| Errno::FBIG)?;
        let end = start.checked_add(bytes.len()).ok_or(Errno::FBIG)?;
        let content = Arc::make_mut(now);
        if content.len() < end {
            content.resize(end, 0);
        }
        content[start..end].copy_from_slice(bytes);
        (*is_dirty, *modified) = (true, time);
        self.unsettled.insert(node);
        Ok(())
    }

    pub(crate) fn sync(&mut self, node: usize) {
        match &mut self.all[node] {
            Node::File { now, synced, is_dirty: is_dirty @ true, .. } => {
                *synced = now.clone();
                *is_dirty = false;
            }
            // After a sync that failed the kernel has nothing to write: what is not on the disk stays so.
            Node::File { now, synced, .. } if now != synced => return,
            Node::File { .. } => {}
            Node::Folder { before, .. } => before.clear(),
        }
        self.unsettled.remove(&node);
    }

    /// A sync that fails: the bytes may be on the disk, and whether they are or not, a later sync finds nothing to write.
    pub(crate) fn sync_failing(&mut self, node: usize, is_kept: bool) {
        if is_kept {
            return self.sync(node);
        }
        if let Node::File { is_dirty, .. } = &mut self.all[node] {
            *is_dirty = false;
        }
    }

    /// The nodes that a sync of everything is about.
    pub(crate) fn unsettled(&self) -> Vec<usize> {
        self.unsettled.iter().copied().collect()
    }

    /// Ends every handle and lock, as the end of all processes does.
    pub(crate) fn end_processes(&mut self) {
        self.boot += 1;
        self.locks.clear();
    }

    /// Of what was not synced a part stays.
    pub(crate) fn lose_power(&mut self, random: &mut Random) {
        self.end_processes();
        for node in std::mem::take(&mut self.unsettled) {
            match &mut self.all[node] {
                Node::File { now, synced, is_dirty, .. } => {
                    if now != synced {
                        *now = Arc::new(torn(now, synced, random));
                        *synced = now.clone();
                    }
                    *is_dirty = false;
                }
                Node::Folder { now, before } => {
                    for (name, old) in std::mem::take(before) {
                        if random.bit() {
                            match old {
                                Some(old) => _ = now.insert(name, old),
                                None => _ = now.remove(&name),
                            }
                        }
                    }
                }
            }
        }
    }

    /// Locks for a handle; false where another handle's lock forbids it.
    pub(crate) fn lock(&mut self, handle: &Handle, alone: bool) -> io::Result<bool> {
        let node = self.node_of(handle)?;
        let open: &Arc<Open> = handle.get()?;
        let holders = self.locks.entry(node).or_default();
        holders.retain(|(holder, _)| holder.upgrade().is_some_and(|holder| !Arc::ptr_eq(&holder, open)));
        if holders.iter().any(|(_, other_alone)| alone || *other_alone) {
            return Ok(false);
        }
        holders.push((Arc::downgrade(open), alone));
        Ok(true)
    }

    pub(crate) fn export(&self, node: usize) -> Tree {
        match &self.all[node] {
            Node::File { now, .. } => Tree::File(now.clone()),
            Node::Folder { now, .. } => {
                Tree::Folder(now.iter().map(|(name, node)| (name.clone(), self.export(*node))).collect())
            }
        }
    }

    /// Puts files and folders on the disk, durably.
    pub(crate) fn import(&mut self, tree: &Tree, time: u64) -> usize {
        let node = match tree {
            Tree::File(bytes) => {
                Node::File { now: bytes.clone(), synced: bytes.clone(), is_dirty: false, modified: time }
            }
            Tree::Folder(names) => {
                let now = names.iter().map(|(name, tree)| (name.clone(), self.import(tree, time))).collect();
                Node::Folder { now, before: BTreeMap::new() }
            }
        };
        self.all.push(node);
        self.all.len() - 1
    }

    /// Puts a node in the place of whatever has a path, durably; `None` takes it away.
    pub(crate) fn replace(&mut self, at: &At<'_>, node: Option<usize>) -> io::Result<()> {
        let (folder, name) = self.place(at)?;
        self.set_name(folder, name, node)?;
        if let Node::Folder { before, .. } = &mut self.all[folder] {
            before.remove(name);
        }
        Ok(())
    }
}

/// A file after a loss of power: blocks of the old content and of the new one, of either length.
fn torn(now: &[u8], synced: &[u8], random: &mut Random) -> Vec<u8> {
    let length = if random.bit() { now.len() } else { synced.len() };
    let mut bytes = Vec::with_capacity(length);
    for start in (0..length).step_by(BLOCK) {
        let end = length.min(start + BLOCK);
        let source = if random.bit() { now } else { synced };
        let block = source.get(start..end.min(source.len())).unwrap_or_default();
        bytes.extend_from_slice(block);
        bytes.resize(end, 0);
    }
    bytes
}
