//! Rounds of questions to the witnesses of the policy: who has answered, who is waited for, when it is enough.
//!
//! A round is over when the quorum is there and a small grace has passed, or when no witness is left to wait for. Every line that comes
//! back is verified; what is not the witness's own is dropped.
//!
//! | answer | means | then |
//! |---|---|---|
//! | 200 | cosigned | its lines are verified |
//! | 409 and a size | it has seen another head of this log | once more with the proof from that size |
//! | 409 and a size beyond the log's | it says that it cosigned more than this log signed | it is asked for that head: [`Cosigning::take_heads`] |
//! | 409 without a size, or the same again; 422 | it holds another tree of this log, or the proof fails | the same |
//! | 403, 404 | it does not know this log, or not its key | the operator has to enrol it |
//! | 428 | it is an index cosigner | it is brought steps: [`index_steps`](crate::index_steps), whose table goes on from here |
//! | 202 to a step | it has checked so much | the next step |
//! | 404, 405, 501 to a step | it takes none any more | the ordinary request |
//! | anything else | unwell | next time |
//!
//! Before the first signature of a run all of them are asked what they cosigned last: `GET <origin hash>/checkpoint`, and where a witness
//! serves none the newest signed head is offered once more.

use crate::checkpoint::SignedCheckpoint;
use crate::contract::cosigner::WITNESS_TIME;
use crate::endpoint::{WitnessAnswer, WitnessRequest};
use crate::recall::suffices;
use crate::status::Status;
use crate::witness_problem::Problem;
use std::sync::Arc;
use std::time::Duration;
use stele_spec::note::{NoteSignature, SignedNote};
use stele_spec::policy::{Policy, TrustedCheckpoint};

/// How long to wait for further witnesses once the quorum is there.
pub const GRACE: Duration = Duration::from_millis(30);

/// How long to wait for the other witnesses once enough have said what they remember: a head that is signed and not yet
/// published may be known to one of them alone.
const RECALL_GRACE: Duration = Duration::from_secs(2);

/// How long a round of questions may take: one answer, and the way back.
const ROUND: Duration = Duration::from_secs(WITNESS_TIME.as_secs() + 1);

/// How many seconds a cosignature may be off this machine's clock before that is said: clocks that are kept right are closer.
const MAX_SKEW: u64 = 300;

/// The witnesses of the log's policy, and the round that is under way.
#[derive(Debug)]
pub struct Cosigning {
    policy: Policy,
    /// How each is called: by its key.
    names: Vec<String>,
    reachable: Vec<bool>,
    /// Whose last answer was no cosignature: they are not waited for once the quorum is there.
    away: Vec<bool>,
    heads: Vec<(String, Arc<SignedCheckpoint>)>,
    status: Arc<Status>,
    number: u64,
    /// Rounds up to this one were asked of another policy's witnesses: their answers name other places.
    before: u64,
    round: Option<Round>,
}

/// A round that is under way.
#[derive(Debug)]
struct Round {
    head: Option<Arc<SignedCheckpoint>>,
    recall: bool,
    outcomes: Vec<Outcome>,
    deadline: Duration,
    /// Whether enough have answered.
    met: bool,
}

/// How a round ended.
#[derive(Debug)]
pub enum RoundEnd {
    /// The head has the cosignatures of a quorum.
    Cosigned(Box<TrustedCheckpoint>),
    /// So many have said what they remember that every quorum has one of them in it.
    Remembered,
    /// Too few have answered.
    Missing(QuorumMissing),
}

/// Too few have cosigned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuorumMissing {
    /// The witnesses that did not, and why.
    pub missing: Vec<(String, Problem)>,
}

impl QuorumMissing {
    /// One line a witness.
    pub fn lines(&self) -> Vec<String> {
        self.missing.iter().map(|(name, problem)| format!("{name}: {problem}")).collect()
    }
}

type Outcome = Result<Vec<NoteSignature>, Problem>;

impl Cosigning {
    /// The witnesses of a policy. Nothing was asked yet.
    pub fn new(policy: &Policy, status: &Arc<Status>) -> Self {
        let reachable: Vec<bool> = policy.witnesses().iter().map(|witness| witness.url.is_some()).collect();
        Self {
            policy: policy.clone(),
            names: names(policy),
            away: vec![false; reachable.len()],
            reachable,
            heads: Vec::new(),
            status: status.clone(),
            number: 0,
            before: 0,
            round: None,
        }
    }

    /// The witnesses of the policy that takes the place of this one. What is still answered to the old one's rounds is not heard.
    pub fn succeeded_by(&self, policy: &Policy) -> Self {
        let next = Self { number: self.number, before: self.number, ..Self::new(policy, &self.status) };
        self.status.forget_witnesses_but(&next.names);
        next
    }

    /// Leaves out the witnesses at these places of the policy: nobody can ask them.
    pub fn leave_out(&mut self, numbers: &[usize]) {
        for number in numbers {
            if let Some(reachable) = self.reachable.get_mut(*number) {
                *reachable = false;
            }
        }
    }

    /// Begins a round: to have `head` cosigned, or with `recall` to learn what each witness remembers of this log. `hint` is the size that
    /// witnesses have probably cosigned last.
    pub fn ask(
        &mut self,
        now: Duration,
        head: Option<&Arc<SignedCheckpoint>>,
        hint: u64,
        recall: bool,
    ) -> WitnessRequest {
        self.number += 1;
        let waiting = |asked: &bool| Err(if *asked { Problem::Waiting } else { Problem::NoAddress });
        let outcomes = self.reachable.iter().map(waiting).collect();
        self.round = Some(Round { head: head.cloned(), recall, outcomes, deadline: now + ROUND, met: false });
        WitnessRequest { round: self.number, head: head.cloned(), hint, recall }
    }

    /// Hears an answer, at a time of the steady clock and in Unix seconds. One to an older round is of no use for a newer one, and still
    /// the newest that a witness said.
    pub fn hear(&mut self, answer: WitnessAnswer, now: Duration, unix: u64) {
        let Some(name) = self.names.get(answer.witness).filter(|_| answer.round > self.before) else { return };
        if let Some(head) = answer.head {
            self.heads.push((name.clone(), head));
        }
        if let Some(away) = self.away.get_mut(answer.witness) {
            *away = answer.outcome.is_err();
        }
        note_outcome(&self.status, name, &answer.outcome, now, unix);
        if answer.round == self.number
            && let Some(round) = &mut self.round
            && let Some(slot) = round.outcomes.get_mut(answer.witness)
        {
            *slot = answer.outcome;
        }
    }

    /// How the round under way ended, once it is over.
    pub fn round_end(&mut self, now: Duration, unix: u64) -> Option<RoundEnd> {
        let mut round = self.round.take()?;
        if !round.met && self.enough(&round) {
            round.met = true;
            round.deadline = round.deadline.min(now + if round.recall { RECALL_GRACE } else { GRACE });
        }
        let waiting =
            || round.outcomes.iter().zip(&self.away).filter(|(outcome, _)| **outcome == Err(Problem::Waiting));
        let goes_on = if round.met { waiting().any(|(_, away)| !away) } else { waiting().next().is_some() };
        if goes_on && now < round.deadline {
            self.round = Some(round);
            return None;
        }
        for (name, outcome) in self.names.iter().zip(&round.outcomes) {
            // One that is merely slower than the others will be heard.
            if *outcome == Err(Problem::NoAddress) || !round.met && *outcome == Err(Problem::Waiting) {
                note_outcome(&self.status, name, outcome, now, unix);
            }
        }
        Some(self.end(round))
    }

    /// What is known of each witness.
    pub fn status(&self) -> &Arc<Status> {
        &self.status
    }

    /// When the round under way is over at the latest.
    pub fn deadline(&self) -> Option<Duration> {
        self.round.as_ref().map(|round| round.deadline)
    }

    /// The heads of this log that witnesses have shown, each with its witness, since this was asked last.
    pub fn take_heads(&mut self) -> Vec<(String, Arc<SignedCheckpoint>)> {
        std::mem::take(&mut self.heads)
    }

    fn enough(&self, round: &Round) -> bool {
        let answered = |number: usize| round.outcomes.get(number).is_some_and(Result::is_ok);
        if round.recall { suffices(&self.policy, answered) } else { self.policy.quorum().is_met(&answered) }
    }

    fn end(&self, round: Round) -> RoundEnd {
        if round.recall && self.enough(&round) {
            return RoundEnd::Remembered;
        }
        let lines = round.outcomes.iter().flatten().flatten().cloned();
        let cosigned = round.head.as_ref().filter(|_| !round.recall).and_then(|head| {
            let own = head.note.signatures().iter().cloned();
            let note = SignedNote::new(head.note.text().to_owned(), own.chain(lines).collect()).ok()?;
            TrustedCheckpoint::verify(note, &self.policy).ok()
        });
        cosigned
            .map_or_else(|| RoundEnd::Missing(self.missing(round.outcomes)), |head| RoundEnd::Cosigned(Box::new(head)))
    }

    fn missing(&self, outcomes: Vec<Outcome>) -> QuorumMissing {
        let named = self.names.iter().cloned().zip(outcomes);
        QuorumMissing { missing: named.filter_map(|(name, outcome)| Some((name, outcome.err()?))).collect() }
    }
}

/// The witnesses of a policy as [`Status::witnesses`] names them: each by the name in its key, and the key's id where two keys share the name.
pub fn names(policy: &Policy) -> Vec<String> {
    let names = || policy.witnesses().iter().map(|witness| witness.key.name().as_str());
    let name = |witness: &stele_spec::policy::Witness| {
        let name = witness.key.name().as_str();
        let alone = names().filter(|other| *other == name).count() == 1;
        if alone { name.to_owned() } else { format!("{name}+{}", witness.key.hash()) }
    };
    policy.witnesses().iter().map(name).collect()
}

/// Notes what a witness said, at a time of the steady clock and in Unix seconds.
fn note_outcome(status: &Status, name: &str, outcome: &Outcome, now: Duration, unix: u64) {
    match outcome {
        Ok(lines) if lines.is_empty() => {}
        Ok(_) => status.count("stele_cosignatures_total", &format!("{name} cosigned"), 1),
        Err(_) => status.count("stele_cosignatures_total", &format!("{name} failed"), 1),
    }
    status.note_witness(name, |known| {
        known.is_stranger = matches!(outcome, Err(Problem::Unknown { .. }));
        let told = match outcome {
            Ok(lines) => {
                if let Some(line) = lines.first() {
                    known.cosigned = Some(unix);
                    known.ahead = None;
                    skew(line, unix)
                } else {
                    None
                }
            }
            Err(problem) => Some(problem.to_string()),
        };
        if let Err(Problem::Ahead { size }) = outcome {
            known.ahead = Some(*size);
        }
        if known.problem != told
            && status.is_due(now, &format!("{name}: {}", told.is_some()), told.as_deref().unwrap_or(""))
        {
            match (&told, outcome) {
                (Some(_), Err(Problem::Unreachable(unreachable))) => {
                    tracing::warn!(witness = name, problem = unreachable.detail, "no cosignature");
                }
                (Some(problem), Err(_)) => tracing::warn!(witness = name, problem, "no cosignature"),
                (Some(problem), Ok(_)) => tracing::warn!(witness = name, problem, "cosigned"),
                (None, _) => tracing::info!(witness = name, "answers again"),
            }
        }
        known.problem = told;
    });
}

/// What is to be said of the time of a cosignature that was just made.
fn skew(line: &NoteSignature, now: u64) -> Option<String> {
    // Both algorithms put the time first, as eight bytes (c2sp.org/tlog-cosignature).
    let time = u64::from_be_bytes(*line.bytes.first_chunk()?);
    let (ahead, behind) = (time.saturating_sub(now), now.saturating_sub(time));
    if ahead > MAX_SKEW {
        return Some(format!("its cosignatures are dated {ahead} s ahead of this machine's clock"));
    }
    (behind > MAX_SKEW).then(|| format!("its cosignatures are dated {behind} s behind this machine's clock"))
}

#[cfg(test)]
mod tests;
