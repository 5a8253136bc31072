//! What an auditor types, and what comes of it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::binaries::Binary;
use crate::command::{self, Told};
use crate::network::{Network, path};
use stele_probe::failure::{Failure, Step};

/// A report of `stele audit`.
#[derive(Debug, Clone)]
pub struct Report {
    /// The document.
    pub document: Value,
    /// What the command told.
    pub told: Told,
}

impl Report {
    /// Audits the network's log from its first entry.
    pub fn of(network: &Network) -> Step<Self> {
        let log = format!("http://{}", network.log_address()?);
        let policy = network.policy_path();
        let told = command::run(Binary::Stele, ["audit", &log, "--policy", path(&policy)?, "--json"])?;
        let document = told.json()?;
        Ok(Self { document, told })
    }

    /// The codes of its findings, each once.
    pub fn codes(&self) -> BTreeSet<&str> {
        self.findings().iter().filter_map(|finding| finding.get("code")?.as_str()).collect()
    }

    /// The first finding with a code.
    pub fn finding(&self, code: &str) -> Step<&Value> {
        let of_code = |finding: &&Value| finding.get("code").and_then(Value::as_str) == Some(code);
        self.findings()
            .iter()
            .find(of_code)
            .ok_or_else(|| Failure::new(format!("no {code} among {:?}\n{}", self.codes(), self.document)))
    }

    fn findings(&self) -> &[Value] {
        self.document.get("findings").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }
}
