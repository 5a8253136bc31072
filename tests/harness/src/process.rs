//! One server process. It says that it serves with one line on stdout; what it says on stderr is kept in a file and
//! shown when a step fails. It never outlives its value, nor an interrupted [`kill_all`].

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::command::quoted;
use stele_probe::failure::{During, Failure, Step};

/// How long a server may take until it serves: a debug build on a busy machine, replaying a small log.
pub const START: Duration = Duration::from_secs(30);
/// How long a server may take to stop when it is asked to.
pub const STOP: Duration = Duration::from_secs(20);

/// A server, running or not, that always has the same data, arguments and (once it ran) port.
#[derive(Debug)]
pub struct Server {
    name: String,
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(String, String)>,
    stderr: PathBuf,
    address: Option<SocketAddr>,
    child: Option<Child>,
}

impl Server {
    /// A server that does not run yet. `stderr` is the file for its messages.
    pub fn new(name: &str, program: PathBuf, arguments: Vec<OsString>, stderr: PathBuf) -> Self {
        let (name, environment) = (name.to_owned(), Vec::new());
        Self { name, program, arguments, environment, stderr, address: None, child: None }
    }

    /// Sets or, with `None`, unsets a variable of the environment for later starts.
    pub fn set_env(&mut self, name: &str, value: Option<&str>) {
        self.environment.retain(|(known, _)| known != name);
        self.environment.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    }

    /// Where it serves, or served when it ran last.
    pub fn address(&self) -> Step<SocketAddr> {
        self.address.ok_or_else(|| Failure::new(format!("{} never served", self.name)))
    }

    /// The number of its process.
    pub fn pid(&self) -> Step<u32> {
        self.child.as_ref().map(Child::id).ok_or_else(|| Failure::new(format!("{} does not run", self.name)))
    }

    /// Its address as a URL without a slash at the end.
    pub fn url(&self) -> Step<String> {
        self.address().map(|address| format!("http://{address}"))
    }

    /// The command that starts it on its port.
    pub fn line(&self) -> String {
        let program = self.program.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let arguments = self.arguments.iter().map(|argument| quoted(&argument.to_string_lossy()));
        let listen = self.address.map(|address| format!("--listen {address}"));
        core::iter::once(program).chain(arguments).chain(listen).collect::<Vec<_>>().join(" ")
    }

    /// Whether the process runs.
    pub fn is_running(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// Starts it and waits until it serves.
    pub fn start(&mut self) -> Step {
        self.spawn()?;
        let stdout = self.child.as_mut().and_then(|child| child.stdout.take());
        let stdout = stdout.ok_or_else(|| Failure::new("a child without stdout"))?;
        match first_line(stdout).recv_timeout(START) {
            Ok(line) => match parse_listening(&line) {
                Some(address) => {
                    self.address = Some(address);
                    Ok(())
                }
                None => {
                    let told = format!("{} did not say where it listens but {line:?}", self.name);
                    Err(self.failure(&told))
                }
            },
            Err(_) => Err(self.failure(&format!("{} did not serve within {START:?}", self.name))),
        }
    }

    /// Starts it and expects that it ends by itself, without serving: its status and messages.
    pub fn start_refused(&mut self) -> Step<(ExitStatus, String)> {
        self.spawn()?;
        let stdout = self.child.as_mut().and_then(|child| child.stdout.take());
        let line = stdout.map(first_line);
        match self.wait(START) {
            Some(status) => Ok((status, self.messages())),
            None => {
                let served = line.and_then(|line| line.try_recv().ok()).unwrap_or_default();
                let failure = self.failure(&format!("{} was to refuse to start, and went on: {served:?}", self.name));
                self.kill();
                Err(failure)
            }
        }
    }

    /// Asks it to stop (SIGTERM) and waits: a graceful stop ends with 0.
    pub fn stop(&mut self) -> Step {
        let Some(child) = &self.child else { return Ok(()) };
        let asked = kill_process(Pid::from_child(child), Signal::TERM);
        match self.wait(STOP) {
            Some(status) if status.success() && asked.is_ok() => Ok(()),
            Some(status) => Err(self.failure(&format!("{} stopped with {status}", self.name))),
            None => {
                let failure = self.failure(&format!("{} did not stop within {STOP:?}", self.name));
                self.kill();
                Err(failure)
            }
        }
    }

    /// Kills it (SIGKILL): no goodbye, no flush.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
            forget(child.id());
        }
    }

    /// Waits until the process ends by itself, as one does that a fault kills.
    pub fn wait_for_end(&mut self) -> Step<ExitStatus> {
        self.wait(START).ok_or_else(|| self.failure(&format!("{} was to end, and went on", self.name)))
    }

    /// Everything it said on stderr since it was made.
    pub fn messages(&self) -> String {
        fs::read(&self.stderr).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// A failure with the last messages of this server.
    pub fn failure(&self, told: &str) -> Failure {
        let messages = self.messages();
        let skipped = messages.lines().count().saturating_sub(30);
        let last: Vec<&str> = messages.lines().skip(skipped).collect();
        Failure::new(format!("{told}\n--- last messages of {}:\n{}", self.name, last.join("\n")))
    }

    fn spawn(&mut self) -> Step {
        if self.is_running() {
            return Err(Failure::new(format!("{} runs already", self.name)));
        }
        let listen = self.address.map_or_else(|| "127.0.0.1:0".to_owned(), |address| address.to_string());
        let child = Command::new(&self.program)
            .args(&self.arguments)
            .args(["--listen", &listen])
            .env_remove("RUST_LOG")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(append(&self.stderr)?)
            .spawn()
            .during(format!("starting {}", self.program.display()))?;
        running().insert(child.id());
        self.child = Some(child);
        Ok(())
    }

    fn wait(&mut self, limit: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + limit;
        let child = self.child.as_mut()?;
        loop {
            if let Ok(Some(status)) = child.try_wait() {
                forget(child.id());
                self.child = None;
                return Some(status);
            }
            if Instant::now() > deadline {
                return None;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Kills every server of this process, when there is no time left to drop them.
pub fn kill_all() {
    for id in std::mem::take(&mut *running()) {
        if let Some(pid) = i32::try_from(id).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

/// Polls until `done` gives a value or the time is over.
pub fn poll<T>(limit: Duration, what: &str, mut done: impl FnMut() -> Option<T>) -> Step<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(value) = done() {
            return Ok(value);
        }
        if Instant::now() > deadline {
            return Err(Failure::new(format!("waited {limit:?} for: {what}")));
        }
        thread::sleep(Duration::from_millis(10));
    }
}

fn running() -> std::sync::MutexGuard<'static, BTreeSet<u32>> {
    static RUNNING: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn forget(id: u32) {
    running().remove(&id);
}

fn append(path: &Path) -> Step<File> {
    OpenOptions::new().create(true).append(true).open(path).during(format!("opening {}", path.display()))
}

/// The first line of a process. The rest is read and dropped, so that it never writes into a closed pipe.
fn first_line(stdout: ChildStdout) -> mpsc::Receiver<String> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut reader = BufReader::new(stdout);
        let mut line = String::new();
        if reader.read_line(&mut line).is_ok_and(|read| read > 0) {
            let _ = send.send(line);
        }
        drop(send);
        let mut rest = [0; 4096];
        while matches!(reader.read(&mut rest), Ok(read) if read > 0) {}
    });
    receive
}

fn parse_listening(line: &str) -> Option<SocketAddr> {
    line.strip_prefix("listening on http://")?.strip_suffix('\n')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_one_line_says_that_a_server_serves() {
        for line in ["", "listening\n", "listening on http://127.0.0.1\n", "listening on http://127.0.0.1:80"] {
            assert_eq!(parse_listening(line), None, "{line:?}");
        }
        assert_eq!(parse_listening("listening on http://127.0.0.1:80\n"), "127.0.0.1:80".parse().ok());
    }

    #[test]
    fn a_process_that_ends_at_once_is_a_refusal_and_one_that_is_silent_is_not_waited_for_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Server::new("false", "/bin/false".into(), Vec::new(), folder.path().join("stderr"));
        let (status, _) = server.start_refused().unwrap();
        assert!(!status.success());
        assert!(server.start().unwrap_err().to_string().contains("did not serve"));
    }
}
