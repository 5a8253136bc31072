//! Wrong indexes, signed with the log's key.

use super::{expect, publish};
use crate::model::Kept;
use crate::pool::CLAIMS;
use crate::world::World;
use crate::wrong_index::Lie;

pub(super) fn a_log_that_lies_about_its_index(world: &mut World) -> Kept {
    publish(world, 0, [0, 1, CLAIMS])?;
    for (number, lie) in Lie::ALL.iter().enumerate() {
        let size = world.model.certified_size();
        world.deceive(*lie, false)?;
        if world.random.bit() {
            let loses_power = world.random.bit();
            world.end_witness(3, loses_power);
            world.start_witness(3);
        }
        world.deceive(*lie, false)?;
        expect(world.model.certified_size() == size, "nothing of a wrong index has a quorum", format!("{lie:?}"))?;
        publish(world, 0, [CLAIMS + 1 + number])?;
        expect(world.model.certified_size() > size, "the log goes on", format!("after {lie:?}"))?;
    }
    world.works()
}

pub(super) fn a_wrong_index_that_the_witnesses_cosign(world: &mut World) -> Kept {
    publish(world, 0, [0, 1, CLAIMS])?;
    let size = world.model.certified_size();
    world.deceive(Lie::Hidden, true)?;
    let held = (0..3).filter(|witness| world.model.last_of(*witness).is_some_and(|head| head.0 > size)).count();
    expect(held == 3, "a witness looks at no index", format!("{held} have cosigned"))?;
    expect(world.model.certified_size() == size, "nothing of a wrong index has a quorum", format!("{size}"))?;
    for statement in [CLAIMS + 1, CLAIMS + 2] {
        world.submit(0, statement)?;
        world.settle()?;
    }
    // The log learns that its key has signed what it does not know.
    let stopped = world.logs[0].stopped();
    expect(world.model.certified_size() == size, "nothing more has a quorum", format!("{stopped:?}"))
}
