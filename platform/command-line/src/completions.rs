//! The script by which a shell completes a program's verbs and options.

use clap::Args;
use clap_complete::Shell;
use serde_json::{Value, json};

use crate::program::Program;

/// `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// Which shell.
    #[arg(value_enum)]
    pub shell: Shell,
}

impl CompletionsArgs {
    /// The script, and the document with it. It sends no request and runs nothing: all that it knows stands in it.
    pub fn script(&self, program: &Program) -> (String, Value) {
        let mut command = program.bare().clone();
        let name = command.get_name().to_owned();
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, name, &mut script);
        let script = String::from_utf8_lossy(&script).into_owned();
        let document = json!({ "shell": self.shell.to_string(), "script": script });
        (script, document)
    }
}
