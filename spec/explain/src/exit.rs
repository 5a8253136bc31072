//! Exit codes, shared by every program.
//!
//! | code | name | means |
//! |---|---|---|
//! | 0 | [`Ok`](Exit::Ok) | done, or the reader of our output went away |
//! | 1 | [`BytesDiffer`](Exit::BytesDiffer) | these are not the bytes of the record |
//! | 2 | [`Usage`](Exit::Usage) | the command line is wrong |
//! | 3 | [`NotInLog`](Exit::NotInLog) | no entry, or no proof of one |
//! | 4 | [`QuorumMissing`](Exit::QuorumMissing) | too few witnesses have cosigned |
//! | 5 | [`BadSignature`](Exit::BadSignature) | a signature does not verify, or its signer does not hold the name |
//! | 6 | [`WrongPolicy`](Exit::WrongPolicy) | the trust policy does not cover this log, or cannot be read |
//! | 7 | [`BadInput`](Exit::BadInput) | a file, a field or a config that is not well formed |
//! | 8 | [`Refused`](Exit::Refused) | the log or witness answered no |
//! | 9 | [`Unavailable`](Exit::Unavailable) | the other machine cannot be reached or is unwell: try again |
//! | 10 | [`Io`](Exit::Io) | this machine's files or network failed |
//! | 11 | [`Locked`](Exit::Locked) | another process works on the same data |
//! | 12 | [`Inconsistent`](Exit::Inconsistent) | stored state contradicts what was signed before: an operator must look |
//! | 13 | [`Findings`](Exit::Findings) | the work is done, and there is something to report |
//! | 14 | [`Unproven`](Exit::Unproven) | a file of evidence convicts nobody |
//! | 15 | [`Incomplete`](Exit::Incomplete) | files of the record are missing here |
//! | 16 | [`Unrecorded`](Exit::Unrecorded) | files that a loader would take lie beside the record and are not in it |
//! | 17 | [`Withdrawn`](Exit::Withdrawn) | the bytes verify, and the release was withdrawn or has a critical incident |
//! | 18 | [`NotComplete`](Exit::NotComplete) | the log did not prove that its answer is complete |
//! | 19 | [`Conflicting`](Exit::Conflicting) | the log holds two releases of one coordinate: no honest log does |
//! | 70 | [`Internal`](Exit::Internal) | a bug of ours |
//!
//! The numbers are a contract: scripts read them. They are never reused.

use std::process::ExitCode;

/// How the process ends. A closed set: a new outcome is a new row in the table above.
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
    Internal = 70,
}

impl Exit {
    /// The number that the shell sees.
    pub fn number(self) -> u8 {
        self as u8
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
            (Exit::Internal, 70),
        ];
        for (exit, number) in numbers {
            assert_eq!(exit.number(), number);
        }
    }
}
