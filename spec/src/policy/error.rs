//! Why a policy file, or a checkpoint under a policy, was refused.

use core::fmt;

use crate::checkpoint::{CheckpointError, Origin};
use crate::cosignature::CosignatureError;
use crate::note::{KeyName, NoteError};

/// Why a policy file was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyError {
    /// More bytes than a policy may have.
    TooLong {
        /// The limit in bytes.
        limit: usize,
        /// Bytes found.
        found: usize,
    },
    /// No bytes at all.
    Empty,
    /// It begins with a byte order mark.
    ByteOrderMark,
    /// A line that ends with a carriage return, as some editors write it.
    CarriageReturn {
        /// Which line, from 1.
        line: usize,
    },
    /// A control character other than tab and newline.
    Control {
        /// Which line, from 1.
        line: usize,
        /// The byte.
        found: u8,
    },
    /// A last line without a newline.
    NoNewline {
        /// Which line, from 1.
        line: usize,
    },
    /// A line that does not say one of the four things, or refers to what is not there.
    Line {
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        problem: LineProblem,
    },
    /// No `quorum` line.
    NoQuorum,
}

/// What is wrong with a line of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LineProblem {
    /// The first word is none of `log`, `witness`, `group`, `quorum`.
    Keyword {
        /// The word found.
        found: String,
    },
    /// A comment behind something else: comments are lines of their own.
    CommentAtEnd,
    /// A second address under one origin: these are two logs.
    SecondLog {
        /// The origin.
        origin: KeyName,
    },
    /// Too few or too many words.
    Shape {
        /// How the line should look.
        expected: &'static str,
    },
    /// Not a verifier key.
    Key(NoteError),
    /// A log's key for a witness, or the other way round.
    KeyType {
        /// The type that belongs there, in hex.
        expected: &'static str,
    },
    /// A log or a witness whose key stands on an earlier line already.
    DuplicateKey,
    /// A name that stands on an earlier line already, or `none`.
    Name {
        /// The name.
        found: String,
    },
    /// A name that no earlier line defines.
    Undefined {
        /// The name.
        found: String,
    },
    /// A member that counts in a group already: each can count once.
    SecondGroup {
        /// The member.
        found: String,
    },
    /// Not `all`, `any`, or a number from 1 to the number of members.
    Threshold {
        /// How many members there are.
        members: usize,
    },
    /// A second `quorum` line.
    SecondQuorum,
    /// More logs, witnesses or groups than the limit.
    TooMany {
        /// The limit.
        limit: usize,
    },
}

/// Why a checkpoint is not to be relied on under a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefusedCheckpoint {
    /// The policy has no log of this origin.
    UnknownLog {
        /// The origin in the checkpoint.
        found: Origin,
        /// The origins in the policy.
        known: Vec<KeyName>,
    },
    /// Not a checkpoint, or not signed by the log.
    Log(CheckpointError),
    /// A line under a witness's name and key ID that does not verify.
    Cosignature {
        /// The witness's name within the policy.
        witness: String,
        /// What is wrong with the line.
        error: CosignatureError,
    },
    /// Too few of the witnesses cosigned.
    Quorum {
        /// The least number that could be enough.
        least: usize,
        /// How many of the policy's witnesses did.
        found: usize,
        /// Those that did not.
        missing: Vec<WitnessProblem>,
    },
}

/// A witness whose cosignature is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessProblem {
    /// Its name within the policy.
    pub witness: String,
    /// The name in its key.
    pub key_name: KeyName,
    /// Whether another key signed under its name: it may have a new key.
    pub other_key: bool,
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { limit, found } => write!(f, "a policy is at most {limit} bytes, found {found}"),
            Self::Empty => f.write_str("expected a policy (c2sp.org/tlog-policy), found an empty file"),
            Self::ByteOrderMark => f.write_str(
                "line 1: expected text, found a byte order mark (EF BB BF): save the file as UTF-8 without it",
            ),
            Self::CarriageReturn { line } => write!(
                f,
                "line {line}: expected a newline at its end, found a carriage return before it (CR LF): save the file with LF line ends"
            ),
            Self::Control { line, found } => {
                write!(f, "line {line}: expected text, spaces and tabs, found the control character {found:#04x}")
            }
            Self::NoNewline { line } => {
                write!(
                    f,
                    "line {line}: expected a newline at its end, found the end of the file: the file may be cut short"
                )
            }
            Self::Line { line, problem } => write!(f, "line {line}: {problem}"),
            Self::NoQuorum => f.write_str("expected a line `quorum <name>` or `quorum none`, found none"),
        }
    }
}

impl fmt::Display for LineProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keyword { found } => write!(f, "expected log, witness, group or quorum, found {found:?}"),
            Self::CommentAtEnd => f.write_str(
                "expected nothing after the line's words, found a comment: a comment is a line of its own, which begins with #",
            ),
            Self::SecondLog { origin } => write!(
                f,
                "expected one address for each log, found a second one for {origin}: the statements of two logs would be mixed; \
                 give each log a policy of its own"
            ),
            Self::Shape { expected } => write!(f, "expected `{expected}`"),
            Self::Key(error) => error.fmt(f),
            Self::KeyType { expected } => write!(f, "expected a key of type {expected}"),
            Self::DuplicateKey => f.write_str("this key stands on an earlier line"),
            Self::Name { found } => write!(f, "the name {found:?} is taken"),
            Self::Undefined { found } => write!(f, "no earlier line defines {found:?}"),
            Self::SecondGroup { found } => write!(f, "{found:?} counts in a group already; each counts once"),
            Self::Threshold { members } => write!(f, "expected all, any, or a number from 1 to {members}"),
            Self::SecondQuorum => f.write_str("expected one quorum line, found a second"),
            Self::TooMany { limit } => write!(f, "at most {limit} lines of this kind are read"),
        }
    }
}

impl fmt::Display for RefusedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownLog { found, known } => {
                write!(f, "the checkpoint is of log {found}; the policy knows ")?;
                list(f, known.iter().map(ToString::to_string))
            }
            Self::Log(error) => error.fmt(f),
            Self::Cosignature { witness, error } => write!(f, "witness {witness}: {error}"),
            Self::Quorum { least, found, missing } => {
                if found < least {
                    write!(f, "the policy asks for at least {least} cosignatures, found {found}; missing: ")?;
                } else {
                    write!(
                        f,
                        "the policy's quorum asks for other witnesses than the {found} that cosigned; missing: "
                    )?;
                }
                list(
                    f,
                    missing.iter().map(|missing| {
                        let other = if missing.other_key { ", which signed with another key" } else { "" };
                        format!("{} ({}{other})", missing.witness, missing.key_name)
                    }),
                )
            }
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, items: impl Iterator<Item = String>) -> fmt::Result {
    let items: Vec<_> = items.collect();
    f.write_str(if items.is_empty() { "none" } else { "" })?;
    f.write_str(&items.join(", "))
}

impl core::error::Error for PolicyError {}
impl core::error::Error for LineProblem {}
impl core::error::Error for RefusedCheckpoint {}
