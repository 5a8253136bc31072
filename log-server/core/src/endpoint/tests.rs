//! What an address is taken for, and what stays of it.

use super::*;
use crate::contract::cosigner::WitnessResponse;
use crate::samples::{Offline, claim, signer};
use crate::step_supply::StepSupply;
use std::sync::atomic::AtomicBool;
use stele_clock::ManualClock;

fn request(head: &Arc<SignedCheckpoint>) -> WitnessRequest {
    WitnessRequest { round: 1, head: Some(head.clone()), hint: 0, recall: false }
}

/// A log of its first entry and three batches, with every head.
fn log() -> (Offline, Vec<Arc<SignedCheckpoint>>) {
    let mut log = Offline::in_memory();
    let mut heads = vec![log.write(vec![]).unwrap().head];
    for i in 0..3 {
        heads.push(log.write(vec![claim(&format!("a{i}.example"), 1)]).unwrap().head);
    }
    (log, heads)
}

fn supply() -> Arc<StepSupply> {
    Arc::new(StepSupply::new(Arc::new(ManualClock::at(1))))
}

fn endpoint(log: &Offline, supply: &Arc<StepSupply>) -> Endpoint {
    let steps = Steps::new(supply, &Arc::new(AtomicBool::new(false)));
    Endpoint::new(Vec::new(), &signer().keys(), &log.store, &steps)
}

/// A cosigner that answers more slowly than batches come: what it did not hear of is a step, and no reason to read the whole log. The
/// thread of another policy finds it as well.
#[test]
fn a_head_that_was_passed_over_is_at_hand_also_for_who_is_asked_by_the_next_policy() {
    let (log, heads) = log();
    let size = |head: usize| heads[head].checkpoint.size();
    let supply = supply();
    let mut first = endpoint(&log, &supply);
    first.pass(&request(&heads[1]));
    assert!(supply.from(size(0)).is_some(), "the newest is at hand before a cosigner says what it wants");
    supply.want();
    first.pass(&request(&heads[2]));
    drop(first);
    endpoint(&log, &supply).pass(&request(&heads[3]));
    assert!([0, 1, 2].into_iter().all(|head| supply.from(size(head)).is_some()));
}

/// An address where something answers each request with a status.
struct Answers {
    ordinary: u16,
    steps: u16,
    asked: Vec<&'static str>,
}

impl Cosigner for Answers {
    fn add_checkpoint(&mut self, _: &[u8]) -> Result<WitnessResponse, Unreachable> {
        self.asked.push("checkpoint");
        Ok(WitnessResponse { status: self.ordinary, body: String::new() })
    }

    fn add_transition(&mut self, _: &[u8]) -> Result<WitnessResponse, Unreachable> {
        self.asked.push("steps");
        Ok(WitnessResponse { status: self.steps, body: String::new() })
    }

    fn newest_checkpoint(&mut self) -> Result<WitnessResponse, Unreachable> {
        Ok(WitnessResponse { status: 404, body: String::new() })
    }
}

#[test]
fn an_address_that_takes_no_steps_any_more_is_asked_as_a_witness_again() {
    let (log, heads) = log();
    for gone in [404, 405, 501] {
        let mut endpoint = endpoint(&log, &supply());
        let mut offer = |ordinary, steps| {
            let mut answers = Answers { ordinary, steps, asked: Vec::new() };
            let said = endpoint.offer(&heads[0], 0, &mut answers);
            (said, answers.asked)
        };
        assert_eq!(offer(428, 200), (Ok(String::new()), vec!["checkpoint", "steps"]));
        assert_eq!(offer(428, 200), (Ok(String::new()), vec!["steps"]), "it is remembered");
        // A witness took its place.
        assert_eq!(offer(200, gone), (Ok(String::new()), vec!["steps", "checkpoint"]));
        assert_eq!(offer(200, gone), (Ok(String::new()), vec!["checkpoint"]));
        // An index cosigner again, which does not know this log.
        assert_eq!(offer(428, 200).1, ["checkpoint", "steps"]);
        let (refused, asked) = offer(428, 404);
        assert_eq!((refused, asked), (Err(Problem::Unknown { status: 404 }), vec!["steps", "checkpoint"]));
        assert_eq!(offer(428, 200).1, ["steps"], "it said once more that it wants them");
        // One that is unwell stays what it is.
        assert_eq!(offer(200, 503), (Err(Problem::Status { status: 503 }), vec!["steps"]));
    }
}
