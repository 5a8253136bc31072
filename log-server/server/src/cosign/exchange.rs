//! What is said between the log and one witness: a request, its answer, and what the answer means.

use super::problem::{Away, Problem};
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use stele_fetch::http_client::HttpError;
use stele_log_core::checkpoint::SignedCheckpoint;
use stele_log_core::tiles::TileStore;
use stele_spec::cosignature::verify_cosignature;
use stele_spec::merkle::prove_consistency;
use stele_spec::note::{NoteSignature, VerifierKey};
use stele_spec::text::{decimal, to_base64};
use stele_spec::tile::TileNodes;

/// What a witness is asked for.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) round: u64,
    /// The newest signed head; `None` while nothing is signed.
    pub(super) head: Option<Arc<SignedCheckpoint>>,
    /// The size that a witness has probably cosigned last.
    pub(super) hint: u64,
    /// Whether it is asked for what it remembers, not for a cosignature.
    pub(super) recall: bool,
}

pub(super) struct Answer {
    pub(super) round: u64,
    pub(super) witness: usize,
    /// Its cosignatures; without one in it, it remembers nothing that is not in `head`.
    pub(super) outcome: Result<Vec<NoteSignature>, Problem>,
    /// A head of ours that it serves, to be compared.
    pub(super) head: Option<Arc<SignedCheckpoint>>,
}

/// What a witness is asked.
pub(super) enum Call<'a> {
    /// `GET <origin hash>/checkpoint`.
    Newest,
    /// `POST add-checkpoint` with this body.
    Add(&'a [u8]),
}

/// What a witness said.
pub(super) struct Said {
    pub(super) status: u16,
    pub(super) body: String,
}

/// A key that an address is asked for.
pub(super) struct Asked {
    /// Its place in the policy.
    pub(super) number: usize,
    pub(super) key: VerifierKey,
}

pub(super) fn work(
    asked: &[Asked],
    log: &VerifierKey,
    store: &TileStore,
    queue: &Receiver<Job>,
    answers: &Sender<Answer>,
    ask: impl Fn(Call<'_>) -> Result<Said, Away>,
) {
    let mut known = None;
    while let Ok(mut job) = queue.recv() {
        while let Ok(newer) = queue.try_recv() {
            job = newer;
        }
        let hint = known.unwrap_or(job.hint);
        let (said, shown) = match &job.head {
            head if job.recall => remembered(log, store, head.as_deref(), hint, &ask),
            Some(head) => match add_checkpoint(store, head, hint, &ask) {
                // It says that there is more of ours, or something else: then it can show it.
                Err(problem @ (Problem::Ahead { .. } | Problem::Conflict { .. })) => {
                    (Err(problem), newest(log, &ask).ok().and_then(Result::ok))
                }
                said => (said.map(Some), None),
            },
            None => continue,
        };
        if let (Ok(Some(_)), Some(head)) = (&said, &job.head) {
            known = Some(head.checkpoint.size());
        }
        let shown = shown.map(Arc::new);
        for Asked { number, key } in asked {
            let outcome = said.clone().and_then(|body| match (body, &job.head) {
                (Some(body), Some(head)) => cosignatures(key, head, &body),
                _ => Ok(Vec::new()),
            });
            let answer = Answer { round: job.round, witness: *number, outcome, head: shown.clone() };
            if answers.send(answer).is_err() {
                return;
            }
        }
    }
}

/// What a witness remembers: a head of ours that it serves; or a 200 for ours, its body; or nothing.
pub(super) fn remembered(
    log: &VerifierKey,
    store: &TileStore,
    ours: Option<&SignedCheckpoint>,
    hint: u64,
    ask: &impl Fn(Call<'_>) -> Result<Said, Away>,
) -> (Result<Option<String>, Problem>, Option<SignedCheckpoint>) {
    let served = match newest(log, ask) {
        Ok(Ok(head)) => return (Ok(None), Some(head)),
        Ok(Err(problem)) => problem,
        Err(away) => return (Err(Problem::Unreachable(away)), None),
    };
    let Some(ours) = ours else {
        // Nothing is signed here, so there is nothing to offer: only a witness that has nothing of ours has answered.
        let nothing = matches!(served, Problem::Unknown { .. } | Problem::Status { status: 405 | 410 });
        return (if nothing { Ok(None) } else { Err(served) }, None);
    };
    match add_checkpoint(store, ours, hint, ask) {
        Ok(body) => (Ok(Some(body)), None),
        // It has never cosigned anything of ours.
        Err(Problem::Unknown { .. }) => (Ok(None), None),
        Err(problem) => (Err(problem), None),
    }
}

/// The newest head of ours that a witness serves, or why it serves none.
fn newest(
    log: &VerifierKey,
    ask: &impl Fn(Call<'_>) -> Result<Said, Away>,
) -> Result<Result<SignedCheckpoint, Problem>, Away> {
    let said = ask(Call::Newest)?;
    Ok(match said.status {
        200 => {
            SignedCheckpoint::read(said.body.as_bytes(), log).map_err(|error| Problem::NoCheckpoint(error.to_string()))
        }
        status @ (403 | 404) => Err(Problem::Unknown { status }),
        status => Err(Problem::Status { status }),
    })
}

/// One exchange, and a second one if the witness names another size than we expected; the body of a 200.
pub(super) fn add_checkpoint(
    store: &TileStore,
    head: &SignedCheckpoint,
    expected: u64,
    ask: &impl Fn(Call<'_>) -> Result<Said, Away>,
) -> Result<String, Problem> {
    let size = head.checkpoint.size();
    let mut old = expected.min(size);
    for last in [false, true] {
        let said = ask(Call::Add(&request(store, head, old)?)).map_err(Problem::Unreachable)?;
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

pub(super) fn request(store: &TileStore, head: &SignedCheckpoint, old: u64) -> Result<Vec<u8>, Problem> {
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
pub(super) fn cosignatures(
    key: &VerifierKey,
    head: &SignedCheckpoint,
    body: &str,
) -> Result<Vec<NoteSignature>, Problem> {
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

pub(super) fn away(error: &HttpError) -> Away {
    let why = match error {
        HttpError::BadUrl { .. } => "its address in the policy is none",
        HttpError::Unreachable { .. } => "it cannot be reached",
        HttpError::TimedOut { .. } => "it took too long",
        HttpError::TooLarge { .. } => "its answer is too large",
        HttpError::Roots(_) => "this machine's TLS roots cannot be read",
        HttpError::Encoding { .. } => "its answer is encoded as nothing that is read here",
        HttpError::NotPublic { .. } => "its address is none of the public internet",
        HttpError::Broken { .. } => "the exchange with it failed",
    };
    let mut detail = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        let _ = write!(detail, ": {cause}");
        next = cause.source();
    }
    Away { why, detail }
}
