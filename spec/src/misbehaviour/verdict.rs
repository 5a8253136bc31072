//! Who did what.

use core::fmt;

use super::Kind;
use crate::hash::KeyId;
use crate::name::Publisher;
use crate::note::{KeyName, VerifierKey};
use crate::statement::Uri;

/// What a file of evidence proves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What was done.
    pub kind: Kind,
    /// The log that it was done in, by its origin.
    pub log: KeyName,
    /// Who did it: the keys whose signatures convict them.
    pub accused: Vec<Accused>,
    /// A sentence for a person.
    pub what: String,
    /// The values that contradict each other, and where they stand.
    pub facts: Vec<(&'static str, String)>,
}

/// Whom a file convicts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accused {
    /// The log's key.
    Log(VerifierKey),
    /// A witness's key.
    Witness(VerifierKey),
    /// Who holds a key that signed under a publisher's name. That the key held the name is not shown.
    Publisher {
        /// The name that the key said it speaks for.
        name: Publisher,
        /// The key.
        kid: KeyId,
    },
    /// A host, on the word of who looked at it: a testimony and no proof.
    Host {
        /// Where.
        locator: Uri,
        /// For whom the key said that it speaks; that it held the name is not shown.
        speaker: Publisher,
        /// With which key.
        kid: KeyId,
    },
}

impl Accused {
    /// A stable word for programs.
    pub const fn role(&self) -> &'static str {
        match self {
            Self::Log(_) => "log",
            Self::Witness(_) => "witness",
            Self::Publisher { .. } => "publisher",
            Self::Host { .. } => "host",
        }
    }

    /// The key, the name with its key id, or the place.
    pub fn identity(&self) -> String {
        match self {
            Self::Log(key) | Self::Witness(key) => key.to_string(),
            Self::Publisher { name, kid } => format!("{kid}, said to speak for {name}"),
            Self::Host { locator, .. } => locator.to_string(),
        }
    }
}

impl fmt::Display for Accused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log(key) => write!(f, "the log's key {key}"),
            Self::Witness(key) => write!(f, "the witness's key {key}"),
            Self::Publisher { name, kid } => write!(f, "key {kid}, which said that it speaks for {name}"),
            Self::Host { locator, speaker, kid } => {
                write!(f, "whoever serves {locator}, on the word of key {kid}, which said that it speaks for {speaker}")
            }
        }
    }
}
