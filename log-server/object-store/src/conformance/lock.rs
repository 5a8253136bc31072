//! The rows of a lock.

use super::{Outcome, expect};
use crate::lock::{Lock, LockError, LockErrorKind};
use crate::record::{Record, Run, Step};
use std::sync::Barrier;
use stele_spec::checkpoint::Origin;

/// Opens the lock of a row, by its number, for a log and a run. Rows know nothing of each other; those of one row share what is stored.
pub type Open<'a> = &'a (dyn Fn(u64, &Origin, Run) -> Box<dyn Lock> + Sync);

/// What a row is given.
struct Place<'a> {
    open: Open<'a>,
    row: u64,
    racers: u8,
    origin: Origin,
}

type Check = fn(&Place<'_>) -> Result<(), String>;

/// Every row.
const ROWS: &[(&str, Check)] = &[
    ("a new lock holds nothing, and a tree head needs a fence before it", a_new_lock),
    ("a tree head is the newest record, as it was appended", a_head),
    ("a fence keeps the newest tree head and begins an epoch", a_fence),
    ("a run that was fenced appends nothing any more", a_fenced_run),
    ("what is appended after an older record is refused, and the newest stays", an_older_record),
    ("what is appended after a record that the lock does not hold is refused", another_history),
    ("the newest of many records is found by a run that knows none", many_records),
    ("the fence of any record is found", fences_of_records),
    ("another log's lock is refused", another_log),
    ("of many runs that fence at once one wins, and no tree head is lost", racing_fences),
];

/// Runs every row. That of the race has so many runs at once.
pub fn run(open: Open<'_>, racers: u8) -> Vec<Outcome> {
    let Ok(origin) = "log.example/conformance".parse::<Origin>() else { return Vec::new() };
    let check = |(row, (name, check)): (u64, &(&'static str, Check))| {
        let place = Place { open, row, racers, origin: origin.clone() };
        Outcome { row: name, failed: check(&place).err() }
    };
    (0_u64..).zip(ROWS).map(check).collect()
}

impl Place<'_> {
    fn open(&self, run: u8) -> Box<dyn Lock> {
        (self.open)(self.row, &self.origin, Run([run; 16]))
    }

    /// A lock with one fence, of run 1.
    fn fenced(&self) -> Result<(Box<dyn Lock>, Record), String> {
        let mut lock = self.open(1);
        let fence = lock.append(None, fence("1")).map_err(shown)?;
        Ok((lock, fence))
    }
}

fn fence(writer: &str) -> Step {
    Step::Fence { writer: writer.to_owned() }
}

fn head(number: u64) -> Step {
    Step::Head { staged: format!("{number:020}"), note: format!("log\n{number}\n").into_bytes() }
}

fn shown(error: LockError) -> String {
    format!("{:?}: {error}", error.kind())
}

fn is_kind(found: Result<Record, LockError>, expected: LockErrorKind) -> Result<(), String> {
    match found {
        Err(error) if error.kind() == expected => Ok(()),
        found => Err(format!("expected {expected:?}, found {found:?}")),
    }
}

fn is_newest(lock: &dyn Lock, expected: &Record) -> Result<(), String> {
    let newest = lock.newest().map_err(shown)?;
    expect(newest.as_ref() == Some(expected), || format!("expected {expected:?}, found {newest:?}"))
}

fn a_new_lock(at: &Place<'_>) -> Result<(), String> {
    let mut lock = at.open(1);
    let newest = lock.newest().map_err(shown)?;
    expect(newest.is_none(), || format!("{newest:?}"))?;
    is_kind(lock.append(None, head(1)), LockErrorKind::Failed)?;
    let newest = lock.newest().map_err(shown)?;
    expect(newest.is_none(), || format!("{newest:?}"))
}

fn a_head(at: &Place<'_>) -> Result<(), String> {
    let (mut lock, fence) = at.fenced()?;
    is_newest(&*lock, &fence)?;
    let first = lock.append(Some(&fence), head(1)).map_err(shown)?;
    let second = lock.append(Some(&first), head(2)).map_err(shown)?;
    is_newest(&*lock, &second)?;
    let newest = at.open(2).newest().map_err(shown)?;
    let note = newest.as_ref().and_then(Record::head);
    expect(note == Some(b"log\n2\n") && newest.as_ref().and_then(Record::staged).is_some(), || format!("{newest:?}"))
}

fn a_fence(at: &Place<'_>) -> Result<(), String> {
    let (mut lock, first) = at.fenced()?;
    let signed = lock.append(Some(&first), head(1)).map_err(shown)?;
    let taken = at.open(2).append(Some(&signed), fence("2")).map_err(shown)?;
    is_newest(&*lock, &taken)?;
    let kept = (taken.epoch(), taken.head(), taken.writer());
    expect(kept == (2, Some(b"log\n1\n"), Some("2")), || format!("{taken:?}"))
}

fn a_fenced_run(at: &Place<'_>) -> Result<(), String> {
    let (mut slow, first) = at.fenced()?;
    let mut quick = at.open(2);
    let taken = quick.append(Some(&first), fence("2")).map_err(shown)?;
    is_kind(slow.append(Some(&first), head(1)), LockErrorKind::Overtaken)?;
    // Also where it has seen the fence.
    is_kind(slow.append(Some(&taken), head(1)), LockErrorKind::Failed)?;
    let signed = quick.append(Some(&taken), head(2)).map_err(shown)?;
    is_kind(slow.append(Some(&first), head(1)), LockErrorKind::Overtaken)?;
    is_newest(&*slow, &signed)
}

fn an_older_record(at: &Place<'_>) -> Result<(), String> {
    let (mut lock, first) = at.fenced()?;
    let signed = lock.append(Some(&first), head(1)).map_err(shown)?;
    is_kind(lock.append(Some(&first), head(2)), LockErrorKind::Overtaken)?;
    is_kind(lock.append(None, fence("again")), LockErrorKind::Overtaken)?;
    is_newest(&*lock, &signed)
}

fn another_history(at: &Place<'_>) -> Result<(), String> {
    let (mut lock, first) = at.fenced()?;
    let signed = lock.append(Some(&first), head(1)).map_err(shown)?;
    let other = Record::after(Some(&first), &at.origin, Run([1; 16]), head(2)).map_err(|error| error.to_string())?;
    is_kind(lock.append(Some(&other), head(3)), LockErrorKind::Overtaken)?;
    is_newest(&*lock, &signed)
}

fn many_records(at: &Place<'_>) -> Result<(), String> {
    let (mut lock, mut last) = at.fenced()?;
    for number in 1..40 {
        last = lock.append(Some(&last), head(number)).map_err(shown)?;
        if [2, 3, 4, 7, 8, 31, 32].contains(&last.number()) {
            is_newest(&*at.open(2), &last)?;
        }
    }
    is_newest(&*at.open(2), &last)
}

fn fences_of_records(at: &Place<'_>) -> Result<(), String> {
    let (mut lock, mut last) = at.fenced()?;
    let mut fence_of_each = vec![last.clone()];
    for (run, heads) in [(1, 3), (2, 0), (3, 1), (4, 6)] {
        let mut next = at.open(run);
        last = next.append(Some(&last), fence(&run.to_string())).map_err(shown)?;
        let fence = last.clone();
        fence_of_each.push(fence.clone());
        for number in 0..heads {
            last = next.append(Some(&last), head(number)).map_err(shown)?;
            fence_of_each.push(fence.clone());
        }
        lock = next;
    }
    for (number, fence) in (1..).zip(fence_of_each) {
        let record = lock.record(number).map_err(shown)?.ok_or("no record")?;
        let found = lock.fence_of(&record).map_err(shown)?;
        expect(found.as_ref() == Some(&fence), || format!("of {number}: {found:?}"))?;
    }
    let beyond = lock.record(last.number() + 1).map_err(shown)?;
    expect(beyond.is_none(), || format!("{beyond:?}"))
}

fn another_log(at: &Place<'_>) -> Result<(), String> {
    at.fenced()?;
    let other: Origin = "log.example/another".parse().map_err(|_| "an origin")?;
    let mut lock = (at.open)(at.row, &other, Run([2; 16]));
    let newest = lock.newest();
    expect(newest.as_ref().is_err_and(|error| error.kind() == LockErrorKind::Damaged), || format!("{newest:?}"))?;
    let appended = lock.append(None, fence("2"));
    expect(appended.is_err(), || format!("{appended:?}"))
}

fn racing_fences(at: &Place<'_>) -> Result<(), String> {
    let (mut lock, first) = at.fenced()?;
    let mut last = lock.append(Some(&first), head(1)).map_err(shown)?;
    for round in 0..4 {
        let start = Barrier::new(usize::from(at.racers));
        let race = |racer: u8| {
            let mut lock = at.open(10 + racer);
            start.wait();
            match lock.append(Some(&last), fence("racer")) {
                Ok(record) => Ok(Some(record)),
                Err(error) if error.kind() == LockErrorKind::Overtaken => Ok(None),
                Err(error) => Err(shown(error)),
            }
        };
        let ended: Vec<Result<Option<Record>, String>> = std::thread::scope(|scope| {
            let race = &race;
            let all: Vec<_> = (0..at.racers).map(|racer| scope.spawn(move || race(racer))).collect();
            all.into_iter().map(|one| one.join().unwrap_or_else(|_| Err("a racer panicked".to_owned()))).collect()
        });
        let winners: Vec<Record> = ended.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
        let [winner] = &winners[..] else { return Err(format!("round {round}: {} winners", winners.len())) };
        expect(winner.head() == Some(b"log\n1\n"), || format!("{winner:?}"))?;
        is_newest(&*lock, winner)?;
        last = winner.clone();
    }
    Ok(())
}
