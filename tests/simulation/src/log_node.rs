//! The machine of one log: its disk, its clock, and the log that runs on them, or has ended. It brings the sequencer its events as the
//! server's thread does, in the same order of precedence.

use crate::bucket::{BucketOfMachine, SeededBucket, only_sending};
use crate::clock::MachineClock;
use crate::disk::SeededDisk;
use crate::no_lookup::NoLookup;
use crate::pool::pool;
use crate::random::Random;
use crate::standby_node::StandbyProcess;
use crate::watched::{Notes, WatchedHeads, WatchedObjects};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use stele_clock::Clock as _;
use stele_durable::Dir;
use stele_explain::Explain as _;
use stele_log_core::assembly::{Assembled, Parts, assemble};
use stele_log_core::contract::head_store::HeadStore;
use stele_log_core::contract::objects::{ObjectError, Objects};
use stele_log_core::endpoint::{Endpoint, WitnessAnswer, WitnessRequest};
use stele_log_core::file_digests::FileDigestIndex;
use stele_log_core::index_steps::Steps;
use stele_log_core::log_keys::LogSigner;
use stele_log_core::precheck::{Prechecked, agree, precheck};
use stele_log_core::recover::recover;
use stele_log_core::replay::Parsed;
use stele_log_core::replica::{Replica, Views};
use stele_log_core::resign::resign;
use stele_log_core::rules::{Batch, Claims, Registration, Rules};
use stele_log_core::running_log::{LogParts, RunningLog};
use stele_log_core::sequencer::Sequencer;
use stele_log_core::sequencer_event::{Action, Event};
use stele_log_core::settings::Settings;
use stele_log_core::staged_batch::StagedBatches;
use stele_log_core::status::WriterState;
use stele_log_core::step_supply::StepSupply;
use stele_log_core::submission::{Reply, Submission};
use stele_log_core::submitted_manifest::SubmittedManifest;
use stele_log_core::tiles::TileStore;
use stele_log_storage_files::head_store::FileHeadStore;
use stele_log_storage_files::objects::FileObjects;
use stele_log_storage_objects::head_store::LockedHead;
use stele_log_storage_objects::objects::{Removal, StoredObjects};
use stele_object_store::bucket::Bucket;
use stele_object_store::chain::ChainLock;
use stele_object_store::lock::Lock as _;
use stele_object_store::object_store::ObjectStore;
use stele_object_store::record::Run;
use stele_spec::entry::Entry;
use stele_spec::hash::Digest;
use stele_spec::note::{KeyType, SignerKey};
use stele_spec::policy::Policy;
use stele_spec::proof::TlogProof;

/// The identity of the log.
pub const ORIGIN: &str = "log.example/stele";

/// Where its data are.
pub const DATA: &str = "/data";

/// The machine of one log.
pub struct LogNode {
    /// Its disk.
    pub disk: SeededDisk,
    /// The bucket that has the log, where it is in one.
    pub bucket: Option<SeededBucket>,
    /// Its clock.
    pub clock: MachineClock,
    /// What was noted of its storage.
    pub notes: Notes,
    /// Why it does not start, if it does not: a stable word.
    pub refused: Option<&'static str>,
    /// The size of the one history when the process began.
    pub known: u64,
    policy: Policy,
    /// With which keys it signs from the next start on.
    pub keys: Keys,
    /// The log that runs.
    pub process: Option<Process>,
    /// What it is instead, where it follows another.
    pub standby: Option<StandbyProcess>,
}

/// The keys of a log, as they change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keys {
    /// The first alone.
    First,
    /// Both, while witnesses and readers come to know the second.
    Both,
    /// The second alone: the first is retired.
    Second,
}

impl Keys {
    fn signer(self) -> LogSigner {
        let signer = match self {
            Self::First => LogSigner::new(signer(), None),
            Self::Both => LogSigner::new(signer(), Some(second_signer())),
            Self::Second => LogSigner::new(second_signer(), None),
        };
        signer.expect("the keys of one log")
    }
}

/// Where a log keeps what it is made of.
struct Storage {
    heads: Box<dyn HeadStore>,
    objects: Arc<dyn Objects>,
    removal: Option<Removal>,
}

/// The storage in a bucket.
pub(crate) struct InBucket {
    pub(crate) lock: ChainLock,
    pub(crate) run: Run,
    pub(crate) objects: StoredObjects,
    pub(crate) removal: Removal,
}

/// What a start says that failed with the machine.
const FAILURES: &[&str] = &["disk-full", IO];

/// What it says where the bucket does not answer, or another writer came.
const BUCKET_FAILURES: &[&str] = &["outcome-unknown", "no-answer", "overtaken"];

/// The word for what the machine failed to do.
const IO: &str = "io";

/// A log that runs.
pub struct Process {
    /// What writer and readers share.
    pub log: Arc<RunningLog>,
    sequencer: Sequencer<usize>,
    /// The addresses of witnesses, each with its number and what it is asked next.
    pub endpoints: Vec<Address>,
    answers: VecDeque<WitnessAnswer>,
    synced: Option<Result<u64, ObjectError>>,
    /// A sync of the storage that is to be made beside the writer.
    pub to_sync: Option<u64>,
    submissions: VecDeque<(Box<Submission>, usize)>,
    /// What a log in a bucket has forgotten.
    removal: Option<Removal>,
    to_stop: bool,
}

/// One address of witnesses.
pub struct Address {
    /// The number of the witness that answers there.
    pub witness: usize,
    /// Taken out while it asks.
    pub endpoint: Option<Endpoint>,
    /// What it asks next.
    pub request: Option<WitnessRequest>,
}

/// What a publisher is answered at once.
pub enum Submitted {
    /// It waits for its batch.
    Waits,
    /// It was logged before: the proof.
    Known(Box<TlogProof>),
    /// It is refused, or cannot be taken now.
    No,
}

/// What a step of the log came to.
pub enum Pumped {
    /// There was nothing to do.
    Idle,
    /// Replies to publishers: the number of the statement and where it is logged.
    Replied(Vec<(usize, Option<u64>)>),
    /// The log has ended in order.
    Finished,
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

impl LogNode {
    /// A log that has not started yet.
    pub fn new(disk: SeededDisk, bucket: Option<SeededBucket>, clock: MachineClock, policy: &Policy) -> Self {
        let notes = Notes::default();
        Self {
            disk,
            bucket,
            clock,
            notes,
            refused: None,
            known: 0,
            policy: policy.clone(),
            keys: Keys::First,
            process: None,
            standby: None,
        }
    }

    /// Starts the log as its program does.
    pub fn start(&mut self, known: u64) -> Started {
        self.known = known;
        let Storage { heads, objects, removal } = match self.storage() {
            Ok(storage) => storage,
            Err(code) => return self.not_started(code),
        };
        let log = |views| RunningLog::new(self.parts(&objects, views), Arc::new(self.clock.clone()));
        match self.recovered(Replica::default(), heads, &objects, log) {
            Ok((log, assembled)) => self.run(log, assembled, removal),
            Err(code) => self.not_started(code),
        }
    }

    /// What its log has before anybody writes it.
    pub(crate) fn parts(&self, objects: &Arc<dyn Objects>, views: Views) -> LogParts {
        LogParts {
            origin: ORIGIN.parse().expect("an origin"),
            keys: self.keys.signer().keys(),
            settings: Settings { policy: self.policy.clone(), rules: rules() },
            store: TileStore::new(objects),
            lookup: Box::new(NoLookup),
            views,
        }
    }

    /// From the lock, held by this run, to a writer: of nothing, or of what a standby has read.
    pub(crate) fn recovered(
        &self,
        replica: Replica,
        heads: Box<dyn HeadStore>,
        objects: &Arc<dyn Objects>,
        log: impl FnOnce(Views) -> Arc<RunningLog>,
    ) -> Result<(Arc<RunningLog>, Assembled), &'static str> {
        let (staging, store) = (StagedBatches::new(objects), TileStore::new(objects));
        let (now, keys) = (self.clock.unix_seconds(), self.keys.signer());
        let found = recover(replica, &*heads, &staging, &store, &keys.keys(), &self.policy, now);
        let mut found = found.map_err(|error| error.code())?;
        found.signed = found.signed.map(|newest| resign(&*heads, &keys, newest)).transpose().map_err(|e| e.code())?;
        let log = log(found.views.clone());
        let assembled = assemble(&log, Parts { signer: keys, heads, staging, found });
        Ok((log, assembled))
    }

    /// Runs a writer.
    pub(crate) fn run(&mut self, log: Arc<RunningLog>, assembled: Assembled, removal: Option<Removal>) -> Started {
        let steps = Steps::new(&Arc::new(StepSupply::new(Arc::new(self.clock.clone()))), &Arc::default());
        let endpoints =
            Endpoint::all(&self.policy, &log.keys, &log.store, &steps).into_values().map(|endpoint| Address {
                witness: endpoint.numbers().first().copied().unwrap_or_default(),
                endpoint: Some(endpoint),
                request: None,
            });
        self.process = Some(Process {
            endpoints: endpoints.collect(),
            sequencer: assembled.sequencer(&[]),
            log,
            answers: VecDeque::new(),
            synced: None,
            to_sync: None,
            submissions: VecDeque::new(),
            removal,
            to_stop: false,
        });
        self.refused = None;
        Started::Running
    }

    /// Takes the storage, as the server does.
    fn storage(&self) -> Result<Storage, &'static str> {
        let Some(bucket) = &self.bucket else {
            let data = Dir::open_on(Arc::new(self.disk.clone()), DATA).map_err(|_| IO)?;
            let heads = FileHeadStore::take(&data).map_err(|_| IO)?;
            return Ok(Storage {
                heads: Box::new(WatchedHeads(heads, self.notes.clone())),
                objects: Arc::new(WatchedObjects(FileObjects::new(&data), self.notes.clone())),
                removal: None,
            });
        };
        let InBucket { lock, objects, removal, .. } = self.in_bucket(bucket);
        let is_new = lock.newest().map_err(|error| error.code())?.is_none();
        if is_new && objects.has_tiles().map_err(|error| error.code())? {
            return Err("lock-lost");
        }
        let heads = LockedHead::take(lock, "simulation").map_err(|error| error.code())?;
        Ok(Storage {
            heads: Box::new(WatchedHeads(heads, self.notes.clone())),
            objects: Arc::new(WatchedObjects(objects, self.notes.clone())),
            removal: Some(removal),
        })
    }

    /// The storage in a bucket, of a new run that has not fenced.
    pub(crate) fn in_bucket(&self, bucket: &SeededBucket) -> InBucket {
        let reached: Arc<dyn Bucket> = Arc::new(BucketOfMachine(bucket.clone(), self.disk.clone()));
        let store = ObjectStore::new(reached, Arc::new(self.clock.clone())).one_at_a_time();
        let (objects, removal) = StoredObjects::with_removal(&store);
        let (origin, run) = (ORIGIN.parse().expect("an origin"), Run(bucket.run()));
        InBucket { lock: ChainLock::new(&store, None, &origin, run), run, objects, removal }
    }

    pub(crate) fn not_started(&mut self, code: &'static str) -> Started {
        // The machine's own failures pass; what is wrong with the data does not.
        let passes = if self.bucket.is_some() { BUCKET_FAILURES } else { FAILURES };
        if self.disk.is_off() || self.disk.has_failed() || passes.contains(&code) {
            return Started::Failed;
        }
        self.refused = Some(code);
        Started::Refused(code)
    }

    /// Ends the process. With a loss of power a part of what was not synced is gone.
    pub fn end(&mut self, random: &mut Random, loses_power: bool) {
        (self.process, self.standby) = (None, None);
        let loses_power = loses_power || self.disk.has_failed();
        self.disk.restart(random, loses_power);
    }

    /// Ends the process of a machine whose power was cut under it.
    pub fn notice(&mut self) -> bool {
        let ended = self.is_running() && self.disk.is_off();
        if ended {
            (self.process, self.standby) = (None, None);
        }
        ended
    }

    /// Whether it runs, as a writer or as a standby.
    pub fn is_running(&self) -> bool {
        self.process.is_some() || self.standby.is_some()
    }

    /// What it shows readers.
    pub fn shown(&self) -> Option<&Arc<RunningLog>> {
        self.process.as_ref().map(|process| &process.log).or(self.standby.as_ref().map(|standby| &standby.log))
    }

    /// Why the writer has stopped for good, if it has.
    pub fn stopped(&self) -> Option<&'static str> {
        match self.process.as_ref()?.log.status.writer() {
            WriterState::Stopped { code, .. } => Some(code),
            _ => None,
        }
    }
}

impl Process {
    /// Hears the answers of an address.
    pub fn hear(&mut self, answers: Vec<WitnessAnswer>) {
        self.answers.extend(answers);
    }

    /// The sync beside the writer, with what makes the next batches cheap.
    pub fn sync(&mut self) {
        let Some(covered) = self.to_sync.take() else { return };
        let objects = self.log.store.objects();
        objects.prepare();
        self.synced = Some(objects.sync().map(|()| covered));
    }

    /// The thread that removes what is forgotten sends its requests; when they arrive is another matter.
    fn forget(&self) {
        self.removal.iter().for_each(|removal| only_sending(|| removal.catch_up()));
    }

    /// When there is something to do next; `None` where only others can bring it.
    pub fn wakes_at(&self) -> Option<Duration> {
        self.sequencer.wake_at(self.log.clock.steady())
    }

    /// Whether an event waits, or is due.
    pub fn has_event(&self) -> bool {
        let now = self.log.clock.steady();
        !self.answers.is_empty()
            || self.synced.is_some()
            || (self.sequencer.accepts(now) && !self.submissions.is_empty())
            || self.to_stop
            || self.sequencer.wake_at(now).is_some_and(|at| at <= now)
    }

    /// The addresses that have something to ask.
    pub fn due(&self) -> Vec<usize> {
        (0..self.endpoints.len()).filter(|address| self.endpoints[*address].request.is_some()).collect()
    }

    /// Asks the log to stop in order.
    pub fn ask_to_stop(&mut self) {
        self.to_stop = true;
    }

    fn event(&mut self, now: Duration) -> Option<Event<usize>> {
        if let Some(answer) = self.answers.pop_front() {
            return Some(Event::Answered(answer));
        }
        if let Some(outcome) = self.synced.take() {
            return Some(Event::Synced(outcome));
        }
        if std::mem::take(&mut self.to_stop) {
            return Some(Event::Stop);
        }
        if self.sequencer.accepts(now)
            && let Some((submission, to)) = self.submissions.pop_front()
        {
            return Some(Event::Submitted(submission, to));
        }
        self.sequencer.wake_at(now).filter(|at| *at <= now).map(|_| Event::Idle)
    }

    /// Brings the sequencer its next event, and does what it says.
    pub fn pump(&mut self) -> Pumped {
        let now = self.log.clock.steady();
        let Some(event) = self.event(now) else { return Pumped::Idle };
        let mut replies = Vec::new();
        for action in self.sequencer.step(now, event) {
            match action {
                Action::Ask(request) => {
                    self.endpoints.iter_mut().for_each(|address| address.request = Some(request.clone()));
                }
                Action::Sync(covered) => self.to_sync = Some(covered),
                Action::Reply(to, Reply::Logged { position, .. }) => replies.push((to, Some(position))),
                Action::Reply(to, _) => replies.push((to, None)),
                Action::Finish => return Pumped::Finished,
            }
        }
        self.forget();
        Pumped::Replied(replies)
    }

    /// Takes a statement of the pool in, as the server's intake does.
    pub fn submit(&mut self, number: usize) -> Submitted {
        let prepared = &pool()[number];
        let parsed = match precheck(&self.log, &prepared.bytes) {
            Ok(Prechecked::New(parsed)) => parsed,
            Ok(Prechecked::Waiting(parsed)) => {
                self.enqueue(*parsed, FileDigestIndex::default(), None, number);
                return Submitted::Waits;
            }
            Ok(Prechecked::Known { position, published, .. }) => {
                return match self.log.prover.prove_stored(&published, position) {
                    Ok((proof, _)) => Submitted::Known(Box::new(proof)),
                    Err(_) => Submitted::No,
                };
            }
            Ok(Prechecked::Refused(_)) | Err(_) => return Submitted::No,
        };
        let Some(manifest) = &prepared.manifest else {
            self.enqueue(*parsed, FileDigestIndex::default(), None, number);
            return Submitted::Waits;
        };
        let Ok((files, is_public)) = agree(&self.log, &parsed, manifest) else { return Submitted::No };
        let new = (!is_public).then(|| SubmittedManifest::new(Digest::of(manifest), manifest.clone()));
        self.enqueue(*parsed, files, new, number);
        Submitted::Waits
    }

    fn enqueue(&mut self, parsed: Parsed, files: FileDigestIndex, manifest: Option<SubmittedManifest>, number: usize) {
        let Parsed { entry: Entry::Statement(signed), leaf, keys } = parsed else { return };
        self.submissions.push_back((Box::new(Submission { signed, leaf, keys, files, manifest }), number));
    }

    /// The proof with which a publisher is answered.
    pub fn proof(&self, position: u64, number: usize) -> Option<TlogProof> {
        let published = self.log.published()?;
        self.log.prover.prove(&published, position, &pool()[number].bytes).ok()
    }
}

/// The log's key.
pub fn signer() -> SignerKey {
    SignerKey::new(ORIGIN.parse().expect("a name"), KeyType::Log, [9; 32])
}

/// Its second key.
pub fn second_signer() -> SignerKey {
    SignerKey::new(ORIGIN.parse().expect("a name"), KeyType::Log, [10; 32])
}

fn rules() -> Rules {
    Rules {
        registration: Registration { claims: Claims::Open, allowed: Default::default() },
        batch: Batch { max_age_ms: 20, max_entries: 4 },
        republish_every: 600,
        quorum_seconds: 10,
        min_free_bytes: 0,
        frozen: false,
    }
}
