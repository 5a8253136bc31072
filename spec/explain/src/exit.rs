//! Exit codes, shared by every program.
//!
//! | code | name | means |
//! |---|---|---|
//! | 0 | [`Ok`](Exit::Ok) | done; for verify: every file asked for is here and matches, and nothing loadable lies beside it |
//! | 1 | [`BytesDiffer`](Exit::BytesDiffer) | the bytes here are not those that the publisher released |
//! | 2 | [`Usage`](Exit::Usage) | the command line is wrong |
//! | 3 | [`NotInLog`](Exit::NotInLog) | no release.stele, no such entry or artifact, or its proof of inclusion fails |
//! | 4 | [`QuorumMissing`](Exit::QuorumMissing) | too few witnesses have cosigned, or too long ago for --max-age |
//! | 5 | [`BadSignature`](Exit::BadSignature) | a signature does not verify, or its signer does not hold the name |
//! | 6 | [`WrongPolicy`](Exit::WrongPolicy) | no trust policy, one that cannot be read or met, or one that does not cover this log |
//! | 7 | [`BadInput`](Exit::BadInput) | a file, a field or a config is not well formed |
//! | 8 | [`Refused`](Exit::Refused) | the log, witness or registry says no, or the rules of registration do before anything is sent |
//! | 9 | [`Unavailable`](Exit::Unavailable) | the log, witness or registry cannot be reached or is unwell: try again |
//! | 10 | [`Io`](Exit::Io) | this machine's files or network failed, or files changed while they were read |
//! | 11 | [`Locked`](Exit::Locked) | another process works on the same data |
//! | 12 | [`Inconsistent`](Exit::Inconsistent) | a log contradicts what it showed before (an evidence file says how), or this machine's state contradicts what was signed |
//! | 13 | [`Findings`](Exit::Findings) | the work is done, and there is something to report |
//! | 14 | [`Unproven`](Exit::Unproven) | a file of evidence convicts nobody, or a monitor's report does not prove what it says |
//! | 15 | [`Incomplete`](Exit::Incomplete) | files of the release are missing here; --partial accepts that |
//! | 16 | [`Unrecorded`](Exit::Unrecorded) | files lie here that a loader would take and the release does not name; --allow-extra GLOB accepts them |
//! | 17 | [`Withdrawn`](Exit::Withdrawn) | the release was withdrawn or has a critical incident; --accept withdrawn accepts that |
//! | 18 | [`NotComplete`](Exit::NotComplete) | the log did not prove that its answer is complete |
//! | 19 | [`Conflicting`](Exit::Conflicting) | the log holds two releases of one coordinate, as no honest log does |
//! | 20 | [`Unsupported`](Exit::Unsupported) | this machine does not allow what was asked for, and nothing less was done in its place |
//! | 21 | [`Absent`](Exit::Absent) | the log proves that no entry of it is about these weights |
//! | 70 | [`Internal`](Exit::Internal) | a bug of ours |
//!
//! The numbers are a contract: scripts read them. They are never reused.

use std::process::ExitCode;

/// How the process ends. A closed set: a new outcome is a new row in the table above, with the words of
/// [`Exit::meaning`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[allow(missing_docs, reason = "the table in the module documentation says each")]
pub enum Exit {
    Ok = 0,
    BytesDiffer = 1,
    Usage = 2,
    NotInLog = 3,
    QuorumMissing = 4,
    BadSignature = 5,
    WrongPolicy = 6,
    BadInput = 7,
    Refused = 8,
    Unavailable = 9,
    Io = 10,
    Locked = 11,
    Inconsistent = 12,
    Findings = 13,
    Unproven = 14,
    Incomplete = 15,
    Unrecorded = 16,
    Withdrawn = 17,
    NotComplete = 18,
    Conflicting = 19,
    Unsupported = 20,
    Absent = 21,
    Internal = 70,
}

impl Exit {
    /// Each, in the order of the numbers.
    pub const ALL: [Self; 23] = [
        Self::Ok,
        Self::BytesDiffer,
        Self::Usage,
        Self::NotInLog,
        Self::QuorumMissing,
        Self::BadSignature,
        Self::WrongPolicy,
        Self::BadInput,
        Self::Refused,
        Self::Unavailable,
        Self::Io,
        Self::Locked,
        Self::Inconsistent,
        Self::Findings,
        Self::Unproven,
        Self::Incomplete,
        Self::Unrecorded,
        Self::Withdrawn,
        Self::NotComplete,
        Self::Conflicting,
        Self::Unsupported,
        Self::Absent,
        Self::Internal,
    ];

    /// The number that the shell sees.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::BytesDiffer => "bytes differ",
            Self::Usage => "usage",
            Self::NotInLog => "not in log",
            Self::QuorumMissing => "quorum missing",
            Self::BadSignature => "bad signature",
            Self::WrongPolicy => "wrong policy",
            Self::BadInput => "bad input",
            Self::Refused => "refused",
            Self::Unavailable => "unavailable",
            Self::Io => "I/O",
            Self::Locked => "locked",
            Self::Inconsistent => "inconsistent",
            Self::Findings => "findings",
            Self::Unproven => "unproven",
            Self::Incomplete => "incomplete",
            Self::Unrecorded => "unrecorded",
            Self::Withdrawn => "withdrawn",
            Self::NotComplete => "not complete",
            Self::Conflicting => "conflicting",
            Self::Unsupported => "unsupported",
            Self::Absent => "absent",
            Self::Internal => "internal",
        }
    }

    /// What it means to somebody who runs one of the programs. Every table has these words.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Ok => {
                "done; for verify: every file asked for is here and matches, and nothing loadable lies beside it"
            }
            Self::BytesDiffer => "the bytes here are not those that the publisher released",
            Self::Usage => "the command line is wrong",
            Self::NotInLog => "no release.stele, no such entry or artifact, or its proof of inclusion fails",
            Self::QuorumMissing => "too few witnesses have cosigned, or too long ago for --max-age",
            Self::BadSignature => "a signature does not verify, or its signer does not hold the name",
            Self::WrongPolicy => "no trust policy, one that cannot be read or met, or one that does not cover this log",
            Self::BadInput => "a file, a field or a config is not well formed",
            Self::Refused => {
                "the log, witness or registry says no, or the rules of registration do before anything is sent"
            }
            Self::Unavailable => "the log, witness or registry cannot be reached or is unwell: try again",
            Self::Io => "this machine's files or network failed, or files changed while they were read",
            Self::Locked => "another process works on the same data",
            Self::Inconsistent => {
                "a log contradicts what it showed before (an evidence file says how), or this machine's state contradicts what was signed"
            }
            Self::Findings => "the work is done, and there is something to report",
            Self::Unproven => "a file of evidence convicts nobody, or a monitor's report does not prove what it says",
            Self::Incomplete => "files of the release are missing here; --partial accepts that",
            Self::Unrecorded => {
                "files lie here that a loader would take and the release does not name; --allow-extra GLOB accepts them"
            }
            Self::Withdrawn => "the release was withdrawn or has a critical incident; --accept withdrawn accepts that",
            Self::NotComplete => "the log did not prove that its answer is complete",
            Self::Conflicting => "the log holds two releases of one coordinate, as no honest log does",
            Self::Unsupported => {
                "this machine does not allow what was asked for, and nothing less was done in its place"
            }
            Self::Absent => "the log proves that no entry of it is about these weights",
            Self::Internal => "a bug of ours",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_a_contract() {
        let numbers = [
            (Exit::Ok, 0),
            (Exit::BytesDiffer, 1),
            (Exit::Usage, 2),
            (Exit::NotInLog, 3),
            (Exit::QuorumMissing, 4),
            (Exit::BadSignature, 5),
            (Exit::WrongPolicy, 6),
            (Exit::BadInput, 7),
            (Exit::Refused, 8),
            (Exit::Unavailable, 9),
            (Exit::Io, 10),
            (Exit::Locked, 11),
            (Exit::Inconsistent, 12),
            (Exit::Findings, 13),
            (Exit::Unproven, 14),
            (Exit::Incomplete, 15),
            (Exit::Unrecorded, 16),
            (Exit::Withdrawn, 17),
            (Exit::NotComplete, 18),
            (Exit::Conflicting, 19),
            (Exit::Unsupported, 20),
            (Exit::Absent, 21),
            (Exit::Internal, 70),
        ];
        for (exit, number) in numbers {
            assert_eq!(exit.number(), number);
        }
    }

    #[test]
    fn the_table_above_has_every_code_in_its_words() {
        let rows: Vec<&str> =
            include_str!("exit.rs").lines().filter(|line| line.starts_with("//! | ")).skip(1).collect();
        let expected = Exit::ALL
            .map(|exit| format!("//! | {} | [`{exit:?}`](Exit::{exit:?}) | {} |", exit.number(), exit.meaning()));
        assert_eq!(rows, expected);
        assert!(Exit::ALL.is_sorted_by_key(|exit| exit.number()));
    }
}
