//! What holds the sequencer up for a while: said once as an alarm, shown as the state of the writer, and the reason why submitters are refused.

use crate::attempt::{Attempt, RETRY};
use crate::cosigning::QuorumMissing;
use crate::running_log::RunningLog;
use crate::status::WriterState;
use crate::submission::Unavailable;
use crate::writer::WriteError;
use std::time::Duration;

/// Too few witnesses have said what they cosigned last.
pub fn not_remembered(log: &RunningLog, attempt: &mut Attempt, now: Duration, missing: &QuorumMissing) {
    let missing = missing.lines();
    if log.status.alarm(now, "asking-witnesses", &missing.join("\n")) {
        tracing::warn!(?missing, "too few witnesses have said what they cosigned last; nothing is signed before");
    }
    log.status.set_writer(WriterState::Asking { since: attempt.since, missing });
    attempt.pause_from(now);
}

/// The first entry of the log finds no room.
pub fn no_first_entry(log: &RunningLog, attempt: &mut Attempt, now: Duration, error: &WriteError) {
    let (code, message) = (error.code(), error.to_string());
    if log.status.alarm(now, "batch-not-written", &message) {
        tracing::error!(code, %error, "the first entry was not written; nothing was signed");
    }
    log.status.set_writer(WriterState::NoRoom { message: message.clone() });
    attempt.unavailable = Some(Unavailable::Storage { code, message });
    attempt.pause = RETRY.1;
    attempt.pause_from(now);
}

/// A batch finds no room: why its submitters are refused.
pub fn no_batch(log: &RunningLog, now: Duration, error: &WriteError) -> Unavailable {
    let (code, message) = (error.code(), error.to_string());
    if log.status.alarm(now, "batch-not-written", &message) {
        tracing::error!(code, %error, "a batch was not written; nothing was signed");
    }
    log.status.set_unwritten(Some(message.clone()));
    Unavailable::Storage { code, message }
}

/// The storage took a renewed checkpoint: where there is room for a batch as well, nothing is known that would keep the next one from being written.
pub fn written_again(log: &RunningLog) {
    if log.short_of_room().is_none() {
        log.status.set_unwritten(None);
    }
}

/// A signed head of `size` entries finds no room to be published.
pub fn no_room(log: &RunningLog, attempt: &mut Attempt, now: Duration, size: Option<u64>, error: &str) {
    let message = format!("{error}: signed, and published when there is room");
    if log.status.alarm(now, "checkpoint-not-published", &message) {
        tracing::error!(size, message, "the checkpoint is not published");
    }
    log.status.set_writer(WriterState::NoRoom { message: message.clone() });
    attempt.unavailable = Some(Unavailable::Storage { code: "disk-full", message });
    attempt.pause_from(now);
}

/// A signed head of `size` entries has too few cosignatures.
pub fn below_quorum(
    log: &RunningLog,
    attempt: &mut Attempt,
    now: Duration,
    size: Option<u64>,
    missing: &QuorumMissing,
) {
    let missing = missing.lines();
    if log.status.alarm(now, "below-quorum", &missing.join("\n")) {
        tracing::warn!(size, ?missing, "below the quorum; asking again");
    }
    log.status.set_writer(WriterState::BelowQuorum { since: attempt.since, missing });
    attempt.unavailable = Some(Unavailable::QuorumMissing);
    attempt.pause_from(now);
}

/// The published head was not cosigned once more.
pub fn not_renewed(log: &RunningLog, now: Duration, why: &str) {
    if log.status.alarm(now, "checkpoint-not-renewed", why) {
        tracing::warn!(why, "the published checkpoint is not renewed");
    }
}
