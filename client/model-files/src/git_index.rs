//! The index of a git clone: what git last wrote into the work tree, and whether the files of it are still so.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;
use std::time::UNIX_EPOCH;

use stele_spec::manifest::{FileDigests, FileHasher, GitBlobId};

/// The largest index that is read: an entry has about 100 bytes.
const MAX_INDEX: u64 = 64 << 20;
/// The largest file that is read to compare it, where its time is not the one that git wrote down.
const MAX_READ: u64 = 1 << 30;

/// The longest name that a file of a release can have, and some.
const MAX_NAME: usize = 4096;

/// What the index holds of some files.
#[derive(Debug, Default)]
pub(crate) struct GitIndex {
    entries: BTreeMap<String, Entry>,
    /// The names of other files.
    others: Vec<String>,
    /// Whether it is that of a tree that git knows: nothing was added since the last checkout or commit.
    is_of_tree: bool,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    seconds: u32,
    nanoseconds: u32,
    /// The lower 32 bits.
    size: u32,
    blob: [u8; 20],
}

impl GitIndex {
    /// Reads what `.git/index` says of some files (gitformat-index(5), versions 2 to 4).
    pub(crate) fn read(path: &Path, of: &BTreeSet<&str>) -> io::Result<Self> {
        let mut bytes = Vec::new();
        File::open(path)?.take(MAX_INDEX + 1).read_to_end(&mut bytes)?;
        let parsed = if bytes.len() as u64 > MAX_INDEX { None } else { Self::parse(&bytes, of) };
        parsed.ok_or_else(|| io::Error::other("an index of another form"))
    }

    fn parse(bytes: &[u8], of: &BTreeSet<&str>) -> Option<Self> {
        let (head, mut rest) = bytes.split_at_checked(12)?;
        let [b'D', b'I', b'R', b'C', 0, 0, 0, version @ 2..=4, count @ ..] = head else { return None };
        let count = u32::from_be_bytes(count.try_into().ok()?);
        let mut index = Self::default();
        let mut name: Vec<u8> = Vec::new();
        for _ in 0..count {
            let before = rest;
            let number = |at: usize| Some(u32::from_be_bytes(before.get(at..at + 4)?.try_into().ok()?));
            let entry = Entry {
                seconds: number(8)?,
                nanoseconds: number(12)?,
                size: number(36)?,
                blob: before.get(40..60)?.try_into().ok()?,
            };
            let is_extended = before.get(60)? & 0x40 != 0;
            let at = if is_extended { 64 } else { 62 };
            if *version == 4 {
                // What the name before loses at its end, and what comes in its place.
                let (dropped, used) = offset(before.get(at..)?)?;
                name.truncate(name.len().checked_sub(dropped)?);
                rest = until_zero(before.get(at + used..)?, &mut name)?;
            } else {
                name.clear();
                until_zero(before.get(at..)?, &mut name)?;
                rest = before.get((at + name.len() + 8) & !7..)?;
            }
            if name.len() > MAX_NAME {
                return None;
            }
            let name = String::from_utf8_lossy(&name).into_owned();
            match of.contains(name.as_str()) {
                true => drop(index.entries.insert(name, entry)),
                false => index.others.push(name),
            }
        }
        // Extensions, up to the checksum at the end.
        while rest.len() > 20 {
            let (head, behind) = rest.split_at_checked(8)?;
            let length = u32::from_be_bytes(head.get(4..)?.try_into().ok()?) as usize;
            let (data, behind) = behind.split_at_checked(length)?;
            match head.get(..4)? {
                // The root comes first: an empty name, and how many entries it has, or -1 where it is out of date.
                b"TREE" => index.is_of_tree = matches!(data, [0, b'0'..=b'9', ..]),
                // The entries are in another file.
                b"link" => return None,
                _ => {}
            }
            rest = behind;
        }
        Some(index)
    }

    /// The first of the other files that is not in the work tree, in words.
    pub(crate) fn gone(&self, root: &Path) -> Option<String> {
        let gone = self.others.iter().find(|name| fs::symlink_metadata(root.join(name)).is_err())?;
        Some(format!("{gone} is in the repository and not here"))
    }

    /// Why a file of the work tree may not be the one that git knows; nothing where it is.
    pub(crate) fn changed(&self, root: &Path, path: &str) -> Option<String> {
        let Some(entry) = self.entries.get(path) else {
            return Some(format!("{path} is not in the repository"));
        };
        if !self.is_of_tree {
            return Some("files were added to the index since the last commit".to_owned());
        }
        let open = root.join(path);
        match entry.is_unchanged(&open) {
            Ok(true) => None,
            Ok(false) => Some(format!("{path} is not the file of the repository")),
            Err(error) => Some(format!("{path} could not be compared with the repository: {error}")),
        }
    }
}

impl Entry {
    /// As git does it, the size and the time first; what has another time is read.
    fn is_unchanged(&self, open: &Path) -> io::Result<bool> {
        let metadata = fs::metadata(open)?;
        let size = metadata.len();
        let time = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        let is_of_time = u64::from(self.seconds) == time.as_secs()
            && (self.nanoseconds == 0 || self.nanoseconds == time.subsec_nanos());
        if is_of_time && u64::from(self.size) == size & u64::from(u32::MAX) {
            return Ok(true);
        }
        if size > MAX_READ {
            return Err(io::Error::other(
                "it has another time or size than git wrote down, and is too large to be read here",
            ));
        }
        let mut hasher = FileHasher::new(size);
        let mut file = File::open(open)?.take(size);
        let mut block = vec![0; 1 << 16];
        loop {
            match file.read(&mut block)? {
                0 => break,
                read => hasher.update(block.get(..read).unwrap_or_default()),
            }
        }
        let digests = hasher.finish().map_err(|_| io::Error::other("it changed while it was read"))?;
        let known = GitBlobId::from_bytes(self.blob);
        Ok(digests.git_sha1 == known || pointer(&digests) == known)
    }
}

/// What git knows of a file that LFS keeps: the blob of its pointer.
fn pointer(of: &FileDigests) -> GitBlobId {
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n", of.sha256, of.size);
    FileDigests::of(pointer.as_bytes()).git_sha1
}

/// A number as it stands before the name of an entry of version 4, and how many bytes it has.
fn offset(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0_usize;
    for (at, byte) in bytes.iter().take(4).enumerate() {
        value = (value << 7) | usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, at + 1));
        }
        value += 1;
    }
    None
}

/// Takes what is before the next zero, and gives what is behind it.
fn until_zero<'a>(bytes: &'a [u8], to: &mut Vec<u8>) -> Option<&'a [u8]> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    to.extend_from_slice(bytes.get(..end)?);
    bytes.get(end + 1..)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An index of version 2 of these files, with the tree that it is of.
    pub(crate) fn index(files: &[(&str, GitBlobId)]) -> Vec<u8> {
        let mut bytes = [&b"DIRC\0\0\0\x02"[..], &(files.len() as u32).to_be_bytes()].concat();
        for (name, blob) in files {
            let mut entry = vec![0; 40];
            entry.extend_from_slice(blob.as_bytes());
            entry.extend_from_slice(&(name.len() as u16).to_be_bytes());
            entry.extend_from_slice(name.as_bytes());
            entry.resize((entry.len() + 8) & !7, 0);
            bytes.extend_from_slice(&entry);
        }
        let tree = [&b"\x001 0\n"[..], &[7; 20]].concat();
        bytes.extend_from_slice(b"TREE");
        bytes.extend_from_slice(&(tree.len() as u32).to_be_bytes());
        [bytes, tree, vec![0; 20]].concat()
    }

    #[test]
    fn a_file_is_compared_by_its_blob_or_the_pointer_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let blob = |content: &[u8]| FileDigests::of(content).git_sha1;
        let written = index(&[
            ("a.bin", blob(b"one")),
            ("b.safetensors", pointer(&FileDigests::of(b"two"))),
            ("c", blob(b"three")),
        ]);
        let names = BTreeSet::from(["a.bin", "b.safetensors", "c", "d"]);
        let read = GitIndex::parse(&written, &names).unwrap();
        for (name, content) in [("a.bin", b"one"), ("b.safetensors", b"two"), ("c", b"333"), ("d", b"new")] {
            fs::write(folder.path().join(name), content).unwrap();
        }
        assert_eq!(read.changed(folder.path(), "a.bin"), None);
        assert_eq!(read.changed(folder.path(), "b.safetensors"), None);
        assert_eq!(read.changed(folder.path(), "c").unwrap(), "c is not the file of the repository");
        assert_eq!(read.changed(folder.path(), "d").unwrap(), "d is not in the repository");
        let out_of_date = GitIndex::parse(
            &{
                let at = written.windows(4).position(|word| word == b"TREE").unwrap();
                [&written[..at], &b"TREE\0\0\0\x06\0-1 0\n"[..], &[0; 20]].concat()
            },
            &names,
        );
        assert!(out_of_date.unwrap().changed(folder.path(), "a.bin").unwrap().contains("were added to the index"));
    }

    #[test]
    fn what_is_no_index_is_none() {
        let whole = index(&[("a", GitBlobId::from_bytes([1; 20]))]);
        let none = BTreeSet::new();
        for length in 0..76 {
            assert!(GitIndex::parse(&whole[..length], &none).is_none(), "{length}");
        }
        assert!(GitIndex::parse(&[&b"DIRC\0\0\0\x05"[..], &[0; 24]].concat(), &none).is_none());
        assert_eq!(offset(&[0x80, 0x00]), Some((128, 2)));
        assert_eq!(offset(&[0xff; 9]), None);
    }
}
