//! What the witnesses of a policy cosigned last of this log, asked once, beside any running log.

use crate::witness_threads::{WitnessThreads, wait_for_end};
use std::sync::Arc;
use std::sync::mpsc::channel;
use stele_clock::{Clock as _, SystemClock};
use stele_log_core::checkpoint::SignedCheckpoint;
use stele_log_core::cosigning::{Cosigning, RoundEnd};
use stele_log_core::status::Status;
use stele_log_core::tiles::TileStore;
use stele_spec::note::VerifierKey;
use stele_spec::policy::Policy;

/// What was heard.
#[derive(Debug)]
pub struct WitnessMemory {
    /// Heads with this log's signature, each with the witness that showed it.
    pub heads: Vec<(String, Arc<SignedCheckpoint>)>,
    /// Where too few have answered for every quorum to have one of them in it: who has not, and why.
    pub missing: Option<Vec<String>>,
    /// Each witness, and its problem.
    pub status: Arc<Status>,
}

/// Asks all witnesses. One that never cosigned this log is offered `offered`, if there is one; proofs are made from `store`.
pub fn ask(
    policy: &Policy,
    store: &TileStore,
    key: &VerifierKey,
    offered: Option<&Arc<SignedCheckpoint>>,
) -> WitnessMemory {
    let (sender, answers) = channel();
    let witnesses = WitnessThreads::start(policy, store, key, move |answer| sender.send(answer).is_ok());
    let status = Arc::<Status>::default();
    let mut cosigning = Cosigning::new(policy, &status);
    cosigning.leave_out(witnesses.without());
    let size = offered.map_or(0, |head| head.checkpoint.size());
    witnesses.ask(&cosigning.ask(SystemClock.steady(), offered, size, true));
    let end = wait_for_end(&mut cosigning, &answers, &SystemClock);
    let missing = match end {
        Some(RoundEnd::Missing(missing)) => Some(missing.lines()),
        _ => None,
    };
    WitnessMemory { heads: cosigning.take_heads(), missing, status }
}
