//! A command line, read; and the error for one that cannot be.

use clap::error::ErrorKind;
use clap::{Command, FromArgMatches};
use std::ffi::OsString;

use stele_explain::printable::one_line;
use stele_explain::{Exit, Explain, explain};

/// A command line that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the command line is wrong")]
pub struct UsageError {
    program: String,
    #[source]
    error: clap::Error,
}

/// Reads a command line, its program first. Help and the version are answers, and no errors: they end this process with 0.
pub fn parse<C: FromArgMatches>(command: Command, words: impl IntoIterator<Item = OsString>) -> Result<C, UsageError> {
    let program = command.get_name().to_owned();
    let words: Vec<OsString> = words.into_iter().collect();
    let read = |words: &[OsString]| {
        let matches = command.clone().try_get_matches_from(words);
        matches.and_then(|matches| C::from_arg_matches(&matches))
    };
    read(&words).map_err(|error| match error.use_stderr() {
        true => UsageError { program, error: in_lines_of_its_own(error, &words, read) },
        false => error.exit(),
    })
}

/// The same error where its text repeats no line end of a word: such a word would write lines that pass for ours.
fn in_lines_of_its_own<C>(
    error: clap::Error,
    words: &[OsString],
    read: impl Fn(&[OsString]) -> Result<C, clap::Error>,
) -> clap::Error {
    let plain: Vec<OsString> = words.iter().map(|word| one_line(&word.to_string_lossy()).into_owned().into()).collect();
    if plain == words { error } else { read(&plain).err().filter(clap::Error::use_stderr).unwrap_or(error) }
}

/// Whether the words of this process ask for a document, also where they are no command line.
pub fn asks_for_json() -> bool {
    std::env::args_os().skip(1).take_while(|argument| argument != "--").any(|argument| argument == "--json")
}

impl UsageError {
    /// The error itself where a document is asked for; else the process ends here, with the text and exit code 2.
    #[must_use]
    pub fn or_exit(self) -> Self {
        if asks_for_json() { self } else { self.error.exit() }
    }
}

/// What is wrong, in one line.
fn found(error: &clap::Error) -> String {
    match error.kind() {
        // The text is the whole help.
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => "nothing where a verb is expected".to_owned(),
        _ => error.to_string().lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned(),
    }
}

impl Explain for UsageError {
    explain! {
        Self { program, error } => Exit::Usage, "usage", hint: format!("`{program} help VERB` shows its options"),
            "found": found(error);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Arg, ArgMatches};

    #[test]
    fn a_word_writes_no_line_of_its_own() {
        let command = || {
            let number = Arg::new("number").value_parser(clap::value_parser!(u8));
            Command::new("stele").arg(number)
        };
        let read = |word: &str| parse::<Matches>(command(), ["stele".into(), word.into()]).map(drop);
        let error = read("7\nhint: all is well").unwrap_err().error.to_string();
        assert!(error.contains("7\\nhint: all is well") && !error.contains("\nhint"), "{error}");
        assert!(read("x").unwrap_err().error.to_string().contains("'x'"));
        read("7").unwrap();
    }

    /// What clap read, as it is.
    struct Matches;

    impl FromArgMatches for Matches {
        fn from_arg_matches(_: &ArgMatches) -> Result<Self, clap::Error> {
            Ok(Self)
        }

        fn update_from_arg_matches(&mut self, _: &ArgMatches) -> Result<(), clap::Error> {
            Ok(())
        }
    }
}
