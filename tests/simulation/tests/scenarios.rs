//! Every scenario by its name: how logs died, and states that were lost or put back.
#![allow(clippy::unwrap_used, reason = "a test says what failed by failing")]

use stele_simulation::scenario::{SCENARIOS, Scenario};

/// For how many seeds each is played.
const SEEDS: u64 = 4;

fn play(name: &str) {
    let scenario = Scenario::find(name).unwrap();
    for seed in 0..SEEDS {
        let outcome = scenario.play(seed, true);
        let trace = outcome.trace.join("\n");
        assert_eq!(outcome.violation, None, "cargo simulate --scenario {name} --seed {seed} --trace\n{trace}");
    }
}

macro_rules! tests {
    ($($name:ident,)*) => {
        $(#[test]
        fn $name() {
            play(stringify!($name));
        })*

        #[test]
        fn every_scenario_is_a_test() {
            let tested = [$(stringify!($name),)*];
            assert!(SCENARIOS.iter().all(|scenario| tested.contains(&scenario.name)));
            assert_eq!(SCENARIOS.len(), tested.len());
        }
    };
}

tests! {
    signed_an_inconsistent_tree,
    the_database_was_deleted,
    a_bit_flip_in_an_incorporated_entry,
    the_disk_was_full,
    acknowledged_entries_were_lost,
    a_backup_was_restored,
    two_writers,
    the_reload_after_a_fatal_error_failed_as_well,
    a_promise_for_an_unlogged_entry,
    partial_tiles_changed_after_they_were_served,
    a_witness_whose_state_was_put_back,
    a_witness_whose_marks_were_put_back,
    a_witness_whose_mark_was_lost,
    a_witness_whose_state_was_lost,
    journals_were_lost,
    a_manifest_was_lost,
    staged_batches_were_lost,
    a_witness_whose_clock_went_back,
    a_checkpoint_was_put_back,
    a_log_that_lies_about_its_index,
    a_wrong_index_that_the_witnesses_cosign,
    a_monitor_whose_state_was_lost,
    a_mirror_that_loses_its_power,
    a_mirror_that_is_cut_off_in_more_than_a_tile,
    a_log_that_changes_its_key,
    a_log_in_a_bucket_is_taken_over,
    a_standby_takes_over,
}
