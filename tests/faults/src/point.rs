//! Where a fault can strike: a system call on a file, by its kind, its path and its place among those that are the same.

use std::collections::BTreeMap;
use std::fmt;
use stele_probe::failure::{Failure, Step};

/// So many calls that are the same are points each.
const FIRST: u32 = 4;

/// What a system call does with a file. The numbers are those of `preload.c`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "each is what its word says")]
pub enum Kind {
    Open,
    Write,
    Sync,
    SyncFs,
    Rename,
    Link,
    Unlink,
    Truncate,
    MakeDir,
    Read,
}

/// What happens at a point. The numbers are those of `preload.c`, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// EIO; the call is not made.
    Fails,
    /// ENOSPC; the call is not made.
    NoRoom,
    /// The call is made, then EIO.
    FailsAfterwards,
    /// SIGKILL in place of the call.
    KilledBefore,
    /// SIGKILL after the call.
    KilledAfter,
    /// Half of the bytes.
    Short,
    /// ENOSPC for everything that takes room, from here on.
    Full,
}

/// A system call among those of one piece of work.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// What it does.
    pub kind: Kind,
    /// To which file: below the folder of the program, each number as `#`, each digest and each name by chance as `*`.
    pub path: String,
    /// The how manieth of this kind with this path, from 1.
    pub nth: u32,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::Open,
        Self::Write,
        Self::Sync,
        Self::SyncFs,
        Self::Rename,
        Self::Link,
        Self::Unlink,
        Self::Truncate,
        Self::MakeDir,
        Self::Read,
    ];

    /// The word in a trace.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Write => "write",
            Self::Sync => "sync",
            Self::SyncFs => "syncfs",
            Self::Rename => "rename",
            Self::Link => "link",
            Self::Unlink => "unlink",
            Self::Truncate => "truncate",
            Self::MakeDir => "mkdir",
            Self::Read => "read",
        }
    }
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 7] = [
        Self::Fails,
        Self::NoRoom,
        Self::FailsAfterwards,
        Self::KilledBefore,
        Self::KilledAfter,
        Self::Short,
        Self::Full,
    ];

    /// The head of its column.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fails => "EIO",
            Self::NoRoom => "ENOSPC",
            Self::FailsAfterwards => "done, EIO",
            Self::KilledBefore => "killed",
            Self::KilledAfter => "done, killed",
            Self::Short => "short",
            Self::Full => "full disk",
        }
    }

    /// Whether the process ends there.
    pub fn kills(self) -> bool {
        matches!(self, Self::KilledBefore | Self::KilledAfter)
    }

    /// Whether a call of this kind can end so.
    pub fn applies_to(self, kind: Kind) -> bool {
        match self {
            Self::Short => matches!(kind, Kind::Write | Kind::Read),
            Self::NoRoom => !matches!(kind, Kind::Read | Kind::Unlink),
            Self::Full => matches!(kind, Kind::Open | Kind::Write | Kind::Link | Kind::MakeDir | Kind::Truncate),
            // What was read is lost with the process either way.
            Self::KilledAfter => kind != Kind::Read,
            _ => true,
        }
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.word(), self.path)?;
        if self.nth > 1 { write!(f, " ({})", self.nth) } else { Ok(()) }
    }
}

/// The points of a trace, in the order in which they were met. Of calls that are the same the first four and the last are kept: what is done to one of
/// a hundred files is done to the others.
pub fn points_of(trace: &str) -> Step<Vec<Point>> {
    let mut counts: BTreeMap<(Kind, &str), u32> = BTreeMap::new();
    let mut found = Vec::new();
    for line in trace.lines() {
        let (word, path) = line.split_once(' ').ok_or_else(|| Failure::new(format!("not a call: {line:?}")))?;
        let kind = Kind::ALL.into_iter().find(|kind| kind.word() == word);
        let kind = kind.ok_or_else(|| Failure::new(format!("no kind of call: {line:?}")))?;
        let nth = counts.entry((kind, path)).or_default();
        *nth += 1;
        found.push(Point { kind, path: path.to_owned(), nth: *nth });
    }
    let is_last = |point: &Point| counts.get(&(point.kind, point.path.as_str())) == Some(&point.nth);
    found.retain(|point| point.nth <= FIRST || is_last(point));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_the_last_of_calls_that_are_the_same_are_points() {
        let points = points_of(&format!("{}sync a/#\n", "write a/#\n".repeat(7))).unwrap();
        let told: Vec<String> = points.iter().map(ToString::to_string).collect();
        assert_eq!(told, ["write a/#", "write a/# (2)", "write a/# (3)", "write a/# (4)", "write a/# (7)", "sync a/#"]);
        assert!(points_of("fly a/#\n").is_err() && points_of("write\n").is_err());
    }
}
