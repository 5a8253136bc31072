//! One run of a command-line program, and what it printed.

use std::ffi::OsStr;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::binaries::Binary;
use stele_probe::failure::{During, Failure, Step};
use stele_schemas::document;

/// How long one command may take.
pub const COMMAND: Duration = Duration::from_secs(120);

/// What a command did.
#[derive(Clone, Debug)]
pub struct Told {
    /// The command, as a person would type it.
    pub line: String,
    /// The exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Data.
    pub stdout: String,
    /// Messages.
    pub stderr: String,
}

impl Told {
    /// The command's outcome if it ended with the code, else a failure that shows it.
    pub fn expect(self, code: i32) -> Step<Self> {
        if self.code == Some(code) { Ok(self) } else { Err(self.failure(&format!("expected exit code {code}"))) }
    }

    /// Stdout as JSON. What a program of the house writes with `--json` is held against its schema in `docs/schemas`.
    pub fn json(&self) -> Step<serde_json::Value> {
        let json: serde_json::Value = serde_json::from_str(&self.stdout)
            .map_err(|error| self.failure(&format!("stdout is not JSON: {error}")))?;
        let is_of_the_house = Binary::ALL.iter().any(|binary| self.line.split(' ').next() == Some(binary.name()));
        // A SARIF report has the schema of others, and names it so.
        if is_of_the_house && json.get("$schema").is_none() {
            document::check(&json).map_err(|refused| self.failure(&refused))?;
        }
        Ok(json)
    }

    /// Everything it printed, messages last.
    pub fn all(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// A failure that shows the command and what it printed.
    pub fn failure(&self, told: &str) -> Failure {
        let Self { line, code, stdout, stderr } = self;
        let code = code.map_or_else(|| "a signal".to_owned(), |code| code.to_string());
        Failure::new(format!("{told}\n$ {line}\nended with {code}\n--- stdout:\n{stdout}--- stderr:\n{stderr}"))
    }
}

/// Runs a program of the house. Whatever the caller's environment says about Stele is not passed on.
pub fn run<S: AsRef<OsStr>>(binary: Binary, arguments: impl IntoIterator<Item = S>) -> Step<Told> {
    run_in(binary, arguments, None)
}

/// Runs a program of the house in a folder. It remembers nothing on this machine.
pub fn run_in<S: AsRef<OsStr>>(
    binary: Binary,
    arguments: impl IntoIterator<Item = S>,
    folder: Option<&Path>,
) -> Step<Told> {
    run_with(binary, arguments, folder, &[])
}

/// Runs a program of the house that remembers tree heads in a folder.
pub fn run_remembering<S: AsRef<OsStr>>(
    binary: Binary,
    arguments: impl IntoIterator<Item = S>,
    state: &Path,
) -> Step<Told> {
    run_with(binary, arguments, None, &[("STELE_STATE", state.as_os_str())])
}

/// Runs a program of the house in a folder, with variables of the environment beside those that keep it from this machine's user.
pub fn run_with<S: AsRef<OsStr>>(
    binary: Binary,
    arguments: impl IntoIterator<Item = S>,
    folder: Option<&Path>,
    environment: &[(&str, &OsStr)],
) -> Step<Told> {
    let arguments: Vec<_> = arguments.into_iter().map(|argument| argument.as_ref().to_owned()).collect();
    let mut command = Command::new(binary.path()?);
    command.args(&arguments).env("NO_COLOR", "1");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("STELE_") {
            command.env_remove(&name);
        }
    }
    // Nobody's home is touched or read: below a device nothing can be kept, and nothing is set.
    command.env("XDG_STATE_HOME", "/dev/null").env("XDG_CONFIG_HOME", "/dev/null").env("XDG_CACHE_HOME", "/dev/null");
    command.envs(environment.iter().copied());
    if let Some(folder) = folder {
        command.current_dir(folder);
    }
    let words = arguments.iter().map(|argument| quoted(&argument.to_string_lossy()));
    let line = core::iter::once(binary.name().to_owned()).chain(words).collect::<Vec<_>>().join(" ");
    finish(command, line)
}

/// Runs any command to its end or its deadline.
pub fn finish(mut command: Command, line: String) -> Step<Told> {
    let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = spawned.during(format!("starting {line}"))?;
    let stdout = child.stdout.take().map(|pipe| thread::spawn(move || drain(pipe)));
    let stderr = child.stderr.take().map(|pipe| thread::spawn(move || drain(pipe)));
    let deadline = Instant::now() + COMMAND;
    let status = loop {
        match child.try_wait().during(&line)? {
            Some(status) => break status,
            None if Instant::now() > deadline => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(Failure::new(format!("$ {line}\ndid not end within {COMMAND:?}")));
            }
            None => thread::sleep(Duration::from_millis(2)),
        }
    };
    let text = |reader: Option<thread::JoinHandle<String>>| reader.and_then(|r| r.join().ok()).unwrap_or_default();
    Ok(Told { line, code: status.code(), stdout: text(stdout), stderr: text(stderr) })
}

fn drain(mut pipe: impl Read) -> String {
    let mut bytes = Vec::new();
    let _ = pipe.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// An argument as a shell takes it.
pub fn quoted(argument: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !argument.is_empty() && argument.chars().all(plain) {
        argument.to_owned()
    } else {
        format!("'{}'", argument.replace('\'', "'\\''"))
    }
}
