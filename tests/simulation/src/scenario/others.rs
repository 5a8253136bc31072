//! Who is there beside log and witnesses; a log in a bucket; a log that changes its key.

use super::deaths::grow;
use super::{expect, publish};
use crate::disk::SeededDisk;
use crate::log_node::Keys;
use crate::model::Kept;
use crate::monitor_node::STATE;
use crate::pool::CLAIMS;
use crate::standby_node::{StandbyProcess, Stood};
use crate::world::World;
use stele_log_storage_objects::lock_watch::Why;
use stele_spec::tile::TILE_WIDTH;

fn covered(world: &World) -> Option<u64> {
    world.monitor.as_ref().and_then(|monitor| monitor.covered())
}

pub(super) fn a_monitor_whose_state_was_lost(world: &mut World) -> Kept {
    for round in 0..8 {
        publish(world, 0, [CLAIMS + 2 * round, CLAIMS + 2 * round + 1])?;
        // What is new is read while the power goes, at any point of a round.
        let operations = world.random.below(160);
        if let Some(monitor) = &mut world.monitor {
            monitor.disk.cut_after(operations);
        }
        world.watch(0)?;
        if let Some(monitor) = &mut world.monitor {
            monitor.end(&mut world.random, true);
        }
        world.watch(0)?;
        let size = world.model.certified_size();
        expect(covered(world) == Some(size), "a monitor looks at everything", format!("{:?}", covered(world)))?;
        if round % 3 == 2
            && let Some(monitor) = &mut world.monitor
        {
            monitor.end(&mut world.random, false);
            monitor.disk.import(STATE, None);
        }
    }
    world.works()
}

pub(super) fn a_mirror_that_loses_its_power(world: &mut World) -> Kept {
    for round in 0..8 {
        publish(world, 0, [[0, 1, 5, 6][round % 4], CLAIMS + round])?;
        let operations = world.random.below(60);
        world.witnesses[2].state_disk.cut_after(operations);
        world.mirror(0)?;
        world.end_witness(2, true);
        world.start_witness(2);
        world.mirror(0)?;
    }
    world.works()
}

pub(super) fn a_mirror_that_is_cut_off_in_more_than_a_tile(world: &mut World) -> Kept {
    grow(world, u64::from(TILE_WIDTH) + 10)?;
    let [state, marks] = [&world.witnesses[0].state_disk, &world.witnesses[0].mark_disk].map(SeededDisk::clone);
    let folders = [(&state, "/mirror"), (&state, "/copy"), (&marks, "/mirror-marks")];
    let nothing = folders.map(|(disk, folder)| disk.export(folder));
    // A fifth of the operations, another one for each seed.
    for operations in (world.random.below(5)..).step_by(5) {
        state.cut_after(operations);
        world.mirror(0)?;
        let is_cut = state.is_off();
        world.end_witness(0, true);
        world.start_witness(0);
        world.mirror(0)?;
        world.mirrored_everything()?;
        if !is_cut {
            return world.works();
        }
        world.end_witness(0, false);
        folders.iter().zip(&nothing).for_each(|((disk, folder), tree)| disk.import(folder, tree.as_ref()));
        world.start_witness(0);
    }
    Ok(())
}

pub(super) fn a_log_that_changes_its_key(world: &mut World) -> Kept {
    publish(world, 0, [0, CLAIMS])?;
    for round in 0..60 {
        world.change_key()?;
        world.settle()?;
        if world.logs[0].keys == Keys::Second {
            let knows_both = world.witnesses.iter().all(|witness| witness.knows_second());
            expect(knows_both, "the first key is retired when all know the second", format!("round {round}"))?;
            publish(world, 0, [CLAIMS + 1])?;
            return world.works();
        }
        publish(world, 0, [CLAIMS + 2 + round])?;
    }
    expect(false, "the key is changed at last", "it is not")
}

pub(super) fn a_log_in_a_bucket_is_taken_over(world: &mut World) -> Kept {
    publish(world, 0, [0, CLAIMS])?;
    world.begin_second_writer()?;
    for round in 0..6 {
        for log in [0, 1] {
            world.submit(log, CLAIMS + 1 + 2 * round + log)?;
        }
        world.settle()?;
        // Whoever starts takes over.
        let log = world.random.index(2);
        let loses_power = world.random.bit();
        world.end_log(log, loses_power);
        world.start_log(log)?;
        world.settle()?;
        let stopped = world.logs[1 - log].stopped();
        let size = world.model.certified_size();
        publish(world, log, [CLAIMS + 20 + round])?;
        expect(world.model.certified_size() > size, "the one that started last goes on", format!("{stopped:?}"))?;
        publish(world, 1 - log, [CLAIMS + 40 + round])?;
        let stopped = world.logs[1 - log].stopped();
        expect(stopped == Some("overtaken"), "the one before it stops", format!("{stopped:?}"))?;
    }
    Ok(())
}

pub(super) fn a_standby_takes_over(world: &mut World) -> Kept {
    publish(world, 0, [0, CLAIMS])?;
    world.start_log_as(1, true)?;
    for round in 0..10 {
        let (writer, standby) = (round % 2, 1 - round % 2);
        let followed = world.stand(standby, "follows", StandbyProcess::follow)?;
        expect(followed == Stood::Follows, "a standby follows", format!("{followed:?}"))?;
        // The writer's machine loses its power at any request of its next batch, or goes on in silence.
        let requests = world.random.below(16);
        world.logs[writer].disk.cut_after(requests);
        publish(world, writer, [CLAIMS + 1 + round])?;
        let is_alive = world.logs[writer].process.is_some();

        world.stand(standby, "follows", StandbyProcess::follow)?;
        let fenced = world.stand(standby, "fences", |standby| standby.fence(Why::Silence))?;
        expect(fenced == Stood::Fenced, "a standby takes over from a writer that is silent", format!("{fenced:?}"))?;
        world.take_over(standby)?;
        world.settle()?;
        let size = world.model.certified_size();
        publish(world, standby, [CLAIMS + 20 + round])?;
        expect(world.model.certified_size() > size, "the one that took over goes on", format!("round {round}"))?;
        if is_alive {
            world.logs[writer].disk.heal();
            publish(world, writer, [CLAIMS + 40 + round])?;
            let stopped = world.logs[writer].stopped();
            expect(stopped == Some("overtaken"), "the one before it stops", format!("{stopped:?}"))?;
        }
        world.end_log(writer, true);
        world.start_log_as(writer, true)?;
    }
    Ok(())
}
