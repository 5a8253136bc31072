//! What a witness holds against logs, by the names of its evidence files: what an operator, a monitor and a reader are shown.
//!
//! A name is `<kind>-<size>-<root>`, in a folder named by the origin hash. Nothing is read or verified here; a file is checked
//! with `stele evidence verify`.

use std::path::Path;
use std::time::UNIX_EPOCH;

use stele_durable::{Dir, DurableError};
use stele_spec::hash::Digest;

use crate::decide::ConflictKind;

/// One file of evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The SHA-256 of the log's origin.
    pub origin: Digest,
    /// How the log contradicts itself.
    pub kind: ConflictKind,
    /// The size of the contradicting checkpoint.
    pub size: u64,
    /// `<origin hash>/<name>`, below the folder of the evidence.
    pub id: String,
    /// When it was written, in seconds since 1970, by the file system; 0 if that is not known.
    pub since: u64,
}

impl Held {
    /// Whether the file convicts the log's key by itself, or is a suspicion.
    pub fn is_proof(&self) -> bool {
        self.kind != ConflictKind::Unproven
    }
}

/// Everything that is kept in a folder of evidence, the oldest first.
pub fn held(folder: &Path) -> Result<Vec<Held>, DurableError> {
    let dir = Dir::open(folder)?;
    let mut held = Vec::new();
    for log in dir.list("")?.unwrap_or_default() {
        let Ok(origin) = Digest::from_hex(&log.name) else { continue };
        for file in dir.list(&log.name)?.unwrap_or_default() {
            held.extend(named(origin, &log.name, &file.name, &dir));
        }
    }
    held.sort_by(|one, other| (one.since, &one.id).cmp(&(other.since, &other.id)));
    Ok(held)
}

fn named(origin: Digest, folder: &str, name: &str, dir: &Dir) -> Option<Held> {
    let kind = ConflictKind::ALL.into_iter().find(|kind| name.starts_with(&format!("{}-", kind.word())))?;
    let (size, _root) = name.strip_prefix(kind.word())?.strip_prefix('-')?.split_once('-')?;
    let id = format!("{folder}/{name}");
    let written = std::fs::metadata(dir.path_of(&id)).and_then(|metadata| metadata.modified()).ok();
    let since = written.and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map_or(0, |since| since.as_secs());
    Some(Held { origin, kind, size: size.parse().ok()?, id, since })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_evidence_are_read_and_others_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let origin = Digest::of(b"log.example/a");
        let of_log = folder.path().join(origin.to_string());
        std::fs::create_dir_all(&of_log).unwrap();
        for name in ["same-size-9-aa", "unproven-11-bb", "forked-x-cc", "notes.txt", "same-size-9"] {
            std::fs::write(of_log.join(name), b"x").unwrap();
        }
        std::fs::create_dir_all(folder.path().join("other")).unwrap();
        let mut found: Vec<_> =
            held(folder.path()).unwrap().into_iter().map(|held| (held.kind, held.size, held.is_proof())).collect();
        found.sort();
        assert_eq!(found, [(ConflictKind::SameSize, 9, true), (ConflictKind::Unproven, 11, false)]);
        assert!(held(folder.path()).unwrap().iter().all(|held| held.since > 1_750_000_000 && held.origin == origin));
        assert!(held(&folder.path().join("other")).unwrap().is_empty());
    }
}
