//! What is wrong with a log's answer about a name.

use stele_host::exit::{Exit, Explain};
use stele_spec::index::Subject;
use stele_spec::name::Publisher;
use stele_spec::nameproof::{RefusedNameProof, RefusedStatement};
use stele_spec::registration::Refusal;

use crate::error::Failure;
use crate::evidence::EvidenceError;
use crate::key_history::BrokenHistory;

/// What is wrong with a log's answer about a name.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NameLookupError {
    /// The name proof shows nothing.
    #[error("the log at {url} does not prove what it lists under {subject}: {error}")]
    Proof {
        /// The log.
        url: String,
        /// What was asked.
        subject: Subject,
        /// Why.
        error: Box<RefusedNameProof>,
    },
    /// An entry is not the one that is listed.
    #[error("the log at {url} gives another entry than it lists: {error}")]
    Statement {
        /// The log.
        url: String,
        /// Why.
        error: RefusedStatement,
    },
    /// More than one question reads.
    #[error("{found} statements are listed under {subject}; at most {limit} are read here")]
    TooMany {
        /// What was asked.
        subject: Subject,
        /// The limit.
        limit: usize,
        /// How many there are.
        found: usize,
    },
    /// More than one question asks for.
    #[error("more than {limit} publishers speak about this")]
    TooManySpeakers {
        /// The limit.
        limit: usize,
    },
    /// Parts of an answer are of several logs.
    #[error("the log at {url} answers for two logs")]
    OtherLog {
        /// The address.
        url: String,
        /// One.
        expected: String,
        /// And the other.
        found: String,
    },
    /// The log let a change of keys in that the keys before it do not allow.
    #[error("the log at {url} broke its own rules: {broken}")]
    Broken {
        /// The log.
        url: String,
        /// Where.
        #[source]
        broken: BrokenHistory,
    },
    /// The log let a statement in whose signer did not hold the name.
    #[error("the log at {url} lists entry {position} under {speaker}, who did not say it: {refusal}")]
    NotTheirs {
        /// The log.
        url: String,
        /// Where.
        position: u64,
        /// Who is said to speak.
        speaker: Publisher,
        /// Why not.
        refusal: Refusal,
    },
}

/// A refused proof as a failure: a refused checkpoint is told as everywhere else.
pub(super) fn refused(url: &str, subject: &Subject, error: RefusedNameProof) -> Failure {
    match error {
        RefusedNameProof::Checkpoint(error) => EvidenceError::Checkpoint(error).into(),
        error => NameLookupError::Proof { url: url.into(), subject: subject.clone(), error: Box::new(error) }.into(),
    }
}

impl Explain for NameLookupError {
    fn exit(&self) -> Exit {
        match self {
            Self::Proof { error, .. } => match error.as_ref() {
                RefusedNameProof::OlderHead { .. } | RefusedNameProof::Vanished { .. } => Exit::Inconsistent,
                RefusedNameProof::TooMany { .. } => Exit::Refused,
                _ => Exit::NotInLog,
            },
            Self::Statement { error: RefusedStatement::NotAbout { .. }, .. } | Self::OtherLog { .. } => {
                Exit::Inconsistent
            }
            Self::Statement { .. } => Exit::NotInLog,
            Self::TooMany { .. } | Self::TooManySpeakers { .. } => Exit::Refused,
            Self::Broken { .. } | Self::NotTheirs { .. } => Exit::BadSignature,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Proof { error, .. } => error.code(),
            Self::Statement { error, .. } => error.code(),
            Self::TooMany { .. } => "too-many-statements",
            Self::TooManySpeakers { .. } => "too-many-speakers",
            Self::OtherLog { .. } => "other-log",
            Self::Broken { .. } => "key-history-broken",
            Self::NotTheirs { refusal, .. } => refusal.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Proof { error, .. } if matches!(error.as_ref(), RefusedNameProof::OlderHead { .. }) => {
                "the log, or a mirror of it, went back: ask another one, and keep both tree heads"
            }
            Self::Proof { error, .. } if matches!(error.as_ref(), RefusedNameProof::TooMany { .. }) => {
                "read the entries instead: `stele audit`"
            }
            Self::TooMany { .. } | Self::TooManySpeakers { .. } => "read the entries instead: `stele audit`",
            Self::Proof { .. } | Self::Statement { .. } | Self::OtherLog { .. } => {
                "ask a mirror; if its answer is the same, the log lies, and its own tree head is the evidence: `stele audit`"
            }
            Self::Broken { .. } | Self::NotTheirs { .. } => {
                "do not rely on this name; `stele audit` keeps the evidence against the log"
            }
        };
        Some(hint.into())
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Proof { subject, .. } => vec![("asked", subject.to_string())],
            Self::TooMany { limit, found, .. } => {
                vec![("expected", format!("at most {limit}")), ("found", found.to_string())]
            }
            Self::OtherLog { expected, found, .. } => vec![("expected", expected.clone()), ("found", found.clone())],
            Self::Broken { broken, .. } => vec![("entry", broken.position.to_string())],
            Self::NotTheirs { position, .. } => vec![("entry", position.to_string())],
            Self::Statement { .. } | Self::TooManySpeakers { .. } => Vec::new(),
        }
    }
}
