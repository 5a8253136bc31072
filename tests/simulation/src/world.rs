//! A whole network: machines, what is between them, and what is true of it.

use crate::bucket::SeededBucket;
use crate::clock::{BEGIN, MachineClock};
use crate::disk::SeededDisk;
use crate::disk_state::Tree;
use crate::fault::{Counts, Fault};
use crate::log_node::{self, DATA, LogNode, Pumped, Submitted};
use crate::model::{Kept, Model, Violation, broken};
use crate::monitor_node::MonitorNode;
use crate::plan::Plan;
use crate::pool::pool;
use crate::random::Random;
use crate::readers::{Follower, Reader};
use crate::request::InFlight;
use crate::told::Told;
use crate::witness_node::{self, Role, WitnessNode};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use stele_spec::policy::Policy;
use stele_spec::proof::{TlogProof, check};

/// How many readers there are.
const READERS: usize = 2;

/// A whole network.
pub struct World {
    /// How it was made.
    pub plan: Plan,
    /// Logs: the first one, and a second writer with its key where there is one.
    pub logs: Vec<LogNode>,
    /// Witnesses, and the index cosigners after them: by their places in the policy.
    pub witnesses: Vec<WitnessNode>,
    /// Readers.
    pub readers: Vec<Reader>,
    /// A follower of the first log.
    pub follower: Follower,
    /// A monitor, where there is one.
    pub monitor: Option<MonitorNode>,
    /// What it has told.
    pub told: Told,
    /// What everybody verifies by.
    pub policy: Policy,
    /// By what the first reader verifies until the first key is retired.
    pub first_policy: Policy,
    /// What is true.
    pub model: Model,
    /// The choices of the step under way.
    pub random: Random,
    /// What has happened.
    pub counts: Counts,
    /// Requests that arrive later.
    pub in_flight: Vec<InFlight>,
    /// Which log and witness cannot reach each other.
    pub partitioned: BTreeSet<(usize, usize)>,
    /// Copies of disks, to be put back: of the first log, of each witness's states and marks.
    pub log_copies: Vec<Tree>,
    /// The number of the witness, whether of its marks, the copy.
    pub state_copies: Vec<(usize, bool, Tree)>,
    /// Copies of the monitor's state.
    pub monitor_copies: Vec<Tree>,
    passed: Arc<AtomicU64>,
    trace: Option<Vec<String>>,
    digest: u64,
    violation: Option<Violation>,
    /// The first content of each immutable file of a log, and the state of its disk when it was looked at.
    immutable: BTreeMap<usize, Immutable>,
}

/// The immutable files of a log.
#[derive(Default)]
struct Immutable {
    /// How much had changed on the disk when it was looked at last.
    changes: u64,
    /// What each held when it was seen first.
    first: BTreeMap<String, Arc<Vec<u8>>>,
}

impl World {
    /// Every machine is there and on; no process runs yet.
    pub fn new(plan: Plan, mut random: Random, is_traced: bool) -> Self {
        witness_node::forget_work();
        let passed = Arc::new(AtomicU64::new(0));
        let mut disk = || SeededDisk::new(Random::new(random.draw()), passed.clone());
        let (policy, first_policy) = (plan.policy(), plan.first_policy());
        let byzantine: BTreeSet<usize> = (0..plan.byzantine).collect();
        let log_key = log_node::signer().verifier();
        let node = |role, disks| {
            let node = WitnessNode::new(role, disks, MachineClock::new(&passed), &log_key);
            assert!(node.enrol(), "a new disk takes a new log");
            node
        };
        let role = |number| match number {
            number if byzantine.contains(&number) => Role::Byzantine(number),
            number if plan.has_mirror && number + 1 == plan.witnesses => Role::Mirroring(number),
            number => Role::Honest(number),
        };
        let mut witnesses: Vec<WitnessNode> =
            (0..plan.witnesses).map(|number| node(role(number), [disk(), disk()])).collect();
        let log_disk = disk();
        witnesses.extend((0..plan.index_cosigners).map(|number| node(Role::Index(number), [disk(), disk()])));
        let bucket_trouble = plan.bucket.filter(|_| plan.faults.contains(&Fault::Bucket)).unwrap_or(0);
        let bucket = plan.bucket.map(|_| SeededBucket::new(Random::new(log_disk.draw()), bucket_trouble));
        let mut logs = vec![LogNode::new(log_disk, bucket.clone(), MachineClock::new(&passed), &policy)];
        if plan.has_standby {
            let mut standby = LogNode::new(disk(), bucket, MachineClock::new(&passed), &policy);
            // It signs what the other one staged.
            standby.notes = logs[0].notes.clone();
            logs.push(standby);
        }
        let monitor = plan.has_monitor.then(|| MonitorNode::new(disk(), MachineClock::new(&passed), &policy));
        let mut model = Model::new(&policy, plan.witnesses, byzantine);
        // Whoever fences takes over: the promises of one process do not hold, and the heads of all are one chain.
        model.is_strict = !plan.has_standby;
        Self {
            model,
            plan,
            logs,
            witnesses,
            readers: (0..READERS).map(|_| Reader::default()).collect(),
            follower: Follower::default(),
            monitor,
            told: Told::default(),
            policy,
            first_policy,
            random,
            counts: Counts::default(),
            in_flight: Vec::new(),
            partitioned: BTreeSet::new(),
            log_copies: Vec::new(),
            state_copies: Vec::new(),
            monitor_copies: Vec::new(),
            passed,
            trace: is_traced.then(Vec::new),
            digest: 0xcbf2_9ce4_8422_2325,
            violation: None,
            immutable: BTreeMap::new(),
        }
    }

    /// Notes an event: in the digest of the run, and as a line where it is traced.
    pub fn note(&mut self, line: impl Into<String>) {
        let line: String = line.into();
        for byte in line.bytes().chain([b'\n']) {
            self.digest = (self.digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{:>10} ms  {line}", self.passed.load(Ordering::Relaxed)));
        }
    }

    /// A number over everything that was noted.
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// The lines that were noted, where it is traced.
    pub fn take_trace(&mut self) -> Vec<String> {
        self.trace.take().unwrap_or_default()
    }

    /// Whether a kind of fault may happen in this run, and notes it where it does.
    pub fn happens(&mut self, fault: Fault) -> bool {
        let is_allowed = self.plan.faults.contains(&fault);
        if is_allowed {
            self.counts.fault(fault);
        }
        is_allowed
    }

    /// Remembers a promise that was broken where no result can carry it.
    pub fn remember(&mut self, kept: Kept) {
        if let Err(violation) = kept {
            self.violation.get_or_insert(violation);
        }
    }

    /// Whether all promises are kept: those of the step that has just been made, and those about every disk.
    pub fn check(&mut self) -> Kept {
        for log in 0..self.logs.len() {
            self.hear_storage(log)?;
            if self.logs[log].notice() {
                self.note(format!("log {log}: the power is gone"));
            }
            self.check_immutable(log)?;
            let published = self.logs[log].shown().and_then(|shown| shown.published());
            if let Some(published) = published {
                self.model.published(log, (published.size(), published.root()))?;
            }
        }
        for witness in 0..self.witnesses.len() {
            if self.witnesses[witness].notice() {
                self.note(format!("witness {witness}: the power is gone"));
            }
        }
        self.violation.take().map_or(Ok(()), Err)
    }

    /// Tells the model what became of heads in the store of a log.
    pub(crate) fn hear_storage(&mut self, log: usize) -> Kept {
        let node = &self.logs[log];
        for stored in node.notes.take_heads() {
            self.model.stored(&node.notes, &stored, node.known)?;
        }
        Ok(())
    }

    /// An immutable file of a log that runs never has a second content.
    fn check_immutable(&mut self, log: usize) -> Kept {
        let node = &self.logs[log];
        if let Some(bucket) = &node.bucket {
            let faults = bucket.take_faults();
            if faults > 0 {
                self.counts.fault_many(Fault::Bucket, faults);
            }
            return bucket.changed().map_or(Ok(()), |path| broken("an immutable path never has two contents", path));
        }
        let Immutable { changes, first } = self.immutable.entry(log).or_default();
        if node.process.is_none() || !self.model.is_strict || *changes == node.disk.changes() {
            return Ok(());
        }
        *changes = node.disk.changes();
        let Some(Tree::Folder(public)) = node.disk.export(&format!("{DATA}/public")) else { return Ok(()) };
        let mut found = Vec::new();
        for (name, tree) in public.iter().filter(|(name, _)| *name != "checkpoint") {
            files(name, tree, &mut found);
        }
        for (path, bytes) in found {
            let before = first.entry(path).or_insert_with(|| bytes.clone());
            if !Arc::ptr_eq(before, &bytes) && *before != bytes {
                let seen = "a file of the log has changed";
                return broken("an immutable path never has two contents", seen);
            }
        }
        Ok(())
    }

    /// A new disk.
    pub(crate) fn new_disk(&mut self) -> SeededDisk {
        SeededDisk::new(Random::new(self.random.draw()), self.passed.clone())
    }

    /// The milliseconds that have passed.
    pub(crate) fn passed(&self) -> &Arc<AtomicU64> {
        &self.passed
    }

    /// Lets time pass for everybody.
    pub fn pass(&mut self, length: Duration) {
        self.passed.fetch_add(length.as_millis() as u64, Ordering::Relaxed);
    }

    /// The time that it is, in Unix seconds.
    pub fn now(&self) -> u64 {
        BEGIN + self.passed.load(Ordering::Relaxed) / 1000
    }

    /// The steady clock of all machines.
    pub fn steady(&self) -> Duration {
        Duration::from_millis(self.passed.load(Ordering::Relaxed))
    }

    /// Starts a log that does not run: as a standby where it is not the first, and sometimes where it is.
    pub fn start_log(&mut self, log: usize) -> Kept {
        let has_begun = self.model.certified_size() > 0;
        let stands_by = self.plan.has_standby && (log > 0 || has_begun && self.random.percent(30));
        self.start_log_as(log, stands_by)
    }

    /// Starts a log that does not run.
    pub fn start_log_as(&mut self, log: usize, is_standby: bool) -> Kept {
        if self.logs[log].is_running() {
            return Ok(());
        }
        let known = self.model.certified_size();
        let node = &mut self.logs[log];
        let started = if is_standby { node.start_standby(known) } else { node.start(known) };
        self.note(format!("log {log}: start{}, {started:?}", if is_standby { " as a standby" } else { "" }));
        self.started(log, &started)
    }

    /// What is true of a log that has just started, or taken over.
    pub(crate) fn started(&mut self, log: usize, started: &log_node::Started) -> Kept {
        if self.logs[log].disk.is_off() {
            (self.logs[log].process, self.logs[log].standby) = (None, None);
            return self.hear_storage(log);
        }
        self.hear_storage(log)?;
        if let log_node::Started::Refused(code) = started {
            self.counts.event("starts of a log refused", 1);
            if self.model.is_strict || self.logs[log].bucket.is_some() {
                return broken("a log starts on its own disk", *code);
            }
            return Ok(());
        }
        let Some(process) = &self.logs[log].process else { return Ok(()) };
        let head = process.log.published().map(|published| (published.size(), published.root()));
        self.model.holds(head)?;
        let lost = process.log.lost_manifests();
        if !lost.is_empty() && self.model.is_strict {
            return broken("the manifest of a logged release is durable", format!("{} are gone", lost.len()));
        }
        Ok(())
    }

    /// Starts a witness that does not run.
    pub fn start_witness(&mut self, witness: usize) {
        if self.witnesses[witness].is_running() {
            return;
        }
        let started = self.witnesses[witness].start();
        self.note(format!("witness {witness}: start, {started:?}"));
        if matches!(started, witness_node::Started::Refused(_)) {
            self.counts.event("starts of a witness refused", 1);
            if !self.plan.touches_states {
                self.remember(broken("a witness starts on its own disks", format!("witness {witness}: {started:?}")));
            }
        }
    }

    /// Ends a log's process, or its machine.
    pub fn end_log(&mut self, log: usize, loses_power: bool) {
        self.note(format!("log {log}: {}", if loses_power { "loses its power" } else { "is killed" }));
        self.logs[log].end(&mut self.random, loses_power);
        // A second process on the disk ends with its machine.
        let disk = self.logs[log].disk.clone();
        self.logs
            .iter_mut()
            .filter(|other| other.disk.is(&disk))
            .for_each(|other| (other.process, other.standby) = (None, None));
    }

    /// Ends a witness's process, or its machine.
    pub fn end_witness(&mut self, witness: usize, loses_power: bool) {
        self.note(format!("witness {witness}: {}", if loses_power { "loses its power" } else { "is killed" }));
        self.witnesses[witness].end(&mut self.random, loses_power);
    }

    /// Brings a log its next event, and verifies what publishers are answered; whether there was one.
    pub fn pump(&mut self, log: usize) -> Result<bool, Violation> {
        let Some(process) = &mut self.logs[log].process else { return Ok(false) };
        let pumped = process.pump();
        self.pumped(log, pumped)
    }

    /// What an event of a log came to; whether there was one.
    pub(crate) fn pumped(&mut self, log: usize, pumped: Pumped) -> Result<bool, Violation> {
        let is_off = self.logs[log].disk.is_off();
        self.hear_storage(log)?;
        match pumped {
            Pumped::Idle => return Ok(false),
            // Replies from after the loss of power did not leave the machine.
            _ if is_off => {}
            Pumped::Finished => {
                self.note(format!("log {log}: stopped in order"));
                self.end_log(log, false);
            }
            Pumped::Replied(replies) => {
                for (number, position) in replies {
                    let Some(position) = position else { continue };
                    let proof = self.logs[log].process.as_ref().and_then(|process| process.proof(position, number));
                    match proof {
                        Some(proof) => self.receive(log, number, &proof)?,
                        None if self.logs[log].disk.is_off() => {}
                        None => return broken("a log proves what it has published", format!("entry {position}")),
                    }
                }
            }
        }
        Ok(true)
    }

    /// A publisher verifies the proof that it was sent.
    fn receive(&mut self, log: usize, number: usize, proof: &TlogProof) -> Kept {
        let bytes = &pool()[number].bytes;
        if let Err(error) = check(proof, bytes, &self.policy) {
            return broken("a publisher accepts the proof that a log sends", error.to_string());
        }
        self.note(format!("log {log}: statement {number} is entry {}", proof.index()));
        self.counts.event("entries acknowledged", 1);
        self.model.acknowledge(proof.index(), bytes)
    }

    /// A publisher submits a statement of the pool.
    pub fn submit(&mut self, log: usize, number: usize) -> Kept {
        let Some(process) = &mut self.logs[log].process else { return Ok(()) };
        let submitted = process.submit(number);
        if self.logs[log].disk.is_off() {
            return Ok(());
        }
        match submitted {
            Submitted::Waits => self.note(format!("log {log}: statement {number} waits")),
            Submitted::Known(proof) => self.receive(log, number, &proof)?,
            Submitted::No => self.note(format!("log {log}: statement {number} is not taken")),
        }
        Ok(())
    }
}

/// The files of a tree, by their paths.
fn files(path: &str, tree: &Tree, found: &mut Vec<(String, Arc<Vec<u8>>)>) {
    match tree {
        Tree::File(bytes) => found.push((path.to_owned(), bytes.clone())),
        Tree::Folder(names) => names.iter().for_each(|(name, tree)| files(&format!("{path}/{name}"), tree, found)),
    }
}
