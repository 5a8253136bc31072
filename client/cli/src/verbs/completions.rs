//! `stele completions`: the script by which a shell completes verbs and options.

use serde_json::json;
use stele_command_line::completions::CompletionsArgs;

use crate::args::program;
use crate::output::Output;

pub(crate) fn run(args: &CompletionsArgs) -> Output {
    let script = args.script(&program());
    Output { json: json!({ "shell": args.shell_name(), "script": script }), text: script, failure: None }
}
