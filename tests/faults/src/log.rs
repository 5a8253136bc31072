//! The log: a batch, a start after a kill, a batch that fills a tile.

use crate::loop_disk::LoopDisk;
use crate::page::Page;
use crate::point::{Outcome, Point, points_of};
use crate::subject::{Subject, Survived, ended};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use stele_harness::binaries::Binary;
use stele_harness::command::run;
use stele_harness::history::{Head, History};
use stele_harness::network::{Home, Network, path};
use stele_harness::process::{Server, poll};
use stele_probe::failure::{During as _, Failure, Step};
use stele_probe::http::ANSWER;
use stele_samples::model;
use stele_samples::statements::Speaker;

/// The work in which a log is struck.
pub const WORK: [&str; 3] = ["batch", "start", "tile"];

/// The work in which the power goes.
pub const POWER: [&str; 1] = ["batch without power"];

/// How long a point may take to be met: what is synced later is synced a second later.
const MEETS: Duration = Duration::from_millis(2500);

/// How long no call may have been made until the work counts as done.
const QUIET: Duration = Duration::from_millis(1500);

/// The least that a log on a small disk leaves free, in bytes.
const LEAST_FREE: u64 = 1 << 20;

/// How many entries a tile of the work `tile` has before it: the claim and the index entry after it fill it.
const NEARLY: usize = 254;

/// A log and its witness, everything that it acknowledged, and every tree head that it published.
#[derive(Debug)]
pub struct Log {
    network: Network,
    page: Page,
    next: u64,
    said: Vec<Said>,
    watcher: Watcher,
    /// Where the data is, if the power can be taken from it.
    disk: Option<LoopDisk>,
    /// Folders as they were when a tile was nearly full.
    nearly: Option<PathBuf>,
}

/// A statement, and where it was promised to be.
#[derive(Debug)]
struct Said {
    statement: Vec<u8>,
    manifest: Option<Vec<u8>>,
    index: Option<u64>,
}

impl Log {
    /// A log that runs.
    pub fn start(preload: &Path) -> Step<Self> {
        Self::start_in(preload, Network::prepare(Home::temporary()?, 1, 1)?, None)
    }

    /// A log whose data is on a file system from which the power can be taken. An error where this machine has none.
    pub fn start_on_loop_disk(preload: &Path) -> Step<Self> {
        let network = Network::prepare(Home::temporary()?, 1, 1)?;
        let disk = LoopDisk::mount(&network.at("images"), &network.log_data())?;
        // By default a log takes nothing on so small a disk.
        let file = network.at("log/log.toml");
        let config = fs::read_to_string(&file).during("reading the log's config")?;
        let config = format!("{config}\n[limits]\nmin_free_bytes = {LEAST_FREE}\n");
        fs::write(&file, config).during("writing the log's config")?;
        Self::start_in(preload, network, Some(disk))
    }

    fn start_in(preload: &Path, mut network: Network, disk: Option<LoopDisk>) -> Step<Self> {
        let page = Page::create(&network.at("page"))?;
        let root = network.at("log").canonicalize().during("finding the log's folder")?;
        page.watch(&mut network.log, preload, &root)?;
        network.start_witnesses()?;
        network.start_log()?;
        let watcher = Watcher::start(network.log_address()?);
        Ok(Self { network, page, next: 1, said: Vec::new(), watcher, disk, nearly: None })
    }

    /// A claim, and a release with its manifest, by somebody new.
    fn new_statements(&mut self) -> Step {
        let speaker = Speaker::new(self.next)?;
        let released = speaker.release("1.0.0", self.next)?;
        self.next += 1;
        let claim = speaker.claim()?.bytes().to_vec();
        self.said.push(Said { statement: claim, manifest: None, index: None });
        let manifest = Some(released.manifest.bytes().to_vec());
        self.said.push(Said { statement: released.statement.bytes().to_vec(), manifest, index: None });
        Ok(())
    }

    /// Submits a statement; whether it is acknowledged. A refusal promises nothing.
    fn submit(&mut self, number: usize) -> Step<bool> {
        let said = self.said.get_mut(number).ok_or_else(|| Failure::new("no such statement"))?;
        let answer = match &said.manifest {
            None => self.network.submit(&said.statement),
            Some(manifest) => self.network.submit_release(&said.statement, manifest),
        };
        let Some(answer) = answer.ok().filter(|answer| answer.status == 200) else { return Ok(false) };
        let index = answer.json()?.get("index").and_then(Value::as_u64);
        if index.is_none() || said.index.is_some_and(|before| Some(before) != index) {
            return Err(Failure::new(format!("acknowledged at {:?}, and later at {index:?}", said.index)));
        }
        said.index = index;
        Ok(true)
    }

    /// Submits the newest two statements.
    fn submit_newest(&mut self) -> Step<bool> {
        let first = self.said.len().saturating_sub(2);
        Ok(self.submit(first)? & self.submit(first + 1)?)
    }

    /// Submits the two statements before the newest.
    fn submit_oldest_of_four(&mut self) -> Step<bool> {
        let first = self.said.len().saturating_sub(4);
        Ok(self.submit(first)? & self.submit(first + 1)?)
    }

    /// Submits the newest two statements until they are taken; `false` once the log says that its writer has stopped.
    fn submit_until_taken_or_stopped(&mut self) -> Step<bool> {
        poll(ANSWER, "statements that are taken", || match self.submit_newest() {
            Ok(false) => {
                let health = self.network.get("/healthz");
                health.is_ok_and(|health| health.text().contains("\"stopped\"")).then_some(Ok(false))
            }
            taken => Some(taken),
        })?
    }

    /// Waits until no call is made any more: what the work has made, in the order of the calls.
    fn traced(&self) -> Step<Vec<Point>> {
        let mut before = self.page.traced()?.len();
        loop {
            thread::sleep(QUIET);
            let now = self.page.traced()?.len();
            if now == before {
                return points_of(&self.page.end_trace()?);
            }
            before = now;
        }
    }

    /// Does the work until the point is met, or was not in time.
    fn work(&mut self, work: &'static str) -> Step {
        match work {
            "start" => {
                // A start that is struck may end, or serve and take nothing.
                let _ = self.network.log.start();
                self.submit_newest().map(drop)
            }
            _ => self.submit_newest().map(drop),
        }
    }

    /// What has to be before the work begins.
    fn prepare(&mut self, work: &'static str) -> Step {
        match work {
            "start" => {
                self.ready()?;
                self.new_statements()?;
                if !self.submit_newest()? {
                    return Err(self.network.log.failure("a log that runs takes no statement"));
                }
                // What is synced a second later is not yet.
                self.network.log.kill();
                self.new_statements()
            }
            "tile" => {
                self.restore_nearly_full()?;
                self.new_statements()
            }
            _ => {
                self.ready()?;
                self.new_statements()
            }
        }
    }

    /// A log that serves and takes statements.
    fn ready(&mut self) -> Step {
        if self.network.log.is_running() { Ok(()) } else { self.network.start_log() }
    }

    /// Puts log and witness back to where a tile was nearly full. Both: so nobody remembers what came after.
    fn restore_nearly_full(&mut self) -> Step {
        self.network.log.kill();
        self.network.witnesses.iter_mut().for_each(Server::kill);
        let folders = ["log/data", "witness-1/state", "witness-1/marks"];
        match self.nearly.clone() {
            Some(kept) => {
                for folder in folders {
                    let to = self.network.at(folder);
                    fs::remove_dir_all(&to).during("removing a folder")?;
                    model::copy(&kept.join(folder), &to)?;
                }
                self.said.clear();
                self.watcher.forget();
            }
            None => {
                self.network.witnesses.iter_mut().try_for_each(Server::start)?;
                self.network.start_log()?;
                self.fill()?;
                self.network.log.stop()?;
                self.network.witnesses.iter_mut().try_for_each(Server::stop)?;
                let kept = self.network.at("nearly");
                for folder in folders {
                    model::copy(&self.network.at(folder), &kept.join(folder))?;
                }
                self.nearly = Some(kept);
                self.said.clear();
                self.watcher.forget();
            }
        }
        self.network.witnesses.iter_mut().try_for_each(Server::start)?;
        self.network.start_log()
    }

    /// Submits claims until a tile is nearly full.
    fn fill(&mut self) -> Step {
        loop {
            let address = self.network.log_address()?;
            let size = Head::of(address)?.map_or(0, |head| head.size);
            let missing = NEARLY.saturating_sub(usize::try_from(size % 256).unwrap_or_default());
            // A batch of one claim has two entries, and so has that of the release after it: one entry less will do.
            if missing <= 1 {
                return Ok(());
            }
            let together = if missing > 40 { 30 } else { 1 };
            let numbers: Vec<u64> = (0..together).map(|n| self.next + n).collect();
            self.next += together;
            thread::scope(|scope| {
                let network = &self.network;
                let claims = numbers.iter().map(|number| {
                    scope.spawn(move || network.accepted(Speaker::new(*number)?.claim()?.bytes()).map(drop))
                });
                let claims: Vec<_> = claims.collect();
                claims
                    .into_iter()
                    .try_for_each(|claim| claim.join().map_err(|_| Failure::new("a submitter panicked"))?)
            })?;
        }
    }

    /// What has become of the process after the point was met.
    fn outcome(&mut self, outcome: Outcome) -> Step<Survived> {
        if outcome.kills() {
            self.network.log.wait_for_end()?;
            if let Some(disk) = &mut self.disk {
                disk.cut()?;
            }
            return Ok(Survived::StartedAgain);
        }
        if let Ok(health) = self.network.get("/healthz") {
            let health = health.json()?;
            if health.get("writer").and_then(Value::as_str) != Some("stopped") {
                return Ok(Survived::WentOn);
            }
            // Reading goes on, and a stop is one as ever.
            self.network.get("/checkpoint")?.expect(200)?;
            let problems = health.get("problems").map(Value::to_string).unwrap_or_default();
            self.network.log.stop()?;
            return Ok(Survived::Stopped(problems));
        }
        ended(&mut self.network.log)
    }

    /// Everything that was ever promised holds.
    fn check(&self) -> Step {
        let history = History::of(self.network.log_address()?)?;
        self.watcher.heads().iter().try_for_each(|head| history.check(head))?;
        let mut expected = BTreeSet::new();
        for said in self.said.iter() {
            let index = said.index.ok_or_else(|| Failure::new("a statement was never acknowledged"))?;
            if history.positions(&said.statement) != [index] || !expected.insert(index) {
                let found = history.positions(&said.statement);
                return Err(Failure::new(format!("LOST: acknowledged at {index}, found at {found:?}")));
            }
        }
        let (log, policy) = (self.network.at("log"), self.network.policy_path());
        run(Binary::Log, ["fsck", path(&log)?, "--policy", path(&policy)?])?.expect(0).map(drop)
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        // Before its folder is removed nothing is mounted in it, and nobody writes there.
        self.network.log.kill();
        self.disk = None;
    }
}

impl Subject for Log {
    fn points(&mut self, work: &'static str) -> Step<Vec<Point>> {
        self.prepare(work)?;
        // Nothing of the work before is on its way any more.
        thread::sleep(QUIET);
        self.page.begin_trace()?;
        self.work(work)?;
        let points = self.traced()?;
        // A log that had just started may have asked its witnesses still, and said no.
        self.submit_until_taken_or_stopped()?;
        Ok(points)
    }

    fn outcomes(&self) -> Vec<Outcome> {
        let all = Outcome::ALL.into_iter();
        all.filter(|outcome| self.disk.is_none() || outcome.kills()).collect()
    }

    fn strike(&mut self, work: &'static str, point: &Point, outcome: Outcome) -> Step<Survived> {
        self.prepare(work)?;
        self.page.arm(point, outcome)?;
        self.work(work)?;
        let met = poll(MEETS, "the call", || self.page.has_struck().unwrap_or(true).then_some(())).is_ok();
        let survived = if met { self.outcome(outcome)? } else { Survived::NotMet };
        self.page.disarm()?;
        self.ready()?;
        // A disk that was full has room again: the same process takes the statements then, and others, or says that it has stopped.
        let is_acknowledged = self.submit_until_taken_or_stopped()?;
        self.new_statements()?;
        let survived = if is_acknowledged && self.submit_until_taken_or_stopped()? {
            survived
        } else {
            let stopped = self.outcome(Outcome::Fails)?;
            self.ready()?;
            if !(self.submit_oldest_of_four()? && self.submit_newest()?) {
                return Err(self.network.log.failure("it takes no statement after a start"));
            }
            stopped
        };
        self.network.wait_until_well()?;
        self.check()?;
        Ok(survived)
    }
}

/// Looks at the published tree head again and again.
#[derive(Debug)]
struct Watcher {
    heads: Arc<Mutex<Vec<Head>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watcher {
    fn start(log: SocketAddr) -> Self {
        let (heads, stop) = (Arc::<Mutex<Vec<Head>>>::default(), Arc::<AtomicBool>::default());
        let (seen, stopped) = (heads.clone(), stop.clone());
        let thread = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                if let Ok(Some(head)) = Head::of(log) {
                    let mut heads = seen.lock().unwrap_or_else(PoisonError::into_inner);
                    if !heads.iter().any(|known| (known.size, known.root) == (head.size, head.root)) {
                        heads.push(head);
                    }
                }
                thread::sleep(Duration::from_millis(10));
            }
        });
        Self { heads, stop, thread: Some(thread) }
    }

    fn heads(&self) -> Vec<Head> {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Another history begins. Who puts it back has stopped the log.
    fn forget(&self) {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
