//! What the sequencer is brought, and what it says is to be done. `R` is where a reply goes.

use crate::contract::objects::ObjectError;
use crate::endpoint::{WitnessAnswer, WitnessRequest};
use crate::settings::Settings;
use crate::submission::{Reply, Submission};
use std::sync::Arc;

/// What happened.
#[derive(Debug)]
pub enum Event<R> {
    /// A submission came.
    Submitted(Box<Submission>, R),
    /// A witness answered.
    Answered(WitnessAnswer),
    /// The storage is synced, as far as [`Action::Sync`] said, or could not be.
    Synced(Result<u64, ObjectError>),
    /// Time has passed, and no submission waits.
    Idle,
    /// The operator has changed the settings.
    Changed {
        /// The new ones.
        settings: Arc<Settings>,
        /// The places in the new policy of the witnesses that nobody can ask.
        without: Vec<usize>,
    },
    /// The log is to stop.
    Stop,
}

/// What is to be done.
#[derive(Debug)]
pub enum Action<R> {
    /// Ask all witnesses.
    Ask(WitnessRequest),
    /// Sync the storage, beside everything else; one at a time. The event says again what it covers.
    Sync(u64),
    /// Send a reply.
    Reply(R, Reply),
    /// Nothing more: the sequencer has ended.
    Finish,
}
