//! One look at one log: its head against what is remembered and what the witnesses saw, then its new entries.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stele_explain::{Exit, Explain, Failure, explain};
use stele_log_client::log_end::LogEnd;
use stele_log_client::reader::{LogReader, ReadError, VerifiedLog};
use stele_spec::checkpoint::{Checkpoint, verify_log_signature};
use stele_spec::entry::Entry;
use stele_spec::hash::{Digest, LeafHash};
use stele_spec::misbehaviour::{
    EvidenceError, ImpossibleHead, KnownKeys, Misbehaviour, Prefix, Rollback, SplitView, Unproven,
};
use stele_spec::note::SignedNote;
use stele_spec::policy::{Policy, TrustedCheckpoint};
use stele_spec::statement::{Kind as StatementKind, SignedStatement};
use stele_spec::text::to_base64;

use crate::event::{Event, Kind};
use crate::state::{LogState, MAX_MISBEHAVIOUR, MAX_WAITING, StateError, StateFile};
use crate::watch::Watch;
use crate::witnesses::{self, View, WitnessClient, WitnessHead};

/// One log that is watched.
#[derive(Debug, Clone)]
pub struct WatchedLog {
    /// The first line of its checkpoints.
    pub origin: String,
    /// Where it is read.
    pub reader: LogReader,
}

/// By what an entry is judged.
#[derive(Debug)]
pub(crate) struct EntryFilter<'a> {
    /// What is watched.
    pub watch: &'a Watch,
    /// What is expected.
    pub expected: &'a BTreeSet<LeafHash>,
    /// Whether entries before the first head are told.
    pub from_beginning: bool,
    /// Whether releases are remembered, for their hosts.
    pub keep_releases: bool,
    /// The time.
    pub now: u64,
}

/// What a look came to.
#[derive(Debug, Default)]
pub struct LogRound {
    /// The size of the newest head.
    pub size: u64,
    /// The time of the newest head: the median of its cosignatures.
    pub time: Option<u64>,
    /// The size of the head that the log showed now.
    pub served: u64,
    /// How many entries were looked at.
    pub entries: u64,
    /// What the log says of its own end; nothing known where it could not be asked.
    pub end: Option<Said>,
    /// What each witness of the policy said.
    pub witnesses: Vec<(String, WitnessHead)>,
}

/// An answer to the question whether a log has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// It says nothing, and goes on.
    Nothing,
    /// It has.
    Ended(LogEnd),
}

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
    let opened = log.reader.open(newest)?;
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
    if judge.keep_releases && !std::mem::replace(&mut state.keeps_releases, true) && state.next > 0 {
        // Releases were not kept so far: they are read again, in silence.
        state.report_from = state.report_from.max(state.next);
        state.next = 0;
    }
    state.head = opened.head().note().to_string();
    // An older head of the same history is no lie: a cache in front of the log may have kept it.
    state.behind_since = (served_size < opened.size()).then(|| state.behind_since.unwrap_or(judge.now));
    let mut round = LogRound {
        size: opened.size(),
        time: opened.head().trusted().time().map(|time| time.seconds()),
        served: served_size,
        end: LogEnd::read(&log.reader, &opened, policy).ok().map(|end| end.map_or(Said::Nothing, Said::Ended)),
        ..LogRound::default()
    };
    for (witness, view) in witnesses::ask(witnesses, policy, &log.origin) {
        round.witnesses.push((witness.clone(), of_witness(&witness, view, &opened, log, policy, memory, judge.now)?));
    }
    read_entries(&opened, log, judge, memory, &mut round)?;
    Ok(round)
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

/// What two heads of one log prove, if anything: the tiles of the larger say what its first entries hash to.
fn compare(opened: &VerifiedLog<'_>, note: &SignedNote) -> Result<Option<Misbehaviour>, ReadError> {
    let Ok(checkpoint) = Checkpoint::parse(note.text()) else { return Ok(None) };
    let newest = opened.head().note();
    let root = opened.root_at(checkpoint.size())?;
    if root == checkpoint.root() {
        // Of one history, a witness may still have cosigned the smaller tree after the larger.
        let rollback = Rollback { larger: newest.clone(), smaller: note.clone() };
        return Ok((checkpoint.size() < opened.size()).then_some(Misbehaviour::Rollback(rollback)));
    }
    if checkpoint.size() == 0 {
        return Ok(Some(Misbehaviour::ImpossibleHead(ImpossibleHead { head: note.clone() })));
    }
    let prefix = match checkpoint.size() < opened.size() {
        true => Some(Prefix { root, path: opened.prove_consistency(checkpoint.size())? }),
        false => None,
    };
    Ok(Some(Misbehaviour::SplitView(SplitView { older: note.clone(), newer: newest.clone(), prefix })))
}

/// Compares a head with the log's; what convicts somebody is kept and told once. Whether it is of another history.
fn tell(
    opened: &VerifiedLog<'_>,
    note: &SignedNote,
    shown_by: &str,
    policy: &Policy,
    memory: &mut StateFile,
    now: u64,
) -> Result<bool, Failure> {
    let Some(evidence) = compare(opened, note)? else { return Ok(false) };
    let split = !matches!(evidence, Misbehaviour::Rollback(_));
    // What is kept is what anyone can check: nothing that only we believe, and no accusation without it.
    let verdict = match evidence.check(&KnownKeys::of_policy(policy)) {
        Ok(verdict) => verdict,
        Err(_) if !split => return Ok(false),
        Err(error) => {
            return Err(Contradiction { origin: log_of(opened), shown_by: shown_by.to_owned(), error }.into());
        }
    };
    let known = memory.state.logs.get(&log_of(opened)).map_or(0, |log| log.misbehaviour.len());
    if known >= MAX_MISBEHAVIOUR {
        return Ok(split);
    }
    let (name, bytes) = (evidence.file_name().map_err(Unwritten)?, evidence.to_bytes().map_err(Unwritten)?);
    let path = memory.keep(&format!("evidence/{name}"), &bytes)?;
    let origin = log_of(opened);
    let state = memory.state.logs.entry(origin.clone()).or_default();
    // The same two trees may come with other cosignatures each time.
    let heads = format!("{}\n{}\n{}", evidence.kind(), note.text(), opened.head().note().text());
    if !state.misbehaviour.insert(Digest::of(heads.as_bytes()).to_string()) {
        return Ok(split);
    }
    let accused: Vec<String> = verdict.accused.iter().map(ToString::to_string).collect();
    let facts: serde_json::Map<String, Value> =
        verdict.facts.iter().map(|(name, fact)| ((*name).to_owned(), fact.clone().into())).collect();
    let details = json!({
        "misbehaviour": evidence.kind().to_string(),
        "evidence": path.display().to_string(),
        "accused": accused,
        "shown_by": shown_by,
        "facts": facts,
    });
    memory.state.say(Event::new(Kind::Misbehaviour, &[&origin, &heads], now, Some(&origin), verdict.what, details));
    Ok(split)
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

impl EntryFilter<'_> {
    /// What is to be said about an entry: nothing, if it is not watched, expected, or from before we came.
    pub(crate) fn entry(
        &self,
        origin: &str,
        state: &mut LogState,
        position: u64,
        leaf: LeafHash,
        bytes: &[u8],
        own: bool,
    ) -> Option<Event> {
        let Ok(entry) = Entry::parse(bytes) else {
            state.unreadable += 1;
            return None;
        };
        let reasons = self.watch.reasons(&entry);
        let Entry::Statement(signed) = &entry else { return None };
        if reasons.is_empty() {
            return None;
        }
        if self.keep_releases {
            remember(state, position, signed);
        }
        if own || position < state.report_from || self.expected.contains(&leaf) {
            return None;
        }
        Some(self.event(origin, position, leaf, signed, &reasons))
    }

    fn event(
        &self,
        origin: &str,
        position: u64,
        leaf: LeafHash,
        signed: &SignedStatement,
        reasons: &[String],
    ) -> Event {
        let statement = signed.statement();
        let kind = statement.kind();
        let subjects: Vec<String> = statement.coordinates().iter().map(ToString::to_string).collect();
        let about = subjects.first().cloned().unwrap_or_else(|| statement.publisher().to_string());
        let summary =
            format!("entry {position}: {kind} of {about}, said by {}, was not expected", statement.publisher());
        let details: Value = json!({
            "position": position,
            "leaf_hash": leaf.to_string(),
            "statement": kind.to_string(),
            "publisher": statement.publisher().to_string(),
            "coordinates": subjects,
            "key_id": signed.kid().to_string(),
            "issued_at": statement.issued_at().to_string(),
            "weights_digest": statement.weights_digest().map(|digest| digest.to_string()),
            "watched": reasons,
        });
        let cause = [origin, &position.to_string(), &leaf.to_string()];
        Event::new(Kind::Entry, &cause, self.now, Some(origin), summary, details)
    }
}

/// Keeps what a publisher says about its own release: its hosts follow from that.
fn remember(state: &mut LogState, position: u64, signed: &SignedStatement) {
    let statement = signed.statement();
    let kept = [
        StatementKind::Release,
        StatementKind::Amend,
        StatementKind::Stage,
        StatementKind::Supersede,
        StatementKind::Withdraw,
    ];
    if let Some(coordinate) = statement.coordinate()
        && kept.contains(&statement.kind())
        && *statement.publisher() == coordinate.publisher
    {
        let kept = state.releases.keep(&coordinate.to_string(), position, to_base64(signed.bytes()));
        state.unkept += u64::from(!kept);
    }
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

/// A note that one of the policy's logs signed, and what it claims.
fn signed_by_log(note: &str, policy: &Policy) -> Option<(SignedNote, Checkpoint)> {
    let note = SignedNote::parse(note.as_bytes()).ok()?;
    let checkpoint = policy.logs().iter().find_map(|log| verify_log_signature(&note, &log.key).ok())?;
    Some((note, checkpoint))
}

fn log_of(opened: &VerifiedLog<'_>) -> String {
    opened.head().checkpoint().origin().to_string()
}

/// Two heads contradict each other, and what is here convicts nobody.
#[derive(Debug, thiserror::Error)]
#[error("a tree head of {origin} shown by {shown_by} is of another history, and what is here proves nothing: {error}")]
pub(crate) struct Contradiction {
    origin: String,
    shown_by: String,
    error: Unproven,
}

impl Explain for Contradiction {
    explain! {
        Self { .. } => Exit::Unavailable, "contradiction-unproven",
            hint: "nobody is accused: the keys of the policy do not vouch for both tree heads. Is the policy the right one?";
    }
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

/// Somebody is convicted.
#[derive(Debug, thiserror::Error)]
#[error("there is evidence against {origin} or its witnesses")]
pub(crate) struct Misbehaved {
    pub origin: String,
}

impl Explain for Misbehaved {
    explain! {
        Self { .. } => Exit::Inconsistent, "misbehaviour",
            hint: "it is in the folder `evidence` of the monitor's state: anyone can check it with the keys of the policy. Publish it, and rely on neither history";
    }
}

/// Evidence that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("the evidence cannot be written: {0}")]
pub(crate) struct Unwritten(EvidenceError);

impl Explain for Unwritten {
    explain! {
        Self { .. } => Exit::Internal, "evidence-unwritten";
    }
}

#[cfg(test)]
mod tests;
