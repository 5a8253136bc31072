//! The log read back and replayed, by code that shares nothing with the server: entries as they are served, every tree
//! head ever seen as a prefix of them. A fork, a lost entry or a changed one cannot hide from it.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use stele_spec::hash::RootHash;
use stele_spec::merkle::{MemoryTree, leaf_hash, prove_consistency, root_at};
use stele_spec::text::{base64_exact, decimal};

use crate::network::ORIGIN;
use stele_probe::failure::{During, Failure, Step};
use stele_probe::http;

/// A tree head as served. Its signatures are the business of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// How many entries.
    pub size: u64,
    /// Their root.
    pub root: RootHash,
    /// The whole note.
    pub note: String,
}

/// The entries of a log, from the first on.
#[derive(Debug)]
pub struct History {
    /// The tree head that they were read for.
    pub head: Head,
    /// The entries.
    pub entries: Vec<Vec<u8>>,
    tree: MemoryTree,
}

impl Head {
    /// Reads the text of a checkpoint (c2sp.org/tlog-checkpoint).
    pub fn parse(note: &str) -> Step<Self> {
        let mut lines = note.split('\n');
        let (origin, size, root, empty) = (lines.next(), lines.next(), lines.next(), lines.next());
        if origin != Some(ORIGIN) || empty != Some("") {
            return Err(Failure::new(format!("not a checkpoint of {ORIGIN}: {note:?}")));
        }
        let size = decimal(size.unwrap_or_default()).during("size of a checkpoint")?;
        let root = base64_exact(root.unwrap_or_default()).during("root of a checkpoint")?;
        Ok(Self { size, root: RootHash::from_bytes(root), note: note.to_owned() })
    }

    /// The newest published tree head; `None` before there is one.
    pub fn of(log: SocketAddr) -> Step<Option<Self>> {
        let answer = http::get(log, "/checkpoint")?;
        if answer.status == 404 {
            return Ok(None);
        }
        Self::parse(&answer.expect(200)?.text()).map(Some)
    }
}

impl History {
    /// Reads a running log.
    pub fn of(log: SocketAddr) -> Step<Self> {
        let head = Head::of(log)?.ok_or_else(|| Failure::new("the log has published no checkpoint"))?;
        Self::read(head, |path| Ok(http::get(log, &format!("/{path}"))?.expect(200)?.body))
    }

    /// Reads the public files of a log, running or not.
    pub fn in_folder(public: &Path) -> Step<Self> {
        let read = |path: &str| fs::read(public.join(path)).during(format!("reading {path}"));
        let head = Head::parse(&String::from_utf8_lossy(&read("checkpoint")?))?;
        Self::read(head, read)
    }

    /// Whether a tree head, seen at any time, is a prefix of this history.
    pub fn check(&self, seen: &Head) -> Step {
        let found = root_at(&self.tree, seen.size).during(format!("the root at {}", seen.size))?;
        if found != seen.root {
            return Err(Failure::new(format!(
                "FORK: at size {} the log once signed {}, and now has {found}",
                seen.size, seen.root
            )));
        }
        let proof = prove_consistency(&self.tree, seen.size, self.head.size).during("proving consistency")?;
        proof.check(seen.size, seen.root, self.head.size, self.head.root).during("checking consistency")
    }

    /// The entry at a position.
    pub fn entry(&self, position: u64) -> Option<&[u8]> {
        self.entries.get(usize::try_from(position).ok()?).map(Vec::as_slice)
    }

    /// Every position of an entry: an entry is there once.
    pub fn positions(&self, entry: &[u8]) -> Vec<u64> {
        (0..).zip(&self.entries).filter(|(_, found)| *found == entry).map(|(position, _)| position).collect()
    }

    fn read(head: Head, read: impl Fn(&str) -> Step<Vec<u8>>) -> Step<Self> {
        let mut entries = Vec::new();
        let mut tree = MemoryTree::new();
        while (entries.len() as u64) < head.size {
            let first = entries.len() as u64;
            let width = (head.size - first).min(256);
            let path = bundle_path(first / 256, width);
            let bytes = read(&path)?;
            let bundle = entries_of(&bytes).ok_or_else(|| Failure::new(format!("{path} is not an entry bundle")))?;
            if bundle.len() as u64 != width {
                return Err(Failure::new(format!("{path} has {} entries", bundle.len())));
            }
            for entry in bundle {
                tree.push(leaf_hash(&entry));
                entries.push(entry);
            }
        }
        let history = Self { head: head.clone(), entries, tree };
        history.check(&head)?;
        Ok(history)
    }
}

/// The path of an entry bundle (c2sp.org/tlog-tiles): groups of three digits, all but the last with an `x`.
pub fn bundle_path(index: u64, width: u64) -> String {
    let mut path = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    let partial = if width < 256 { format!(".p/{width}") } else { String::new() };
    format!("tile/entries/{path}{partial}")
}

/// Entries, each after its length as a big-endian `u16`.
fn entries_of(mut bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut entries = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<2>() {
        let (entry, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        entries.push(entry.to_vec());
        bytes = rest;
    }
    bytes.is_empty().then_some(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_tlog_tiles() {
        assert_eq!(bundle_path(0, 256), "tile/entries/000");
        assert_eq!(bundle_path(1_234_067, 8), "tile/entries/x001/x234/067.p/8");
    }
}
