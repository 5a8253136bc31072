//! The statements about watched releases of one log, a file a release: written when it changed, and bounded.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use stele_spec::hash::Digest;

use super::error::StateError;
use super::files::encoded;
use super::limits::Limits;

/// Of so many releases the hosts are looked at: a monitor that watches more should be several.
const MAX_RELEASES: usize = 10_000;

/// Position and bytes in base64 of each statement.
type Statements = BTreeMap<u64, String>;

/// The statements of one log, by coordinate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Releases {
    all: BTreeMap<String, Statements>,
    /// Bytes of all statements.
    bytes: u64,
    changed: BTreeSet<String>,
}

/// One file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    origin: String,
    coordinate: String,
    statements: Statements,
}

impl Releases {
    /// Keeps a statement about a coordinate; `false` where there is no room for it.
    pub fn keep(&mut self, name: &str, position: u64, statement: String) -> bool {
        self.keep_within(name, position, statement, Limits::default())
    }

    pub(super) fn keep_within(&mut self, name: &str, position: u64, statement: String, limits: Limits) -> bool {
        let known = self.all.get(name);
        if known.is_some_and(|statements| statements.get(&position) == Some(&statement)) {
            return true;
        }
        let size = statement.len() as u64;
        let of_release = known.map_or(0, bytes_of);
        let no_room = of_release + size > limits.release
            || self.bytes + size > limits.releases
            || (known.is_none() && self.all.len() >= MAX_RELEASES);
        if no_room {
            return false;
        }
        self.bytes += size;
        self.all.entry(name.to_owned()).or_default().insert(position, statement);
        self.changed.insert(name.to_owned());
        true
    }

    /// Coordinates and what was said about them.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &Statements)> {
        self.all.iter()
    }

    /// Takes what was read from a file.
    pub(super) fn restore(&mut self, name: String, statements: Statements) {
        self.bytes += bytes_of(&statements);
        self.all.insert(name, statements);
    }

    /// The files that are not as they should be.
    pub(super) fn changed(&self, origin: &str) -> Result<Vec<(String, Vec<u8>)>, StateError> {
        let file = |name: &String| {
            let statements = self.all.get(name).cloned().unwrap_or_default();
            let path = format!("releases/{}.json", Digest::of(format!("{origin}\n{name}").as_bytes()));
            let file = File { origin: origin.to_owned(), coordinate: name.clone(), statements };
            Ok((path, encoded(&file)?))
        };
        self.changed.iter().map(file).collect()
    }

    /// All of them are on the disk.
    pub(super) fn saved(&mut self) {
        self.changed.clear();
    }
}

fn bytes_of(statements: &Statements) -> u64 {
    statements.values().map(|statement| statement.len() as u64).sum()
}

/// Origin, coordinate and statements of a file; none for anything else.
pub(super) fn read(bytes: &[u8]) -> Option<(String, String, Statements)> {
    let file: File = serde_json::from_slice(bytes).ok()?;
    Some((file.origin, file.coordinate, file.statements))
}
