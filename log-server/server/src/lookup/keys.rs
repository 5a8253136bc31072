//! The keys of the lookups: a letter, the subject, a zero byte where the subject is text, the position as a big-endian u64.
//!
//! Digests have one length and text holds no zero byte, so a prefix is exactly one subject.

use stele_log_core::contract::lookup::{LookupKey, LookupRow};
use stele_log_core::file_digests::FileDigestIndex;
use stele_spec::hash::Digest;

/// Which of the two databases has a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// What a release has many of, and what a name has many of: publishers and files.
    Files,
    /// Where a release came from: package URLs and parents.
    Origins,
}

impl Part {
    /// Where the keys of a question are.
    pub(super) fn of(by: LookupKey<'_>) -> Self {
        match by {
            LookupKey::Publisher(_) | LookupKey::File(_) | LookupKey::GitBlob(_) => Self::Files,
            LookupKey::Purl(_) | LookupKey::Parent(_) => Self::Origins,
        }
    }
}

/// What changes in a database at once.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// Keys that are set, each with its value.
    pub(super) set: Vec<(Vec<u8>, Vec<u8>)>,
    /// Keys that go.
    pub(super) removed: Vec<Vec<u8>>,
}

impl Changes {
    /// The keys of rows that are in one database.
    pub(super) fn of(rows: &[LookupRow], part: Part) -> Self {
        let mut changes = Self::default();
        for row in rows {
            let at = row.position;
            match part {
                Part::Files => {
                    changes.add(LookupKey::Publisher(&row.publisher), at);
                    changes.add_files(&row.files, at);
                }
                Part::Origins => {
                    for purl in &row.purls {
                        changes.add(LookupKey::Purl(purl), at);
                        // Who names no version is answered with every one.
                        if let Some((bare, _)) = purl.split_once(['@', '?', '#']) {
                            changes.add(LookupKey::Purl(bare), at);
                        }
                    }
                    row.parents.iter().for_each(|parent| changes.add(LookupKey::Parent(parent), at));
                }
            }
        }
        changes
    }

    /// The files of a release; where they are not known yet, that it has files.
    pub(super) fn add_files(&mut self, files: &FileDigestIndex, at: u64) {
        files.sha256.iter().for_each(|digest| self.add(LookupKey::File(digest), at));
        files.git_sha1.iter().for_each(|id| self.add(LookupKey::GitBlob(id), at));
        self.set.extend(files.unread.iter().map(|manifest| (unread(at), manifest.as_bytes().to_vec())));
    }

    fn add(&mut self, by: LookupKey<'_>, at: u64) {
        self.set.push((key(by, at), Vec::new()));
    }
}

/// The key of a subject at a position.
pub(super) fn key(by: LookupKey<'_>, position: u64) -> Vec<u8> {
    let (letter, subject, end): (u8, &[u8], &[u8]) = match by {
        LookupKey::Publisher(text) => (b'p', text.as_bytes(), &[0]),
        LookupKey::File(digest) => (b'f', digest.as_bytes(), &[]),
        LookupKey::GitBlob(id) => (b'g', id.as_bytes(), &[]),
        LookupKey::Purl(text) => (b'u', text.as_bytes(), &[0]),
        LookupKey::Parent(text) => (b'a', text.as_bytes(), &[0]),
    };
    [&[letter], subject, end, &position.to_be_bytes()].concat()
}

/// The key of a release whose manifest could not be read; its value is the manifest's digest.
pub(super) fn unread(position: u64) -> Vec<u8> {
    [&b"m"[..], &position.to_be_bytes()].concat()
}

/// The position in a key.
pub(super) fn position_of(key: &[u8]) -> Option<u64> {
    key.split_last_chunk::<8>().map(|(_, position)| u64::from_be_bytes(*position))
}

/// The manifest that stands under [`unread`].
pub(super) fn manifest_of(value: &[u8]) -> Option<Digest> {
    <[u8; 32]>::try_from(value).ok().map(Digest::from_bytes)
}
