//! The checks of a report, in their order. Any failure is a rejection of the whole.

use core::ops::Range;

use super::error::RefusedCoverage;
use super::report::{Coverage, LogCoverage, SeenHead, SeenList};
use crate::checkpoint::{Checkpoint, Origin};
use crate::index::Pointer;
use crate::merkle::Frontier;
use crate::nameproof::{Answer, Complete, Kept, NameProof, check_under};
use crate::policy::{Policy, Trusted};

/// What a report shows of one log. Only a check makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoveredLog {
    origin: Origin,
    heads: Vec<CoveredHead>,
    lists: Vec<Complete<Vec<Pointer>>>,
}

/// A tree head that the policy accepts, and that continues the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoveredHead {
    head: Trusted<Checkpoint>,
    entries: Range<u64>,
}

impl CoveredLog {
    /// The log.
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The tree heads, each the beginning of the next: proven.
    pub fn heads(&self) -> &[CoveredHead] {
        &self.heads
    }

    /// What the index of the log lists under subjects, as of one of the heads: proven, without the pointers.
    ///
    /// [`Complete::kept`] has the count and the frontier, from which anyone can go on.
    pub fn lists(&self) -> &[Complete<Vec<Pointer>>] {
        &self.lists
    }
}

impl CoveredHead {
    /// The tree head.
    pub const fn head(&self) -> &Trusted<Checkpoint> {
        &self.head
    }

    /// The entries that are said to have been read while this was the newest head: a claim. They are entries of its tree.
    pub const fn entries(&self) -> &Range<u64> {
        &self.entries
    }
}

/// Checks that the tree heads of a report are cosigned and continue each other, that its ranges are possible, and that its lists are
/// what the log's index has. That anything was read is not proven.
pub fn check(coverage: &Coverage, policy: &Policy) -> Result<Vec<CoveredLog>, RefusedCoverage> {
    let logs: Vec<CoveredLog> = coverage.logs.iter().map(|log| check_log(log, policy)).collect::<Result<_, _>>()?;
    if logs.is_empty() {
        return Err(RefusedCoverage::Nothing);
    }
    ascending("logs", logs.iter().map(|log| log.origin.as_str().to_owned()))?;
    Ok(logs)
}

fn check_log(log: &LogCoverage, policy: &Policy) -> Result<CoveredLog, RefusedCoverage> {
    let mut heads: Vec<CoveredHead> = Vec::new();
    for seen in &log.heads {
        let head = check_head(seen, heads.last(), policy)?;
        heads.push(head);
    }
    let origin = heads.first().ok_or(RefusedCoverage::Nothing)?.head.value().origin().clone();
    let unused = (0u64..)
        .zip(log.heads.iter().zip(&heads))
        .find(|(at, (seen, _))| !seen.index.is_empty() && log.lists.iter().all(|list| list.head != *at));
    if let Some((_, (_, head))) = unused {
        return Err(RefusedCoverage::UnusedIndex { size: head.head.value().size() });
    }
    ascending("lists", log.lists.iter().map(|list| list.subject.to_string()))?;
    let list = |list: &SeenList| check_list(list, &log.heads, &heads);
    let lists = log.lists.iter().map(list).collect::<Result<_, _>>()?;
    Ok(CoveredLog { origin, heads, lists })
}

fn check_head(seen: &SeenHead, before: Option<&CoveredHead>, policy: &Policy) -> Result<CoveredHead, RefusedCoverage> {
    let head = policy.verify_note(&seen.note).map_err(RefusedCoverage::Checkpoint)?;
    let (size, from) = (head.value().size(), before.map_or(0, |before| before.entries.end));
    match before.map(|before| before.head.value()) {
        Some(before) if before.origin() != head.value().origin() => {
            let (expected, found) = (before.origin().clone(), head.value().origin().clone());
            return Err(RefusedCoverage::OtherLog { expected, found });
        }
        Some(before) if before.size() >= size => {
            return Err(RefusedCoverage::NotLarger { before: before.size(), found: size });
        }
        Some(before) => seen
            .path
            .check(before.size(), before.root(), size, head.value().root())
            .map_err(|error| RefusedCoverage::Inconsistent { older: before.size(), newer: size, error })?,
        // The first continues the empty tree, by an empty path.
        None => seen
            .path
            .check(0, crate::merkle::empty_root(), size, head.value().root())
            .map_err(|error| RefusedCoverage::Inconsistent { older: 0, newer: size, error })?,
    }
    if seen.read < from || seen.read > size {
        return Err(RefusedCoverage::Range { from, read: seen.read, size });
    }
    Ok(CoveredHead { head, entries: from..seen.read })
}

fn check_list(
    list: &SeenList,
    seen: &[SeenHead],
    heads: &[CoveredHead],
) -> Result<Complete<Vec<Pointer>>, RefusedCoverage> {
    let subject = || list.subject.clone();
    let at = usize::try_from(list.head).ok();
    let (seen, head) = at
        .and_then(|at| seen.get(at).zip(heads.get(at)))
        .ok_or_else(|| RefusedCoverage::NoHead { subject: subject(), found: list.head })?;
    let proof = NameProof::assemble(&list.subject, &seen.index, &list.answer, &seen.note)
        .map_err(|error| RefusedCoverage::Answer { subject: subject(), error })?;
    let count = match proof.answer() {
        Answer::Listed { value, .. } => value.count,
        Answer::Absent(_) => 0,
    };
    let frontier = Frontier::from_parts(count, list.peaks.clone());
    let kept = frontier.and_then(|frontier| Kept::new(head.head.value().size(), frontier));
    let kept = kept.ok_or_else(|| RefusedCoverage::Peaks { subject: subject() })?;
    check_under(&proof, &list.subject, &kept, head.head.clone())
        .map_err(|error| RefusedCoverage::List { subject: subject(), error: Box::new(error) })
}

fn ascending(part: &'static str, names: impl Iterator<Item = String>) -> Result<(), RefusedCoverage> {
    let mut before: Option<String> = None;
    for name in names {
        if before.as_ref().is_some_and(|before| *before >= name) {
            return Err(RefusedCoverage::Order { part });
        }
        before = Some(name);
    }
    Ok(())
}
