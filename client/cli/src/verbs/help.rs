//! `stele help`: a verb's help, the table of exit codes, or the words of the programs.

use serde_json::{Value, json};
use stele_explain::{Exit, Explain, Failure, explain};

use crate::Output;
use crate::args::{HelpArgs, program};

pub(crate) fn run(args: &HelpArgs) -> Result<Output, Failure> {
    if args.topic.first().is_some_and(|topic| topic == "exit-codes") {
        return Ok(exit_codes());
    }
    if args.topic.first().is_some_and(|topic| topic == "concepts") {
        return Ok(concepts());
    }
    let mut command = program().command().bin_name("stele");
    command.build();
    let mut chosen = command;
    for topic in &args.topic {
        match chosen.find_subcommand(topic) {
            Some(found) => chosen = found.clone(),
            None => return Err(NoSuchTopic { topic: args.topic.join(" ") }.into()),
        }
    }
    let text = chosen.render_help().to_string();
    Ok(Output { json: json!({ "help": text }), text, failure: None })
}

/// A word that is no verb.
#[derive(Debug, thiserror::Error)]
#[error("there is no help on {topic:?}")]
pub(crate) struct NoSuchTopic {
    topic: String,
}

impl Explain for NoSuchTopic {
    explain! {
        Self { topic } => Exit::Usage, "no-such-topic", hint: "`stele help` lists the verbs",
            "expected": "a verb, exit-codes or concepts", "found": topic;
    }
}

/// The words that every screen uses, for who meets them first.
const CONCEPTS: [(&str, &str); 8] = [
    (
        "log",
        "A public list of signed statements that only grows. It is a Merkle tree: what stands in it cannot be changed or taken out unseen.",
    ),
    (
        "entry",
        "One place of the log, by its number from 0: a signed statement, or what the log itself writes to list the entries under each name.",
    ),
    (
        "witness",
        "A machine of somebody else that remembers the log. It refuses a log that shows one history to you and another to the rest.",
    ),
    (
        "cosignature",
        "A witness's signature, with its time, on the tree head of the log: its size and the hash over all entries up to there.",
    ),
    (
        "policy",
        "Your file: which logs and witnesses you trust, and how many must have cosigned. Take it from somebody you trust, not from where \
         the weights come.",
    ),
    (
        "bundle",
        "release.stele, beside the weights: the release, its list of files, and the proof that it is in the log. It verifies without a \
         network, and says nothing of what came later. `stele fetch` makes it anew.",
    ),
    (
        "publisher",
        "A name, such as acme.example. It belongs to the keys that claimed it first in a log, and to those that they added. Who stands \
         behind it, the log does not know.",
    ),
    (
        "withdrawal",
        "What a publisher says when it takes a release back. Copies stay, and so does the entry: `stele verify` ends with 17 once it knows. \
         --online asks.",
    ),
];

fn concepts() -> Output {
    let shown = |(word, text): (&str, &str)| {
        let mut lines = vec![String::new()];
        for part in text.split_whitespace() {
            match lines.last_mut() {
                Some(line) if line.len() + part.len() < 76 => {
                    if !line.is_empty() {
                        line.push(' ');
                    }
                    line.push_str(part);
                }
                _ => lines.push(part.to_owned()),
            }
        }
        let named = |(at, line): (usize, &String)| format!("{:<13}{line}\n", if at == 0 { word } else { "" });
        lines.iter().enumerate().map(named).collect::<String>()
    };
    let rows: Vec<Value> = CONCEPTS.map(|(word, text)| json!({ "word": word, "means": text })).into();
    Output { text: CONCEPTS.map(shown).concat(), json: json!({ "concepts": rows }), failure: None }
}

fn exit_codes() -> Output {
    let line = |exit: Exit| format!("{:>3}  {:<15} {}\n", exit.number(), exit.name(), exit.meaning());
    let row = |exit: Exit| json!({ "code": exit.number(), "name": exit.name(), "means": exit.meaning() });
    let rows: Vec<Value> = Exit::ALL.map(row).into();
    Output { text: Exit::ALL.map(line).concat(), json: json!({ "exit_codes": rows }), failure: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_has_the_same_table() {
        let readme = include_str!("../../README.md");
        let (_, table) = readme.split_once("\n# Exit codes\n").unwrap();
        let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
        let row = |exit: Exit| format!("| {} | {} | {} |", exit.number(), exit.name(), exit.meaning());
        assert_eq!(rows, Exit::ALL.map(row));
    }

    #[test]
    fn the_words_fit_a_terminal_and_a_screen() {
        let text = concepts().text;
        assert!(text.lines().count() <= 30, "{} lines", text.lines().count());
        assert!(text.lines().all(|line| line.len() <= 90), "{text}");
        assert!(CONCEPTS.iter().all(|(word, _)| text.contains(&format!("\n{word}")) || text.starts_with(word)));
    }

    #[test]
    fn the_command_line_is_consistent() {
        program().command().debug_assert();
    }

    #[test]
    fn every_verb_has_examples_that_the_program_reads() {
        assert_eq!(program().problems(), Vec::<String>::new());
    }
}
