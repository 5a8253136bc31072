//! A whole network: machines, what is between them, and what is true of it.

use crate::clock::{BEGIN, MachineClock};
use crate::disk::SeededDisk;
use crate::disk_state::Tree;
use crate::fault::{Counts, Fault};
use crate::log_node::{self, DATA, LogNode, Pumped, Submitted};
use crate::model::{Kept, Model, Violation, broken, head_of};
use crate::plan::Plan;
use crate::pool::pool;
use crate::random::Random;
use crate::readers::{Follower, Reader};
use crate::witness_node::{self, WitnessNode};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use stele_log_core::contract::cosigner::{Cosigner, Unreachable, WitnessResponse};
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
    /// Witnesses.
    pub witnesses: Vec<WitnessNode>,
    /// Readers.
    pub readers: Vec<Reader>,
    /// A follower of the first log.
    pub follower: Follower,
    /// What everybody verifies by.
    pub policy: Policy,
    /// What is true.
    pub model: Model,
    /// The choices of the step under way.
    pub random: Random,
    /// What has happened.
    pub counts: Counts,
    /// Requests that arrive later: the witness, and the body.
    pub in_flight: Vec<(usize, Vec<u8>)>,
    /// Which log and witness cannot reach each other.
    pub partitioned: BTreeSet<(usize, usize)>,
    /// Copies of disks, to be put back: of the first log, of each witness's states and marks.
    pub log_copies: Vec<Tree>,
    /// The number of the witness, whether of its marks, the copy.
    pub state_copies: Vec<(usize, bool, Tree)>,
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
        let policy = plan.policy();
        let byzantine: BTreeSet<usize> = (0..plan.byzantine).collect();
        let log_key = log_node::signer().verifier();
        let witnesses: Vec<WitnessNode> = (0..plan.witnesses)
            .map(|number| {
                let disks = [disk(), disk()];
                let node =
                    WitnessNode::new(number, disks, MachineClock::new(&passed), &log_key, byzantine.contains(&number));
                assert!(node.enrol(), "a new disk takes a new log");
                node
            })
            .collect();
        let logs = vec![LogNode::new(disk(), MachineClock::new(&passed), &policy)];
        Self {
            model: Model::new(&policy, byzantine),
            plan,
            logs,
            witnesses,
            readers: (0..READERS).map(|_| Reader::default()).collect(),
            follower: Follower::default(),
            policy,
            random,
            counts: Counts::default(),
            in_flight: Vec::new(),
            partitioned: BTreeSet::new(),
            log_copies: Vec::new(),
            state_copies: Vec::new(),
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
            let published = self.logs[log].process.as_ref().and_then(|process| process.log.published());
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
    fn hear_storage(&mut self, log: usize) -> Kept {
        let node = &self.logs[log];
        for stored in node.notes.take_heads() {
            self.model.stored(&node.notes, &stored, node.known)?;
        }
        Ok(())
    }

    /// An immutable file of a log that runs never has a second content.
    fn check_immutable(&mut self, log: usize) -> Kept {
        let node = &self.logs[log];
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

    /// Starts a log that does not run.
    pub fn start_log(&mut self, log: usize) -> Kept {
        if self.logs[log].process.is_some() {
            return Ok(());
        }
        let known = self.model.certified_size();
        let started = self.logs[log].start(known);
        self.note(format!("log {log}: start, {started:?}"));
        if self.logs[log].disk.is_off() {
            self.logs[log].process = None;
            return self.hear_storage(log);
        }
        self.hear_storage(log)?;
        if let log_node::Started::Refused(code) = started {
            self.counts.event("starts of a log refused", 1);
            if self.model.is_strict {
                return broken("a log starts on its own disk", code);
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
        self.logs.iter_mut().filter(|other| other.disk.is(&disk)).for_each(|other| other.process = None);
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

    /// Lets an address of a log ask its witness; whether there was something to ask.
    pub fn ask(&mut self, log: usize, address: usize) -> bool {
        let Some(process) = &mut self.logs[log].process else { return false };
        let slot = &mut process.endpoints[address];
        let witness = slot.witness;
        let Some(request) = slot.request.take() else { return false };
        let Some(mut endpoint) = slot.endpoint.take() else { return false };
        let answers = endpoint.answers(&request, &mut Exchange { world: self, log, witness });
        if let Some(process) = &mut self.logs[log].process {
            process.endpoints[address].endpoint = Some(endpoint);
            process.hear(answers);
        }
        true
    }

    /// A request arrives at a witness.
    pub fn deliver(&mut self, witness: usize, call: Call<'_>) -> Option<WitnessResponse> {
        let answered = match call {
            Call::Add(body) => self.witnesses[witness].add_checkpoint(body),
            Call::Newest => self.witnesses[witness].newest_checkpoint(),
        };
        self.counts.event("requests to witnesses", 1);
        if let Some((note, time)) = &answered.cosigned
            && let Some(head) = head_of(note)
        {
            self.note(format!("witness {witness}: cosigned {} at {time}", head.0));
            self.counts.event("cosignatures", 1);
            let kept = self.model.cosigned(witness, head, *time);
            self.remember(kept);
        }
        answered.response
    }

    /// A request that was delayed arrives; its sender has given up.
    pub fn deliver_late(&mut self, index: usize) {
        let (witness, body) = self.in_flight.swap_remove(index);
        let response = self.deliver(witness, Call::Add(&body));
        self.note(format!("witness {witness}: a late request, {:?}", response.map(|response| response.status)));
    }

    fn exchange(&mut self, log: usize, witness: usize, call: Call<'_>) -> Result<WitnessResponse, Unreachable> {
        let unreachable = |why| Err(Unreachable { why, detail: String::new() });
        if self.partitioned.contains(&(log, witness)) {
            return unreachable("it cannot be reached");
        }
        let trouble = self.plan.trouble;
        // A request of somebody else, or an older one, comes first.
        if self.random.percent(trouble) && !self.in_flight.is_empty() {
            let index = self.random.index(self.in_flight.len());
            self.deliver_late(index);
        }
        if self.random.percent(trouble) && self.happens(Fault::Loss) {
            return unreachable("it cannot be reached");
        }
        if let Call::Add(body) = call {
            if self.random.percent(trouble) && self.happens(Fault::Delay) {
                self.in_flight.push((witness, body.to_vec()));
                return unreachable("it took too long");
            }
            if self.random.percent(trouble) && self.happens(Fault::Duplicate) {
                self.in_flight.push((witness, body.to_vec()));
            }
        }
        let answer = self.deliver(witness, call);
        if self.random.percent(trouble) && self.happens(Fault::HalfOpen) {
            return unreachable("it took too long");
        }
        answer.map_or_else(|| unreachable("it cannot be reached"), Ok)
    }
}

/// A call to a witness.
#[derive(Clone, Copy)]
pub enum Call<'a> {
    /// `POST add-checkpoint` with this body.
    Add(&'a [u8]),
    /// `GET <origin hash>/checkpoint`.
    Newest,
}

/// What is between a log and a witness.
struct Exchange<'a> {
    world: &'a mut World,
    log: usize,
    witness: usize,
}

impl Cosigner for Exchange<'_> {
    fn add_checkpoint(&mut self, body: &[u8]) -> Result<WitnessResponse, Unreachable> {
        self.world.exchange(self.log, self.witness, Call::Add(body))
    }

    fn add_transition(&mut self, _: &[u8]) -> Result<WitnessResponse, Unreachable> {
        // No index cosigner is simulated yet, so nobody is asked.
        Err(Unreachable { why: "it cannot be reached", detail: String::new() })
    }

    fn newest_checkpoint(&mut self) -> Result<WitnessResponse, Unreachable> {
        self.world.exchange(self.log, self.witness, Call::Newest)
    }
}

/// The files of a tree, by their paths.
fn files(path: &str, tree: &Tree, found: &mut Vec<(String, Arc<Vec<u8>>)>) {
    match tree {
        Tree::File(bytes) => found.push((path.to_owned(), bytes.clone())),
        Tree::Folder(names) => names.iter().for_each(|(name, tree)| files(&format!("{path}/{name}"), tree, found)),
    }
}
