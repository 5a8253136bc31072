//! The hook: one run of a program for one event.
//!
//! | what | is |
//! |---|---|
//! | stdin | the event: one JSON object and a line feed, then end of file |
//! | `STELE_EVENT_ID`, `STELE_EVENT_KIND`, `STELE_EVENT_ATTEMPT`, `STELE_EVENT_LOG` | id, kind, 1 for the first try, origin or empty |
//! | `STELE_KEY`, `STELE_PASSPHRASE` | not there |
//! | folder | that of the config |
//! | stdout | not read |
//! | stderr | its beginning is in our message when it fails |
//! | exit 0 | delivered: the event is never sent again, but for a crash of ours before we wrote that down |
//! | any other end, or the timeout | not delivered: tried again after a while, doubling up to a limit, for ever |
//!
//! Events come one at a time, the oldest first. One that fails does not hold up those after it, unless three in a row fail:
//! then the round's deliveries end. After the timeout the program's whole process group is killed.

use std::io::{Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use stele_clock::duration::HumanDuration;
use stele_publish::{key, passphrase};

use crate::config::HookConfig;
use crate::event::Event;

/// How much of a failing hook's stderr is told.
const TOLD: u64 = 2_000;
/// How often a running hook is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// A hook that can be run.
#[derive(Debug, Clone)]
pub struct Hook {
    program: PathBuf,
    arguments: Vec<String>,
    folder: PathBuf,
    timeout: Duration,
    first_retry: HumanDuration,
    longest_retry: HumanDuration,
}

/// Why an event was not delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotDelivered(pub String);

impl Hook {
    /// The hook of a config in a folder; none if it names no program.
    pub fn of(config: &HookConfig, folder: &Path, warn: fn(&Path, &str)) -> Option<Self> {
        let (program, arguments) = config.command.split_first()?;
        let program = if program.contains('/') { absolute(&folder.join(program)) } else { PathBuf::from(program) };
        if program.is_absolute() {
            warn(&program, "what is run for each event");
        }
        Some(Self {
            program,
            arguments: arguments.to_vec(),
            folder: folder.to_owned(),
            timeout: Duration::from_secs(config.timeout.0),
            first_retry: config.first_retry,
            longest_retry: config.longest_retry,
        })
    }

    /// How long to wait after so many failures: doubled each time, up to the longest.
    pub fn pause(&self, failures: u32) -> u64 {
        let doubled = 1u64.checked_shl(failures.saturating_sub(1)).unwrap_or(u64::MAX);
        self.first_retry.0.saturating_mul(doubled).min(self.longest_retry.0)
    }

    /// Runs it for one event and waits.
    pub fn run(&self, event: &Event, attempt: u32) -> Result<(), NotDelivered> {
        let name = self.program.display();
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).current_dir(&self.folder).process_group(0);
        // What signs and what decrypts it is no hook's.
        command.env_remove(key::VARIABLE).env_remove(passphrase::VARIABLE);
        command.env("STELE_EVENT_ID", &event.id).env("STELE_EVENT_KIND", event.kind.word());
        command.env("STELE_EVENT_ATTEMPT", attempt.to_string());
        command.env("STELE_EVENT_LOG", event.log.as_deref().unwrap_or_default());
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| NotDelivered(format!("{name} cannot be started: {error}")))?;
        let mut document = serde_json::to_string(event).map_err(|error| NotDelivered(error.to_string()))?;
        document.push('\n');
        // A hook that does not read is no failure, and must not block us.
        let stdin = child.stdin.take();
        thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(document.as_bytes())));
        let stderr = child.stderr.take();
        let said = thread::spawn(move || {
            let mut text = Vec::new();
            if let Some(stderr) = stderr {
                let mut stderr = stderr.take(TOLD);
                let _ = stderr.read_to_end(&mut text);
                let _ = std::io::copy(&mut stderr.into_inner(), &mut std::io::sink());
            }
            String::from_utf8_lossy(&text).trim().replace('\n', "; ")
        });
        match wait(&mut child, self.timeout) {
            Ok(Some(status)) if status.success() => Ok(()),
            Ok(Some(status)) => {
                // What it left running may hold stderr open: then it is not waited for.
                let said =
                    if said.is_finished() || settled(&said) { said.join().unwrap_or_default() } else { String::new() };
                Err(NotDelivered(format!("{name} ended with {status}: {said}")))
            }
            Ok(None) => Err(NotDelivered(format!(
                "{name} took more than {} and was killed",
                HumanDuration(self.timeout.as_secs())
            ))),
            Err(error) => Err(NotDelivered(format!("{name} cannot be waited for: {error}"))),
        }
    }
}

impl std::fmt::Display for Hook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.program.display().fmt(f)
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Its end; none if it did not come in time and the group was killed.
fn wait(child: &mut Child, timeout: Duration) -> std::io::Result<Option<ExitStatus>> {
    let until = Instant::now() + timeout;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= until {
            let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(LOOK);
    }
}

fn settled<T>(thread: &thread::JoinHandle<T>) -> bool {
    (0..20).any(|_| {
        thread::sleep(LOOK);
        thread.is_finished()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Kind;
    use serde_json::json;

    fn hook(folder: &Path, script: &str, timeout: u64) -> Hook {
        let config = HookConfig {
            command: ["sh", "-c", script].map(str::to_owned).to_vec(),
            timeout: HumanDuration(timeout),
            first_retry: HumanDuration(2),
            longest_retry: HumanDuration(60),
            heartbeat: false,
        };
        Hook::of(&config, folder, |_, _| {}).unwrap()
    }

    fn event() -> Event {
        Event::new(Kind::Entry, &["x"], 5, Some("log.example"), "something".into(), json!({"position": 3}))
    }

    #[test]
    fn the_event_comes_on_stdin_and_what_it_is_in_the_environment() {
        let home = tempfile::tempdir().unwrap();
        let hook = hook(
            home.path(),
            "cat > got; echo $STELE_EVENT_KIND $STELE_EVENT_ATTEMPT $STELE_EVENT_LOG $STELE_EVENT_ID > env",
            10,
        );
        hook.run(&event(), 2).unwrap();
        let got = std::fs::read_to_string(home.path().join("got")).unwrap();
        assert_eq!(serde_json::from_str::<Event>(&got).unwrap(), event());
        let env = std::fs::read_to_string(home.path().join("env")).unwrap();
        assert_eq!(env, format!("entry 2 log.example {}\n", event().id));
    }

    #[test]
    fn a_failure_tells_its_status_and_its_words() {
        let home = tempfile::tempdir().unwrap();
        let NotDelivered(told) = hook(home.path(), "echo no room >&2; exit 3", 10).run(&event(), 1).unwrap_err();
        assert!(told.contains("3") && told.contains("no room"), "{told}");
        let missing = Hook { program: "/nonexistent/hook".into(), ..hook(home.path(), "", 1) };
        assert!(missing.run(&event(), 1).unwrap_err().0.contains("/nonexistent/hook"));
        // One that does not read its stdin is fine.
        hook(home.path(), "exit 0", 10).run(&event(), 1).unwrap();
    }

    #[test]
    fn one_that_hangs_is_killed_with_its_children() {
        let home = tempfile::tempdir().unwrap();
        let NotDelivered(told) = hook(home.path(), "(sleep 3; touch late) & sleep 60", 1).run(&event(), 1).unwrap_err();
        assert!(told.contains("killed"), "{told}");
        thread::sleep(Duration::from_millis(2_500));
        assert!(!home.path().join("late").exists());
    }

    #[test]
    fn the_pause_doubles_up_to_its_limit() {
        let home = tempfile::tempdir().unwrap();
        let hook = hook(home.path(), "", 1);
        assert_eq!([1, 2, 3, 5, 6, 70].map(|failures| hook.pause(failures)), [2, 4, 8, 32, 60, 60]);
    }
}
