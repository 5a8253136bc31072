//! The body of `add-entries`, kept in parts, so that a check can change one of them; and the three lines that answer it.

use stele_spec::merkle::prove_subtree;
use stele_spec::text::{base64, decimal};
use stele_spec::tile::TILE_WIDTH;

use crate::logs::{Branch, TestLog};
use stele_probe::door::Reply;
use stele_probe::failure::{During, Step};

const WIDTH: u64 = TILE_WIDTH as u64;

/// Entries up to a multiple of 256 or to the end, and the hashes that show that they are the tree's.
#[derive(Clone, Debug)]
pub struct Package {
    /// The entries.
    pub entries: Vec<Vec<u8>>,
    /// The hashes.
    pub hashes: Vec<[u8; 32]>,
}

/// A request to keep entries.
#[derive(Clone, Debug)]
pub struct Upload {
    /// Of which log.
    pub origin: String,
    /// The first entry.
    pub start: u64,
    /// One beyond the last.
    pub end: u64,
    /// What the mirror gave.
    pub ticket: Vec<u8>,
    /// The packages: all of them, or those that come first.
    pub packages: Vec<Package>,
}

impl Upload {
    /// All of it right, for the tree of a history at `end`.
    pub fn new(log: &mut TestLog, branch: Branch, start: u64, end: u64, ticket: &[u8]) -> Step<Self> {
        let mut packages = Vec::new();
        let mut from = start;
        while from < end {
            let first = from / WIDTH * WIDTH;
            let to = end.min(first + WIDTH);
            let entries = (from..to).map(|number| log.entry(branch, number)).collect();
            let proof = prove_subtree(log.tree(branch, end)?, first, to, end).during("proving a part of a test log")?;
            packages.push(Package { entries, hashes: proof.path().iter().map(|hash| *hash.as_bytes()).collect() });
            from = to;
        }
        Ok(Self { origin: log.origin().to_string(), start, end, ticket: ticket.to_vec(), packages })
    }

    /// The bytes, and how long what stands before the packages is.
    pub fn to_bytes(&self) -> (Vec<u8>, usize) {
        let mut bytes = Vec::new();
        counted(&mut bytes, self.origin.as_bytes());
        bytes.extend(self.start.to_be_bytes());
        bytes.extend(self.end.to_be_bytes());
        counted(&mut bytes, &self.ticket);
        let head = bytes.len();
        for package in &self.packages {
            package.entries.iter().for_each(|entry| counted(&mut bytes, entry));
            bytes.push(package.hashes.len() as u8);
            package.hashes.iter().for_each(|hash| bytes.extend(hash));
        }
        (bytes, head)
    }
}

fn counted(bytes: &mut Vec<u8>, part: &[u8]) {
    bytes.extend((part.len() as u16).to_be_bytes());
    bytes.extend(part);
}

/// What 202 and 409 say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Info {
    /// The size of a pending checkpoint.
    pub size: u64,
    /// The next entry.
    pub next: u64,
    /// The ticket.
    pub ticket: Vec<u8>,
}

impl Info {
    /// The three lines of an answer.
    pub fn parse(reply: &Reply) -> Option<Self> {
        let text = core::str::from_utf8(reply.body()).ok()?;
        let [size, next, ticket, ""] = text.split('\n').collect::<Vec<_>>()[..] else { return None };
        Some(Self { size: decimal(size).ok()?, next: decimal(next).ok()?, ticket: base64(ticket).ok()? })
    }
}
