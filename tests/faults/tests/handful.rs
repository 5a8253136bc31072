//! A handful of points, so that what strikes them is known to work. All of them: `cargo syscall-faults`.
#![allow(clippy::unwrap_used, reason = "a story ends where it goes wrong")]

use stele_faults::clocks::Clocks;
use stele_faults::log::Log;
use stele_faults::point::{Kind, Outcome, Point};
use stele_faults::preload;
use stele_faults::subject::{Subject as _, Survived};
use stele_faults::witness::Witness;
use stele_probe::failure::Step;

fn point(kind: Kind, path: &str) -> Point {
    Point { kind, path: path.to_owned(), nth: 1 }
}

#[test]
fn a_log_whose_system_calls_fail_stops_and_one_that_is_killed_or_cut_short_loses_nothing() -> Step {
    let folder = tempfile::tempdir().unwrap();
    let library = match preload::build(folder.path()) {
        Ok(library) => library,
        Err(failure) => {
            eprintln!("not tested here: {failure}");
            return Ok(());
        }
    };
    let mut log = Log::start(&library)?;
    let head = point(Kind::Rename, "data/lock/signed-head");
    let tile = point(Kind::Link, "data/public/tile/#/#.p/#");
    let first = point(Kind::Write, "data/.tmp/*");
    let struck = [
        (&head, Outcome::FailsAfterwards),
        (&head, Outcome::KilledAfter),
        (&tile, Outcome::KilledBefore),
        (&first, Outcome::Short),
    ];
    let struck = struck.map(|(point, outcome)| log.strike("batch", point, outcome));
    let [failed, killed, killed_before, short] = struck;
    assert!(matches!(failed?, Survived::Stopped(_)), "the tree head is there, and the log was told that it is not");
    assert_eq!((killed?, killed_before?), (Survived::StartedAgain, Survived::StartedAgain));
    assert_eq!(short?, Survived::WentOn);
    Ok(())
}

#[test]
fn a_witness_whose_clock_jumps_under_it_dates_nothing_back_and_nothing_days_ahead() -> Step {
    let folder = tempfile::tempdir().unwrap();
    match preload::build(folder.path()) {
        Ok(library) => Witness::start(&library)?.clock_jumps(),
        Err(failure) => {
            eprintln!("not tested here: {failure}");
            Ok(())
        }
    }
}

#[test]
fn clocks_of_log_witness_and_monitor_jump_in_turn_and_no_tree_head_is_older_than_the_one_before() -> Step {
    let folder = tempfile::tempdir().unwrap();
    let mut clocks = match preload::build(folder.path()) {
        Ok(library) => Clocks::start(&library)?,
        Err(failure) => {
            eprintln!("not tested here: {failure}");
            return Ok(());
        }
    };
    clocks.of_the_monitor()?;
    clocks.of_the_log()?;
    // Last: it ends with a time that has not come.
    clocks.of_the_witness()?;
    clocks.check()
}
