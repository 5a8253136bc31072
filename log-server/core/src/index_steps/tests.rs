//! Stories of an index cosigner that was there all the time, was away, is new, or refuses.

use super::*;
use crate::contract::cosigner::Unreachable;
use crate::samples::{Offline, claim};
use crate::step_supply::StepSupply;
use stele_clock::{Clock as _, ManualClock};
use stele_spec::hash::RootHash;
use stele_spec::indexcosigner::{RefusedStep, check};
use stele_spec::merkle::empty_root;

/// An index cosigner that knows a size and a root, and counts what it is brought.
struct Fake {
    known: (u64, RootHash),
    brought: Vec<(u64, u64)>,
    refuses: bool,
}

impl Fake {
    fn new() -> Self {
        Self { known: (0, empty_root()), brought: Vec::new(), refuses: false }
    }
}

impl Cosigner for Fake {
    fn add_checkpoint(&mut self, _: &[u8]) -> Result<WitnessResponse, Unreachable> {
        Ok(WitnessResponse { status: 428, body: String::new() })
    }

    fn add_transition(&mut self, body: &[u8]) -> Result<WitnessResponse, Unreachable> {
        let answer = |status, body: String| Ok(WitnessResponse { status, body });
        let request = AddTransition::parse(body).unwrap();
        if self.refuses {
            return answer(422, "{\"error\":\"wrong-index-root\"}".into());
        }
        match check(&request, self.known) {
            Ok(step) => {
                self.brought.push((request.old_size(), step.size()));
                self.known = (step.size(), step.root());
                if step.size() == request.checkpoint().size() {
                    answer(200, "cosigned".into())
                } else {
                    answer(202, format!("{}\n", step.size()))
                }
            }
            Err(RefusedStep::NotTheLast { checked, .. }) => answer(409, format!("{checked}\n")),
            Err(error) => answer(422, format!("{{\"error\":\"{}\"}}", error.code())),
        }
    }

    fn newest_checkpoint(&mut self) -> Result<WitnessResponse, Unreachable> {
        Ok(WitnessResponse { status: 404, body: String::new() })
    }
}

/// A log of its first entry and four batches of one, with every head.
fn log() -> (Offline, Vec<Arc<SignedCheckpoint>>) {
    let mut log = Offline::in_memory();
    let mut heads = vec![log.write(vec![]).unwrap().head];
    for i in 0..4 {
        heads.push(log.write(vec![claim(&format!("a{i}.example"), 1)]).unwrap().head);
    }
    (log, heads)
}

/// What a cosigner is brought, with these heads at hand.
fn steps(heads: &[Arc<SignedCheckpoint>]) -> Steps {
    steps_at(heads, &Arc::new(ManualClock::at(1)))
}

fn steps_at(heads: &[Arc<SignedCheckpoint>], clock: &Arc<ManualClock>) -> Steps {
    let supply = Arc::new(StepSupply::new(clock.clone()));
    supply.want();
    heads.iter().for_each(|head| supply.note(head));
    Steps::new(&supply, &Arc::new(AtomicBool::new(false)))
}

#[test]
fn a_cosigner_that_has_the_head_before_is_brought_one_step_and_then_the_same_head_again() {
    let (log, heads) = log();
    let mut fake = Fake { known: (7, heads[3].checkpoint.root()), ..Fake::new() };
    let mut steps = steps(&heads[4..]);
    assert_eq!(steps.bring(&log.store, &heads[4], 7, &mut fake).unwrap(), "cosigned");
    assert_eq!(steps.bring(&log.store, &heads[4], 9, &mut fake).unwrap(), "cosigned");
    assert_eq!(fake.brought, [(7, 9), (9, 9)]);
}

#[test]
fn one_that_is_new_or_missed_heads_is_brought_every_step_with_proofs_at_hand_and_without() {
    let (log, heads) = log();
    let steps_of = steps;
    let steps = [(0, 1), (1, 3), (3, 5), (5, 7), (7, 9)];
    for at_hand in 0..heads.len() {
        for from in 0..steps.len() {
            let known = (steps[from].0, if from == 0 { empty_root() } else { heads[from - 1].checkpoint.root() });
            let mut fake = Fake { known, ..Fake::new() };
            // What the log believes of it is wrong, and it says so.
            let lines = steps_of(&heads[at_hand..]).bring(&log.store, &heads[4], 7, &mut fake);
            assert_eq!(lines.unwrap(), "cosigned", "{at_hand} {from}");
            assert_eq!(fake.brought, steps[from..], "{at_hand} {from}");
        }
    }
}

#[test]
fn one_that_refuses_is_heard_and_one_that_knows_more_or_another_log_is_told_apart() {
    let (log, heads) = log();
    let bring = |fake: &mut Fake| steps(&heads).bring(&log.store, &heads[4], 7, fake).unwrap_err();
    let mut refusing = Fake { refuses: true, ..Fake::new() };
    assert_eq!(bring(&mut refusing), Problem::Step { said: "{\"error\":\"wrong-index-root\"}".into() });
    let mut ahead = Fake { known: (11, empty_root()), ..Fake::new() };
    assert_eq!(bring(&mut ahead), Problem::Ahead { size: 11 });
    // No tree of this log has eight entries.
    let mut between = Fake { known: (8, empty_root()), ..Fake::new() };
    assert_eq!(bring(&mut between), Problem::Conflict { status: 409 });
    let mut forked = Fake { known: (5, empty_root()), ..Fake::new() };
    assert_eq!(bring(&mut forked), Problem::Conflict { status: 422 }, "it is asked for the head that it holds");
}

#[test]
fn one_that_has_checked_less_than_is_believed_is_caught_up_at_once() {
    let (log, heads) = log();
    // Nothing is at hand: the first step of the replay is refused with the size, and the next begins there.
    let mut fake = Fake::new();
    assert_eq!(steps(&[]).bring(&log.store, &heads[4], 5, &mut fake).unwrap(), "cosigned");
    assert_eq!(fake.brought, [(0, 1), (1, 3), (3, 5), (5, 7), (7, 9)]);
}

#[test]
fn one_that_has_the_whole_head_is_brought_it_once_more_also_by_a_log_that_has_just_started() {
    let (log, heads) = log();
    for believed in [0, 1, 3, 7] {
        let mut fake = Fake { known: (9, heads[4].checkpoint.root()), ..Fake::new() };
        // Nothing is at hand after a start, and less was published than it has cosigned.
        assert_eq!(steps(&[]).bring(&log.store, &heads[4], believed, &mut fake).unwrap(), "cosigned", "{believed}");
        assert_eq!(fake.brought, [(9, 9)], "{believed}");
    }
}

#[test]
fn one_is_caught_up_at_a_time() {
    let (log, heads) = log();
    let mut steps = steps(&heads[4..]);
    let (supply, mut fake) = (steps.supply.clone(), Fake::new());
    let turn = supply.turn().unwrap();
    assert_eq!(steps.bring(&log.store, &heads[4], 0, &mut fake), Err(Problem::InLine { checked: 0 }));
    assert!(fake.brought.is_empty());
    // What is at hand needs no turn.
    let mut near = Fake { known: (7, heads[3].checkpoint.root()), ..Fake::new() };
    assert_eq!(steps.bring(&log.store, &heads[4], 7, &mut near).unwrap(), "cosigned");
    drop(turn);
    assert_eq!(steps.bring(&log.store, &heads[4], 0, &mut fake).unwrap(), "cosigned");
}

#[test]
fn after_a_replay_that_came_to_nothing_there_is_a_pause_and_each_is_longer() {
    let (log, heads) = log();
    let clock = Arc::new(ManualClock::at(1_000));
    let mut steps = steps_at(&[], &clock);
    let mut fake = Fake { refuses: true, ..Fake::new() };
    let mut bring = |fake: &mut Fake| steps.bring(&log.store, &heads[4], 0, fake);
    let said = Problem::Step { said: "{\"error\":\"wrong-index-root\"}".into() };
    for pause in [PAUSES.0, PAUSES.0 * 2, PAUSES.0 * 4] {
        assert_eq!(bring(&mut fake), Err(said.clone()));
        let pausing = Problem::Pausing { checked: 0, last: Box::new(said.clone()) };
        clock.sleep(pause - Duration::from_millis(1));
        assert_eq!(bring(&mut fake), Err(pausing));
        clock.sleep(Duration::from_millis(1));
    }
    fake.refuses = false;
    assert_eq!(bring(&mut fake).unwrap(), "cosigned");
    // If the lines are worth nothing, that is one more that came to nothing.
    steps.ended(Err(&said));
    let pausing = Problem::Pausing { checked: 0, last: Box::new(said.clone()) };
    assert_eq!(steps.bring(&log.store, &heads[4], 0, &mut Fake::new()), Err(pausing));
    clock.sleep(PAUSES.0 * 8);
    assert_eq!(steps.bring(&log.store, &heads[4], 0, &mut Fake::new()).unwrap(), "cosigned");
    // With a cosignature it is forgotten.
    steps.ended(Ok(()));
    let mut bring = |fake: &mut Fake| steps.bring(&log.store, &heads[4], 0, fake);
    let mut refusing = Fake { refuses: true, ..Fake::new() };
    assert_eq!(bring(&mut refusing), Err(said.clone()));
    clock.sleep(PAUSES.0);
    assert_eq!(bring(&mut refusing), Err(said));
}

#[test]
fn a_replay_ends_when_nobody_waits_for_it() {
    let (log, heads) = log();
    let mut steps = steps(&[]);
    steps.stop.store(true, Ordering::Relaxed);
    let mut fake = Fake::new();
    assert_eq!(steps.bring(&log.store, &heads[4], 0, &mut fake), Err(Problem::Waiting));
    assert!(fake.brought.is_empty());
}
