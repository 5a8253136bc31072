use super::*;
use crate::contract::objects::{ObjectName, Objects};
use crate::samples::{MemoryHeadStore, MemoryObjects, Offline, claim, policy, release, signer};
use crate::staged_batch::StagedBatches;
use std::sync::Arc;
use stele_spec::tile::{Resource, TilePath};

const NOW: u64 = 1_800_000_000;

/// A log in memory, and its objects.
fn log() -> (Offline, Arc<MemoryObjects>) {
    let objects = Arc::new(MemoryObjects::default());
    let mut log = Offline::start(Box::new(MemoryHeadStore::default()), objects.clone()).unwrap();
    log.write(vec![]).unwrap();
    log.publish();
    (log, objects)
}

fn follow(follower: &mut Follower, log: &Offline) -> Result<Option<u64>, FollowError> {
    let followed = follower.follow(&log.store, &signer().keys(), &policy("quorum none\n"), NOW)?;
    Ok(followed.map(|head| head.size()))
}

#[test]
fn what_was_followed_in_steps_is_what_a_start_reads_at_once() {
    let (mut log, objects) = log();
    let mut follower = Follower::default();
    assert_eq!(follow(&mut follower, &log).unwrap(), Some(1));
    follower.keep_rows();
    log.write(vec![claim("acme.example", 1)]).unwrap();
    log.write(vec![release("acme.example", 1, "base", 1).0]).unwrap();
    assert_eq!(follow(&mut follower, &log).unwrap(), None, "what is signed and not published is not followed");
    log.publish();
    assert_eq!(follow(&mut follower, &log).unwrap(), Some(5));
    assert_eq!(follow(&mut follower, &log).unwrap(), None);
    // Over the edge of a tile, in batches that are published and some that are not.
    for batch in 0..5_u8 {
        log.write((0..60).map(|i| claim(&format!("a{batch}-{i}.example"), 1)).collect()).unwrap();
        if batch % 2 == 0 {
            log.publish();
            follow(&mut follower, &log).unwrap();
        }
    }
    log.write(vec![claim("last.example", 2)]).unwrap();
    let rows = follower.replica.take_rows();
    assert_eq!(rows.iter().map(|row| row.position).filter(|at| *at < 5).collect::<Vec<_>>(), [1, 3]);

    // The same signed head, from what was followed and from nothing.
    let dynamic: Arc<dyn Objects> = objects;
    let (staging, heads) = (StagedBatches::new(&dynamic), &*log.writer.heads);
    let recover = |replica: Replica| {
        let (keys, policy) = (signer().keys(), policy("quorum none\n"));
        crate::recover::recover(replica, heads, &staging, &log.store, &keys, &policy, NOW).unwrap()
    };
    let (warm, cold) = (recover(follower.into_replica()), recover(Replica::default()));
    assert_eq!((warm.tree.size(), warm.tree.root()), (cold.tree.size(), cold.tree.root()));
    assert_eq!((warm.last, warm.signed.clone()), (cold.last, cold.signed));
    assert_eq!(*warm.views.registry.read().unwrap(), *cold.views.registry.read().unwrap());
    assert_eq!(warm.views.index.read().unwrap().root(), cold.views.index.read().unwrap().root());
    let settled = |views: &Views| views.index.read().unwrap().settled().position();
    assert_eq!((settled(&warm.views), settled(&cold.views)), (310, 310));
    assert_eq!((warm.manifests, warm.past.last_day.len()), (cold.manifests, 303));
    assert_eq!(warm.unpublished.len(), 1);
    assert_eq!(warm.unpublished, cold.unpublished);
}

#[test]
fn what_a_start_refuses_a_follower_refuses() {
    let tampered = |tamper: &dyn Fn(&Offline, &MemoryObjects)| {
        let (mut log, objects) = log();
        let mut follower = Follower::default();
        follow(&mut follower, &log).unwrap();
        log.write(vec![claim("acme.example", 1)]).unwrap();
        log.publish();
        follow(&mut follower, &log).unwrap();
        log.write(vec![claim("other.example", 1)]).unwrap();
        log.publish();
        tamper(&log, &objects);
        let refused = follow(&mut follower, &log).unwrap_err();
        assert!(refused.machine().is_none(), "{refused}");
        (refused.code(), refused.exit())
    };
    let replace = |objects: &MemoryObjects, name: ObjectName, change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = objects.get(&name, 1 << 20).unwrap().unwrap();
        change(&mut bytes);
        objects.replace(&name, &bytes).unwrap();
    };
    let flip = |bytes: &mut Vec<u8>| *bytes.last_mut().unwrap() ^= 1;
    let partial = |resource| ObjectName::Tile(TilePath { resource, index: 0, width: 5 });
    let (code, exit) = tampered(&|_, objects| replace(objects, partial(Resource::Level(0)), &flip));
    assert_eq!((code, exit), ("tile-differs", Exit::Inconsistent));
    let (code, _) = tampered(&|_, objects| replace(objects, partial(Resource::Entries), &flip));
    assert_eq!(code, "entries-damaged");
    let (code, _) = tampered(&|_, objects| objects.forget(&partial(Resource::Entries)));
    assert_eq!(code, "entries-damaged");
    let (code, _) = tampered(&|_, objects| objects.forget(&ObjectName::Checkpoint));
    assert_eq!(code, "checkpoint-missing");
    let (code, _) = tampered(&|_, objects| replace(objects, ObjectName::Checkpoint, &flip));
    assert_eq!(code, "checkpoint-refused");
    let (older, _) = log();
    let older = older.store.checkpoint().unwrap().unwrap();
    let (code, _) = tampered(&|log, _| log.store.publish(&older).unwrap());
    assert_eq!(code, "backup-restored");
}

#[test]
fn a_follower_writes_nothing_and_a_take_over_puts_back_what_is_missing() {
    let (mut log, objects) = log();
    log.write(vec![claim("acme.example", 1)]).unwrap();
    log.publish();
    let tile = ObjectName::Tile(TilePath { resource: Resource::Level(0), index: 0, width: 3 });
    objects.forget(&tile);
    let mut follower = Follower::default();
    assert_eq!(follow(&mut follower, &log).unwrap(), Some(3));
    assert_eq!(objects.length(&tile).unwrap(), None);
    follower.into_replica().put_missing(&log.store).unwrap();
    assert_eq!(objects.length(&tile).unwrap(), Some(96));
}
