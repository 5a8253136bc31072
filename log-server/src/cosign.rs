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
//! | 409 and a size beyond ours | **it has cosigned what this log never signed** | alarm: a second log with our key, or a lock restored from a backup |
//! | 409 without a size, or the same again; 422 | it holds another tree of ours, or our proof fails | alarm |
//! | 403, 404 | it does not know this log, or not its key | the operator has to enrol it |
//! | anything else | unwell | next time |

use crate::head::{Published, SignedHead};
use crate::status::Status;
use crate::store::Store;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};
use stele_host::clock::{Clock, SystemClock};
use stele_host::http_client::{ClientLimits, HttpClient};
use stele_spec::cosignature::verify_cosignature;
use stele_spec::merkle::prove_consistency;
use stele_spec::note::{NoteSignature, SignedNote, VerifierKey};
use stele_spec::policy::Policy;
use stele_spec::text::{decimal, to_base64};
use stele_spec::tile::TileNodes;

/// How long to wait for further witnesses once the quorum is there.
pub const GRACE: Duration = Duration::from_millis(30);

/// How long a witness may take for one answer.
pub const WITNESS_TIME: Duration = Duration::from_secs(5);

/// The largest answer of a witness: sixteen lines of any algorithm.
const MAX_ANSWER: u64 = 128 * 1024;

/// The witnesses of the log's policy.
#[derive(Debug)]
pub struct Witnesses {
    policy: Policy,
    jobs: Vec<Sender<Job>>,
    reachable: Vec<bool>,
    answers: Receiver<Answer>,
    status: Arc<Shared>,
    round: u64,
}

type Shared = crate::shared::Shared;

/// A head to cosign.
#[derive(Clone, Debug)]
struct Job {
    round: u64,
    head: Arc<SignedHead>,
    /// The size that a witness has probably cosigned last.
    hint: u64,
}

struct Answer {
    round: u64,
    witness: usize,
    outcome: Result<Vec<NoteSignature>, Problem>,
}

/// Why a witness did not cosign.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The policy does not say where it is.
    #[error("the policy names no address for it")]
    NoAddress,
    /// It has not answered yet.
    #[error("no answer yet")]
    Waiting,
    /// Nobody answers, or not in time.
    #[error("{0}")]
    Unreachable(String),
    /// It does not know the log or its key.
    #[error("it does not know this log or its key (status {status})")]
    Unknown {
        /// 403 or 404.
        status: u16,
    },
    /// It has cosigned more than this log signed.
    #[error("it has cosigned a tree of {size} entries, more than this log has signed")]
    Ahead {
        /// The size.
        size: u64,
    },
    /// It holds another tree.
    #[error("it holds another tree of this log, or refuses the proof (status {status})")]
    Conflict {
        /// 409 or 422.
        status: u16,
    },
    /// Another status.
    #[error("it answered with status {status}")]
    Status {
        /// The status.
        status: u16,
    },
    /// 200 without a line of its own that verifies.
    #[error("its answer holds no valid cosignature: {0}")]
    NoCosignature(String),
    /// Our own tiles could not be read.
    #[error("no consistency proof could be made: {0}")]
    Proof(String),
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

impl Witnesses {
    /// Starts a thread for each witness that has an address.
    pub fn start(shared: &Arc<Shared>) -> Self {
        let (sender, answers) = channel();
        let policy = &shared.policy;
        let limits = ClientLimits {
            connect: Duration::from_secs(2),
            answer: WITNESS_TIME,
            whole: WITNESS_TIME + Duration::from_secs(2),
            body: MAX_ANSWER,
        };
        let client = HttpClient::new(concat!("stele-log/", env!("CARGO_PKG_VERSION")), limits);
        let mut desks: BTreeMap<&str, Vec<Asked>> = BTreeMap::new();
        for (number, witness) in policy.witnesses().iter().enumerate() {
            if let Some(url) = &witness.url {
                desks.entry(url.trim_end_matches('/')).or_default().push(Asked { number, key: witness.key.clone() });
            }
        }
        let mut jobs = Vec::with_capacity(desks.len());
        let mut reachable = vec![false; policy.witnesses().len()];
        for (address, asked) in desks {
            let url = format!("{address}/add-checkpoint");
            let (job_sender, queue) = channel();
            let (sender, client, store) = (sender.clone(), client.clone(), shared.store.clone());
            let numbers: Vec<usize> = asked.iter().map(|asked| asked.number).collect();
            let spawned = std::thread::Builder::new().name(format!("witness at {address}")).spawn(move || {
                let ask = |body: &[u8]| {
                    let answer = client.post(&url, "text/plain; charset=utf-8", None, body);
                    answer.map(|answer| Said { status: answer.status, body: answer.text() }).map_err(|e| chain(&e))
                };
                work(&asked, &store, &queue, &sender, ask);
            });
            if spawned.is_ok() {
                jobs.push(job_sender);
                for (number, reachable) in reachable.iter_mut().enumerate() {
                    *reachable |= numbers.contains(&number);
                }
            }
        }
        Self { jobs, reachable, policy: policy.clone(), answers, status: shared.clone(), round: 0 }
    }

    /// Has the head cosigned: by the quorum at least, and by whoever answers within the grace after it.
    pub fn gather(&mut self, head: &Arc<SignedHead>, hint: u64, within: Duration) -> Result<Published, QuorumMissing> {
        self.round += 1;
        let witnesses = self.policy.witnesses();
        let waiting = |asked: &bool| Err(if *asked { Problem::Waiting } else { Problem::NoAddress });
        let mut outcomes: Vec<Result<Vec<NoteSignature>, Problem>> = self.reachable.iter().map(waiting).collect();
        for jobs in &self.jobs {
            // A thread that is gone leaves its witnesses waiting, which ends with the deadline.
            let _ = jobs.send(Job { round: self.round, head: head.clone(), hint });
        }
        let mut deadline = Instant::now() + within;
        let mut met = false;
        while outcomes.contains(&Err(Problem::Waiting)) {
            let enough = self.policy.quorum().is_met(&|i| outcomes.get(i).is_some_and(Result::is_ok));
            if enough && !met {
                met = true;
                deadline = deadline.min(Instant::now() + GRACE);
            }
            match self.answers.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                // An answer to an older round is of no use: another head, or an older time.
                Ok(answer) if answer.round != self.round => {}
                Ok(answer) => {
                    if let Some(outcome) = outcomes.get_mut(answer.witness) {
                        *outcome = answer.outcome;
                    }
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        self.note(&outcomes);
        let lines: Vec<NoteSignature> = outcomes.iter().flatten().flatten().cloned().collect();
        let own = head.note.signatures().iter().cloned();
        let note = SignedNote::new(head.note.text().to_owned(), own.chain(lines).collect());
        let trusted = note.ok().and_then(|note| {
            let head = self.policy.verify_note(&note).ok()?;
            Some(Published { note, head })
        });
        trusted.ok_or_else(|| QuorumMissing {
            missing: witnesses
                .iter()
                .zip(outcomes)
                .filter_map(|(witness, outcome)| Some((witness.name.clone(), outcome.err()?)))
                .collect(),
        })
    }

    fn note(&self, outcomes: &[Result<Vec<NoteSignature>, Problem>]) {
        for (witness, outcome) in self.policy.witnesses().iter().zip(outcomes) {
            note_outcome(&self.status.status, &witness.name, outcome);
        }
    }
}

fn note_outcome(status: &Status, name: &str, outcome: &Result<Vec<NoteSignature>, Problem>) {
    let result = if outcome.is_ok() { "cosigned" } else { "failed" };
    status.count("stele_cosignatures_total", &format!("{name} {result}"), 1);
    status.note_witness(name, |known| match outcome {
        Ok(_) => {
            known.cosigned = Some(SystemClock.unix_seconds());
            known.problem = None;
        }
        Err(problem) => {
            if let Problem::Ahead { size } = problem {
                known.ahead = Some(*size);
                tracing::error!(witness = name, size, "ALARM: a witness has cosigned what this log never signed");
            } else if let Problem::Conflict { status } = problem {
                tracing::error!(witness = name, status, "ALARM: a witness holds another tree of this log");
            } else if known.problem.as_ref() != Some(&problem.to_string()) {
                tracing::warn!(witness = name, %problem, "no cosignature");
            }
            known.problem = Some(problem.to_string());
        }
    });
}

/// What a witness said.
struct Said {
    status: u16,
    body: String,
}

/// A key that an address is asked for.
struct Asked {
    /// Its place in the policy.
    number: usize,
    key: VerifierKey,
}

fn work(
    asked: &[Asked],
    store: &Store,
    queue: &Receiver<Job>,
    answers: &Sender<Answer>,
    ask: impl Fn(&[u8]) -> Result<Said, String>,
) {
    let mut known = None;
    while let Ok(mut job) = queue.recv() {
        while let Ok(newer) = queue.try_recv() {
            job = newer;
        }
        let said = add_checkpoint(store, &job.head, known.unwrap_or(job.hint), &ask);
        if said.is_ok() {
            known = Some(job.head.checkpoint.size());
        }
        for Asked { number, key } in asked {
            let outcome = said.clone().and_then(|body| cosignatures(key, &job.head, &body));
            if answers.send(Answer { round: job.round, witness: *number, outcome }).is_err() {
                return;
            }
        }
    }
}

/// One exchange, and a second one if the witness names another size than we expected; the body of a 200.
fn add_checkpoint(
    store: &Store,
    head: &SignedHead,
    expected: u64,
    ask: &impl Fn(&[u8]) -> Result<Said, String>,
) -> Result<String, Problem> {
    let size = head.checkpoint.size();
    let mut old = expected.min(size);
    for last in [false, true] {
        let said = ask(&request(store, head, old)?).map_err(Problem::Unreachable)?;
        match said.status {
            200 => return Ok(said.body),
            403 | 404 => return Err(Problem::Unknown { status: said.status }),
            409 => {
                let named = said.body.strip_suffix('\n').unwrap_or(&said.body);
                match decimal(named) {
                    Ok(found) if found > size => return Err(Problem::Ahead { size: found }),
                    Ok(found) if found != old && !last => old = found,
                    _ => return Err(Problem::Conflict { status: 409 }),
                }
            }
            422 => return Err(Problem::Conflict { status: 422 }),
            status => return Err(Problem::Status { status }),
        }
    }
    Err(Problem::Conflict { status: 409 })
}

fn request(store: &Store, head: &SignedHead, old: u64) -> Result<Vec<u8>, Problem> {
    let size = head.checkpoint.size();
    let proof = prove_consistency(&TileNodes::new(store, size), old, size);
    let proof = proof.map_err(|error| Problem::Proof(error.to_string()))?;
    let mut body = format!("old {old}\n");
    for hash in proof.path() {
        let _ = writeln!(body, "{}", to_base64(hash.as_bytes()));
    }
    let _ = write!(body, "\n{}", head.note);
    Ok(body.into_bytes())
}

/// The lines of one key in an answer, each verified; other keys' lines are ignored.
fn cosignatures(key: &VerifierKey, head: &SignedHead, body: &str) -> Result<Vec<NoteSignature>, Problem> {
    let mut lines = Vec::new();
    for line in body.split_inclusive('\n') {
        let Ok(line) = NoteSignature::parse_line(line) else { continue };
        if !key.is_meant_by(&line) {
            continue;
        }
        let time =
            verify_cosignature(head.note.text(), &line, key).map_err(|e| Problem::NoCosignature(e.to_string()))?;
        // Only a line with a time answers `add-checkpoint`: any other does not say that this is the largest tree.
        if time.is_some() {
            lines.push(line);
        }
    }
    // One line is enough, and the first is what an honest witness sends.
    lines.truncate(1);
    if lines.is_empty() {
        Err(Problem::NoCosignature("no line of its key that states a time".into()))
    } else {
        Ok(lines)
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let _ = write!(text, ": {cause}");
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests;
