//! One look at one log: its head against what is remembered and what the witnesses saw, then its new entries.

use serde_json::json;
use stele_explain::{Exit, Explain, Failure, explain};
use stele_log_client::log_end::LogEnd;
use stele_log_client::reader::VerifiedLog;
use stele_spec::checkpoint::Checkpoint;
use stele_spec::hash::Digest;
use stele_spec::note::SignedNote;
use stele_spec::policy::{Policy, TrustedCheckpoint};

use crate::contradiction::{Misbehaved, signed_by_log, tell};
use crate::entry_filter::EntryFilter;
use crate::event::{Event, Kind};
use crate::log_outcome::{LogRound, Said};
use crate::name_round::read_names;
use crate::seen_heads;
use crate::state::{KnownList, LogState, MAX_WAITING, StateError, StateFile};
use crate::watched_log::WatchedLog;
use crate::witnesses::{self, View, WitnessClient, WitnessHead};

/// Looks at a log. What it found is in the memory, saved, also where an error ends it.
pub(crate) fn look(
    log: &WatchedLog,
    policy: &Policy,
    judge: &EntryFilter<'_>,
    witnesses: &dyn WitnessClient,
    memory: &mut StateFile,
) -> Result<LogRound, Failure> {
    let looked = look_unsaved(log, policy, judge, witnesses, memory);
    memory.save()?;
    looked
}

fn look_unsaved(
    log: &WatchedLog,
    policy: &Policy,
    judge: &EntryFilter<'_>,
    witnesses: &dyn WitnessClient,
    memory: &mut StateFile,
) -> Result<LogRound, Failure> {
    let served = log.reader.head(policy)?;
    let found = served.checkpoint().origin().as_str();
    if found != log.origin {
        return Err(OtherLog { expected: log.origin.clone(), found: found.to_owned() }.into());
    }
    let remembered = remembered(&log.origin, policy, memory, judge.now)?;
    let served_size = served.size();
    let served_note = served.note().clone();
    // The tiles of the larger head are there, whichever of the two it is.
    let newest = match &remembered {
        Some((note, checkpoint)) if checkpoint.size() > served_size => {
            TrustedCheckpoint::parse(&note.to_bytes(), policy).unwrap_or(served)
        }
        _ => served,
    };
    let mut opened = log.reader.open(newest)?;
    let other = match &remembered {
        Some((note, checkpoint)) if checkpoint.size() <= opened.size() => Some(note.clone()),
        _ => None,
    };
    for note in other.into_iter().chain([served_note]) {
        if tell(&opened, &note, "the log itself", policy, memory, judge.now)? {
            return Err(Misbehaved { origin: log.origin.clone() }.into());
        }
    }

    let state = memory.state.logs.entry(log.origin.clone()).or_default();
    if state.head.is_empty() && state.next == 0 && !judge.from_beginning {
        state.report_from = opened.size();
    }
    if judge.keep_releases && !std::mem::replace(&mut state.keeps_releases, true) && state.looked_at_any() {
        // Releases were not kept so far: they are read again, in silence.
        state.report_from = state.report_from.max(state.next);
        state.next = 0;
        state.lists.values_mut().for_each(KnownList::forget);
    }
    state.head = opened.head().note().to_string();
    // An older head of the same history is no lie: a cache in front of the log may have kept it.
    state.behind_since = (served_size < opened.size()).then(|| state.behind_since.unwrap_or(judge.now));
    let mut round = LogRound {
        size: opened.size(),
        time: opened.head().trusted().time().map(|time| time.seconds()),
        served: served_size,
        end: end_of(log, &opened, policy, state),
        ..LogRound::default()
    };
    for (witness, view) in witnesses::ask(witnesses, policy, &log.origin) {
        round.witnesses.push((witness.clone(), of_witness(&witness, view, &opened, log, policy, memory, judge.now)?));
    }
    let state = memory.state.logs.entry(log.origin.clone()).or_default();
    seen_heads::see(state, &opened)?;
    let read = match judge.watch.reads_names() {
        true => read_names(&mut opened, log, policy, judge, memory, &mut round),
        false => read_entries(&opened, log, judge, memory, &mut round),
    };
    let state = memory.state.logs.entry(log.origin.clone()).or_default();
    seen_heads::settle(state);
    round.size = opened.size();
    read.map(|()| round)
}

/// What the log says of its end, or said once, where it has gone on since: to serve the file no more takes nothing back. `None`: it could not be asked.
fn end_of(log: &WatchedLog, opened: &VerifiedLog<'_>, policy: &Policy, state: &mut LogState) -> Option<Said> {
    let served = LogEnd::note(&log.reader, opened.head(), policy).ok()?;
    let is_served = served.is_some();
    if let Some(note) = served.and_then(|note| String::from_utf8(note).ok()) {
        state.end = note;
    }
    let end = LogEnd::of(state.end.as_bytes(), opened, policy).ok()?;
    Some(end.filter(|end| is_served || end.is_contradicted()).map_or(Said::Nothing, Said::Ended))
}

/// What a witness's head is to the log's; what convicts is kept and told.
fn of_witness(
    witness: &str,
    view: View,
    opened: &VerifiedLog<'_>,
    log: &WatchedLog,
    policy: &Policy,
    memory: &mut StateFile,
    now: u64,
) -> Result<WitnessHead, Failure> {
    let state = memory.state.logs.entry(log.origin.clone()).or_default();
    let mut notes: Vec<SignedNote> = Vec::new();
    // What it showed before, of which the log had no tiles yet.
    if let Some(ahead) = state.ahead.get(witness) {
        match signed_by_log(&ahead.note, policy) {
            Some((_, checkpoint)) if checkpoint.size() > opened.size() => {}
            Some((note, _)) => {
                notes.push(note);
                state.ahead.remove(witness);
            }
            // Damaged on this machine, or of a key that the policy no longer has: it proves nothing.
            None => drop(state.ahead.remove(witness)),
        }
    }
    let seen = match view {
        View::Said(seen) => seen,
        View::Head(note, checkpoint) if checkpoint.size() > opened.size() => {
            let seen = WitnessHead::Ahead { size: checkpoint.size() };
            let ahead = crate::state::Ahead { note: note.to_string(), since: now };
            state.ahead.entry(witness.to_owned()).or_insert(ahead);
            seen
        }
        View::Head(note, checkpoint) => {
            notes.push(note);
            WitnessHead::Agrees { size: checkpoint.size() }
        }
    };
    for note in notes {
        if tell(opened, &note, &format!("witness {witness}"), policy, memory, now)? {
            return Ok(WitnessHead::Split);
        }
    }
    Ok(seen)
}

fn read_entries(
    opened: &VerifiedLog<'_>,
    log: &WatchedLog,
    judge: &EntryFilter<'_>,
    memory: &mut StateFile,
    round: &mut LogRound,
) -> Result<(), Failure> {
    let from = memory.state.logs.get(&log.origin).map_or(0, |state| state.next);
    for chunk in opened.entries(from) {
        if memory.state.waiting().len() >= MAX_WAITING {
            break;
        }
        let chunk = chunk?;
        let waiting = memory.state.waiting().len();
        for (position, leaf, bytes) in chunk.iter() {
            // It is in the log now, and is not read again.
            let own = memory.state.core.own.remove(&leaf.to_string());
            let state = memory.state.logs.entry(log.origin.clone()).or_default();
            if let Some(event) = judge.entry(&log.origin, state, position, leaf, bytes, own) {
                memory.state.say(event);
            }
            round.entries += 1;
        }
        memory.state.logs.entry(log.origin.clone()).or_default().next = chunk.end();
        if memory.state.waiting().len() > waiting {
            memory.save()?;
        }
    }
    Ok(())
}

/// The newest head that is remembered of a log. One that the log did not sign is damaged: it is set aside and said, and accuses nobody.
fn remembered(
    origin: &str,
    policy: &Policy,
    memory: &mut StateFile,
    now: u64,
) -> Result<Option<(SignedNote, Checkpoint)>, Failure> {
    let head = memory.state.logs.get(origin).map(|log| log.head.clone()).unwrap_or_default();
    if head.is_empty() {
        return Ok(None);
    }
    if let Some(known) = signed_by_log(&head, policy).filter(|(_, checkpoint)| checkpoint.origin().as_str() == origin) {
        return Ok(Some(known));
    }
    let digest = Digest::of(head.as_bytes()).to_string();
    let kept = memory.keep(&format!("damaged/head-{digest}"), head.as_bytes())?;
    memory.state.logs.entry(origin.to_owned()).or_default().head.clear();
    let error = StateError::Head { origin: origin.to_owned(), kept: kept.clone() };
    let details =
        json!({"alert": "state-damaged", "state": "raised", "of": origin, "kept": kept.display().to_string()});
    let cause = ["state-damaged", origin, &digest, &now.to_string()];
    memory.state.say(Event::new(Kind::Alert, &cause, now, Some(origin), error.to_string(), details));
    Err(error.into())
}

/// Another log is served there.
#[derive(Debug, thiserror::Error)]
#[error("another log is served there")]
pub(crate) struct OtherLog {
    expected: String,
    found: String,
}

impl Explain for OtherLog {
    explain! {
        Self { expected, found, .. } => Exit::WrongPolicy, "other-log",
            hint: "correct the address of the log, in the policy or under [[log]]",
            "expected": expected, "found": found;
    }
}

#[cfg(test)]
mod tests;
