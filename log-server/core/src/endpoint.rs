//! One address of witnesses: what is asked there, and what the answer means.

use crate::checkpoint::SignedCheckpoint;
use crate::contract::cosigner::{Cosigner, Unreachable};
use crate::index_steps::Steps;
use crate::log_keys::LogKeys;
use crate::tiles::TileStore;
use crate::witness_problem::Problem;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use stele_spec::cosignature::verify_cosignature;
use stele_spec::merkle::prove_consistency;
use stele_spec::note::{NoteSignature, VerifierKey};
use stele_spec::policy::Policy;
use stele_spec::text::{decimal, to_base64};
use stele_spec::tile::TileNodes;

/// What all witnesses are asked in one round.
#[derive(Clone, Debug)]
pub struct WitnessRequest {
    /// The number of the round.
    pub round: u64,
    /// The newest signed head; `None` while nothing is signed.
    pub head: Option<Arc<SignedCheckpoint>>,
    /// The size that a witness has probably cosigned last.
    pub hint: u64,
    /// Whether it is asked for what it remembers, not for a cosignature.
    pub recall: bool,
}

/// What came of a request, for one key of a witness.
#[derive(Clone, Debug)]
pub struct WitnessAnswer {
    /// The number of the round.
    pub round: u64,
    /// The place of the witness in the policy.
    pub witness: usize,
    /// Its cosignatures; without one in it, it remembers nothing that is not in `head`.
    pub outcome: Result<Vec<NoteSignature>, Problem>,
    /// A head of this log that it serves, to be compared.
    pub head: Option<Arc<SignedCheckpoint>>,
}

/// A key that an address is asked for.
#[derive(Clone, Debug)]
pub struct WitnessKey {
    /// Its place in the policy.
    pub number: usize,
    /// The key.
    pub key: VerifierKey,
}

/// One address, the keys that answer there, and what is known of its state.
#[derive(Clone, Debug)]
pub struct Endpoint {
    keys: Vec<WitnessKey>,
    log: LogKeys,
    store: TileStore,
    /// The size that it has cosigned last, as far as this run knows.
    known: Option<u64>,
    /// Whether it is an index cosigner: it said so.
    wants_steps: bool,
    steps: Steps,
}

impl Endpoint {
    /// An address with these keys. Proofs are made from `store`; `log` has the keys whose heads are asked for; an index cosigner is brought `steps`.
    pub fn new(keys: Vec<WitnessKey>, log: &LogKeys, store: &TileStore, steps: &Steps) -> Self {
        Self { keys, log: log.clone(), store: store.clone(), known: None, wants_steps: false, steps: steps.clone() }
    }

    /// The addresses of a policy. The keys of one witness that are listed with one address are asked for together.
    pub fn all(policy: &Policy, log: &LogKeys, store: &TileStore, steps: &Steps) -> BTreeMap<String, Self> {
        let mut addresses: BTreeMap<String, Vec<WitnessKey>> = BTreeMap::new();
        for (number, witness) in policy.witnesses().iter().enumerate() {
            if let Some(url) = &witness.url {
                let key = WitnessKey { number, key: witness.key.clone() };
                addresses.entry(url.trim_end_matches('/').to_owned()).or_default().push(key);
            }
        }
        addresses.into_iter().map(|(address, keys)| (address, Self::new(keys, log, store, steps))).collect()
    }

    /// The places in the policy of the keys that answer here.
    pub fn numbers(&self) -> Vec<usize> {
        self.keys.iter().map(|key| key.number).collect()
    }

    /// Takes note of a request that is not made, since a newer one came: its head is one of the steps to the newer one.
    pub fn pass(&mut self, request: &WitnessRequest) {
        if let Some(head) = &request.head {
            self.steps.supply().note(head);
        }
    }

    /// Asks, and says for each key what came of it. Nothing where there is no head to be cosigned.
    pub fn answers(&mut self, request: &WitnessRequest, cosigner: &mut dyn Cosigner) -> Vec<WitnessAnswer> {
        let hint = self.known.unwrap_or(request.hint);
        self.pass(request);
        let (said, shown) = match &request.head {
            head if request.recall => {
                let log = self.log.clone();
                remembered(&log, head.as_deref(), cosigner, |head, cosigner| self.offer(head, hint, cosigner))
            }
            Some(head) => match self.offer(head, hint, cosigner) {
                // It says that there is more of this log, or something else: then it can show it.
                Err(problem @ (Problem::Ahead { .. } | Problem::Conflict { .. })) => {
                    (Err(problem), newest(&self.log, cosigner).ok().and_then(Result::ok))
                }
                said => (said.map(Some), None),
            },
            None => return Vec::new(),
        };
        let shown = shown.map(Arc::new);
        let answer = |WitnessKey { number, key }: &WitnessKey| {
            let outcome = said.clone().and_then(|body| match (body, &request.head) {
                (Some(body), Some(head)) => cosignatures(key, head, &body),
                _ => Ok(Vec::new()),
            });
            WitnessAnswer { round: request.round, witness: *number, outcome, head: shown.clone() }
        };
        let answers: Vec<WitnessAnswer> = self.keys.iter().map(answer).collect();
        if let (Ok(Some(_)), Some(head)) = (&said, &request.head) {
            let cosigned = answers.iter().any(|answer| answer.outcome.is_ok());
            if cosigned {
                self.known = Some(head.checkpoint.size());
            }
            let why = answers.iter().find_map(|answer| answer.outcome.as_ref().err());
            self.steps.ended(why.filter(|_| !cosigned).map_or(Ok(()), Err));
        }
        answers
    }

    /// Has a head cosigned: the body of a 200. What answers at an address may become something else while the log runs: where no steps are taken
    /// any more the ordinary request is made again.
    fn offer(&mut self, head: &SignedCheckpoint, hint: u64, cosigner: &mut dyn Cosigner) -> Result<String, Problem> {
        let mut refused = None;
        if self.wants_steps {
            match self.steps.bring(&self.store, head, hint, cosigner) {
                Err(problem) if problem.takes_no_steps() => refused = Some(problem),
                said => return said,
            }
        }
        match (add_checkpoint(&self.store, head, hint, cosigner), refused) {
            (Err(Problem::WantsSteps), None) => {
                self.wants_steps = true;
                self.steps.supply().want();
                self.steps.bring(&self.store, head, hint, cosigner)
            }
            // It does take steps, and refuses those of this log.
            (Err(Problem::WantsSteps), Some(refused)) => Err(refused),
            (said, _) => {
                self.wants_steps = false;
                said
            }
        }
    }
}

/// What a witness remembers: a head of ours that it serves; or a 200 for ours, its body; or nothing.
pub(crate) fn remembered(
    log: &LogKeys,
    ours: Option<&SignedCheckpoint>,
    cosigner: &mut dyn Cosigner,
    offer: impl FnOnce(&SignedCheckpoint, &mut dyn Cosigner) -> Result<String, Problem>,
) -> (Result<Option<String>, Problem>, Option<SignedCheckpoint>) {
    let served = match newest(log, cosigner) {
        Ok(Ok(head)) => return (Ok(None), Some(head)),
        Ok(Err(problem)) => problem,
        Err(away) => return (Err(Problem::Unreachable(away)), None),
    };
    let Some(ours) = ours else {
        // Nothing is signed here, so there is nothing to offer: only a witness that has nothing of ours has answered.
        let nothing = matches!(served, Problem::Unknown { .. } | Problem::Status { status: 405 | 410 });
        return (if nothing { Ok(None) } else { Err(served) }, None);
    };
    match offer(ours, cosigner) {
        Ok(body) => (Ok(Some(body)), None),
        // It has never cosigned anything of ours.
        Err(Problem::Unknown { .. }) => (Ok(None), None),
        Err(problem) => (Err(problem), None),
    }
}

/// The newest head of ours that a witness serves, or why it serves none.
fn newest(log: &LogKeys, cosigner: &mut dyn Cosigner) -> Result<Result<SignedCheckpoint, Problem>, Unreachable> {
    let said = cosigner.newest_checkpoint()?;
    Ok(match said.status {
        200 => {
            SignedCheckpoint::read(said.body.as_bytes(), log).map_err(|error| Problem::NoCheckpoint(error.to_string()))
        }
        status @ (403 | 404) => Err(Problem::Unknown { status }),
        _ => Err(Problem::of_answer(&said)),
    })
}

/// One exchange, and a second one if the witness names another size than we expected; the body of a 200.
pub(crate) fn add_checkpoint(
    store: &TileStore,
    head: &SignedCheckpoint,
    expected: u64,
    cosigner: &mut dyn Cosigner,
) -> Result<String, Problem> {
    let size = head.checkpoint.size();
    let mut old = expected.min(size);
    for last in [false, true] {
        let said = cosigner.add_checkpoint(&request(store, head, old)?).map_err(Problem::Unreachable)?;
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
            428 => return Err(Problem::WantsSteps),
            _ => return Err(Problem::of_answer(&said)),
        }
    }
    Err(Problem::Conflict { status: 409 })
}

pub(crate) fn request(store: &TileStore, head: &SignedCheckpoint, old: u64) -> Result<Vec<u8>, Problem> {
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
pub(crate) fn cosignatures(
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

#[cfg(test)]
mod tests;
