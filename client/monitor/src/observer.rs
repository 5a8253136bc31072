//! The monitor as a speaker: signs what it observed, keeps it, and sends it to the log until the log has it.

use stele_clock::duration::HumanDuration;
use stele_explain::Failure;
use stele_host_check::HostCheck;
use stele_host_check::observation;
use stele_log_client::api::LogClient;
use stele_log_client::proven_entries::ProvenEntries;
use stele_log_client::reader::StaticFiles;
use stele_publish::error;
use stele_publish::issued_at;
use stele_publish::key::{KeyReader, KeySource};
use stele_publish::publish_error::PublishError;
use stele_publish::register;
use stele_publish::signer::Signer;
use stele_spec::merkle::leaf_hash;
use stele_spec::name::Publisher;
use stele_spec::policy::Policy;
use stele_spec::statement::{SignedStatement, Statement, StatementError};

use crate::config::ObserveConfig;
use crate::host_round::HostRound;
use crate::messages::Messages;
use crate::state::StateFile;
use crate::watched_log::WatchedLog;

/// Who signs, and whether it is sent.
#[derive(Debug)]
pub struct Observer {
    key: Signer,
    publisher: Publisher,
    submit: bool,
    notify: fn(&str),
}

impl Observer {
    /// The observer of a config in a folder.
    pub fn of(config: &ObserveConfig, folder: &std::path::Path, messages: Messages) -> Result<Self, Failure> {
        let key = KeyReader::unattended(messages.warn).signer(&KeySource::beside(folder, &config.key))?;
        Ok(Self { key, publisher: config.publisher.clone(), submit: config.submit, notify: messages.notify })
    }

    /// Signs what was observed and keeps it, durably; nothing is sent yet.
    pub fn observe(&self, round: &HostRound, looked: &HostCheck, memory: &mut StateFile) -> Result<(), Failure> {
        let signed = signed(round, looked, &self.publisher, &self.key)?;
        let leaf = leaf_hash(signed.bytes()).to_string();
        memory.keep(&place_of(&leaf), signed.bytes())?;
        // Its own word is no news to a monitor.
        memory.state.core.own.insert(leaf.clone());
        if self.submit {
            memory.state.core.unsent.insert(leaf, round.origin.clone());
        }
        memory.save()
    }

    /// Sends what was not sent yet. What fails is tried again in the next round.
    pub fn send(&self, logs: &[WatchedLog], policy: &Policy, memory: &mut StateFile) -> Vec<Failure> {
        let mut failures = Vec::new();
        for (leaf, origin) in memory.state.core.unsent.clone() {
            let Some(log) = logs.iter().find(|log| log.origin == origin) else { continue };
            match send(&leaf, log, policy, memory, self.notify) {
                Ok(()) => {
                    memory.state.core.unsent.remove(&leaf);
                }
                Err(failure) => failures.push(failure),
            }
        }
        failures
    }
}

/// What was observed, signed.
pub fn signed(
    round: &HostRound,
    looked: &HostCheck,
    publisher: &Publisher,
    key: &Signer,
) -> Result<SignedStatement, Failure> {
    let now = issued_at::now();
    let said = observation::of(round.release.clone(), &round.place, looked, round.recorded, publisher.clone(), now);
    key.sign(&Statement::Observation(Box::new(said)))
}

/// Submits a statement and checks the proof: its position.
pub fn submit(
    signed: &SignedStatement,
    url: &str,
    policy: &Policy,
    wait: HumanDuration,
    notify: fn(&str),
) -> Result<u64, Failure> {
    let log = LogClient::new(url.to_owned(), wait, notify);
    let mut record = ProvenEntries::new(&log, policy);
    issued_at::check_clock(&record)?;
    register::submit(&mut record, signed, None).map(|logged| logged.position())
}

fn send(leaf: &str, log: &WatchedLog, policy: &Policy, memory: &StateFile, notify: fn(&str)) -> Result<(), Failure> {
    // A mirror in a folder takes no statements: it is sent by a monitor that reads the log itself.
    let StaticFiles::Http { url, .. } = log.reader.source() else { return Ok(()) };
    let path = memory.path_of(&place_of(leaf));
    let bytes = error::read(&path, stele_spec::entry::MAX_ENTRY as u64, "an observation")?;
    let signed = SignedStatement::parse(&bytes).map_err(|error: StatementError| PublishError::Statement(error))?;
    submit(&signed, url, policy, HumanDuration(10), notify).map(drop)
}

fn place_of(leaf: &str) -> String {
    format!("observations/{leaf}.cose")
}
