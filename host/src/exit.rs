//! How a program ends: the exit codes that every binary shares, and how an error is told.
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
//! | 19 | [`Conflicting`](Exit::Conflicting) | a log shows two histories, or two releases under one name: no honest log does |
//! | 70 | [`Internal`](Exit::Internal) | a bug of ours |
//!
//! The numbers are a contract: scripts read them. They are never reused.

use crate::output;
use crate::printable::continued;
use std::error::Error;
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

/// An error that knows how it is told to a person and to a script.
pub trait Explain: Error {
    /// The process's exit code.
    fn exit(&self) -> Exit;

    /// A stable name in kebab-case, for scripts: `disk-full`, `bytes-differ`.
    fn code(&self) -> &'static str;

    /// What to do now, as one sentence or command.
    fn hint(&self) -> Option<String> {
        None
    }

    /// What was expected, what was found: short named values below the message.
    fn facts(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// Where an error is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Voice {
    /// `error:`, facts and `hint:` on stderr.
    #[default]
    Text,
    /// One JSON object on stdout, so that `--json` always yields exactly one document there.
    Json,
}

/// Ends `main`: tells the error, if there is one, and gives the exit code.
///
/// An error whose exit is [`Exit::Ok`] (the reader of stdout went away) is not told.
pub fn finish<E: Explain>(outcome: Result<(), E>, voice: Voice) -> ExitCode {
    let error = match outcome {
        Ok(()) => return Exit::Ok.into(),
        Err(error) if error.exit() == Exit::Ok => return Exit::Ok.into(),
        Err(error) => error,
    };
    match voice {
        Voice::Text => output::complain(&text(&error)),
        Voice::Json => {
            let mut line = json(&error).to_string();
            line.push('\n');
            if output::print(&line).is_err_and(|e| e.exit() != Exit::Ok) {
                output::complain(&text(&error));
            }
        }
    }
    error.exit().into()
}

/// The error as lines for a person: `error: message: cause`, its facts, `hint: ...`.
pub fn text(error: &(impl Explain + ?Sized)) -> String {
    let mut text = format!("error: {}", continued(&causes(error).join(": ")));
    for (name, value) in error.facts() {
        text.push_str(&format!("\n  {name}: {}", continued(&value)));
    }
    if let Some(hint) = error.hint() {
        text.push_str(&format!("\nhint: {}", continued(&hint)));
    }
    text.push('\n');
    text
}

/// The error as `{"error", "message", "causes", "facts", "hint", "exit"}`; absent parts are left out.
pub fn json(error: &(impl Explain + ?Sized)) -> serde_json::Value {
    let mut chain = causes(error).into_iter();
    let mut object = serde_json::Map::new();
    object.insert("error".into(), error.code().into());
    object.insert("message".into(), chain.next().unwrap_or_default().into());
    let causes: Vec<String> = chain.collect();
    if !causes.is_empty() {
        object.insert("causes".into(), causes.into());
    }
    let facts = error.facts();
    if !facts.is_empty() {
        let facts = facts.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        object.insert("facts".into(), serde_json::Value::Object(facts));
    }
    if let Some(hint) = error.hint() {
        object.insert("hint".into(), hint.into());
    }
    object.insert("exit".into(), error.exit().number().into());
    object.into()
}

/// The messages from the outside in, without a cause that its parent's message already ends with.
fn causes(error: &(impl Error + ?Sized)) -> Vec<String> {
    let mut messages = vec![error.to_string()];
    let mut next = error.source();
    while let Some(cause) = next {
        let message = cause.to_string();
        if !messages.last().is_some_and(|parent| parent.ends_with(&message)) {
            messages.push(message);
        }
        next = cause.source();
    }
    messages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("model.safetensors is not the file of the record")]
    struct Swapped(#[source] std::io::Error);

    impl Explain for Swapped {
        fn exit(&self) -> Exit {
            Exit::BytesDiffer
        }

        fn code(&self) -> &'static str {
            "bytes-differ"
        }

        fn hint(&self) -> Option<String> {
            Some("download it again".into())
        }

        fn facts(&self) -> Vec<(&'static str, String)> {
            vec![("expected", "aa".into()), ("found", "b\u{1b}[2Jb".into())]
        }
    }

    fn swapped() -> Swapped {
        Swapped(std::io::Error::other("short read"))
    }

    #[test]
    fn a_person_reads_error_facts_and_hint_and_no_escape_sequence() {
        assert_eq!(
            text(&swapped()),
            "error: model.safetensors is not the file of the record: short read\n  expected: aa\n  found: b\\u{1b}[2Jb\nhint: download it again\n"
        );
    }

    #[test]
    fn a_script_reads_the_same_as_one_object() {
        let object = json(&swapped());
        assert_eq!(object["error"], "bytes-differ");
        assert_eq!(object["causes"][0], "short read");
        assert_eq!(object["facts"]["expected"], "aa");
        assert_eq!(object["exit"], 1);
    }

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
