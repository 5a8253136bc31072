//! A thread for each address of the policy's witnesses, so that a slow one holds no other up.
//!
//! A witness that is still busy with an older head gets the newest one next.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;
use stele_clock::{Clock, SystemClock};
use stele_fetch::http_client::{ClientLimits, HttpClient, HttpError, Response};
use stele_log_core::contract::cosigner::{Cosigner, STEP_RATE, Unreachable, WITNESS_TIME, WitnessResponse};
use stele_log_core::cosigning::{Cosigning, RoundEnd};
use stele_log_core::endpoint::{Endpoint, WitnessAnswer, WitnessRequest};
use stele_log_core::index_steps::Steps;
use stele_log_core::log_keys::LogKeys;
use stele_log_core::step_supply::StepSupply;
use stele_log_core::tiles::TileStore;
use stele_spec::hash::Digest;
use stele_spec::policy::Policy;

/// The largest answer of a witness: sixteen lines of any algorithm.
const MAX_ANSWER: u64 = 128 * 1024;

/// How long a whole exchange may take, besides what a long body takes.
const WHOLE: Duration = Duration::from_secs(WITNESS_TIME.as_secs() + 2);

/// The threads. They end when this is dropped, each with its last answer; who is brought all of the log is left where he is.
#[derive(Debug)]
pub struct WitnessThreads {
    requests: Vec<Sender<WitnessRequest>>,
    without: Vec<usize>,
    supply: Arc<StepSupply>,
    stop: Arc<AtomicBool>,
}

impl Drop for WitnessThreads {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl WitnessThreads {
    /// Starts the threads. Proofs are made from `store`; `log` is the key whose heads are asked for. `answer` takes each answer, and
    /// says whether more are wanted.
    pub fn start(
        policy: &Policy,
        store: &TileStore,
        log: &LogKeys,
        answer: impl Fn(WitnessAnswer) -> bool + Clone + Send + 'static,
    ) -> Self {
        Self::with(Arc::new(StepSupply::new(Arc::new(SystemClock))), policy, store, log, answer)
    }

    /// The threads of another policy: what is at hand for index cosigners stays at hand.
    pub fn succeeded_by(
        &self,
        policy: &Policy,
        store: &TileStore,
        log: &LogKeys,
        answer: impl Fn(WitnessAnswer) -> bool + Clone + Send + 'static,
    ) -> Self {
        Self::with(self.supply.clone(), policy, store, log, answer)
    }

    fn with(
        supply: Arc<StepSupply>,
        policy: &Policy,
        store: &TileStore,
        log: &LogKeys,
        answer: impl Fn(WitnessAnswer) -> bool + Clone + Send + 'static,
    ) -> Self {
        let limits =
            ClientLimits { connect: Duration::from_secs(2), answer: WITNESS_TIME, whole: WHOLE, body: MAX_ANSWER };
        let client = HttpClient::new(concat!("stele-log/", env!("CARGO_PKG_VERSION")), limits);
        let origin = Digest::of(log.name().as_str().as_bytes());
        let stop = Arc::<AtomicBool>::default();
        let steps = Steps::new(&supply, &stop);
        let mut threads = Self { requests: Vec::new(), without: Vec::new(), supply, stop };
        for (address, mut endpoint) in Endpoint::all(policy, log, store, &steps) {
            let mut witness = HttpWitness {
                client: client.clone(),
                add: format!("{address}/add-checkpoint"),
                step: format!("{address}/add-transition"),
                newest: format!("{address}/{origin}/checkpoint"),
            };
            let (sender, requests) = channel();
            let numbers = endpoint.numbers();
            let answer = answer.clone();
            let spawned = std::thread::Builder::new()
                .name(format!("witness at {address}"))
                .spawn(move || work(&mut endpoint, &mut witness, &requests, &answer));
            match spawned {
                Ok(_) => threads.requests.push(sender),
                Err(_) => threads.without.extend(numbers),
            }
        }
        threads
    }

    /// The places in the policy of the witnesses that have no thread.
    pub fn without(&self) -> &[usize] {
        &self.without
    }

    /// Asks all witnesses.
    pub fn ask(&self, request: &WitnessRequest) {
        for requests in &self.requests {
            // A thread that is gone leaves its witnesses waiting, which ends with the deadline.
            let _ = requests.send(request.clone());
        }
    }
}

fn work(
    endpoint: &mut Endpoint,
    witness: &mut dyn Cosigner,
    requests: &Receiver<WitnessRequest>,
    answer: &impl Fn(WitnessAnswer) -> bool,
) {
    while let Ok(mut request) = requests.recv() {
        while let Ok(newer) = requests.try_recv() {
            endpoint.pass(&request);
            request = newer;
        }
        if !endpoint.answers(&request, witness).into_iter().all(answer) {
            return;
        }
    }
}

/// Hears the answers to a round that was asked, until it is over; `None` when no round is under way.
pub fn wait_for_end(
    cosigning: &mut Cosigning,
    answers: &Receiver<WitnessAnswer>,
    clock: &dyn Clock,
) -> Option<RoundEnd> {
    while let Some(deadline) = cosigning.deadline() {
        if let Some(end) = cosigning.round_end(clock.steady(), clock.unix_seconds()) {
            return Some(end);
        }
        let wait = cosigning.deadline().unwrap_or(deadline).saturating_sub(clock.steady());
        match answers.recv_timeout(wait) {
            Ok(answer) => cosigning.hear(answer, clock.steady(), clock.unix_seconds()),
            Err(RecvTimeoutError::Timeout) => {}
            // No thread is left; the round ends with its deadline.
            Err(RecvTimeoutError::Disconnected) => clock.sleep(wait),
        }
    }
    None
}

/// A witness over HTTP.
struct HttpWitness {
    client: HttpClient,
    add: String,
    step: String,
    newest: String,
}

impl Cosigner for HttpWitness {
    fn add_checkpoint(&mut self, body: &[u8]) -> Result<WitnessResponse, Unreachable> {
        answered(self.client.post(&self.add, "text/plain; charset=utf-8", None, body))
    }

    fn add_transition(&mut self, body: &[u8]) -> Result<WitnessResponse, Unreachable> {
        let whole = WHOLE + Duration::from_millis(body.len() as u64 * 1000 / STEP_RATE);
        answered(self.client.taking(whole).post(&self.step, "application/octet-stream", None, body))
    }

    fn newest_checkpoint(&mut self) -> Result<WitnessResponse, Unreachable> {
        answered(self.client.get(&self.newest, None))
    }
}

fn answered(answer: Result<Response, HttpError>) -> Result<WitnessResponse, Unreachable> {
    answer
        .map(|answer| WitnessResponse { status: answer.status, body: answer.text() })
        .map_err(|error| unreachable(&error))
}

fn unreachable(error: &HttpError) -> Unreachable {
    let why = match error {
        HttpError::BadUrl { .. } => "its address in the policy is none",
        HttpError::BadProxy { .. } => "the proxy of this machine is none",
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
    Unreachable { why, detail }
}
