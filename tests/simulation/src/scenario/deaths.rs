//! How logs died.

use super::{expect, publish};
use crate::disk_state::Tree;
use crate::log_node::{DATA, LogNode, Started};
use crate::model::Kept;
use crate::pool::{CLAIMS, pool};
use crate::world::World;
use std::time::Duration;

/// The bytes of a file on the first log's disk, changed.
fn flip(world: &mut World, path: &str) -> Kept {
    let path = format!("{DATA}/public/{path}");
    let Some(Tree::File(bytes)) = world.logs[0].disk.export(&path) else {
        return expect(false, "a file is where it is looked for", path);
    };
    let mut bytes = bytes.to_vec();
    let at = world.random.index(bytes.len());
    bytes[at] ^= 1 << world.random.below(8);
    world.note(format!("a bit of {path} flips, in byte {at}"));
    world.logs[0].disk.import(&path, Some(&Tree::File(bytes.into())));
    // From here on the disk holds what the log did not write.
    world.model.forget_chain();
    Ok(())
}

/// Lets the first log grow to so many entries.
pub(super) fn grow(world: &mut World, size: u64) -> Kept {
    for statement in CLAIMS..pool().len() - 1 {
        if world.model.certified_size() >= size {
            return Ok(());
        }
        world.submit(0, statement)?;
        if statement % 4 == 0 {
            world.settle()?;
        }
    }
    world.settle()?;
    expect(world.model.certified_size() >= size, "a log grows", format!("{} of {size}", world.model.certified_size()))
}

fn is_stopped(world: &World, log: usize, code: &'static str) -> Kept {
    let found = world.logs[log].stopped();
    expect(found == Some(code), "the writer stops for good", format!("expected {code}, found {found:?}"))
}

fn is_refused(world: &World, log: usize) -> Kept {
    let refused = world.logs[log].refused;
    let is_running = world.logs[log].process.is_some();
    expect(refused.is_some() && !is_running, "a start refuses", format!("{refused:?}"))
}

pub(super) fn signed_an_inconsistent_tree(world: &mut World) -> Kept {
    grow(world, 257)?;
    let size = world.model.certified_size();
    // The hash of the first 256 entries: what every later head rests on.
    flip(world, "tile/1/000.p/1")?;
    world.submit(0, 0)?;
    world.settle()?;
    is_stopped(world, 0, "self-check-failed")?;
    expect(world.model.certified_size() == size, "nothing was signed", format!("{size}"))
}

pub(super) fn the_database_was_deleted(world: &mut World) -> Kept {
    publish(world, 0, [0, CLAIMS])?;
    let size = world.model.certified_size();
    world.end_log(0, false);
    world.model.forget_chain();
    let whole = world.logs[0].disk.export(DATA);
    for path in [format!("{DATA}/lock"), format!("{DATA}/public"), format!("{DATA}/public/tile")] {
        world.logs[0].disk.import(&path, None);
        world.start_log(0)?;
        is_refused(world, 0)?;
        world.end_log(0, false);
        world.logs[0].disk.import(DATA, whole.as_ref());
    }
    // An empty disk looks like a new log. The witnesses know better.
    world.logs[0].disk.import(DATA, None);
    world.start_log(0)?;
    world.settle()?;
    world.submit(0, CLAIMS + 1)?;
    world.settle()?;
    is_stopped(world, 0, "backup-restored")?;
    expect(world.model.certified_size() == size, "nothing was signed", format!("{size}"))
}

pub(super) fn a_bit_flip_in_an_incorporated_entry(world: &mut World) -> Kept {
    publish(world, 0, [0, 1, CLAIMS])?;
    let size = world.model.certified_size();
    world.end_log(0, false);
    flip(world, &format!("tile/entries/000.p/{size}"))?;
    world.start_log(0)?;
    is_refused(world, 0)
}

pub(super) fn the_disk_was_full(world: &mut World) -> Kept {
    publish(world, 0, [0])?;
    for round in 0..6 {
        let statement = CLAIMS + round;
        // Full before the batch, in its midst, or before its checkpoint.
        world.submit(0, statement)?;
        for _ in 0..round {
            world.pump(0)?;
            (0..3).for_each(|address| _ = world.ask(0, address));
            world.pass_to_next(0);
        }
        world.logs[0].disk.set_full(true);
        world.note("the disk is full");
        for _ in 0..20 {
            world.pump(0)?;
            (0..3).for_each(|address| _ = world.ask(0, address));
            world.pass_to_next(0);
            world.check()?;
        }
        expect(world.logs[0].stopped().is_none(), "a full disk stops no writer", format!("round {round}"))?;
        world.logs[0].disk.set_full(false);
        world.settle()?;
        publish(world, 0, [statement])?;
        let known = world.model.acknowledged().values().any(|bytes| *bytes == pool()[statement].bytes);
        expect(known, "the log goes on when there is room", format!("round {round}"))?;
    }
    world.works()
}

pub(super) fn acknowledged_entries_were_lost(world: &mut World) -> Kept {
    for round in 0..8 {
        let before = world.model.acknowledged().len();
        let statement = [0, 1, 3, 5, 6, 8, CLAIMS, CLAIMS + 1][round];
        world.submit(0, statement)?;
        // Until the answer, and not as far as any sync.
        for _ in 0..60 {
            world.pump(0)?;
            (0..3).for_each(|address| _ = world.ask(0, address));
            if world.model.acknowledged().len() > before {
                break;
            }
            world.pass(Duration::from_millis(5));
        }
        expect(world.model.acknowledged().len() > before, "a statement is answered", format!("round {round}"))?;
        world.end_log(0, true);
        world.start_log(0)?;
        world.settle()?;
    }
    world.works()
}

pub(super) fn a_backup_was_restored(world: &mut World) -> Kept {
    publish(world, 0, [0])?;
    let copy = world.logs[0].disk.export(DATA).expect("there are data");
    publish(world, 0, [CLAIMS, 1])?;
    let size = world.model.certified_size();
    // One witness of three is away: any two know of the newest head.
    let away = world.random.index(3);
    world.partitioned.insert((0, away));
    world.restore_log(&copy)?;
    for statement in [CLAIMS + 1, CLAIMS + 2] {
        world.settle()?;
        world.submit(0, statement)?;
    }
    world.settle()?;
    is_stopped(world, 0, "backup-restored")?;
    expect(world.model.certified_size() == size, "nothing was signed", format!("{size}"))
}

pub(super) fn two_writers(world: &mut World) -> Kept {
    publish(world, 0, [0, CLAIMS])?;
    // On the same disk the lock refuses the second.
    let clock = world.logs[0].clock.clone();
    let mut second = LogNode::new(world.logs[0].disk.clone(), None, clock, &world.policy);
    let started = second.start(0);
    expect(matches!(started, Started::Failed), "one process writes", format!("{started:?}"))?;
    world.begin_second_writer()?;
    for round in 0..4 {
        for log in [0, 1] {
            world.submit(log, CLAIMS + 1 + 2 * round + log)?;
        }
        world.settle()?;
    }
    let stopped: Vec<_> = world.logs.iter().filter_map(LogNode::stopped).collect();
    expect(stopped.contains(&"backup-restored"), "one of two writers stops", format!("{stopped:?}"))
}

pub(super) fn the_reload_after_a_fatal_error_failed_as_well(world: &mut World) -> Kept {
    publish(world, 0, [0])?;
    for (round, operation) in (0..90).step_by(9).enumerate() {
        let is_kept = world.random.bit();
        world.logs[0].disk.fail_sync(0, is_kept);
        world.submit(0, CLAIMS + round)?;
        world.settle()?;
        let stopped = world.logs[0].stopped();
        expect(stopped.is_some(), "after a sync that failed the writer stops", format!("{operation}"))?;
        world.submit(0, CLAIMS + 20)?;
        world.settle()?;
        world.end_log(0, true);
        world.logs[0].disk.cut_after(operation);
        world.start_log(0)?;
        let loses_power = world.random.bit();
        world.end_log(0, loses_power);
        world.start_log(0)?;
        world.settle()?;
    }
    world.works()
}

pub(super) fn a_promise_for_an_unlogged_entry(world: &mut World) -> Kept {
    publish(world, 0, [0])?;
    for round in 0..6 {
        let statement = CLAIMS + round / 2;
        // In one batch, while it is written, and when it is published.
        world.submit(0, statement)?;
        world.submit(0, statement)?;
        for _ in 0..round {
            world.pump(0)?;
            world.submit(0, statement)?;
        }
        if world.random.bit() {
            let loses_power = world.random.bit();
            world.end_log(0, loses_power);
            world.start_log(0)?;
        }
        world.settle()?;
        publish(world, 0, [statement])?;
    }
    let entries = world.model.certified().and_then(|head| world.model.entries(head)).unwrap_or_default();
    for round in 0..3 {
        let bytes = &pool()[CLAIMS + round].bytes;
        let count = entries.iter().filter(|entry| **entry == *bytes).count();
        expect(count == 1, "the same bytes are one entry", format!("{count} of statement {round}"))?;
    }
    world.works()
}

pub(super) fn partial_tiles_changed_after_they_were_served(world: &mut World) -> Kept {
    for statement in (CLAIMS..pool().len() - 1).step_by(4) {
        let together = 1 + world.random.below(4) as usize;
        for statement in statement..(statement + together).min(pool().len() - 1) {
            world.submit(0, statement)?;
        }
        world.settle()?;
        if world.random.percent(5) {
            let loses_power = world.random.bit();
            world.end_log(0, loses_power);
            world.start_log(0)?;
            world.settle()?;
        }
        if world.random.percent(20) {
            world.pass(Duration::from_secs(1800));
        }
    }
    grow(world, 257)?;
    world.works()
}
