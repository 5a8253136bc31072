//! A running log, asked as a stranger would.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;
use stele_fetch::http_client::{ClientLimits, HttpClient, HttpError, Response};
use stele_spec::checkpoint::Origin;
use stele_spec::hash::LeafHash;

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(10);

/// The largest answer that is read: a list of some thousand witnesses.
const MAX_ANSWER: u64 = 1 << 20;

/// A running log.
#[derive(Debug)]
pub struct Running {
    /// Its address, without a slash at the end.
    pub url: String,
    client: HttpClient,
}

/// What `/healthz` says.
#[derive(Clone, Debug)]
pub struct Health {
    /// The log.
    pub origin: String,
    /// What the writer does.
    pub writer: String,
    /// Whether it takes no new statement any more.
    pub frozen: bool,
    /// Entries in the published tree.
    pub size: Option<u64>,
    /// Entries in the signed tree.
    pub signed_size: Option<u64>,
    /// How old the published checkpoint is, in seconds.
    pub age: Option<u64>,
    /// Submissions that wait for a batch.
    pub queue: u64,
    /// How many more witnesses may fail.
    pub spare: Option<u64>,
    /// By name: when it last cosigned, in Unix seconds, and what is wrong since.
    pub witnesses: BTreeMap<String, Witness>,
    /// How it is as a standby, if it is one.
    pub standby: Option<StandbyHealth>,
    /// Codes and messages.
    pub problems: Vec<(String, String)>,
}

/// How a standby is.
#[derive(Clone, Debug, Deserialize)]
pub struct StandbyHealth {
    /// Where the active writer is reached, if its fence says so.
    pub active_writer: Option<String>,
    /// How many signed entries it has not read.
    pub behind_entries: u64,
    /// For how long it could not follow, in seconds.
    pub behind_seconds: u64,
    /// After how many more seconds of silence it takes over.
    pub takes_over_in_seconds: Option<u64>,
}

/// What a witness last said.
#[derive(Clone, Debug, Deserialize)]
pub struct Witness {
    /// When it last cosigned, in Unix seconds.
    pub cosigned: Option<u64>,
    /// What is wrong since then.
    pub problem: Option<String>,
}

#[derive(Deserialize)]
struct Body {
    origin: String,
    writer: String,
    #[serde(default)]
    frozen: bool,
    size: Option<u64>,
    signed_size: Option<u64>,
    checkpoint_age_seconds: Option<u64>,
    #[serde(default)]
    queue: u64,
    spare_witnesses: Option<u64>,
    #[serde(default)]
    witnesses: BTreeMap<String, Witness>,
    standby: Option<StandbyHealth>,
    problems: Vec<Problem>,
}

#[derive(Deserialize)]
struct Problem {
    error: String,
    message: String,
}

#[derive(Deserialize)]
struct Positions {
    positions: Vec<u64>,
}

/// Why a running log could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// No answer.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// An answer that is none of a log.
    #[error("{url}: expected what a log answers, found {found}")]
    Other {
        /// What was asked.
        url: String,
        /// What came.
        found: String,
    },
    /// Another log listens there.
    #[error("{url} is the log {found}, expected {expected}")]
    OtherLog {
        /// What was asked.
        url: String,
        /// The log of the folder.
        expected: Origin,
        /// The log that answered, as it says.
        found: String,
    },
}

impl Running {
    /// The log at an address.
    pub fn at(url: &str) -> Self {
        Self::within(url, ANSWER)
    }

    /// The same, which answers within this time or not at all.
    pub fn within(url: &str, answer: Duration) -> Self {
        let limits = ClientLimits { whole: answer, body: MAX_ANSWER, ..ClientLimits::default() };
        let client = HttpClient::new(concat!("stele-log/", env!("CARGO_PKG_VERSION")), limits);
        Self { url: url.trim_end_matches('/').to_owned(), client }
    }

    /// What it says of itself.
    pub fn health(&self) -> Result<Health, AskError> {
        let url = format!("{}/healthz", self.url);
        let answer = self.client.get(&url, None)?;
        let other = || AskError::Other { url: url.clone(), found: shown(&answer) };
        if ![200, 503].contains(&answer.status) {
            return Err(other());
        }
        let body: Body = serde_json::from_slice(&answer.body).map_err(|_| other())?;
        Ok(Health {
            origin: body.origin,
            writer: body.writer,
            frozen: body.frozen,
            size: body.size,
            signed_size: body.signed_size,
            age: body.checkpoint_age_seconds,
            queue: body.queue,
            spare: body.spare_witnesses,
            witnesses: body.witnesses,
            standby: body.standby,
            problems: body.problems.into_iter().map(|problem| (problem.error, problem.message)).collect(),
        })
    }

    /// The checkpoint that it serves.
    pub fn checkpoint(&self) -> Result<Vec<u8>, String> {
        self.get("/checkpoint").map(|answer| answer.body)
    }

    /// Where it says that an entry with this hash is.
    pub fn position_of(&self, leaf: &LeafHash) -> Result<Vec<u64>, String> {
        let answer = self.get(&format!("/lookup/leaf?hex={leaf}"))?;
        let body: Positions = serde_json::from_slice(&answer.body).map_err(|_| shown(&answer))?;
        Ok(body.positions)
    }

    fn get(&self, path: &str) -> Result<Response, String> {
        let url = format!("{}{path}", self.url);
        let answer = self.client.get(&url, None).map_err(|error| error.to_string())?;
        if answer.status == 200 { Ok(answer) } else { Err(format!("{url}: {}", shown(&answer))) }
    }
}

fn shown(answer: &Response) -> String {
    let text: String = answer.text().trim().chars().take(200).collect();
    format!("status {} {text}", answer.status)
}

/// Where a log that listens at an address is asked on this machine; `None` where the port is a free one.
pub fn address_of(listen: &str) -> Option<String> {
    let (host, port) = listen.rsplit_once(':')?;
    let host = match host {
        "0.0.0.0" => "127.0.0.1",
        "[::]" => "[::1]",
        host => host,
    };
    (port != "0").then(|| format!("http://{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_asked_where_it_listens() {
        assert_eq!(address_of("127.0.0.1:0"), None);
        assert_eq!(address_of("nowhere"), None);
        assert_eq!(address_of("0.0.0.0:8080").as_deref(), Some("http://127.0.0.1:8080"));
        assert_eq!(address_of("[::]:80").as_deref(), Some("http://[::1]:80"));
        assert_eq!(address_of("log.example:8080").as_deref(), Some("http://log.example:8080"));
    }
}
