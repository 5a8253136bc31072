//! Log, witness and monitor, each on a machine whose time of day jumps under the running process, far ahead and back, and is right again.

use crate::page::Page;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use stele_harness::binaries::Binary;
use stele_harness::command::{Told, finish};
use stele_harness::history::History;
use stele_harness::network::{Home, Network, ORIGIN};
use stele_harness::process::{Server, poll};
use stele_probe::failure::{During as _, Failure, Step};
use stele_samples::statements::Speaker;
use stele_spec::policy::{Policy, TrustedCheckpoint};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 365 * DAY;

/// How long a log whose clock is right again may take to be well.
const AGAIN: Duration = Duration::from_secs(15);

/// A log, its witness and a monitor of it, and what the log has published so far.
#[derive(Debug)]
pub struct Clocks {
    network: Network,
    log: Page,
    witness: Page,
    monitor: Page,
    preload: PathBuf,
    folder: PathBuf,
    next: u64,
    /// Size and time of the newest tree head.
    newest: (u64, u64),
}

impl Clocks {
    /// Everything runs, by clocks that are right.
    pub fn start(preload: &Path) -> Step<Self> {
        let mut network = Network::prepare(Home::temporary()?, 1, 1)?;
        let home = network.home().canonicalize().during("finding the network's folder")?;
        let page = |name: &str| Page::create(&home.join(name));
        let (log, witness, monitor) = (page("of-log")?, page("of-witness")?, page("of-monitor")?);
        // Submitters are refused soon while the witness signs nothing.
        let file = network.at("log/log.toml");
        let config = fs::read_to_string(&file).during("reading the log's config")?;
        fs::write(&file, format!("{config}\n[limits]\nquorum_seconds = 1\n")).during("writing the log's config")?;
        log.watch(&mut network.log, preload, &home)?;
        let server = network.witnesses.first_mut().ok_or_else(|| Failure::new("no witness"))?;
        witness.watch(server, preload, &home)?;
        network.start_witnesses()?;
        network.start_log()?;
        let folder = home.join("watcher");
        fs::create_dir_all(&folder).during("making a folder")?;
        let hook = "#!/bin/sh\n[ ! -e refuse ] || exit 1\ncat >> got && echo >> got\n";
        fs::write(folder.join("hook"), hook).during("writing the hook")?;
        fs::set_permissions(folder.join("hook"), fs::Permissions::from_mode(0o755)).during("writing the hook")?;
        let config = "policy = \"../policy\"\nstate = \"state\"\nheartbeat = \"heartbeat\"\n[watch]\neverything = true\n[alert]\nstale = \"1h\"\n\
                      [hook]\ncommand = [\"./hook\"]\nfirst_retry = \"1s\"\n";
        fs::write(folder.join("monitor.toml"), config).during("writing the config")?;
        let preload = preload.to_owned();
        let mut clocks = Self { network, log, witness, monitor, preload, folder, next: 1, newest: (0, 0) };
        clocks.publishes()?;
        Ok(clocks)
    }

    /// Submits a claim; the status of the answer.
    fn submit(&mut self) -> Step<u16> {
        let claim = Speaker::new(self.next)?.claim()?;
        self.next += 1;
        Ok(self.network.submit(claim.bytes())?.status)
    }

    /// A claim is taken, and the tree head with it is no older than any before.
    fn publishes(&mut self) -> Step {
        poll(AGAIN, "a claim that is taken", || match self.submit() {
            Ok(200) => Some(Ok(())),
            Ok(_) => None,
            Err(failure) => Some(Err(failure)),
        })??;
        let note = self.network.get("/checkpoint")?.expect(200)?.body;
        let policy = Policy::parse(self.network.policy().as_bytes()).during("reading the policy")?;
        let head = TrustedCheckpoint::parse(&note, &policy).during("verifying the checkpoint")?;
        let newest = (head.size(), head.time().map_or(0, |time| time.seconds()));
        let (size, time) = self.newest;
        if newest.0 <= size || newest.1 < time {
            return Err(Failure::new(format!("size and time {:?} are published, after {:?}", newest, self.newest)));
        }
        self.newest = newest;
        Ok(())
    }

    /// What the log says of itself.
    fn health(&self) -> Step<String> {
        Ok(self.network.get("/healthz")?.text())
    }

    fn says(&self, word: &str) -> Step {
        let health = self.health()?;
        if health.contains(word) { Ok(()) } else { Err(Failure::new(format!("expected {word:?} in {health}"))) }
    }

    /// A round of the monitor.
    fn round(&self) -> Step<Told> {
        let mut command = Command::new(Binary::Stele.path()?);
        command.args(["--json", "monitor"]).arg(self.folder.join("monitor.toml")).arg("--once");
        let state = self.folder.join("state");
        command.envs(self.monitor.environment(&self.preload, &state, false)?);
        finish(command, "stele monitor --once".into())
    }

    /// A round that covers everything that is published; these alerts and no others are raised.
    fn covers(&self, alerts: &[&str]) -> Step {
        let told = self.round()?.expect(0)?;
        let round = told.json()?;
        let heartbeat = fs::read(self.folder.join("heartbeat")).during("reading the heartbeat")?;
        let heartbeat: Value = serde_json::from_slice(&heartbeat).during("reading the heartbeat")?;
        let covered = heartbeat.get("logs").and_then(|logs| logs.get(ORIGIN)?.get("entries")?.as_u64());
        let waiting = round.get("waiting").and_then(Value::as_u64);
        let listed = round.get("alerts").and_then(Value::as_array).into_iter().flatten();
        let found: Vec<&str> = listed.filter_map(|alert| alert.get("alert")?.as_str()).collect();
        let expected: Vec<String> = alerts.iter().map(|alert| format!("{alert} {ORIGIN}")).collect();
        if (covered, waiting) == (Some(self.newest.0), Some(0)) && found == expected {
            return Ok(());
        }
        Err(told.failure(&format!("expected {} entries and {expected:?}", self.newest.0)))
    }

    /// The log's clock decides nothing: it takes statements, starts again, and says what is odd.
    pub fn of_the_log(&mut self) -> Step {
        for (offset, said) in [
            (-HOUR, "ahead of this machine's clock"),
            (-YEAR, "ahead of this machine's clock"),
            (DAY, "checkpoint-old"),
            (YEAR, "behind this machine's clock"),
        ] {
            self.log.set_clock(offset)?;
            self.publishes()?;
            self.says(said)?;
            self.network.log.stop()?;
            self.network.log.start()?;
            self.network.write_policy()?;
            self.publishes()?;
            self.says(said)?;
            self.log.set_clock(0)?;
            self.publishes()?;
            self.network.wait_until_well()?;
            if self.health()?.contains("this machine's clock") {
                return Err(self.network.log.failure("its clock is right, and it says that it is not"));
            }
        }
        Ok(())
    }

    /// While the witness's clock is wrong nothing is cosigned, hence nothing published, and the log says why. A clock that is less than a day ahead is
    /// believed: nothing is signed then until that time has come.
    pub fn of_the_witness(&mut self) -> Step {
        for (offset, said) in [
            (-HOUR, "the clock says"),
            (-YEAR, "the clock says"),
            (2 * DAY, "the clock says"),
            (YEAR, "the clock says"),
        ] {
            self.witness.set_clock(offset)?;
            self.is_refused(said)?;
            self.witness.set_clock(0)?;
            self.publishes()?;
            self.network.wait_until_well()?;
        }
        self.witness.set_clock(DAY - HOUR)?;
        self.publishes()?;
        self.says("ahead of this machine's clock")?;
        self.covers(&["clock"])?;
        self.witness.set_clock(0)?;
        self.is_refused("the clock says")?;
        self.witness.set_clock(DAY - HOUR)?;
        self.publishes()
    }

    fn is_refused(&mut self, said: &str) -> Step {
        let status = self.submit()?;
        if status != 503 {
            return Err(Failure::new(format!("expected 503 while nothing is cosigned, found {status}")));
        }
        self.says("quorum-missing")?;
        self.says(said)
    }

    /// A monitor reads everything whatever its clock says, tells what it cannot judge, and keeps nothing back once the clock is right.
    pub fn of_the_monitor(&mut self) -> Step {
        for (offset, alerts) in [(-HOUR, ["clock"]), (-YEAR, ["clock"]), (DAY, ["stale"]), (YEAR, ["stale"])] {
            self.publishes()?;
            self.covers(&[])?;
            self.monitor.set_clock(offset)?;
            self.publishes()?;
            self.covers(&alerts)?;
            // A hook that refuses is asked again later, and later is by this clock.
            let refuse = self.folder.join("refuse");
            fs::write(&refuse, "").during("writing a file")?;
            self.publishes()?;
            let told = self.round()?.expect(9)?;
            if told.json()?.get("error").and_then(Value::as_str) != Some("hook-failed") {
                return Err(told.failure("expected an event that waits"));
            }
            fs::remove_file(&refuse).during("removing a file")?;
            self.monitor.set_clock(0)?;
            self.covers(&[])?;
        }
        Ok(())
    }

    /// Nothing has panicked, and the log is one history.
    pub fn check(&mut self) -> Step {
        let history = History::of(self.network.log_address()?)?;
        if history.head.size < self.newest.0 {
            return Err(Failure::new(format!("{} entries of {}", history.head.size, self.newest.0)));
        }
        let servers = std::iter::once(&self.network.log).chain(&self.network.witnesses);
        let panicked = |server: &&Server| server.messages().contains("panicked");
        servers.into_iter().find(panicked).map_or(Ok(()), |server| Err(server.failure("it has panicked")))
    }
}
