//! The rows of [`Objects`].
#![allow(clippy::unwrap_used, reason = "only tests use it, and what fails here fails for every storage")]

use super::{Outcome, expect};
use crate::checkpoint::SignedCheckpoint;
use crate::contract::objects::{ObjectError, ObjectErrorKind, ObjectName, Objects};
use crate::samples::{ORIGIN, signer};
use std::sync::Arc;
use stele_spec::checkpoint::Checkpoint;
use stele_spec::hash::{Digest, RootHash};
use stele_spec::tile::{Resource, TilePath};

type Check = fn(&dyn Objects) -> Result<(), String>;

/// Every row.
const ROWS: &[(&str, Check)] = &[
    ("what is not there is none, has no length and no time, and is removed without an error", nothing),
    ("each kind of object is there as it was put, with its length", each_kind),
    ("the same bytes again are no error, other bytes are, and what is there stays", again),
    ("what is put for later is there at once, and stays at a sync", put_staged),
    ("an object that is longer than the limit is not read", limit),
    ("the checkpoint of a larger tree takes the place of the one before", checkpoint),
    ("the checkpoint of one tree with other cosignatures takes the place of the one before", renewed),
    ("a frozen log says that it has ended, says it anew, and takes it back", mark_of_the_end),
    ("a damaged manifest is replaced", damaged),
    ("what was removed is gone, and can be put again", removed),
    ("staged objects are listed by their names, and nothing else is", staged),
    ("whether there are tiles is known", has_tiles),
    ("partial tiles are those of one tile, and can be forgotten", partials),
    ("an error of no room is one", no_room),
];

/// Runs every row; `open` makes an empty storage each time.
pub fn run(open: &dyn Fn() -> Arc<dyn Objects>) -> Vec<Outcome> {
    ROWS.iter().map(|(row, check)| Outcome { row, failed: check(&*open()).err() }).collect()
}

fn tile(index: u64, width: u16) -> ObjectName {
    ObjectName::Tile(TilePath { resource: Resource::Level(0), index, width })
}

fn manifest() -> ObjectName {
    ObjectName::Manifest(Digest::of(b"manifest"))
}

fn staged_name() -> ObjectName {
    ObjectName::Staged("00000000000000000007-aa.checkpoint".into())
}

/// A checkpoint of a tree of so many entries, with so many blank signatures behind.
fn note(size: u64, cosigned: &str) -> Vec<u8> {
    let checkpoint = Checkpoint::new(ORIGIN.parse().unwrap(), size, RootHash::from_bytes([7; 32]));
    let mut bytes = SignedCheckpoint::sign(checkpoint, &signer()).unwrap().note.to_bytes();
    bytes.extend_from_slice(cosigned.as_bytes());
    bytes
}

fn shown(error: ObjectError) -> String {
    format!("{error:?}")
}

fn is_kind<T: std::fmt::Debug>(found: Result<T, ObjectError>, expected: ObjectErrorKind) -> Result<(), String> {
    match found {
        Err(error) if error.kind() == expected => Ok(()),
        found => Err(format!("expected {expected:?}, found {found:?}")),
    }
}

fn holds(at: &dyn Objects, name: &ObjectName, expected: &[u8]) -> Result<(), String> {
    let (found, length) = (at.get(name, 1 << 20).map_err(shown)?, at.length(name).map_err(shown)?);
    let right = found.as_deref() == Some(expected)
        && (matches!(name, ObjectName::Staged(_)) || length == Some(expected.len() as u64));
    expect(right, || format!("{name}: expected {} bytes, found {found:?}, length {length:?}", expected.len()))
}

fn nothing(at: &dyn Objects) -> Result<(), String> {
    for name in [tile(0, 1), manifest(), ObjectName::Checkpoint, ObjectName::Frozen, staged_name()] {
        let (found, length) = (at.get(&name, 10).map_err(shown)?, at.length(&name).map_err(shown)?);
        expect(found.is_none() && length.is_none(), || format!("{name}: {found:?}, {length:?}"))?;
        expect(at.written_at(&name).is_none(), || format!("{name} has a time"))?;
        at.remove(&name).map_err(shown)?;
        at.forget(&name);
    }
    Ok(())
}

fn each_kind(at: &dyn Objects) -> Result<(), String> {
    let entries = ObjectName::Tile(TilePath { resource: Resource::Entries, index: 1234, width: 5 });
    let all = [tile(0, 1), tile(1_234_067, 256), entries, manifest(), staged_name()];
    let named: Vec<(ObjectName, &[u8])> = all.iter().map(|name| (name.clone(), &b"bytes"[..])).collect();
    at.put(&named).map_err(shown)?;
    all.iter().try_for_each(|name| holds(at, name, b"bytes"))
}

fn again(at: &dyn Objects) -> Result<(), String> {
    for name in [tile(0, 1), manifest(), staged_name()] {
        at.put(&[(name.clone(), b"bytes")]).map_err(shown)?;
        at.put(&[(name.clone(), b"bytes")]).map_err(shown)?;
        is_kind(at.put(&[(name.clone(), b"other")]), ObjectErrorKind::Differs)?;
        holds(at, &name, b"bytes")?;
    }
    is_kind(at.put_staged(&[(tile(0, 1), b"other")]), ObjectErrorKind::Differs)?;
    holds(at, &tile(0, 1), b"bytes")
}

fn put_staged(at: &dyn Objects) -> Result<(), String> {
    at.put_staged(&[(manifest(), b"one"), (tile(0, 2), b"two")]).map_err(shown)?;
    let all = |at: &dyn Objects| holds(at, &manifest(), b"one").and_then(|()| holds(at, &tile(0, 2), b"two"));
    all(at)?;
    at.prepare();
    at.sync().map_err(shown)?;
    all(at)
}

fn limit(at: &dyn Objects) -> Result<(), String> {
    at.put(&[(tile(0, 1), b"bytes")]).map_err(shown)?;
    is_kind(at.get(&tile(0, 1), 4), ObjectErrorKind::TooLarge)?;
    let read = at.get(&tile(0, 1), 5).map_err(shown)?;
    expect(read.is_some(), || "five bytes are not more than five".into())
}

fn checkpoint(at: &dyn Objects) -> Result<(), String> {
    at.replace(&ObjectName::Checkpoint, &note(1, "")).map_err(shown)?;
    holds(at, &ObjectName::Checkpoint, &note(1, ""))?;
    at.replace_staged(&ObjectName::Checkpoint, &note(3, "")).map_err(shown)?;
    holds(at, &ObjectName::Checkpoint, &note(3, ""))?;
    at.sync().map_err(shown)?;
    holds(at, &ObjectName::Checkpoint, &note(3, ""))
}

fn renewed(at: &dyn Objects) -> Result<(), String> {
    let cosigned = "\u{2014} w1 AAAAAAAAAAAAAAAAAAAAAA==\n";
    at.replace(&ObjectName::Checkpoint, &note(3, "")).map_err(shown)?;
    at.replace(&ObjectName::Checkpoint, &note(3, cosigned)).map_err(shown)?;
    holds(at, &ObjectName::Checkpoint, &note(3, cosigned))
}

fn mark_of_the_end(at: &dyn Objects) -> Result<(), String> {
    at.replace(&ObjectName::Frozen, b"ended").map_err(shown)?;
    at.replace(&ObjectName::Frozen, b"ended again").map_err(shown)?;
    holds(at, &ObjectName::Frozen, b"ended again")?;
    at.remove(&ObjectName::Frozen).map_err(shown)?;
    let found = at.get(&ObjectName::Frozen, 10).map_err(shown)?;
    expect(found.is_none(), || format!("what was taken back is there: {found:?}"))
}

fn damaged(at: &dyn Objects) -> Result<(), String> {
    at.put(&[(manifest(), b"damaged")]).map_err(shown)?;
    at.replace(&manifest(), b"manifest").map_err(shown)?;
    holds(at, &manifest(), b"manifest")
}

fn removed(at: &dyn Objects) -> Result<(), String> {
    for name in [tile(0, 1), staged_name()] {
        at.put(&[(name.clone(), b"bytes")]).map_err(shown)?;
        at.remove(&name).map_err(shown)?;
        let found = at.get(&name, 10).map_err(shown)?;
        expect(found.is_none(), || format!("{name}: {found:?}"))?;
        at.put(&[(name.clone(), b"other")]).map_err(shown)?;
        holds(at, &name, b"other")?;
    }
    Ok(())
}

fn staged(at: &dyn Objects) -> Result<(), String> {
    let none = at.staged().map_err(shown)?;
    expect(none.is_empty(), || format!("{none:?}"))?;
    at.put(&[(tile(0, 1), b"1"), (ObjectName::Staged("a".into()), b"1"), (ObjectName::Staged("b".into()), b"2")])
        .map_err(shown)?;
    at.remove(&ObjectName::Staged("a".into())).map_err(shown)?;
    let listed = at.staged().map_err(shown)?;
    expect(listed == ["b"], || format!("{listed:?}"))
}

fn has_tiles(at: &dyn Objects) -> Result<(), String> {
    at.put(&[(manifest(), b"1"), (staged_name(), b"1")]).map_err(shown)?;
    expect(!at.has_tiles().map_err(shown)?, || "none was put".into())?;
    at.put(&[(tile(0, 1), b"1")]).map_err(shown)?;
    expect(at.has_tiles().map_err(shown)?, || "one was put".into())
}

fn partials(at: &dyn Objects) -> Result<(), String> {
    let full = TilePath::full(Resource::Level(0), 3);
    for name in [tile(3, 1), tile(3, 255), tile(3, 256), tile(4, 7)] {
        at.put(&[(name, b"1")]).map_err(shown)?;
    }
    let mut widths = at.partials(full);
    widths.sort_unstable();
    expect(widths == [1, 255], || format!("{widths:?}"))?;
    // Best effort, and perhaps later: nothing may rest on it, and what is not meant stays.
    at.forget_partials(full);
    holds(at, &tile(3, 256), b"1")?;
    holds(at, &tile(4, 7), b"1")
}

fn no_room(at: &dyn Objects) -> Result<(), String> {
    let kind = at.no_room().kind();
    expect(kind == ObjectErrorKind::NoRoom, || format!("{kind:?}"))
}
