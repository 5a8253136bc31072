//! F1 to F7: histories that contradict each other. From the most to the least of a fork, so that a witness that is taken in by one
//! is still asked about the others.

use stele_spec::checkpoint::Checkpoint;
use stele_spec::hash::RootHash;
use stele_spec::text::to_base64;

use crate::body::Request;
use crate::logs::{Branch, Role};
use crate::suite::Suite;
use stele_probe::failure::Step;

/// What is done to a proof, in words.
type Change = (&'static str, fn(&mut Vec<String>));

pub(super) fn all(suite: &mut Suite<'_>) -> Step {
    of_the_empty_tree(suite)?;
    // From size 5: proofs have several hashes, and the old root is not among them.
    let by = 5 + suite.log(Role::Fork)?.size % 2;
    let request = suite.growth(Role::Fork, by)?;
    suite.send(Role::Fork, &request)?;
    let mut taken_in = of_another_history(suite)?;
    taken_in |= by_wrong_proofs(suite)?;
    let old = suite.log(Role::Fork)?.size;
    let request = Request::of(suite.log(Role::Fork)?, Branch::Honest, old, old, vec![to_base64(&[7; 32])])?;
    taken_in |= refused(suite, "F5", "one hash", Role::Fork, &request)?;
    taken_in |= at_the_same_size(suite)?;
    if taken_in {
        suite.skip(&["F7"], "a fork was cosigned");
        return Ok(());
    }
    let request = suite.growth(Role::Fork, 2)?;
    suite.cosigned("F7", Role::Fork, "two entries more", &request)?;
    Ok(())
}

/// Whether the witness was taken in.
fn refused(suite: &mut Suite<'_>, id: &'static str, what: &str, role: Role, request: &Request) -> Step<bool> {
    let reply = suite.send(role, request)?;
    suite.tell(id, what, &reply, reply.status() == 422);
    Ok(reply.status() == 200)
}

fn of_the_empty_tree(suite: &mut Suite<'_>) -> Step {
    let log = suite.log(Role::Empty)?;
    let checkpoint = Checkpoint::new(log.origin().clone(), 0, RootHash::from_bytes([7; 32]));
    let note = log.sign(&checkpoint)?;
    let request = Request::with_note(0, Vec::new(), checkpoint, &note);
    refused(suite, "F1", "a root of nothing", Role::Empty, &request)?;
    let request = Request::of(suite.log(Role::Empty)?, Branch::Honest, 0, 3, vec![to_base64(&[7; 32])])?;
    refused(suite, "F2", "one hash", Role::Empty, &request)?;
    Ok(())
}

fn of_another_history(suite: &mut Suite<'_>) -> Step<bool> {
    let log = suite.log(Role::Fork)?;
    let (old, new) = (log.size, log.size + 3);
    let proof = log.proof(Branch::Other, old, new)?;
    let request = Request::of(log, Branch::Other, old, new, proof)?;
    refused(suite, "F6", "the other history's proof", Role::Fork, &request)
}

fn by_wrong_proofs(suite: &mut Suite<'_>) -> Step<bool> {
    let mut taken_in = false;
    let changes: [Change; 5] = [
        ("no proof", Vec::clear),
        ("without its last hash", |proof| drop(proof.pop())),
        ("with a hash more", |proof| proof.push(to_base64(&[7; 32]))),
        ("with its first hash changed", |proof| {
            if let Some(first) = proof.first_mut() {
                *first = to_base64(&[7; 32]);
            }
        }),
        ("turned around", |proof| proof.reverse()),
    ];
    for (what, change) in changes {
        let mut request = suite.growth(Role::Fork, 2)?;
        change(&mut request.proof);
        taken_in |= refused(suite, "F3", what, Role::Fork, &request)?;
    }
    Ok(taken_in)
}

fn at_the_same_size(suite: &mut Suite<'_>) -> Step<bool> {
    let log = suite.log(Role::Fork)?;
    let checkpoint = Checkpoint::new(log.origin().clone(), log.size, RootHash::from_bytes([7; 32]));
    let note = log.sign(&checkpoint)?;
    let request = Request::with_note(log.size, Vec::new(), checkpoint, &note);
    refused(suite, "F4", "the same size", Role::Fork, &request)
}
