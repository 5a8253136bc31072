//! A command line, read; and the error for one that cannot be.

use clap::error::ErrorKind;
use clap::{Command, FromArgMatches};
use std::ffi::OsString;

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
    let matches = command.try_get_matches_from(words);
    let parsed = matches.and_then(|matches| C::from_arg_matches(&matches));
    parsed.map_err(|error| if error.use_stderr() { UsageError { program, error } } else { error.exit() })
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
