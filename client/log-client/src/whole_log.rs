//! Which entries of a log are about what, found by reading all of them: for static files, which answer no question.
//!
//! Every chunk hashes to the trusted checkpoint, so that a list which is made here is complete by itself. What is kept of an
//! entry is 16 bytes for each of its subjects: the entries that are asked about are read again, and say what they are about.

use stele_explain::{Exit, Explain, Failure, explain};
use stele_spec::hash::Digest;
use stele_spec::index::{Subject, subjects_of};
use stele_spec::statement::SignedStatement;

use crate::reader::VerifiedLog;

/// The largest tree that is read from its beginning to answer one question; its tiles are some hundred megabytes.
pub const MAX_WHOLE: u64 = 1_000_000;

/// The most subjects of all entries together: 16 bytes for each are held.
const MAX_POINTERS: usize = 8_000_000;

/// The subjects of every entry of a tree.
#[derive(Debug)]
pub struct WholeLog {
    /// The beginning of a subject's hash, and the position; sorted.
    about: Vec<(u64, u64)>,
    releases: Vec<u64>,
}

impl WholeLog {
    /// Reads a tree from its first entry to its last.
    pub fn read(tree: &VerifiedLog<'_>) -> Result<Self, Failure> {
        let (mut about, mut releases) = (Vec::new(), Vec::new());
        let too_long = || TooLong { place: tree.place(), size: tree.size() };
        if tree.size() > MAX_WHOLE {
            return Err(too_long().into());
        }
        for chunk in tree.entries(0) {
            for (position, _, bytes) in chunk?.iter() {
                // Index entries, and statements of a later version, are about nothing that is asked here.
                let Ok(signed) = SignedStatement::parse(bytes) else { continue };
                about.extend(subjects_of(&signed).iter().map(|subject| (short(subject), position)));
                let statement = signed.statement();
                if statement.release().is_some() || !statement.lineage().is_empty() || !statement.packages().is_empty()
                {
                    releases.push(position);
                }
            }
            if about.len() > MAX_POINTERS {
                return Err(too_long().into());
            }
        }
        about.sort_unstable();
        about.dedup();
        Ok(Self { about, releases })
    }

    /// The positions of all entries that may be about a subject, ascending: those that are, and hardly ever another.
    pub fn positions(&self, subject: &Subject) -> impl Iterator<Item = u64> + '_ {
        let wanted = short(subject);
        let from = self.about.partition_point(|(short, _)| *short < wanted);
        let rest = self.about.get(from..).unwrap_or_default();
        rest.iter().take_while(move |(short, _)| *short == wanted).map(|(_, position)| *position)
    }

    /// The positions of all releases, and of the amendments that name parents or a package URL, ascending.
    pub fn releases(&self) -> &[u64] {
        &self.releases
    }
}

/// The first eight bytes of a subject's hash.
fn short(subject: &Subject) -> u64 {
    let digest = Digest::of(subject.to_string().as_bytes());
    digest.as_bytes().iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// A log that is too long to be read for one question.
#[derive(Debug, thiserror::Error)]
#[error("the log at {place} answers no lookups, and its {size} entries are too many to read for one answer")]
pub struct TooLong {
    place: String,
    size: u64,
}

impl Explain for TooLong {
    explain! {
        Self { .. } => Exit::Unavailable, "lookups-missing",
            hint: "ask the log itself, or a mirror that answers its lookups (/lookup/...); name entry:NUMBER where you know it",
            "expected": format!("lookups, or at most {MAX_WHOLE} entries");
    }
}
