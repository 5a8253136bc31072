//! `stele help`: a verb's help, or the table of exit codes.

use clap::CommandFactory as _;
use serde_json::{Value, json};
use stele_explain::Exit;

use crate::args::{Cli, HelpArgs};
use crate::output::Output;

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
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
