//! Two tree heads of one log that cannot both be: what convicts somebody, and what does not.

use serde_json::{Value, json};
use stele_explain::{Exit, Explain, Failure, explain};
use stele_log_client::reader::{ReadError, VerifiedLog};
use stele_spec::checkpoint::{Checkpoint, verify_log_signature};
use stele_spec::hash::Digest;
use stele_spec::misbehaviour::{
    EvidenceError, ImpossibleHead, KnownKeys, Misbehaviour, Prefix, Rollback, SplitView, Unproven,
};
use stele_spec::note::SignedNote;
use stele_spec::policy::Policy;

use crate::event::{Event, Kind};
use crate::state::{MAX_MISBEHAVIOUR, StateFile};

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
pub(crate) fn tell(
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

/// A note that one of the policy's logs signed, and what it claims.
pub(crate) fn signed_by_log(note: &str, policy: &Policy) -> Option<(SignedNote, Checkpoint)> {
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

/// Evidence that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("the evidence cannot be written: {0}")]
pub(crate) struct Unwritten(EvidenceError);

impl Explain for Unwritten {
    explain! {
        Self { .. } => Exit::Internal, "evidence-unwritten";
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
