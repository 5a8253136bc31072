//! What the witnesses of a policy cosigned last of this log, asked once, beside any running log.

use crate::witness_threads::{WitnessThreads, wait_for_end};
use std::sync::Arc;
use std::sync::mpsc::channel;
use stele_clock::{Clock as _, SystemClock};
use stele_log_core::checkpoint::SignedCheckpoint;
use stele_log_core::cosigning::{Cosigning, RoundEnd};
use stele_log_core::log_keys::LogKeys;
use stele_log_core::status::Status;
use stele_log_core::tiles::TileStore;
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

/// What came of having a head cosigned.
#[derive(Debug)]
pub struct Cosigned {
    /// Where too few have: who has not, and why.
    pub missing: Option<Vec<String>>,
    /// Each witness, and its problem.
    pub status: Arc<Status>,
}

/// Has all witnesses cosign a head.
pub fn cosign(policy: &Policy, store: &TileStore, keys: &LogKeys, head: &Arc<SignedCheckpoint>) -> Cosigned {
    let (cosigning, end) = ask_round(policy, store, keys, Some(head), false);
    let missing = match end {
        Some(RoundEnd::Cosigned(_)) => None,
        Some(RoundEnd::Missing(missing)) => Some(missing.lines()),
        Some(RoundEnd::Remembered) | None => Some(Vec::new()),
    };
    Cosigned { missing, status: cosigning.status().clone() }
}

/// Asks all witnesses. One that never cosigned this log is offered `offered`, if there is one; proofs are made from `store`.
pub fn ask(
    policy: &Policy,
    store: &TileStore,
    keys: &LogKeys,
    offered: Option<&Arc<SignedCheckpoint>>,
) -> WitnessMemory {
    let (mut cosigning, end) = ask_round(policy, store, keys, offered, true);
    let missing = match end {
        Some(RoundEnd::Missing(missing)) => Some(missing.lines()),
        _ => None,
    };
    WitnessMemory { heads: cosigning.take_heads(), missing, status: cosigning.status().clone() }
}

/// One round with threads of its own.
fn ask_round(
    policy: &Policy,
    store: &TileStore,
    keys: &LogKeys,
    head: Option<&Arc<SignedCheckpoint>>,
    recall: bool,
) -> (Cosigning, Option<RoundEnd>) {
    let (sender, answers) = channel();
    let witnesses = WitnessThreads::start(policy, store, keys, move |answer| sender.send(answer).is_ok());
    let mut cosigning = Cosigning::new(policy, &Arc::default());
    cosigning.leave_out(witnesses.without());
    let size = head.map_or(0, |head| head.checkpoint.size());
    witnesses.ask(&cosigning.ask(SystemClock.steady(), head, size, recall));
    let end = wait_for_end(&mut cosigning, &answers, &SystemClock);
    (cosigning, end)
}
