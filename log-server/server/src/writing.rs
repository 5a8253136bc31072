//! The writer of a log as it runs: its sequencer on a thread of its own, the threads that ask witnesses, and syncs beside them.

use crate::error::LogError;
use crate::mailbox::{Mailbox, ReplyTo};
use crate::witness_threads::WitnessThreads;
use std::sync::{Arc, PoisonError};
use stele_log_core::assembly::{Parts, assemble};
use stele_log_core::running_log::RunningLog;
use stele_log_core::sequencer::Sequencer;
use stele_log_core::sequencer_event::{Action, Event};
use stele_log_core::status::WriterState;
use stele_spec::hash::Digest;
use stele_spec::policy::Policy;

/// The word of a writer that another run has taken the lock from.
const OVERTAKEN: &str = "overtaken";

/// A writer that has not begun yet.
pub(crate) struct Writing {
    sequencer: Sequencer<ReplyTo>,
    witnesses: WitnessThreads,
}

/// Puts a writer together from what recovery found. Answers of witnesses go to the mailbox.
pub(crate) fn begin(log: &Arc<RunningLog>, mut parts: Parts, mailbox: &Mailbox) -> Result<Writing, LogError> {
    let manifests = std::mem::take(&mut parts.found.manifests);
    let assembled = assemble(log, parts);
    let lost = log.lost_manifests();
    if let Some(first) = lost.first() {
        tracing::error!(count = lost.len(), %first, "manifests of logged releases are missing or damaged");
    }
    read_manifests(log, manifests)?;
    let witnesses = ask_at(&log.settings().policy, log, mailbox);
    let sequencer = assembled.sequencer(witnesses.without());
    Ok(Writing { sequencer, witnesses })
}

/// Brings the sequencer its events, and does what it says, until it ends. Where it `follows_again`, that is also when it was overtaken.
pub(crate) fn drive(
    writing: Writing,
    shared: &RunningLog,
    mailbox: &Mailbox,
    follows_again: bool,
) -> Result<(), LogError> {
    let Writing { mut sequencer, mut witnesses } = writing;
    let clock = &*shared.clock;
    loop {
        let now = clock.steady();
        let mut event = mailbox.wait(clock, sequencer.accepts(now), sequencer.wake_at(now));
        if let Event::Changed { settings, without } = &mut event {
            let answers = mailbox.clone();
            let answer = move |answer| answers.answer(answer);
            witnesses = witnesses.succeeded_by(&settings.policy, &shared.store, &shared.keys, answer);
            *without = witnesses.without().to_vec();
        }
        for action in sequencer.step(clock.steady(), event) {
            match action {
                Action::Ask(request) => witnesses.ask(&request),
                Action::Sync(covered) => sync(shared, mailbox, covered),
                // Who has gone away finds the statement logged when asking again.
                Action::Reply(to, reply) => drop(to.send(reply)),
                Action::Finish => return Ok(()),
            }
        }
        if follows_again
            && sequencer.is_stopped()
            && let WriterState::Stopped { code: OVERTAKEN, message } = shared.status.writer()
        {
            return Err(LogError::Overtaken { message });
        }
    }
}

/// Syncs the storage on a thread of its own, with what makes the next batches cheap; how that ended goes to the mailbox.
fn sync(shared: &RunningLog, mailbox: &Mailbox, covered: u64) {
    let (objects, ended) = (shared.store.objects().clone(), mailbox.clone());
    let spawned = std::thread::Builder::new().name("sync".into()).spawn(move || {
        objects.prepare();
        ended.synced(objects.sync().map(|()| covered));
    });
    if let Err(error) = spawned {
        tracing::warn!(%error, "no thread for a sync of the storage: the writer waits for it");
        mailbox.synced(shared.store.objects().sync().map(|()| covered));
    }
}

/// The threads that ask the witnesses of a policy; their answers go to the mailbox.
fn ask_at(policy: &Policy, shared: &RunningLog, mailbox: &Mailbox) -> WitnessThreads {
    let answers = mailbox.clone();
    WitnessThreads::start(policy, &shared.store, &shared.keys, move |answer| answers.answer(answer))
}

/// Reads every manifest of the log once, beside everything else: one that is not what its name says is noted as lost.
fn read_manifests(shared: &Arc<RunningLog>, manifests: Vec<Digest>) -> Result<(), LogError> {
    let shared = Arc::downgrade(shared);
    let read = move || {
        for digest in manifests {
            // Not held from one to the next: the log ends with its last user.
            let Some(shared) = shared.upgrade().filter(|shared| !shared.is_stopping()) else { return };
            let whole = match shared.store.manifest(&digest) {
                Ok(bytes) => bytes.is_some_and(|bytes| Digest::of(&bytes) == digest),
                Err(error) => {
                    tracing::warn!(%digest, %error, "a manifest cannot be read");
                    false
                }
            };
            if !whole && shared.lost_manifests.lock().unwrap_or_else(PoisonError::into_inner).insert(digest) {
                tracing::error!(%digest, "the manifest of a logged release is missing or damaged");
            }
        }
    };
    let spawned = std::thread::Builder::new().name("manifests".into()).spawn(read);
    spawned.map(drop).map_err(|source| LogError::Machine { what: "a thread", source })
}
