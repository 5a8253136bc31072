//! Every case is as it is said, and the chapter has the table.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::LazyLock;
use stele_model::cases::CASES;
use stele_model::explore::{Explored, count};
use stele_model::standby::Standby;
use stele_model::table::{explore_all, render};
use stele_model::witness::Witness;

static EXPLORED: LazyLock<Vec<Explored>> = LazyLock::new(explore_all);

#[test]
fn with_all_rules_nothing_breaks_and_without_one_its_promise_does() {
    for (case, found) in CASES.iter().zip(&*EXPLORED) {
        let broken = found.broken.as_ref().map(|broken| broken.promise);
        assert_eq!(broken, case.breaks, "{}, {}: {:#?}", case.model, case.what, found.broken);
    }
}

#[test]
fn where_nothing_breaks_everything_happens_that_should_be_possible() {
    for (case, found) in CASES.iter().zip(&*EXPLORED).filter(|(case, _)| case.breaks.is_none()) {
        assert_eq!(found.unreached, Vec::<&str>::new(), "{}, {}", case.model, case.what);
    }
}

#[test]
fn a_search_that_keeps_whole_states_counts_as_many() {
    let states = |model, what| {
        let at = CASES.iter().position(|case| (case.model, case.what) == (model, what));
        EXPLORED.get(at.unwrap()).unwrap().states
    };
    assert_eq!(count(&Standby::default()), states("standby", "all rules"));
    assert_eq!(count(&Witness::default()), states("witness", "all rules"));
}

#[test]
fn the_chapter_has_the_table_that_the_program_prints() {
    let table = render(&EXPLORED);
    let chapter = include_str!("../README.md");
    assert!(chapter.contains(&table), "put into README.md what `cargo run -p stele-model` prints:\n{table}");
}
