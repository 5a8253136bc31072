//! The machine of a monitor: its disk, its clock, and the monitor that runs on them, or has ended. What it reads and whom it asks is handed to
//! it before each round.

use crate::clock::MachineClock;
use crate::disk::SeededDisk;
use crate::log_files::LogFiles;
use crate::log_node::ORIGIN;
use crate::random::Random;
use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use stele_durable::Dir;
use stele_explain::Failure;
use stele_fetch::static_files::{HandedFiles, SourceError, StaticFiles};
use stele_log_client::reader::LogReader;
use stele_log_core::running_log::RunningLog;
use stele_monitor::{Monitor, Parts, Round, Sink, WatchedLog, WitnessAnswer, WitnessClient};
use stele_spec::hash::Digest;
use stele_spec::policy::Policy;

/// Where its state is.
pub const STATE: &str = "/state";

/// What it is told: everything is watched, from the first entry on.
const CONFIG: &str = "state = \"state\"\n[watch]\neverything = true\n";

thread_local! {
    /// Events that were delivered, a line of JSON each, until the simulation takes them.
    static TOLD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// The machine of a monitor.
pub struct MonitorNode {
    /// Its disk.
    pub disk: SeededDisk,
    /// Its clock.
    pub clock: MachineClock,
    policy: Policy,
    sees: Arc<Sees>,
    process: Option<Monitor>,
}

/// What it sees in a round.
#[derive(Debug, Default)]
struct Sees(Mutex<View>);

#[derive(Debug, Default)]
struct View {
    log: Option<Arc<RunningLog>>,
    /// What is answered at each address.
    witnesses: BTreeMap<String, WitnessAnswer>,
}

/// How far a round came.
#[derive(Debug)]
pub enum Looked {
    /// It ended.
    Done(Box<Round>),
    /// The monitor does not start, or has ended, for this reason.
    Ended(&'static str),
}

impl Sees {
    fn view(&self) -> MutexGuard<'_, View> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HandedFiles for Sees {
    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, SourceError> {
        let log = self.view().log.clone().ok_or_else(|| SourceError::Missing { place: path.to_owned() })?;
        LogFiles(log).read(path, limit)
    }

    fn place(&self) -> String {
        "the log".to_owned()
    }
}

impl WitnessClient for Sees {
    fn get_all(&self, urls: &[String]) -> Vec<WitnessAnswer> {
        let view = self.view();
        let away = || Err("it cannot be reached".to_owned());
        urls.iter().map(|url| view.witnesses.get(url).cloned().unwrap_or_else(away)).collect()
    }
}

impl MonitorNode {
    /// A monitor that has not started yet.
    pub fn new(disk: SeededDisk, clock: MachineClock, policy: &Policy) -> Self {
        TOLD.with_borrow_mut(Vec::clear);
        Self { disk, clock, policy: policy.clone(), sees: Arc::default(), process: None }
    }

    /// Lets it see this log, and these answers of the witnesses, by their places in the policy.
    pub fn show(&mut self, log: Option<Arc<RunningLog>>, answers: Vec<WitnessAnswer>) {
        let origin = Digest::of(ORIGIN.as_bytes());
        let url = |at: usize| {
            let url = self.policy.witnesses()[at].url.clone().unwrap_or_default();
            format!("{url}/{origin}/checkpoint")
        };
        let witnesses = answers.into_iter().enumerate().map(|(at, answer)| (url(at), answer)).collect();
        *self.sees.view() = View { log, witnesses };
    }

    /// One round, of a monitor that is started where none runs.
    pub fn round(&mut self) -> Looked {
        if self.process.is_none() {
            match self.open() {
                Ok(monitor) => self.process = Some(monitor),
                Err(failure) => return Looked::Ended(failure.as_explain().code()),
            }
        }
        let Some(monitor) = &mut self.process else { return Looked::Ended("not-started") };
        match monitor.round() {
            Ok(round) => Looked::Done(Box::new(round)),
            Err(failure) => {
                self.process = None;
                Looked::Ended(failure.as_explain().code())
            }
        }
    }

    fn open(&self) -> Result<Monitor, Failure> {
        let reader = LogReader::new(StaticFiles::Handed(self.sees.clone()));
        Monitor::of(Parts {
            config: CONFIG.to_owned(),
            policy: self.policy.clone(),
            logs: vec![WatchedLog { origin: ORIGIN.to_owned(), reader }],
            told: Sink::Lines(tell),
            state: Dir::open_on(Arc::new(self.disk.clone()), STATE)?,
            witnesses: self.sees.clone(),
            clock: Arc::new(self.clock.clone()),
        })
    }

    /// How many entries it says that it has looked at; none where it does not run.
    pub fn covered(&self) -> Option<u64> {
        Some(self.process.as_ref()?.covered(ORIGIN))
    }

    /// Ends the process. With a loss of power a part of what was not synced is gone.
    pub fn end(&mut self, random: &mut Random, loses_power: bool) {
        self.process = None;
        let loses_power = loses_power || self.disk.has_failed();
        self.disk.restart(random, loses_power);
    }

    /// Ends the process of a machine whose power was cut under it.
    pub fn notice(&mut self) {
        if self.disk.is_off() {
            self.process = None;
        }
    }
}

/// What was delivered since this was asked last.
pub fn take_told() -> Vec<Value> {
    let lines = TOLD.with_borrow_mut(std::mem::take);
    lines.iter().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn tell(line: &str) -> Result<(), Failure> {
    TOLD.with_borrow_mut(|told| told.push(line.to_owned()));
    Ok(())
}
