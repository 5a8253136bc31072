//! Asking witnesses to cosign a tree head (c2sp.org/tlog-witness, `add-checkpoint`), from the log's side.
//!
//! One thread for each address, so that a slow one holds nobody up; the keys of one witness, listed with one address, are asked for
//! together: [`Witnesses::gather`] returns when the quorum is there and a
//! small grace is over, or when nobody is left to wait for. A witness that is still busy with an older head gets the
//! newest one next. Every line that comes back is verified; what is not the witness's own is dropped.
//!
//! | answer | means | then |
//! |---|---|---|
//! | 200 | cosigned | its lines are verified |
//! | 409 and a size | it has seen another head of ours | once more with the proof from that size |
//! | 409 and a size beyond ours | it says that it cosigned more than this log signed | it is asked for that head: [`Witnesses::take_heads`] |
//! | 409 without a size, or the same again; 422 | it holds another tree of ours, or our proof fails | the same |
//! | 403, 404 | it does not know this log, or not its key | the operator has to enrol it |
//! | anything else | unwell | next time |
//!
//! Before the first signature of a run all of them are asked what they cosigned last ([`Witnesses::recall`]): `GET
//! /<origin hash>/checkpoint`, and where a witness serves none the newest signed head is offered once more.

mod problem;

mod exchange;

use exchange::{Answer, Asked, Call, Job, Said, away, work};
pub use problem::{Away, Problem};

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};
use stele_clock::{Clock, SystemClock};
use stele_fetch::http_client::{ClientLimits, HttpClient};
use stele_log_core::checkpoint::SignedCheckpoint;
use stele_log_core::recall::suffices;
use stele_log_core::status::Status;
use stele_log_core::tiles::TileStore;
use stele_spec::hash::Digest;
use stele_spec::note::{NoteSignature, SignedNote, VerifierKey};
use stele_spec::policy::Policy;
use stele_spec::policy::TrustedCheckpoint;

/// How long to wait for further witnesses once the quorum is there.
pub const GRACE: Duration = Duration::from_millis(30);

/// How long a witness may take for one answer.
pub const WITNESS_TIME: Duration = Duration::from_secs(5);

/// How long to wait for the other witnesses once enough have said what they remember: a head that is signed and not yet
/// published may be known to one of them alone.
const RECALL_GRACE: Duration = Duration::from_secs(2);

/// How many seconds a cosignature may be off this machine's clock before that is said: clocks that are kept right are closer.
const MAX_SKEW: u64 = 300;

/// The largest answer of a witness: sixteen lines of any algorithm.
const MAX_ANSWER: u64 = 128 * 1024;

/// The witnesses of the log's policy.
#[derive(Debug)]
pub struct Witnesses {
    policy: Policy,
    /// How each is called: by its key.
    names: Vec<String>,
    jobs: Vec<Sender<Job>>,
    reachable: Vec<bool>,
    /// Whose last answer was no cosignature: nobody waits for them once the quorum is there.
    away: Vec<bool>,
    answers: Receiver<Answer>,
    heads: Vec<(String, Arc<SignedCheckpoint>)>,
    status: Arc<Status>,
    round: u64,
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

impl Witnesses {
    /// Starts a thread for each address of the policy. Proofs are made from `store`; `log` is the key whose heads are asked for.
    pub fn start(policy: &Policy, store: &TileStore, log: &VerifierKey, status: &Arc<Status>) -> Self {
        let (sender, answers) = channel();
        let limits = ClientLimits {
            connect: Duration::from_secs(2),
            answer: WITNESS_TIME,
            whole: WITNESS_TIME + Duration::from_secs(2),
            body: MAX_ANSWER,
        };
        let client = HttpClient::new(concat!("stele-log/", env!("CARGO_PKG_VERSION")), limits);
        let mut addresses: BTreeMap<&str, Vec<Asked>> = BTreeMap::new();
        for (number, witness) in policy.witnesses().iter().enumerate() {
            if let Some(url) = &witness.url {
                let asked = Asked { number, key: witness.key.clone() };
                addresses.entry(url.trim_end_matches('/')).or_default().push(asked);
            }
        }
        let mut jobs = Vec::with_capacity(addresses.len());
        let mut reachable = vec![false; policy.witnesses().len()];
        let origin = Digest::of(log.name().as_str().as_bytes());
        for (address, asked) in addresses {
            let (add, newest) = (format!("{address}/add-checkpoint"), format!("{address}/{origin}/checkpoint"));
            let (job_sender, queue) = channel();
            let (sender, client, store, log) = (sender.clone(), client.clone(), store.clone(), log.clone());
            let numbers: Vec<usize> = asked.iter().map(|asked| asked.number).collect();
            let spawned = std::thread::Builder::new().name(format!("witness at {address}")).spawn(move || {
                let ask = |call: Call<'_>| {
                    let answer = match call {
                        Call::Newest => client.get(&newest, None),
                        Call::Add(body) => client.post(&add, "text/plain; charset=utf-8", None, body),
                    };
                    answer.map(|answer| Said { status: answer.status, body: answer.text() }).map_err(|e| away(&e))
                };
                work(&asked, &log, &store, &queue, &sender, ask);
            });
            if spawned.is_ok() {
                jobs.push(job_sender);
                for (number, reachable) in reachable.iter_mut().enumerate() {
                    *reachable |= numbers.contains(&number);
                }
            }
        }
        let away = vec![false; reachable.len()];
        let (policy, names, status) = (policy.clone(), names(policy), status.clone());
        Self { policy, names, jobs, reachable, away, answers, heads: Vec::new(), status, round: 0 }
    }

    /// Has the head cosigned: by the quorum at least, and by whoever answers within the grace after it.
    pub fn gather(
        &mut self,
        head: &Arc<SignedCheckpoint>,
        hint: u64,
        within: Duration,
    ) -> Result<TrustedCheckpoint, QuorumMissing> {
        let quorum = self.policy.quorum().clone();
        let outcomes = self.ask(Some(head), hint, false, within, GRACE, &|outcomes| {
            quorum.is_met(&|i| outcomes.get(i).is_some_and(Result::is_ok))
        });
        let lines: Vec<NoteSignature> = outcomes.iter().flatten().flatten().cloned().collect();
        let own = head.note.signatures().iter().cloned();
        let note = SignedNote::new(head.note.text().to_owned(), own.chain(lines).collect());
        let trusted = note.ok().and_then(|note| TrustedCheckpoint::verify(note, &self.policy).ok());
        trusted.ok_or_else(|| self.missing(outcomes))
    }

    /// Asks what each remembers of this log. `Ok` when so many have said it that every quorum has one of them in it; what they
    /// hold is to be compared in any case ([`take_heads`](Self::take_heads)).
    pub fn recall(
        &mut self,
        ours: Option<&Arc<SignedCheckpoint>>,
        hint: u64,
        within: Duration,
    ) -> Result<(), QuorumMissing> {
        let policy = self.policy.clone();
        let enough = |outcomes: &[Outcome]| suffices(&policy, |i| outcomes.get(i).is_some_and(Result::is_ok));
        let outcomes = self.ask(ours, hint, true, within, RECALL_GRACE, &enough);
        if enough(&outcomes) { Ok(()) } else { Err(self.missing(outcomes)) }
    }

    /// The heads of ours that witnesses have shown, each with its witness, since this was asked last.
    pub fn take_heads(&mut self) -> Vec<(String, Arc<SignedCheckpoint>)> {
        std::mem::take(&mut self.heads)
    }

    /// Hears what came after nobody waited for it any more: of no use for a head, and still the newest that a witness said.
    pub fn listen(&mut self) {
        while let Ok(answer) = self.answers.try_recv() {
            self.hear(answer);
        }
    }

    /// One round: until enough have answered and a grace for those that are not known to be away is over.
    fn ask(
        &mut self,
        head: Option<&Arc<SignedCheckpoint>>,
        hint: u64,
        recall: bool,
        within: Duration,
        grace: Duration,
        enough: &dyn Fn(&[Outcome]) -> bool,
    ) -> Vec<Outcome> {
        self.round += 1;
        let waiting = |asked: &bool| Err(if *asked { Problem::Waiting } else { Problem::NoAddress });
        let mut outcomes: Vec<Outcome> = self.reachable.iter().map(waiting).collect();
        for jobs in &self.jobs {
            // A thread that is gone leaves its witnesses waiting, which ends with the deadline.
            let _ = jobs.send(Job { round: self.round, head: head.cloned(), hint, recall });
        }
        let mut deadline = Instant::now() + within;
        let mut met = false;
        while outcomes.contains(&Err(Problem::Waiting)) {
            if !met && enough(&outcomes) {
                met = true;
                deadline = deadline.min(Instant::now() + grace);
            }
            let expected = |(outcome, away): (&Outcome, &bool)| *outcome == Err(Problem::Waiting) && !away;
            if met && !outcomes.iter().zip(&self.away).any(expected) {
                break;
            }
            match self.answers.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(answer) => {
                    if let Some((witness, outcome)) = self.hear(answer)
                        && let Some(slot) = outcomes.get_mut(witness)
                    {
                        *slot = outcome;
                    }
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        for (name, outcome) in self.names.iter().zip(&outcomes) {
            // Who is merely slower than the others will be heard.
            if *outcome == Err(Problem::NoAddress) || !met && *outcome == Err(Problem::Waiting) {
                note_outcome(&self.status, name, outcome);
            }
        }
        outcomes
    }

    /// Notes an answer; what it is worth for the round under way.
    fn hear(&mut self, answer: Answer) -> Option<(usize, Outcome)> {
        let name = self.names.get(answer.witness)?;
        if let Some(head) = answer.head {
            self.heads.push((name.clone(), head));
        }
        if let Some(away) = self.away.get_mut(answer.witness) {
            *away = answer.outcome.is_err();
        }
        note_outcome(&self.status, name, &answer.outcome);
        // An answer to an older round is of no use for a newer one: another head, or an older time.
        (answer.round == self.round).then_some((answer.witness, answer.outcome))
    }

    fn missing(&self, outcomes: Vec<Outcome>) -> QuorumMissing {
        let named = self.names.iter().cloned().zip(outcomes);
        QuorumMissing { missing: named.filter_map(|(name, outcome)| Some((name, outcome.err()?))).collect() }
    }
}

/// Each witness by the name in its key, and the key's id where two keys share the name.
fn names(policy: &Policy) -> Vec<String> {
    let names = || policy.witnesses().iter().map(|witness| witness.key.name().as_str());
    let name = |witness: &stele_spec::policy::Witness| {
        let name = witness.key.name().as_str();
        let alone = names().filter(|other| *other == name).count() == 1;
        if alone { name.to_owned() } else { format!("{name}+{}", witness.key.hash()) }
    };
    policy.witnesses().iter().map(name).collect()
}

fn note_outcome(status: &Status, name: &str, outcome: &Outcome) {
    match outcome {
        Ok(lines) if lines.is_empty() => {}
        Ok(_) => status.count("stele_cosignatures_total", &format!("{name} cosigned"), 1),
        Err(_) => status.count("stele_cosignatures_total", &format!("{name} failed"), 1),
    }
    status.note_witness(name, |known| {
        let told = match outcome {
            Ok(lines) => {
                if let Some(line) = lines.first() {
                    known.cosigned = Some(SystemClock.unix_seconds());
                    known.ahead = None;
                    skew(line, SystemClock.unix_seconds())
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
            && status.is_due(
                SystemClock.steady(),
                &format!("{name}: {}", told.is_some()),
                told.as_deref().unwrap_or(""),
            )
        {
            match (&told, outcome) {
                (Some(_), Err(Problem::Unreachable(away))) => {
                    tracing::warn!(witness = name, problem = away.detail, "no cosignature");
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
