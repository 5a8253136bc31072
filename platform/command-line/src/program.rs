//! A program's command line, with examples for each of its verbs.

use clap::Command;
#[cfg(feature = "check")]
use clap::error::ErrorKind;

/// A command that a person can type, and what it does.
pub type Example = (&'static str, &'static str);

/// The examples of a verb, by its words without the program's name: `keys add`. The program itself has no words.
pub type VerbExamples = (&'static str, &'static [Example]);

/// A program's command line.
#[derive(Debug, Clone)]
pub struct Program {
    command: Command,
    examples: &'static [VerbExamples],
}

impl Program {
    /// A definition, and the examples of its verbs.
    pub fn new(command: Command, examples: &'static [VerbExamples]) -> Self {
        Self { command, examples }
    }

    /// The definition whose help ends with examples, and then with what the verb says at the end of its own.
    pub fn command(&self) -> Command {
        self.with_help(self.command.clone(), "")
    }

    fn with_help(&self, command: Command, verb: &str) -> Command {
        let examples = help(self.examples_of(verb));
        let said = command.get_after_help().map(|said| said.to_string()).unwrap_or_default();
        let parts: Vec<String> = [examples, said].into_iter().filter(|part| !part.is_empty()).collect();
        let command = if parts.is_empty() { command } else { command.after_help(parts.join("\n\n")) };
        command.mut_subcommands(|below| {
            let words = joined(verb, below.get_name());
            self.with_help(below, &words)
        })
    }

    /// The definition as it was handed in.
    pub(crate) fn bare(&self) -> &Command {
        &self.command
    }

    pub(crate) fn examples_of(&self, verb: &str) -> &'static [Example] {
        self.examples.iter().find(|(known, _)| *known == verb).map_or(&[], |(_, examples)| examples)
    }
}

/// The words of a verb below another.
pub(crate) fn joined(verb: &str, below: &str) -> String {
    if verb.is_empty() { below.to_owned() } else { format!("{verb} {below}") }
}

/// Examples as lines that a shell takes as they stand.
fn help(examples: &[Example]) -> String {
    if examples.is_empty() {
        return String::new();
    }
    let lines: Vec<String> = examples.iter().map(|(line, does)| format!("  # {does}\n  {line}")).collect();
    format!("Examples:\n{}", lines.join("\n"))
}

#[cfg(feature = "check")]
impl Program {
    /// What is wrong with the examples: verbs that have none, or more than three; names of no verb; commands that the definition does not
    /// read.
    pub fn problems(&self) -> Vec<String> {
        let mut verbs = Vec::new();
        collect(&self.command, "", &mut verbs);
        let mut problems = Vec::new();
        for verb in &verbs {
            let count = self.examples_of(verb).len();
            if !(1..=3).contains(&count) {
                problems.push(format!("{verb:?} has {count} examples, expected one to three"));
            }
        }
        for (verb, examples) in self.examples {
            if !verbs.iter().any(|known| known == verb) {
                problems.push(format!("{verb:?} is no verb, and has examples"));
            }
            problems.extend(examples.iter().filter_map(|(line, _)| self.unread(verb, line)));
        }
        problems
    }

    /// Why an example is no command of its verb.
    fn unread(&self, verb: &str, line: &str) -> Option<String> {
        // What a shell does with the output is not the program's.
        let command = line.split([';', '>', '|']).next().unwrap_or_default();
        let Some(words) = shlex::split(command) else { return Some(format!("{line}: the quotes do not match")) };
        let matches = match self.command.clone().try_get_matches_from(words) {
            Ok(matches) => matches,
            // What a shell would put in that place is not known here.
            Err(error) if error.kind() == ErrorKind::ValueValidation && line.contains("$(") => return None,
            Err(error) => return Some(format!("{line}: {error}")),
        };
        let mut typed = Vec::new();
        let mut below = matches.subcommand();
        while let Some((name, matches)) = below {
            typed.push(name.to_owned());
            below = matches.subcommand();
        }
        // A group shows a verb below it.
        let typed = typed.join(" ");
        let is_its_own = verb.is_empty() || typed == verb || typed.starts_with(&format!("{verb} "));
        (!is_its_own).then(|| format!("{line}: expected `{verb}`, found `{typed}`"))
    }
}

#[cfg(feature = "check")]
fn collect(command: &Command, verb: &str, verbs: &mut Vec<String>) {
    verbs.push(verb.to_owned());
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        collect(below, &joined(verb, below.get_name()), verbs);
    }
}

#[cfg(all(test, feature = "check"))]
mod tests {
    use super::*;
    use clap::{Arg, Command};

    fn command() -> Command {
        let add = Command::new("add").arg(Arg::new("name").required(true)).after_help("It is slow.");
        Command::new("tool").subcommand_required(true).subcommand(Command::new("keys").subcommand(add))
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let problems = |examples: &'static [VerbExamples]| Program::new(command(), examples).problems().join("\n");
        let all = problems(&[]);
        for verb in ["\"\" has 0 examples", "\"keys\" has 0", "\"keys add\" has 0"] {
            assert!(all.contains(verb), "{all}");
        }
        const WRONG: &[(&[VerbExamples], &str)] = &[
            (&[("keys add", &[("tool keys add", "adds")])], "tool keys add: error: the following required"),
            (&[("keys add", &[("tool keys add a --to b", "adds")])], "unexpected argument '--to'"),
            (&[("keys add", &[("tool keys add 'a", "adds")])], "the quotes do not match"),
            (&[("keys ad", &[("tool keys add a", "adds")])], "\"keys ad\" is no verb"),
            (&[("keys add", &[("tool keys", "adds")])], "expected `keys add`, found `keys`"),
        ];
        for (examples, problem) in WRONG {
            assert!(problems(examples).contains(problem), "{}", problems(examples));
        }
    }

    #[test]
    fn help_has_the_examples_and_what_stood_there_before() {
        let line: &[Example] = &[("tool keys add 'a b' > out", "adds a key")];
        let examples: &'static [VerbExamples] = Box::leak(Box::new([("", line), ("keys", line), ("keys add", line)]));
        let program = Program::new(command(), examples);
        assert_eq!(program.problems(), Vec::<String>::new());
        let mut command = program.command();
        let keys = command.find_subcommand_mut("keys").unwrap();
        let help = keys.find_subcommand_mut("add").unwrap().render_help().to_string();
        assert!(help.ends_with("Examples:\n  # adds a key\n  tool keys add 'a b' > out\n\nIt is slow.\n"), "{help}");
    }
}
