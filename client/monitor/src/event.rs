//! What a monitor has to say, one JSON object each. The chapter of the monitor has the table of kinds.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use stele_explain::secrets::without_passwords;
use stele_log_client::moment::moment;
use stele_spec::hash::Digest;

/// What the field `format` says.
const FORMAT: &str = "stele/event@v1";

/// One event, as a hook gets it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    format: String,
    /// The same for the same event, however often it is delivered: what a receiver knows duplicates by.
    pub id: String,
    /// What happened.
    pub kind: Kind,
    /// When it was noticed, in RFC 3339.
    pub time: String,
    /// One line for a person.
    pub summary: String,
    /// The log, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    /// What there is to know, by kind.
    pub details: Map<String, Value>,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// An entry about something watched that nobody expected.
    Entry,
    /// A host serves something else than before.
    Host,
    /// A host has files beside the record that a loader would take, or no longer.
    ExtraLoadable,
    /// Something is wrong with the log or with us, or is no longer.
    Alert,
    /// A log or a witness is convicted by what it signed.
    Misbehaviour,
    /// A round ended.
    Heartbeat,
    /// Somebody wants to see an event go through.
    SelfTest,
}

impl Event {
    /// An event; `cause` is what makes it this one and no other: what the id is the hash of. No address in it has a password: it goes to
    /// hooks and files.
    pub fn new(kind: Kind, cause: &[&str], now: u64, log: Option<&str>, summary: String, details: Value) -> Self {
        let mut text = String::from(kind.word());
        for part in cause {
            text.push('\n');
            text.push_str(part);
        }
        let details: Map<String, Value> =
            serde_json::from_str(&without_passwords(&details.to_string())).unwrap_or_default();
        let id = Digest::of(text.as_bytes()).to_string();
        let summary = without_passwords(&summary).into_owned();
        Self { format: FORMAT.into(), id, kind, time: moment(now), summary, log: log.map(str::to_owned), details }
    }

    /// Whether it is read from a state that this program wrote.
    pub fn is_ours(&self) -> bool {
        self.format == FORMAT
    }
}

impl Kind {
    /// The word in JSON and in the hook's environment.
    pub fn word(self) -> &'static str {
        match self {
            Self::Entry => "entry",
            Self::Host => "host",
            Self::ExtraLoadable => "extra-loadable",
            Self::Alert => "alert",
            Self::Misbehaviour => "misbehaviour",
            Self::Heartbeat => "heartbeat",
            Self::SelfTest => "self-test",
        }
    }
}
