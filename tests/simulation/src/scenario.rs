//! Named scenarios: each way in which a log is known to have died, and each loss of state that an operator met.

mod deaths;
mod lies;
mod others;
mod states;

use crate::model::{Kept, broken};
use crate::plan::Plan;
use crate::run::{Outcome, script};
use crate::world::World;

/// A scenario.
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// What happens in it.
    pub about: &'static str,
    plan: fn() -> Plan,
    script: fn(&mut World) -> Kept,
}

impl Scenario {
    /// The scenario of a name.
    pub fn find(name: &str) -> Option<&'static Self> {
        SCENARIOS.iter().find(|scenario| scenario.name == name)
    }

    /// Plays it; the seed decides what is kept of what was not synced, and whatever else is left open.
    pub fn play(&self, seed: u64, is_traced: bool) -> Outcome {
        let plan = Plan { touches_states: true, ..(self.plan)() };
        script(seed, plan, is_traced, self.script)
    }
}

macro_rules! scenarios {
    ($($module:ident::$name:ident ($witnesses:literal, $quorum:literal $(; $with:ident)*) $about:literal,)*) => {
        /// Every scenario.
        pub const SCENARIOS: &[Scenario] = &[$(Scenario {
            name: stringify!($name),
            about: $about,
            plan: || Plan::calm($witnesses, $quorum, 0)$(.$with())*,
            script: $module::$name,
        },)*];
    };
}

scenarios! {
    deaths::signed_an_inconsistent_tree(3, 2) "A tile that the next head rests on has changed on the disk: nothing is signed.",
    deaths::the_database_was_deleted(3, 2) "Signed head, public files, or everything is deleted: no start, or the witnesses remember.",
    deaths::a_bit_flip_in_an_incorporated_entry(3, 2) "A bit of an entry flips: the next start refuses.",
    deaths::the_disk_was_full(3, 2) "The disk fills up at every point of a batch: the log goes on when there is room.",
    deaths::acknowledged_entries_were_lost(3, 2) "The power goes right after an answer: what was answered is there.",
    deaths::a_backup_was_restored(3, 2) "An older data folder is put back: nothing is signed.",
    deaths::two_writers(3, 2) "A copy of the disk is started beside the log: one history has a quorum.",
    deaths::the_reload_after_a_fatal_error_failed_as_well(3, 2) "A sync fails, then the start fails at every operation: the log does not carry on, and the next start does.",
    deaths::a_promise_for_an_unlogged_entry(3, 2) "The same bytes come again and again, across crashes: one entry, and every proof is for it.",
    deaths::partial_tiles_changed_after_they_were_served(1, 1) "A log grows over a tile's edge, and old partial tiles are removed: no path has two contents.",
    states::a_witness_whose_state_was_put_back(3, 2) "States of an older copy, marks as they are: no start.",
    states::a_witness_whose_marks_were_put_back(3, 2) "Marks of an older copy, states as they are: no start.",
    states::a_witness_whose_mark_was_lost(3, 2) "The marks are deleted: no start.",
    states::a_witness_whose_state_was_lost(3, 2) "The states are deleted: no start.",
    states::journals_were_lost(3, 2) "The journals of the states are deleted: no start, unless everything was in its file.",
    states::a_manifest_was_lost(3, 2) "A manifest is deleted: the log starts, says so, and takes it back.",
    states::staged_batches_were_lost(3, 2) "What is staged is deleted after a loss of power: a start finds everything, or refuses.",
    states::a_witness_whose_clock_went_back(1, 1) "A witness's clock is set back: it cosigns nothing until the time has come.",
    states::a_checkpoint_was_put_back(3, 2) "An older public checkpoint is put back: readers who know more refuse it, and the log publishes the newest again.",
    lies::a_log_that_lies_about_its_index(3, 2; with_index) "Trees with wrong indexes are signed with the log's key: none is cosigned nor believed, each leaves evidence, and the log goes on.",
    lies::a_wrong_index_that_the_witnesses_cosign(3, 2; with_index) "Witnesses cosign a tree whose index is wrong: without the index cosigner nobody believes it.",
    others::a_monitor_whose_state_was_lost(3, 2; with_monitor) "A monitor's machine loses its power, its state is lost: what it covered it has told.",
    others::a_mirror_that_loses_its_power(3, 2; with_mirror) "A mirror's machine loses its power at every point of a copy: what it serves it holds.",
    others::a_mirror_that_is_cut_off_in_more_than_a_tile(1, 1; with_mirror) "A mirror's machine loses its power at any operation of a first copy of more than 256 entries: it has everything then.",
    others::a_log_that_changes_its_key(3, 2; with_keys) "A log signs with two keys, its witnesses learn the second, the first is retired.",
    others::a_log_in_a_bucket_is_taken_over(3, 2; with_bucket) "Two writers on one bucket: the one that started last signs, the other stops, and their heads are one chain.",
    others::a_standby_takes_over(3, 2; with_standby) "A writer's machine dies at any request, or the writer is silent: the standby goes on from all that was signed.",
}

/// What a scenario expects.
fn expect(is_so: bool, promise: &'static str, seen: impl Into<String>) -> Kept {
    if is_so { Ok(()) } else { broken(promise, seen) }
}

/// Submits these statements of the pool to a log, one batch each, and lets each be published.
fn publish(world: &mut World, log: usize, statements: impl IntoIterator<Item = usize>) -> Kept {
    for statement in statements {
        world.submit(log, statement)?;
        world.settle()?;
    }
    Ok(())
}
