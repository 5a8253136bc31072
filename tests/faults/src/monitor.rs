//! `stele monitor`: one round, with an event that goes to a hook.

use crate::page::Page;
use crate::point::{Outcome, Point, points_of};
use crate::subject::{CODES, Subject, Survived};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;
use stele_harness::binaries::Binary;
use stele_harness::command::{Told, finish};
use stele_harness::network::Network;
use stele_probe::failure::{During as _, Failure, Step};
use stele_samples::statements::Speaker;

/// The work in which a monitor is struck.
pub const WORK: [&str; 2] = ["first round", "round"];

/// How often a round is repeated that has something to say later, with a pause in between.
const TRIES: (u32, Duration) = (20, Duration::from_millis(300));

/// A log, a monitor that reports every entry of it, and what it has to report.
#[derive(Debug)]
pub struct Monitor {
    network: Network,
    page: Page,
    preload: PathBuf,
    folder: PathBuf,
    next: u64,
    expected: BTreeSet<u64>,
}

impl Monitor {
    /// A log with one entry, and a monitor that was never run.
    pub fn start(preload: &Path) -> Step<Self> {
        let network = Network::start(1, 1)?;
        let home = network.home().canonicalize().during("finding the network's folder")?;
        let (page, folder) = (Page::create(&home.join("page"))?, home.join("watcher"));
        fs::create_dir_all(&folder).during("making a folder")?;
        let hook = folder.join("hook");
        fs::write(&hook, "#!/bin/sh\ncat > event.$$ && cat event.$$ >> got && echo >> got && rm event.$$\n")
            .during("writing the hook")?;
        fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).during("writing the hook")?;
        let config = "policy = \"../policy\"\nstate = \"state\"\nheartbeat = \"heartbeat\"\nstart = \"beginning\"\n\
                      [watch]\neverything = true\n[hook]\ncommand = [\"./hook\"]\nfirst_retry = \"1s\"\n";
        fs::write(folder.join("monitor.toml"), config).during("writing the config")?;
        let preload = preload.to_owned();
        Ok(Self { network, page, preload, folder, next: 1, expected: BTreeSet::new() })
    }

    /// One more entry that is to be reported.
    fn claim(&mut self) -> Step {
        let position = self.network.accepted(Speaker::new(self.next)?.claim()?.bytes())?;
        self.next += 1;
        self.expected.insert(position);
        Ok(())
    }

    /// One round. The hook is another program, which must be able to read itself: reads are not struck here.
    fn once(&self) -> Step<Told> {
        let mut command = Command::new(Binary::Stele.path()?);
        command.args(["--json", "monitor"]).arg(self.folder.join("monitor.toml")).arg("--once");
        command
            .env("XDG_STATE_HOME", "/dev/null")
            .env("XDG_CONFIG_HOME", "/dev/null")
            .env("XDG_CACHE_HOME", "/dev/null");
        command.envs(self.page.environment(&self.preload, &self.folder.join("state"), false)?);
        finish(command, "stele monitor --once".into())
    }

    /// The positions that were reported.
    fn got(&self) -> Step<BTreeSet<u64>> {
        let text = fs::read_to_string(self.folder.join("got")).unwrap_or_default();
        let mut got = BTreeSet::new();
        for line in text.lines().filter(|line| !line.is_empty()) {
            let event: Value = serde_json::from_str(line).during(format!("reading an event: {line}"))?;
            got.extend(event.get("details").and_then(|details| details.get("position")).and_then(Value::as_u64));
        }
        Ok(got)
    }

    /// Nothing is missing of what was to be reported.
    fn check(&self, told: &Told) -> Step {
        let got = self.got()?;
        match self.expected.iter().find(|position| !got.contains(position)) {
            None => Ok(()),
            Some(position) => {
                Err(told.failure(&format!("NOT REPORTED: entry {position}, though it says that all is well")))
            }
        }
    }

    fn prepare(&mut self, work: &'static str) -> Step {
        if work == "first round" {
            for name in ["state", "got"] {
                let path = self.folder.join(name);
                if path.is_dir() {
                    fs::remove_dir_all(&path).during("removing the state")?;
                } else if path.exists() {
                    fs::remove_file(&path).during("removing what was reported")?;
                }
            }
        } else if !self.folder.join("state").exists() {
            self.goes_on()?;
        }
        self.claim()
    }

    /// Rounds until one says that all is well.
    fn goes_on(&self) -> Step<Told> {
        let (tries, pause) = TRIES;
        let mut told = self.once()?;
        for _ in 0..tries {
            if told.code == Some(0) {
                return Ok(told);
            }
            sleep(pause);
            told = self.once()?;
        }
        Err(told.failure("it does not recover"))
    }
}

impl Subject for Monitor {
    fn points(&mut self, work: &'static str) -> Step<Vec<Point>> {
        self.prepare(work)?;
        self.page.begin_trace()?;
        self.once()?.expect(0)?;
        points_of(&self.page.end_trace()?)
    }

    fn strike(&mut self, work: &'static str, point: &Point, outcome: Outcome) -> Step<Survived> {
        self.prepare(work)?;
        self.page.arm(point, outcome)?;
        let told = self.once()?;
        let met = self.page.has_struck()?;
        self.page.disarm()?;
        let survived = match told.code {
            _ if !met => Survived::NotMet,
            None if outcome.kills() => Survived::StartedAgain,
            Some(0) => {
                self.check(&told)?;
                Survived::WentOn
            }
            Some(code) if CODES.contains(&code) => {
                // A document with the code, the sentence and what to do.
                let error = told.json()?;
                if error.get("error").and_then(Value::as_str).is_none() {
                    return Err(Failure::new(format!("an error without a code: {error}")));
                }
                Survived::Ended(code)
            }
            _ => return Err(told.failure("expected an exit code of ours")),
        };
        let told = self.goes_on()?;
        self.check(&told)?;
        Ok(survived)
    }
}
