//! The machine of one witness: its disks, its clock, and the witness that runs on them, or has ended.

use crate::clock::MachineClock;
use crate::disk::SeededDisk;
use crate::random::Random;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::error::Error;
use std::sync::Arc;
use stele_clock::Clock as _;
use stele_durable::Dir;
use stele_durable::lock::Lock;
use stele_explain::Explain as _;
use stele_log_core::contract::cosigner::WitnessResponse;
use stele_spec::checkpoint::{Origin, verify_log_signature};
use stele_spec::cosignature::{UnixTime, cosign};
use stele_spec::note::{KeyType, NoteSignature, SignedNote, SignerKey, VerifierKey};
use stele_witness_core::answer::AddCheckpointAnswer;
use stele_witness_core::decide::Refusal;
use stele_witness_core::evidence::Archive;
use stele_witness_core::group_commit::GroupCommit;
use stele_witness_core::log_slot::LogSettings;
use stele_witness_core::request::AddCheckpoint;
use stele_witness_core::signer::WitnessSigner;
use stele_witness_core::state::{StateError, StateStore};
use stele_witness_core::trusted_log::TrustedLog;
use stele_witness_core::witness::{Parts, Witness};

/// The length of a journal: full after a few cosignatures.
const JOURNAL: u64 = 4 * 4096;

thread_local! {
    /// What witnesses do beside their answers, until the simulation does it.
    static BESIDE: RefCell<VecDeque<Work>> = const { RefCell::new(VecDeque::new()) };
}

type Work = Box<dyn FnOnce() + Send>;

/// The machine of one witness.
pub struct WitnessNode {
    /// What holds the states and the evidence.
    pub state_disk: SeededDisk,
    /// What holds the marks.
    pub mark_disk: SeededDisk,
    /// Its clock.
    pub clock: MachineClock,
    /// Why it does not start, if it does not: a stable word.
    pub refused: Option<&'static str>,
    key: SignerKey,
    log: TrustedLog,
    process: Option<Witness>,
    /// Signs anything that the log's key signed.
    is_byzantine: bool,
}

/// What a request came to.
pub struct Answered {
    /// What goes back; nothing where there is no process, or it ended meanwhile.
    pub response: Option<WitnessResponse>,
    /// The note that was cosigned, with its cosignature's line.
    pub cosigned: Option<(SignedNote, u64)>,
}

/// How far a start came.
#[derive(Debug)]
pub enum Started {
    /// It runs.
    Running,
    /// It refuses, with a stable word.
    Refused(&'static str),
    /// The machine failed on the way.
    Failed,
}

impl WitnessNode {
    /// A witness that has not started yet.
    pub fn new(
        number: usize,
        disks: [SeededDisk; 2],
        clock: MachineClock,
        log: &VerifierKey,
        is_byzantine: bool,
    ) -> Self {
        let [state_disk, mark_disk] = disks;
        let origin: Origin = log.name().as_str().parse().expect("a log's name is an origin");
        let log = TrustedLog::new(origin, vec![log.clone()]).expect("it has one key");
        let key = key(number);
        Self { state_disk, mark_disk, clock, refused: None, key, log, process: None, is_byzantine }
    }

    /// Whether it answers.
    pub fn is_running(&self) -> bool {
        self.is_byzantine || self.process.is_some()
    }

    /// Whether it signs anything.
    pub fn is_byzantine(&self) -> bool {
        self.is_byzantine
    }

    /// Begins the log here, as `logs add` does, once.
    pub fn enrol(&self) -> bool {
        self.is_byzantine || self.states().is_ok_and(|(_, states)| states.begin(self.log.origin()).is_ok())
    }

    /// Starts the witness as its program does.
    pub fn start(&mut self) -> Started {
        if self.is_byzantine {
            return Started::Running;
        }
        match self.open() {
            Ok(witness) => {
                (self.process, self.refused) = (Some(witness), None);
                Started::Running
            }
            Err(error) if self.is_off() || self.is_unsure() => {
                drop(error);
                Started::Failed
            }
            Err(error) => match error.downcast_ref::<StateError>() {
                Some(error) if !matches!(error.code(), "disk-full" | "io") => {
                    self.refused = Some(error.code());
                    Started::Refused(error.code())
                }
                _ => Started::Failed,
            },
        }
    }

    fn states(&self) -> Result<(Dir, StateStore), Box<dyn Error>> {
        let state = Dir::open_on(Arc::new(self.state_disk.clone()), "/state")?;
        let marks = Dir::open_on(Arc::new(self.mark_disk.clone()), "/marks")?;
        let own = WitnessSigner::new(self.key.clone(), None)?.own();
        let group = |dir: &Dir| GroupCommit::with_journals(dir.clone(), beside, JOURNAL);
        let states = StateStore::of(group(&state), group(&marks), own);
        Ok((state, states))
    }

    fn open(&self) -> Result<Witness, Box<dyn Error>> {
        let keyring = WitnessSigner::new(self.key.clone(), None)?;
        let (state, states) = self.states()?;
        let lock = Lock::take_in(&state, "lock")?;
        let archive = Archive::of(Dir::open_on(Arc::new(self.state_disk.clone()), "/evidence")?);
        let logs = vec![LogSettings { log: self.log.clone(), serves: true, qpd: None, pull: None }];
        let parts = Parts { keyring, states, archive, held: Vec::new(), logs, lock };
        Ok(Witness::open(parts, Arc::new(self.clock.clone()))?)
    }

    /// Whether one of its disks has lost its power.
    pub fn is_off(&self) -> bool {
        self.state_disk.is_off() || self.mark_disk.is_off()
    }

    /// Whether a sync has failed: the witness is started again only after the machine.
    pub fn is_unsure(&self) -> bool {
        self.state_disk.has_failed() || self.mark_disk.has_failed()
    }

    /// Ends the process. With a loss of power a part of what was not synced is gone.
    pub fn end(&mut self, random: &mut Random, loses_power: bool) {
        self.process = None;
        let loses_power = loses_power || self.is_unsure();
        self.state_disk.restart(random, loses_power);
        self.mark_disk.restart(random, loses_power);
    }

    /// Ends the process of a machine whose power was cut under it.
    pub fn notice(&mut self) -> bool {
        let ended = self.process.is_some() && self.is_off();
        if ended {
            self.process = None;
        }
        ended
    }

    /// Lets every mark say that its change is done.
    pub fn settle(&self) {
        if let Some(witness) = &self.process {
            witness.each().iter().for_each(|slot| slot.settle_mark());
        }
    }

    /// What an orderly stop does before the process ends.
    pub fn stop_in_order(&self) {
        if let Some(witness) = &self.process {
            witness.settle();
        }
    }

    /// `POST add-checkpoint`.
    pub fn add_checkpoint(&mut self, body: &[u8]) -> Answered {
        if self.is_byzantine {
            return self.sign_anything(body);
        }
        let Some(witness) = &self.process else { return Answered::NONE };
        let answer = witness.add_checkpoint(body);
        if self.is_off() {
            return Answered::NONE;
        }
        let status = answer.status();
        let (body, cosigned) = match answer {
            AddCheckpointAnswer::Cosigned(lines) => {
                let note = AddCheckpoint::parse(body).ok().map(|request| request.note().clone());
                let cosigned = note.zip(time_of(&lines));
                (lines, cosigned)
            }
            AddCheckpointAnswer::Refused(Refusal::NotTheLast { cosigned, .. }) => (format!("{cosigned}\n"), None),
            _ => (String::new(), None),
        };
        Answered { response: Some(WitnessResponse { status, body }), cosigned }
    }

    /// `GET <origin hash>/checkpoint`.
    pub fn newest_checkpoint(&self) -> Answered {
        if self.is_byzantine {
            return Answered::with(404, String::new());
        }
        let Some(witness) = &self.process else { return Answered::NONE };
        let served = witness.checkpoint(&self.log.origin().digest().to_string());
        if self.is_off() {
            return Answered::NONE;
        }
        let Some(bytes) = served else { return Answered::with(404, String::new()) };
        let body = String::from_utf8_lossy(&bytes).into_owned();
        let cosigned = SignedNote::parse(&bytes).ok().and_then(|note| {
            let line = note.signatures().iter().find(|line| self.key.verifier().is_meant_by(line))?;
            let time = time_of(&line.to_string())?;
            Some((note, time))
        });
        Answered { response: Some(WitnessResponse { status: 200, body }), cosigned }
    }

    fn sign_anything(&mut self, body: &[u8]) -> Answered {
        let Ok(request) = AddCheckpoint::parse(body) else { return Answered::with(400, String::new()) };
        let note = request.note().clone();
        if self.log.keys().iter().all(|key| verify_log_signature(&note, key).is_err()) {
            return Answered::with(403, String::new());
        }
        let time = UnixTime::new(self.clock.unix_seconds()).expect("a time that has come");
        match cosign(note.text(), &self.key, time) {
            Ok(line) => Answered { cosigned: Some((note, time.seconds())), ..Answered::with(200, line.to_string()) },
            Err(_) => Answered::with(500, String::new()),
        }
    }
}

impl Answered {
    const NONE: Self = Self { response: None, cosigned: None };

    fn with(status: u16, body: String) -> Self {
        Self { response: Some(WitnessResponse { status, body }), cosigned: None }
    }
}

/// The key of the `number`-th witness.
pub fn key(number: usize) -> SignerKey {
    let name = format!("w{number}.example").parse().expect("a name");
    SignerKey::new(name, KeyType::Cosigner, [40 + number as u8; 32])
}

/// The time that a cosignature's line states.
fn time_of(line: &str) -> Option<u64> {
    let line = NoteSignature::parse_line(line.split_inclusive('\n').next()?).ok()?;
    Some(u64::from_be_bytes(*line.bytes.first_chunk()?))
}

/// Keeps work until the simulation does it.
fn beside(work: Work) {
    BESIDE.with_borrow_mut(|waiting| waiting.push_back(work));
}

/// Does what waits beside the witnesses' answers, one piece of it; whether there was any.
pub fn work_beside() -> bool {
    let work = BESIDE.with_borrow_mut(VecDeque::pop_front);
    work.map(|work| work()).is_some()
}

/// Whether something waits.
pub fn has_work_beside() -> bool {
    BESIDE.with_borrow(|waiting| !waiting.is_empty())
}

/// Forgets what the witnesses of an earlier run left.
pub fn forget_work() {
    BESIDE.with_borrow_mut(VecDeque::clear);
}
