//! The first seeds, and what a run is.
#![allow(clippy::unwrap_used, reason = "a test says what failed by failing")]

use std::time::Duration;
use stele_simulation::explore::{Order, explore};
use stele_simulation::fault::Fault;
use stele_simulation::run::{Limits, run};

#[test]
fn every_promise_is_kept_under_the_first_seeds_and_every_kind_of_fault_happens() {
    let report = explore(&Order { from: 0, runs: 300, jobs: 2, limits: Limits::default() }, || false);
    assert!(report.is_good(), "{}", report.to_text(Duration::from_secs(1)));
    for fault in Fault::ALL {
        assert!(report.count_of(*fault) > 0, "{} never happened", fault.word());
    }
    let events = [
        ("entries acknowledged", 700),
        ("cosignatures", 1000),
        ("cosignatures of index cosigners", 1000),
        ("readers' questions", 1000),
        ("wrong indexes convicted", 50),
        ("entries told by monitors", 200),
        ("copies of mirrors read", 200),
        ("fences of standbys", 20),
        ("take-overs", 20),
    ];
    for (event, least) in events {
        assert!(report.count_of_event(event) > least, "{event}: {}", report.count_of_event(event));
    }
}

#[test]
fn one_seed_makes_one_run_and_another_seed_another() {
    let seen = |seed| {
        let outcome = run(seed, &Limits::default(), true);
        (outcome.digest, outcome.trace)
    };
    for seed in 0..12 {
        assert_eq!(seen(seed), seen(seed), "seed {seed}");
        assert_ne!(seen(seed).0, seen(seed + 1).0);
    }
}
