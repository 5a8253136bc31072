//! The machine of one witness or index cosigner: its disks, its clock, and the process that runs on them, or has ended.

use crate::clock::MachineClock;
use crate::disk::SeededDisk;
use crate::disk_state::Tree;
use crate::index_node;
use crate::mirror_node;
use crate::random::Random;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::error::Error;
use std::sync::Arc;
use stele_clock::Clock as _;
use stele_durable::Dir;
use stele_durable::lock::Lock;
use stele_explain::Explain as _;
use stele_fetch::timed_files::TimedFiles;
use stele_index_cosigner::{IndexCosigner, IndexedLog};
use stele_log_core::contract::cosigner::WitnessResponse;
use stele_mirror::{CopyOutcome, Mirror, MirrorError, MirroredLog};
use stele_spec::checkpoint::{Origin, verify_log_signature};
use stele_spec::cosignature::{UnixTime, cosign};
use stele_spec::note::{KeyType, NoteSignature, SignedNote, SignerKey, VerifierKey};
use stele_witness_core::answer::AddCheckpointAnswer;
use stele_witness_core::decide::Refusal;
use stele_witness_core::evidence::Archive;
use stele_witness_core::group_commit::GroupCommit;
use stele_witness_core::log_slot::LogSettings;
use stele_witness_core::record::LastCosigned;
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

/// The folders of states and of marks.
type Names = (&'static str, &'static str);

/// Those of whoever has the machine.
const OWN: Names = ("/state", "/marks");

/// Those of the witness in the folder of an index cosigner.
const BESIDE_INDEX: Names = ("/beside", "/beside-marks");

/// Those of a mirror.
const MIRROR: Names = ("/mirror", "/mirror-marks");

/// The folder of its copy.
const COPY: &str = "/copy";

/// The folder of evidence.
const EVIDENCE: &str = "/evidence";

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
    process: Option<Process>,
    role: Role,
}

/// Who has a machine, and his number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A witness.
    Honest(usize),
    /// A witness that signs anything that the log's key signed.
    Byzantine(usize),
    /// A witness, and a mirror in its folder.
    Mirroring(usize),
    /// An index cosigner.
    Index(usize),
}

/// What runs.
enum Process {
    Witness(Box<Witness>, Option<Box<Mirror>>),
    /// An index cosigner, and the witness of its folder, which keeps what it finds against a log.
    Index(Box<IndexCosigner>),
}

/// What a request came to.
pub struct Answered {
    /// What goes back; nothing where there is no process, or it ended meanwhile.
    pub response: Option<WitnessResponse>,
    /// The note that was cosigned, with its cosignature's line.
    pub cosigned: Option<(SignedNote, u64)>,
    /// Whether it says that the log's own entries convict it.
    pub convicts: bool,
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
    pub fn new(role: Role, disks: [SeededDisk; 2], clock: MachineClock, log: &VerifierKey) -> Self {
        let [state_disk, mark_disk] = disks;
        let origin: Origin = log.name().as_str().parse().expect("a log's name is an origin");
        let log = TrustedLog::new(origin, vec![log.clone()]).expect("it has one key");
        let key = match role {
            Role::Honest(number) | Role::Byzantine(number) | Role::Mirroring(number) => key(number),
            Role::Index(number) => index_node::key(number),
        };
        Self { state_disk, mark_disk, clock, refused: None, key, log, process: None, role }
    }

    /// Whether it knows the log's second key.
    pub fn knows_second(&self) -> bool {
        self.log.keys().len() > 1
    }

    /// Learns the log's second key, which counts from the next start on.
    pub fn learn(&mut self, second: &VerifierKey) {
        let keys = self.log.keys().iter().chain([second]).cloned().collect();
        self.log = TrustedLog::new(self.log.origin().clone(), keys).expect("two keys of one log");
    }

    /// Whether it answers.
    pub fn is_running(&self) -> bool {
        self.is_byzantine() || self.process.is_some()
    }

    /// Whether it signs anything.
    pub fn is_byzantine(&self) -> bool {
        matches!(self.role, Role::Byzantine(_))
    }

    /// Whether it is an index cosigner.
    pub fn is_index(&self) -> bool {
        matches!(self.role, Role::Index(_))
    }

    /// Begins the log here, as `logs add` does, once.
    pub fn enrol(&self) -> bool {
        let begins = |own: &WitnessSigner, names: Names| {
            self.states(own, names).is_ok_and(|(_, states)| states.begin(self.log.origin()).is_ok())
        };
        let has_begun = match self.role {
            Role::Honest(_) | Role::Byzantine(_) => true,
            Role::Mirroring(_) => mirror_node::keyring().is_ok_and(|own| begins(&own, MIRROR)),
            Role::Index(_) => self.own_beside().is_ok_and(|own| begins(&own, BESIDE_INDEX)),
        };
        has_begun && (self.is_byzantine() || self.own().is_ok_and(|own| begins(&own, OWN)))
    }

    /// Starts the witness as its program does.
    pub fn start(&mut self) -> Started {
        if self.is_byzantine() {
            return Started::Running;
        }
        match self.open() {
            Ok(process) => {
                (self.process, self.refused) = (Some(process), None);
                Started::Running
            }
            Err(error) if self.is_off() || self.is_unsure() => {
                drop(error);
                Started::Failed
            }
            Err(error) => {
                let code = error.downcast_ref::<StateError>().map(|error| error.code());
                let code = code.or_else(|| error.downcast_ref::<MirrorError>().map(|error| error.code()));
                match code.filter(|code| !matches!(*code, "disk-full" | "io")) {
                    Some(code) => {
                        self.refused = Some(code);
                        Started::Refused(code)
                    }
                    None => Started::Failed,
                }
            }
        }
    }

    fn own(&self) -> Result<WitnessSigner, Box<dyn Error>> {
        Ok(WitnessSigner::new(self.key.clone(), None)?)
    }

    /// The keys of the witness in the folder of an index cosigner. No log asks it.
    fn own_beside(&self) -> Result<WitnessSigner, Box<dyn Error>> {
        Ok(WitnessSigner::new(SignerKey::new("beside.example".parse()?, KeyType::Cosigner, [39; 32]), None)?)
    }

    fn states(&self, own: &WitnessSigner, (state, marks): Names) -> Result<(Dir, StateStore), Box<dyn Error>> {
        let state = Dir::open_on(Arc::new(self.state_disk.clone()), state)?;
        let marks = Dir::open_on(Arc::new(self.mark_disk.clone()), marks)?;
        let group = |dir: &Dir| GroupCommit::with_journals(dir.clone(), beside, JOURNAL);
        let states = StateStore::of(group(&state), group(&marks), own.own());
        Ok((state, states))
    }

    fn open(&self) -> Result<Process, Box<dyn Error>> {
        if !self.is_index() {
            let witness = self.open_witness(self.own()?, OWN)?;
            let mirror = self.has_mirror().then(|| self.open_mirror(&witness)).transpose()?;
            return Ok(Process::Witness(Box::new(witness), mirror.map(Box::new)));
        }
        let witness = Arc::new(self.open_witness(self.own_beside()?, BESIDE_INDEX)?);
        let keyring = self.own()?;
        let (_, states) = self.states(&keyring, OWN)?;
        let logs = vec![IndexedLog { log: self.log.clone(), qpd: None, copy: None }];
        let parts = stele_index_cosigner::Parts { keyring, states, logs, witness };
        Ok(Process::Index(Box::new(IndexCosigner::open(parts, Arc::new(self.clock.clone()))?)))
    }

    fn open_mirror(&self, witness: &Witness) -> Result<Mirror, Box<dyn Error>> {
        let keyring = mirror_node::keyring()?;
        let (_, states) = self.states(&keyring, MIRROR)?;
        let disk = Arc::new(self.state_disk.clone());
        let (log, folder) = (self.log.clone(), COPY.into());
        let logs = vec![MirroredLog { log, cosigners: Vec::new(), pushed: false, folder }];
        let parts = stele_mirror::Parts { keyring, witness: witness.own(), states, disk, logs };
        Ok(Mirror::open(parts, Arc::new(self.clock.clone()))?)
    }

    fn open_witness(&self, keyring: WitnessSigner, names: Names) -> Result<Witness, Box<dyn Error>> {
        let (state, states) = self.states(&keyring, names)?;
        let lock = Lock::take_in(&state, "lock")?;
        let archive = Archive::of(Dir::open_on(Arc::new(self.state_disk.clone()), EVIDENCE)?);
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
        match &self.process {
            Some(Process::Witness(witness, _)) => witness.each().iter().for_each(|slot| slot.settle_mark()),
            Some(Process::Index(cosigner)) => cosigner.settle(),
            None => {}
        }
    }

    /// What an orderly stop does before the process ends.
    pub fn stop_in_order(&self) {
        match &self.process {
            Some(Process::Witness(witness, _)) => witness.settle(),
            Some(Process::Index(cosigner)) => cosigner.settle(),
            None => {}
        }
    }

    /// `POST add-checkpoint`.
    pub fn add_checkpoint(&mut self, body: &[u8]) -> Answered {
        if self.is_byzantine() {
            return self.sign_anything(body);
        }
        let witness = match &self.process {
            Some(Process::Witness(witness, _)) => witness,
            Some(Process::Index(_)) => return Answered::with(428, String::new()),
            None => return Answered::NONE,
        };
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
        Answered { cosigned, ..Answered::with(status, body) }
    }

    /// `POST add-transition`.
    pub fn add_transition(&self, body: &[u8]) -> Answered {
        match &self.process {
            Some(Process::Witness(..)) => Answered::with(404, String::new()),
            Some(Process::Index(cosigner)) => {
                let answered = index_node::add_transition(cosigner, body);
                if self.is_off() { Answered::NONE } else { answered }
            }
            None if self.is_byzantine() => Answered::with(404, String::new()),
            None => Answered::NONE,
        }
    }

    /// Copies what its witness has cosigned from a log's files, as the poller does; none where nothing runs.
    pub fn copy(&self, files: &TimedFiles) -> Option<CopyOutcome> {
        let Some(Process::Witness(witness, Some(mirror))) = &self.process else { return None };
        match witness.last(self.log.origin())? {
            Ok(LastCosigned::Cosigned(cosigned)) => mirror.copy_to(&cosigned, files),
            _ => None,
        }
    }

    /// Its mirror, where one runs.
    pub fn mirror(&self) -> Option<&Mirror> {
        match &self.process {
            Some(Process::Witness(_, mirror)) => mirror.as_deref(),
            _ => None,
        }
    }

    /// Whether it has a mirror.
    pub fn has_mirror(&self) -> bool {
        matches!(self.role, Role::Mirroring(_))
    }

    /// The files of evidence on its disk.
    pub fn evidence(&self) -> Vec<Arc<Vec<u8>>> {
        let Some(Tree::Folder(logs)) = self.state_disk.export(EVIDENCE) else { return Vec::new() };
        let of_log = |tree: &Tree| match tree {
            Tree::Folder(files) => files.values().cloned().collect(),
            Tree::File(_) => Vec::new(),
        };
        let files = logs.iter().filter(|(name, _)| !name.starts_with('.')).flat_map(|(_, tree)| of_log(tree));
        files.filter_map(|file| if let Tree::File(bytes) = file { Some(bytes) } else { None }).collect()
    }

    /// `GET <origin hash>/checkpoint`.
    pub fn newest_checkpoint(&self) -> Answered {
        if self.is_byzantine() {
            return Answered::with(404, String::new());
        }
        let origin = self.log.origin().digest().to_string();
        let served = match &self.process {
            Some(Process::Witness(witness, _)) => witness.checkpoint(&origin),
            Some(Process::Index(cosigner)) => cosigner.checkpoint(&origin),
            None => return Answered::NONE,
        };
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
        Answered { cosigned, ..Answered::with(200, body) }
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
    const NONE: Self = Self { response: None, cosigned: None, convicts: false };

    /// An answer, and nothing else.
    pub(crate) fn with(status: u16, body: String) -> Self {
        Self { response: Some(WitnessResponse { status, body }), ..Self::NONE }
    }
}

/// The key of the `number`-th witness.
pub fn key(number: usize) -> SignerKey {
    let name = format!("w{number}.example").parse().expect("a name");
    SignerKey::new(name, KeyType::Cosigner, [40 + number as u8; 32])
}

/// The time that a cosignature's line states.
pub(crate) fn time_of(line: &str) -> Option<u64> {
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
