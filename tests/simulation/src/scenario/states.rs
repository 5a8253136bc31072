//! States that were lost, or put back.

use super::{expect, publish};
use crate::disk_state::Tree;
use crate::log_node::DATA;
use crate::model::Kept;
use crate::pool::{CLAIMS, pool};
use crate::world::World;
use std::time::Duration;
use stele_spec::hash::Digest;

fn refuses(world: &mut World, witness: usize, codes: &[&str]) -> Kept {
    world.start_witness(witness);
    let node = &world.witnesses[witness];
    let is_so = !node.is_running() && node.refused.is_some_and(|code| codes.contains(&code));
    expect(
        is_so,
        "a witness whose state cannot be trusted does not start",
        format!("{:?} of {codes:?}", node.refused),
    )?;
    // The others go on without it.
    publish(world, 0, [CLAIMS + 7])?;
    let is_known = world.model.acknowledged().values().any(|bytes| *bytes == pool()[CLAIMS + 7].bytes);
    expect(is_known, "two of three go on", "nothing was acknowledged")
}

pub(super) fn a_witness_whose_state_was_put_back(world: &mut World) -> Kept {
    publish(world, 0, [0])?;
    let copy = world.witnesses[0].state_disk.export("/state");
    publish(world, 0, [CLAIMS, 1])?;
    world.witnesses[0].settle();
    let loses_power = world.random.bit();
    world.end_witness(0, loses_power);
    world.witnesses[0].state_disk.import("/state", copy.as_ref());
    refuses(world, 0, &["state-older"])
}

pub(super) fn a_witness_whose_marks_were_put_back(world: &mut World) -> Kept {
    publish(world, 0, [0])?;
    let copy = world.witnesses[0].mark_disk.export("/marks");
    publish(world, 0, [CLAIMS, 1])?;
    let loses_power = world.random.bit();
    world.end_witness(0, loses_power);
    world.witnesses[0].mark_disk.import("/marks", copy.as_ref());
    refuses(world, 0, &["state-contradicts-mark"])
}

pub(super) fn a_witness_whose_mark_was_lost(world: &mut World) -> Kept {
    publish(world, 0, [0, CLAIMS])?;
    world.end_witness(0, false);
    world.witnesses[0].mark_disk.import("/marks", None);
    refuses(world, 0, &["mark-missing"])
}

pub(super) fn a_witness_whose_state_was_lost(world: &mut World) -> Kept {
    publish(world, 0, [0, CLAIMS])?;
    world.end_witness(0, false);
    world.witnesses[0].state_disk.import("/state", None);
    refuses(world, 0, &["state-missing"])
}

pub(super) fn journals_were_lost(world: &mut World) -> Kept {
    publish(world, 0, [0, CLAIMS])?;
    for name in ["journal.0", "journal.1"] {
        expect(world.witnesses[0].state_disk.export(&format!("/state/{name}")).is_some(), "there are journals", name)?;
    }
    // What was recorded since the start is in a journal alone.
    world.end_witness(0, false);
    for name in ["journal.0", "journal.1"] {
        world.witnesses[0].state_disk.import(&format!("/state/{name}"), None);
    }
    refuses(world, 0, &["state-older"])?;
    // After an orderly stop nothing is.
    world.witnesses[1].stop_in_order();
    world.end_witness(1, true);
    for name in ["journal.0", "journal.1"] {
        world.witnesses[1].state_disk.import(&format!("/state/{name}"), None);
    }
    world.start_witness(1);
    expect(
        world.witnesses[1].is_running(),
        "a witness starts on its own disks",
        format!("{:?}", world.witnesses[1].refused),
    )?;
    world.works()
}

pub(super) fn a_manifest_was_lost(world: &mut World) -> Kept {
    publish(world, 0, [0, 1])?;
    let manifest = pool()[1].manifest.as_ref().expect("a release has a manifest");
    let digest = Digest::of(manifest);
    // Not by a loss of power: what is staged still would bring it back.
    world.end_log(0, false);
    world.model.forget_chain();
    world.logs[0].disk.import(&format!("{DATA}/public/manifests/{digest}"), None);
    world.start_log(0)?;
    let Some(process) = &world.logs[0].process else { return expect(false, "the log starts", "it does not") };
    let log = process.log.clone();
    expect(
        log.lost_manifests() == [digest].into(),
        "a lost manifest is noticed",
        format!("{:?}", log.lost_manifests()),
    )?;
    let kept = log.manifests.keep(&digest, manifest);
    expect(kept.is_ok(), "a lost manifest is taken back", format!("{kept:?}"))?;
    expect(
        log.store.manifest(&digest).ok().flatten().as_ref() == Some(manifest),
        "a lost manifest is there again",
        "no",
    )?;
    world.works()
}

pub(super) fn staged_batches_were_lost(world: &mut World) -> Kept {
    publish(world, 0, [0])?;
    world.model.forget_chain();
    for round in 0..6 {
        world.submit(0, CLAIMS + round)?;
        let operations = world.random.below(60);
        world.logs[0].disk.cut_after(operations);
        for _ in 0..12 {
            world.pump(0)?;
            (0..3).for_each(|address| _ = world.ask(0, address));
            world.pass_to_next(0);
            world.check()?;
        }
        world.end_log(0, true);
        world.logs[0].disk.import(&format!("{DATA}/staged"), Some(&Tree::Folder(Default::default())));
        world.start_log(0)?;
        if world.logs[0].process.is_none() {
            // Something was signed whose tiles the loss of power took: that is said, and nothing is signed.
            return expect(world.logs[0].refused.is_some(), "a start refuses or goes on", format!("round {round}"));
        }
        world.settle()?;
    }
    Ok(())
}

pub(super) fn a_witness_whose_clock_went_back(world: &mut World) -> Kept {
    publish(world, 0, [0])?;
    let size = world.model.certified_size();
    world.pass(Duration::from_secs(2));
    publish(world, 0, [CLAIMS])?;
    let later = world.model.certified_size();
    expect(later > size, "the log grows", format!("{later}"))?;
    world.witnesses[0].clock.set_off(-3600);
    world.submit(0, CLAIMS + 1)?;
    for _ in 0..40 {
        world.pump(0)?;
        world.ask(0, 0);
        world.pass_to_next(0);
        world.check()?;
    }
    expect(world.model.certified_size() == later, "nothing is cosigned at an older time", "something was")?;
    world.witnesses[0].clock.set_off(0);
    world.works()
}

pub(super) fn a_checkpoint_was_put_back(world: &mut World) -> Kept {
    publish(world, 0, [0])?;
    let old = world.logs[0].disk.export(&format!("{DATA}/public/checkpoint"));
    publish(world, 0, [CLAIMS])?;
    let size = world.model.certified_size();
    let Some(process) = &world.logs[0].process else { return expect(false, "the log runs", "it does not") };
    let log = process.log.clone();
    let read = world.readers[0].look(&log, &world.policy);
    expect(
        world.readers[0].head().is_some_and(|head| head.0 == size),
        "a reader knows the newest head",
        format!("{read:?}"),
    )?;
    world.model.forget_chain();
    world.logs[0].disk.import(&format!("{DATA}/public/checkpoint"), old.as_ref());
    let read = world.readers[0].look(&log, &world.policy);
    expect(
        matches!(read, crate::readers::Read::Refused(_)),
        "an older head than is known is refused",
        format!("{read:?}"),
    )?;
    world.end_log(0, false);
    world.start_log(0)?;
    world.settle()?;
    let published = world.logs[0].process.as_ref().and_then(|process| process.log.published()).map(|head| head.size());
    expect(published == Some(size), "the newest head is published again", format!("{published:?}"))
}
