//! The rows of [`HeadStore`].
#![allow(clippy::unwrap_used, reason = "only tests use it, and what fails here fails for every storage")]

use super::{Outcome, expect};
use crate::checkpoint::SignedCheckpoint;
use crate::contract::head_store::{HeadErrorKind, HeadStore};
use crate::samples::{ORIGIN, signer};
use stele_spec::checkpoint::Checkpoint;
use stele_spec::hash::RootHash;

type Check = fn(&dyn HeadStore) -> Result<(), String>;

/// Every row.
const ROWS: &[(&str, Check)] = &[
    ("a new store holds nothing", nothing),
    ("what was stored is loaded, byte for byte", stored),
    ("a second first checkpoint is a conflict, and changes nothing", first_twice),
    ("a swap from other bytes is a conflict, and changes nothing", stale),
    ("many swaps one after the other", many),
];

/// Runs every row; `open` makes an empty store each time.
pub fn run(open: &dyn Fn() -> Box<dyn HeadStore>) -> Vec<Outcome> {
    ROWS.iter().map(|(row, check)| Outcome { row, failed: check(&*open()).err() }).collect()
}

fn head(size: u64) -> Vec<u8> {
    let checkpoint = Checkpoint::new(ORIGIN.parse().unwrap(), size, RootHash::from_bytes([size as u8; 32]));
    SignedCheckpoint::sign(checkpoint, &signer()).unwrap().note.to_bytes()
}

fn holds(at: &dyn HeadStore, expected: Option<&[u8]>) -> Result<(), String> {
    let found = at.load().map_err(|error| format!("{error:?}"))?;
    expect(found.as_deref() == expected, || format!("expected {expected:?}, found {found:?}"))
}

fn swap(at: &dyn HeadStore, expected: Option<&[u8]>, new: &[u8]) -> Result<(), String> {
    at.compare_and_swap(expected, new).map_err(|error| format!("{error:?}"))
}

fn conflicts(at: &dyn HeadStore, expected: Option<&[u8]>, new: &[u8]) -> Result<(), String> {
    match at.compare_and_swap(expected, new) {
        Err(error) if error.kind() == HeadErrorKind::Conflict => Ok(()),
        found => Err(format!("expected a conflict, found {found:?}")),
    }
}

fn nothing(at: &dyn HeadStore) -> Result<(), String> {
    holds(at, None)
}

fn stored(at: &dyn HeadStore) -> Result<(), String> {
    swap(at, None, &head(1))?;
    holds(at, Some(&head(1)))?;
    swap(at, Some(&head(1)), &head(3))?;
    holds(at, Some(&head(3)))
}

fn first_twice(at: &dyn HeadStore) -> Result<(), String> {
    swap(at, None, &head(1))?;
    conflicts(at, None, &head(2))?;
    holds(at, Some(&head(1)))
}

fn stale(at: &dyn HeadStore) -> Result<(), String> {
    conflicts(at, Some(&head(1)), &head(2))?;
    swap(at, None, &head(1))?;
    swap(at, Some(&head(1)), &head(2))?;
    conflicts(at, Some(&head(1)), &head(3))?;
    holds(at, Some(&head(2)))
}

fn many(at: &dyn HeadStore) -> Result<(), String> {
    swap(at, None, &head(0))?;
    for size in 1..20 {
        swap(at, Some(&head(size - 1)), &head(size))?;
    }
    holds(at, Some(&head(19)))
}
