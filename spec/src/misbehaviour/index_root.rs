//! An index entry that is not what the log's own entries make of the one before it.

use super::logged::Docket;
use super::{Accused, Kind, KnownKeys, Logged, Unproven, Verdict};
use crate::entry::{Entry, IndexEntry};
use crate::index::{Listing, MAX_BETWEEN, Transition, check_transition, genesis};
use crate::note::VerifierKey;

/// The last index entry that was right, everything after it, and the place where the next one is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongIndexRoot {
    /// From the index entry that is right to the one that is not, without a gap. At position 0 the accused stands alone.
    pub entries: Vec<Logged>,
    /// What the index held under each key that the entries between touch.
    pub transition: Transition,
}

impl WrongIndexRoot {
    pub(super) fn check(&self, keys: &KnownKeys) -> Result<Verdict, Unproven> {
        let shown: Vec<&Logged> = self.entries.iter().collect();
        let docket = Docket::open(&shown, keys)?;
        let (accused, before) = self.entries.split_last().ok_or(Unproven::Empty)?;
        let position = accused.position();
        if let Some(verdict) = self.overdue(docket.log) {
            return Ok(verdict);
        }
        let expected = match before {
            [] if position == 0 => genesis(),
            [] => return Err(Unproven::Order { position, expected: "the index entry before it" }),
            [old, between @ ..] => self.expected(old, between, position)?,
        };
        if accused.entry == expected.to_string().as_bytes() {
            return Err(Unproven::RightIndexRoot { root: expected.root });
        }
        let log = docket.log.name();
        let found = match Entry::parse(&accused.entry) {
            Ok(Entry::Index(found)) if found.position == position => format!("root {}", found.root),
            Ok(Entry::Index(found)) => format!("an index entry for position {}", found.position),
            // Any entry may follow an entry, but the first one of a log, and the last one of a tree, is an index entry.
            _ if position == 0 => "another entry".to_owned(),
            _ if docket.head_of(accused).is_some_and(|head| head.size() == position + 1) => {
                "another entry at the end of the tree".to_owned()
            }
            _ => return Err(Unproven::Order { position, expected: "an index entry, or the last entry of its tree" }),
        };
        let what = format!("{log} says at entry {position} what its own entries before it contradict");
        Ok(Verdict {
            kind: Kind::WrongIndexRoot,
            log: log.clone(),
            accused: vec![Accused::Log(docket.log.clone())],
            what,
            facts: vec![
                ("entry", position.to_string()),
                ("expected", format!("root {}", expected.root)),
                ("found", found),
            ],
        })
    }

    /// Convicts a log that has [`MAX_BETWEEN`] entries after an index entry and then another entry that is none.
    fn overdue(&self, log: &VerifierKey) -> Option<Verdict> {
        let [old, after @ ..] = self.entries.as_slice() else { return None };
        let index = IndexEntry::parse(&old.entry).ok().filter(|index| index.position == old.position())?;
        let follows = |(place, logged): (u64, &Logged)| {
            logged.position() == place && !matches!(Entry::parse(&logged.entry), Ok(Entry::Index(_)))
        };
        let places = index.position.saturating_add(1)..;
        if after.len() != MAX_BETWEEN + 1 || !places.zip(after).all(follows) {
            return None;
        }
        let last = after.last()?.position();
        Some(Verdict {
            kind: Kind::WrongIndexRoot,
            log: log.name().clone(),
            accused: vec![Accused::Log(log.clone())],
            what: format!("{} has more than {MAX_BETWEEN} entries after index entry {}", log.name(), index.position),
            facts: vec![
                ("entry", last.to_string()),
                ("expected", format!("an index entry after at most {MAX_BETWEEN} others")),
                ("found", "another entry".to_owned()),
            ],
        })
    }

    /// The only index entry that can stand at `position`.
    fn expected(&self, old: &Logged, between: &[Logged], position: u64) -> Result<IndexEntry, Unproven> {
        let order = |position, expected| Unproven::Order { position, expected };
        let start = match Entry::parse(&old.entry) {
            Ok(Entry::Index(entry)) if entry.position == old.position() => entry,
            _ => return Err(order(old.position(), "an index entry for its own position")),
        };
        let mut listings = Vec::with_capacity(between.len());
        for logged in between {
            match Entry::parse(&logged.entry) {
                Ok(entry @ Entry::Statement(_)) => listings.push(Listing::of(logged.position(), &entry)),
                _ => return Err(order(logged.position(), "a statement")),
            }
        }
        let next = check_transition(&start, &listings, &self.transition).map_err(Unproven::Transition)?;
        if next.position != position {
            return Err(order(position, "the entry after those shown"));
        }
        Ok(next)
    }
}
