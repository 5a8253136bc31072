//! A disk in memory that forgets what was not synced: for simulations and for the tests of this crate.
//!
//! A program runs on it until the power is cut, at a chosen operation. From then on every operation fails. When the power comes back,
//! each name that was not synced is there or not, and each file that was not synced has blocks of its old content and of its new one,
//! as a seed decides. Handles from before the cut stay dead.
//!
//! Stricter than a machine: names in two folders are kept or lost independently, also those of one `rename`. Milder: a sync that failed
//! does not make later syncs succeed without writing; [`fault`](crate::fault) rules can make one fail.

use crate::disk::{Access, At, Disk, Handle};
use crate::op::Listed;
use rustix::io::Errno;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Component, Path};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Bytes that are kept or lost together; small, so that small files tear.
const BLOCK: usize = 16;

/// A disk in memory. Cloning shares it.
#[derive(Clone, Debug)]
pub struct ForgetfulDisk(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    nodes: Vec<Node>,
    /// How often the power came back; handles of earlier times are dead.
    boot: u64,
    is_on: bool,
    /// Operations that are still carried out before the power is cut.
    left: Option<u64>,
    /// Handles that hold a shared lock, by folder.
    shared: BTreeMap<usize, Vec<Weak<Open>>>,
}

#[derive(Debug)]
enum Node {
    File(Versions<Vec<u8>>),
    Folder(Versions<BTreeMap<String, usize>>),
}

/// What a running program sees, and what is certain to be there after a cut.
#[derive(Clone, Debug, Default)]
struct Versions<T> {
    now: T,
    synced: T,
}

/// An open file or folder.
#[derive(Debug)]
struct Open {
    node: usize,
    boot: u64,
}

const ROOT: usize = 0;

impl Default for ForgetfulDisk {
    fn default() -> Self {
        let nodes = vec![Node::Folder(Versions::default())];
        Self(Arc::new(Mutex::new(State { nodes, boot: 0, is_on: true, left: None, shared: BTreeMap::new() })))
    }
}

impl ForgetfulDisk {
    /// An empty disk, with power.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets so many more operations happen before the power is cut.
    pub fn cut_after(&self, operations: u64) {
        self.state().left = Some(operations);
    }

    /// Cuts the power now, and brings it back; `seed` decides what of the unsynced is there.
    pub fn power_cycle(&self, seed: u64) {
        let mut random = Random(seed);
        let mut state = self.state();
        for node in &mut state.nodes {
            match node {
                Node::File(file) => file.settle(|now, synced| torn(now, synced, &mut random)),
                Node::Folder(names) => names.settle(|now, synced| some_of(now, synced, &mut random)),
            }
        }
        state.boot += 1;
        state.is_on = true;
        state.left = None;
        state.shared.clear();
    }

    /// Whether the power was cut.
    pub fn is_off(&self) -> bool {
        !self.state().is_on
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
}

impl<T> Versions<T> {
    fn settle(&mut self, choose: impl FnOnce(&T, &T) -> T)
    where
        T: Clone + PartialEq,
    {
        if self.now != self.synced {
            self.now = choose(&self.now, &self.synced);
            self.synced = self.now.clone();
        }
    }

    fn sync(&mut self)
    where
        T: Clone,
    {
        self.synced = self.now.clone();
    }
}

impl State {
    fn open(&self, node: usize) -> Handle {
        Handle::new(Arc::new(Open { node, boot: self.boot }))
    }

    /// The open file or folder of a handle from after the last cut.
    fn node_of(&self, handle: &Handle) -> io::Result<usize> {
        let open: &Arc<Open> = handle.get()?;
        if open.boot == self.boot { Ok(open.node) } else { Err(Errno::IO.into()) }
    }

    fn names(&mut self, node: usize) -> io::Result<&mut Versions<BTreeMap<String, usize>>> {
        match self.nodes.get_mut(node) {
            Some(Node::Folder(names)) => Ok(names),
            _ => Err(Errno::NOTDIR.into()),
        }
    }

    fn file(&mut self, node: usize) -> io::Result<&mut Versions<Vec<u8>>> {
        match self.nodes.get_mut(node) {
            Some(Node::File(bytes)) => Ok(bytes),
            _ => Err(Errno::ISDIR.into()),
        }
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

    fn find(&mut self, at: &At<'_>) -> io::Result<usize> {
        let (start, segments) = self.walk(at)?;
        let mut node = start;
        for name in segments {
            node = *self.names(node)?.now.get(name).ok_or(Errno::NOENT)?;
        }
        Ok(node)
    }

    /// The folder of a path, and the name in it.
    fn place<'p>(&mut self, at: &At<'p>) -> io::Result<(usize, &'p str)> {
        let (start, mut segments) = self.walk(at)?;
        let name = segments.pop().ok_or(Errno::INVAL)?;
        let mut node = start;
        for name in segments {
            node = *self.names(node)?.now.get(name).ok_or(Errno::NOENT)?;
        }
        Ok((node, name))
    }

    /// Gives a node a name that is not taken.
    fn insert(&mut self, at: &At<'_>, node: usize) -> io::Result<()> {
        let (folder, name) = self.place(at)?;
        let names = &mut self.names(folder)?.now;
        if names.contains_key(name) {
            return Err(Errno::EXIST.into());
        }
        names.insert(name.to_owned(), node);
        Ok(())
    }

    fn add(&mut self, at: &At<'_>, node: Node) -> io::Result<usize> {
        let new = self.nodes.len();
        self.insert(at, new)?;
        self.nodes.push(node);
        Ok(new)
    }
}

impl Disk for ForgetfulDisk {
    fn open_dir(&self, at: At<'_>) -> io::Result<Handle> {
        let mut state = self.begin()?;
        let node = state.find(&at)?;
        state.names(node)?;
        Ok(state.open(node))
    }

    fn open_file(&self, at: At<'_>, _: Access) -> io::Result<(Handle, u64)> {
        let mut state = self.begin()?;
        let node = state.find(&at)?;
        let length = state.file(node)?.now.len() as u64;
        Ok((state.open(node), length))
    }

    fn create(&self, at: At<'_>, _: u32) -> io::Result<Handle> {
        let mut state = self.begin()?;
        let node = state.add(&at, Node::File(Versions::default()))?;
        Ok(state.open(node))
    }

    fn write_at(&self, file: &Handle, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut state = self.begin()?;
        let node = state.node_of(file)?;
        let content = &mut state.file(node)?.now;
        let start = usize::try_from(offset).map_err(|_| Errno::FBIG)?;
        let end = start.checked_add(bytes.len()).ok_or(Errno::FBIG)?;
        if content.len() < end {
            content.resize(end, 0);
        }
        content.get_mut(start..end).ok_or(Errno::FBIG)?.copy_from_slice(bytes);
        Ok(())
    }

    fn read_at(&self, file: &Handle, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut state = self.begin()?;
        let node = state.node_of(file)?;
        let content = &state.file(node)?.now;
        let rest = usize::try_from(offset).ok().and_then(|start| content.get(start..)).unwrap_or_default();
        Ok(rest.iter().zip(buffer.iter_mut()).map(|(from, to)| *to = *from).count())
    }

    fn sync(&self, file: &Handle) -> io::Result<()> {
        let mut state = self.begin()?;
        let node = state.node_of(file)?;
        state.file(node)?.sync();
        Ok(())
    }

    fn sync_data(&self, file: &Handle) -> io::Result<()> {
        self.sync(file)
    }

    fn link(&self, from: At<'_>, to: At<'_>) -> io::Result<()> {
        let mut state = self.begin()?;
        let node = state.find(&from)?;
        state.file(node)?;
        state.insert(&to, node)
    }

    fn rename(&self, from: At<'_>, to: At<'_>) -> io::Result<()> {
        let mut state = self.begin()?;
        let node = state.find(&from)?;
        let ((old_folder, old), (folder, name)) = (state.place(&from)?, state.place(&to)?);
        state.names(folder)?.now.insert(name.to_owned(), node);
        if (old_folder, old) != (folder, name) {
            state.names(old_folder)?.now.remove(old);
        }
        Ok(())
    }

    fn unlink(&self, at: At<'_>) -> io::Result<()> {
        let mut state = self.begin()?;
        let node = state.find(&at)?;
        state.file(node)?;
        let (folder, name) = state.place(&at)?;
        state.names(folder)?.now.remove(name);
        Ok(())
    }

    fn make_dir(&self, at: At<'_>) -> io::Result<()> {
        self.begin()?.add(&at, Node::Folder(Versions::default())).map(|_| ())
    }

    fn sync_dir(&self, folder: &Handle) -> io::Result<()> {
        let mut state = self.begin()?;
        let node = state.node_of(folder)?;
        state.names(node)?.sync();
        Ok(())
    }

    fn sync_filesystem(&self, folder: &Handle) -> io::Result<()> {
        let mut state = self.begin()?;
        state.node_of(folder)?;
        for node in &mut state.nodes {
            match node {
                Node::File(bytes) => bytes.sync(),
                Node::Folder(names) => names.sync(),
            }
        }
        Ok(())
    }

    fn list(&self, folder: &Handle) -> io::Result<Vec<Listed>> {
        let mut state = self.begin()?;
        let node = state.node_of(folder)?;
        let names = state.names(node)?.now.clone();
        let is_dir = |node: usize| matches!(state.nodes.get(node), Some(Node::Folder(_)));
        Ok(names.into_iter().map(|(name, node)| Listed { name, is_dir: is_dir(node) }).collect())
    }

    fn exists(&self, at: At<'_>) -> io::Result<bool> {
        match self.begin()?.find(&at) {
            Ok(_) => Ok(true),
            Err(error) => match Errno::from_io_error(&error) {
                Some(Errno::NOENT | Errno::NOTDIR) => Ok(false),
                _ => Err(error),
            },
        }
    }

    fn remove_dir(&self, at: At<'_>) -> io::Result<()> {
        let mut state = self.begin()?;
        let node = state.find(&at)?;
        if !state.names(node)?.now.is_empty() {
            return Err(Errno::NOTEMPTY.into());
        }
        let (folder, name) = state.place(&at)?;
        state.names(folder)?.now.remove(name);
        Ok(())
    }

    /// Times are not kept.
    fn modified(&self, _: At<'_>) -> io::Result<u64> {
        Err(Errno::NOSYS.into())
    }

    /// Without an end.
    fn free_bytes(&self, _: &Handle) -> io::Result<u64> {
        Err(Errno::NOSYS.into())
    }

    fn try_lock_alone(&self, folder: &Handle) -> io::Result<bool> {
        let mut state = self.begin()?;
        let node = state.node_of(folder)?;
        let holders = state.shared.entry(node).or_default();
        holders.retain(|holder| holder.strong_count() > 0);
        Ok(holders.is_empty())
    }

    fn lock_shared(&self, folder: &Handle) -> io::Result<()> {
        let mut state = self.begin()?;
        let node = state.node_of(folder)?;
        let open: &Arc<Open> = folder.get()?;
        state.shared.entry(node).or_default().push(Arc::downgrade(open));
        Ok(())
    }
}

/// A file after a cut: blocks of the old content and of the new one, of either length.
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

/// The names in a folder after a cut.
fn some_of(
    now: &BTreeMap<String, usize>,
    synced: &BTreeMap<String, usize>,
    random: &mut Random,
) -> BTreeMap<String, usize> {
    let all: BTreeSet<&String> = now.keys().chain(synced.keys()).collect();
    all.into_iter()
        .filter_map(|name| {
            let source = if random.bit() { now } else { synced };
            source.get(name).map(|node| (name.clone(), *node))
        })
        .collect()
}

/// SplitMix64: the same choices for the same seed.
struct Random(u64);

impl Random {
    fn bit(&mut self) -> bool {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ (x >> 31)) & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Replaces a file as a careless program does: the syncs that `synced` names are left out or not.
    fn after_a_cut(syncs_bytes: bool, syncs_names: bool, seed: u64) -> Option<Vec<u8>> {
        let disk = ForgetfulDisk::new();
        let root = disk.open_dir(At::path(Path::new("/"))).unwrap();
        for content in [&[1; 40][..], &[2; 40]] {
            let file = disk.create(root.at("tmp"), 0o644).unwrap();
            disk.write_at(&file, content, 0).unwrap();
            if syncs_bytes || content[0] == 1 {
                disk.sync(&file).unwrap();
            }
            disk.rename(root.at("tmp"), root.at("head")).unwrap();
            if syncs_names || content[0] == 1 {
                disk.sync_dir(&root).unwrap();
            }
        }
        disk.power_cycle(seed);
        assert!(disk.open_dir(root.at(".")).is_err(), "a handle from before the cut is dead");
        let (file, length) = disk.open_file(At::path(Path::new("/head")), Access::Read).ok()?;
        let mut bytes = vec![0; length as usize];
        disk.read_at(&file, &mut bytes, 0).unwrap();
        Some(bytes)
    }

    #[test]
    fn what_is_not_synced_is_torn_or_lost_for_some_seeds_and_what_is_synced_for_none() {
        let all = |syncs_bytes, syncs_names| -> BTreeSet<Option<Vec<u8>>> {
            (0..200).map(|seed| after_a_cut(syncs_bytes, syncs_names, seed)).collect()
        };
        let (old, new) = (Some(vec![1; 40]), Some(vec![2; 40]));
        assert_eq!(all(true, true), BTreeSet::from([new.clone()]));
        assert_eq!(all(true, false), BTreeSet::from([old, new.clone()]));
        let torn = all(false, true);
        assert!(torn.len() > 2 && torn.contains(&new), "{torn:?}");
    }

    #[test]
    fn after_so_many_operations_everything_fails_until_the_power_is_back() {
        let disk = ForgetfulDisk::new();
        let root = At::path(Path::new("/"));
        disk.cut_after(1);
        disk.open_dir(root).unwrap();
        for _ in 0..2 {
            assert_eq!(Errno::from_io_error(&disk.open_dir(root).unwrap_err()), Some(Errno::IO));
        }
        assert!(disk.is_off());
        disk.power_cycle(0);
        disk.open_dir(root).unwrap();
    }
}
