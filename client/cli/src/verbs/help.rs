//! `stele help`: a verb's help, or the table of exit codes.

use clap::CommandFactory as _;
use serde_json::{Value, json};
use stele_explain::Exit;

use crate::args::{Cli, HelpArgs};
use crate::output::Output;

/// What each code means to somebody who runs `stele`. README.md has the same table.
const EXIT_CODES: [(Exit, &str, &str); 21] = [
    (Exit::Ok, "ok", "done; for verify: every file asked for is here and matches, and nothing loadable lies beside it"),
    (Exit::BytesDiffer, "bytes differ", "these are not the bytes of the record"),
    (Exit::Usage, "usage", "the command line is wrong"),
    (Exit::NotInLog, "not in log", "no release.stele, or its proof of inclusion fails"),
    (Exit::QuorumMissing, "quorum missing", "too few witnesses have cosigned, or too long ago for --max-age"),
    (Exit::BadSignature, "bad signature", "a signature in evidence fails, or its signer does not hold the name"),
    (Exit::WrongPolicy, "wrong policy", "no trust policy, or one that does not cover this log"),
    (Exit::BadInput, "bad input", "a file or a field is not well formed"),
    (Exit::Refused, "refused", "registration says no: the log, or its rules before anything is sent"),
    (Exit::Unavailable, "unavailable", "the log cannot be reached or is unwell: try again"),
    (Exit::Io, "I/O", "this machine's files failed, or changed while they were read"),
    (Exit::Locked, "locked", "another process works on the same data"),
    (
        Exit::Inconsistent,
        "inconsistent",
        "a log contradicts itself, or what it showed before: an evidence file says how",
    ),
    (Exit::Findings, "findings", "the audit is done, and there is something to report"),
    (Exit::Unproven, "unproven", "a file of evidence convicts nobody"),
    (Exit::Incomplete, "incomplete", "files of the record are missing here; --partial accepts that"),
    (
        Exit::Unrecorded,
        "unrecorded",
        "files that a loader would take are not in the record; --allow-extra GLOB accepts them",
    ),
    (
        Exit::Withdrawn,
        "withdrawn",
        "the release was withdrawn or has a critical incident; --accept withdrawn accepts that",
    ),
    (Exit::NotComplete, "not complete", "the log did not prove that its answer is complete"),
    (Exit::Conflicting, "conflicting", "the log holds two releases of one coordinate, as no honest log does"),
    (Exit::Internal, "internal", "a bug of ours"),
];

pub(crate) fn run(args: &HelpArgs) -> Output {
    if args.topic.first().is_some_and(|topic| topic == "exit-codes") {
        return exit_codes();
    }
    let mut command = Cli::command().bin_name("stele");
    command.build();
    let mut chosen = command;
    for topic in &args.topic {
        match chosen.find_subcommand(topic) {
            Some(found) => chosen = found.clone(),
            None => break,
        }
    }
    let text = chosen.render_help().to_string();
    Output { json: json!({ "help": text }), text, failure: None }
}

fn exit_codes() -> Output {
    let text =
        EXIT_CODES.iter().map(|(exit, name, means)| format!("{:>3}  {name:<15} {means}\n", exit.number())).collect();
    let rows =
        EXIT_CODES.iter().map(|(exit, name, means)| json!({ "code": exit.number(), "name": name, "means": means }));
    Output { text, json: json!({ "exit_codes": rows.collect::<Vec<Value>>() }), failure: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_has_the_same_table() {
        let readme = include_str!("../../README.md");
        for (exit, name, means) in EXIT_CODES {
            assert!(readme.contains(&format!("| {} | {name} | {means} |", exit.number())), "{name}");
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
