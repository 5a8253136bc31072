//! A network, a publisher, and every document that the programs wrote.

use std::path::PathBuf;

use serde_json::Value;
use stele_harness::binaries::Binary;
use stele_harness::command;
use stele_harness::hub::Hub;
use stele_harness::network::{Network, path};
use stele_harness::publisher::Publisher;
use stele_probe::failure::Step;

pub(super) struct Recorder {
    pub(super) network: Network,
    pub(super) acme: Publisher,
    pub(super) hub: Hub,
    /// Each with its name.
    pub(super) documents: Vec<(String, Value)>,
}

impl Recorder {
    pub(super) fn start() -> Step<Self> {
        let network = Network::start(1, 1)?;
        let acme = Publisher::new(&network, "acme.example")?;
        Ok(Self { network, acme, hub: Hub::start()?, documents: Vec::new() })
    }

    pub(super) fn at(&self, name: &str) -> PathBuf {
        self.network.at(name)
    }

    pub(super) fn log_url(&self) -> Step<String> {
        Ok(format!("http://{}", self.network.log_address()?))
    }

    /// The document of a program, run in the network's folder: its name and its exit code are as expected.
    #[track_caller]
    pub(super) fn of(&mut self, binary: Binary, arguments: &[&str], name: &str, exit: i32) -> Step<Value> {
        // What follows `--` is of another program.
        let (ours, theirs) =
            arguments.split_at(arguments.iter().position(|word| *word == "--").unwrap_or(arguments.len()));
        let all = ours.iter().chain(&["--json"]).chain(theirs);
        let told = command::run_in(binary, all, Some(self.network.home()))?.expect(exit)?;
        let document = told.json()?;
        if document["schema"] != name || document["exit"] != exit {
            return Err(told.failure(&format!("expected the document {name} with the exit code {exit}")));
        }
        self.documents.push((name.to_owned(), document.clone()));
        Ok(document)
    }

    /// That of a verb of `stele` which is done.
    #[track_caller]
    pub(super) fn done(&mut self, arguments: &[&str], verb: &str) -> Step<Value> {
        self.of(Binary::Stele, arguments, &format!("stele/{verb}@v1"), 0)
    }

    /// The same with the policy.
    #[track_caller]
    pub(super) fn asked(&mut self, arguments: &[&str], verb: &str, exit: i32) -> Step<Value> {
        let policy = self.network.policy_path();
        let all = [arguments, &["--policy", path(&policy)?]].concat();
        self.of(Binary::Stele, &all, &format!("stele/{verb}@v1"), exit)
    }

    /// The same with the publisher's key as well.
    #[track_caller]
    pub(super) fn said(&mut self, arguments: &[&str], verb: &str) -> Step<Value> {
        let key = path(self.acme.key())?.to_owned();
        self.asked(&[arguments, &["--key", &key]].concat(), verb, 0)
    }

    /// The report of an audit of the network's log in SARIF.
    pub(super) fn sarif(&self) -> Step<Value> {
        let (log, policy) = (self.log_url()?, self.network.policy_path());
        command::run(Binary::Stele, ["audit", &log, "--policy", path(&policy)?, "--format", "sarif"])?.json()
    }
}
