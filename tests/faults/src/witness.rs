//! A witness with a mirror: a cosignature and the copy that follows it, a start after a kill, a stop.

use crate::page::Page;
use crate::point::{Outcome, Point, points_of};
use crate::subject::{Subject, Survived, ended};
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;
use stele_harness::binaries::Binary;
use stele_harness::command::run;
use stele_harness::history::{Head, History};
use stele_harness::network::{Home, Network, ORIGIN, path};
use stele_harness::process::{Server, poll};
use stele_probe::failure::{During as _, Failure, Step};
use stele_probe::http::{self, Answer};
use stele_samples::statements::Speaker;
use stele_spec::checkpoint::{Checkpoint, Origin, sign_checkpoint};
use stele_spec::cosignature::verify_cosignature;
use stele_spec::hash::RootHash;
use stele_spec::note::{NoteSignature, SignedNote, SignerKey, VerifierKey};

/// The work in which a witness is struck.
pub const WORK: [&str; 3] = ["cosign", "start", "stop"];

/// In seconds: back by more than any correction, and ahead by more than a witness believes (a day).
const HOUR: i64 = 3600;
const DAY: i64 = 86_400;

/// How long a point may take to be met: the mirror asks once a second.
const MEETS: Duration = Duration::from_secs(4);

/// How long no call may have been made until the work counts as done.
const QUIET: Duration = Duration::from_millis(1500);

/// How long a witness may take to cosign again by itself.
const AGAIN: Duration = Duration::from_secs(10);

/// How long the mirror may take to have what is published.
const SOON: Duration = Duration::from_secs(60);

/// A witness, the log that needs it, and everything that it cosigned as far as anybody saw.
#[derive(Debug)]
pub struct Witness {
    network: Network,
    page: Page,
    origin: Origin,
    log_key: SignerKey,
    vkey: VerifierKey,
    next: u64,
    heads: Vec<Head>,
    newest_time: u64,
}

impl Witness {
    /// A log, and its one witness, which mirrors it.
    pub fn start(preload: &Path) -> Step<Self> {
        let mut network = Network::prepare(Home::temporary()?, 1, 1)?;
        let page = Page::create(&network.at("page"))?;
        // Submitters are refused soon while the witness is away.
        let file = network.at("log/log.toml");
        let config = fs::read_to_string(&file).during("reading the log's config")?;
        fs::write(&file, format!("{config}\n[limits]\nquorum_seconds = 1\n")).during("writing the log's config")?;
        network.start_witnesses()?;
        network.start_log()?;
        let folder = network.at("witness-1").canonicalize().during("finding the witness's folder")?;
        let config = path(&folder)?.to_owned();
        // The log's address is known only now that it runs.
        let file = folder.join("witness.toml");
        let text = fs::read_to_string(&file).during("reading the witness's config")?;
        let pull = format!("[[log]]\npull = \"http://{}\"\npull_seconds = 1\n", network.log_address()?);
        fs::write(&file, text.replacen("[[log]]\n", &pull, 1)).during("writing the witness's config")?;
        run(Binary::Witness, ["mirror", "init", &config, "--name", "mirror.example/m1"])?.expect(0)?;
        run(Binary::Witness, ["mirror", "add", &config, ORIGIN])?.expect(0)?;
        let log_key = fs::read_to_string(network.at("log/log.key")).during("reading the log's key")?;
        let log_key = SignerKey::from_secret_string(log_key.trim_end()).during("reading the log's key")?;
        let vkey = network.witness_vkeys().first().cloned().unwrap_or_default();
        let vkey = vkey.parse().during("reading a verifier key")?;
        let origin = ORIGIN.parse().during("reading an origin")?;
        let mut witness = Self { network, page, origin, log_key, vkey, next: 1, heads: Vec::new(), newest_time: 0 };
        witness.server()?.stop()?;
        let page = &witness.page;
        let server = witness.network.witnesses.first_mut().ok_or_else(|| Failure::new("no witness"))?;
        page.watch(server, preload, &folder)?;
        server.start()?;
        witness.goes_on()?;
        witness.check()?;
        Ok(witness)
    }

    fn server(&mut self) -> Step<&mut Server> {
        self.network.witnesses.first_mut().ok_or_else(|| Failure::new("no witness"))
    }

    /// Submits a claim; whether the log has a cosignature for it.
    fn submit(&mut self) -> Step<bool> {
        let claim = Speaker::new(self.next)?.claim()?;
        self.next += 1;
        let answer = self.network.submit(claim.bytes());
        self.observe()?;
        Ok(answer.is_ok_and(|answer| answer.status == 200))
    }

    /// Submits until one is taken.
    fn goes_on(&mut self) -> Step {
        poll(AGAIN, "a cosignature", || {
            self.submit().map_or_else(|error| Some(Err(error)), |taken| taken.then_some(Ok(())))
        })?
    }

    /// Looks at what the log published and what the witness and its mirror show: no time goes back.
    fn observe(&mut self) -> Step {
        let hash = self.origin.digest();
        let shown = format!("/{hash}/checkpoint");
        let (log, witness) = (self.network.log_address()?, self.server()?.address()?);
        let seen = [http::get(log, "/checkpoint"), http::get(witness, &shown)];
        for answer in seen.into_iter().flatten().filter(|answer| answer.status == 200) {
            let head = Head::parse(&answer.text())?;
            if !self.heads.iter().any(|known| (known.size, known.root) == (head.size, head.root)) {
                self.heads.push(head);
            }
            let note = SignedNote::parse(&answer.body).during("reading a checkpoint")?;
            let line = note.signatures().iter().find(|line| self.vkey.is_meant_by(line));
            let Some(line) = line else { continue };
            let time = verify_cosignature(note.text(), line, &self.vkey).during("verifying a cosignature")?;
            self.newest_time = self.newest_time.max(time.map_or(0, |time| time.seconds()));
        }
        Ok(())
    }

    /// A witness that runs.
    fn ready(&mut self) -> Step {
        if self.server()?.is_running() { Ok(()) } else { self.server()?.start() }
    }

    fn prepare(&mut self, work: &'static str) -> Step {
        self.ready()?;
        if work == "start" {
            self.goes_on()?;
            // What is settled later is not yet.
            self.server()?.kill();
        }
        Ok(())
    }

    /// Does the work; an ending that the work itself makes is told.
    fn work(&mut self, work: &'static str) -> Step {
        match work {
            "start" => {
                let _ = self.server()?.start();
            }
            "stop" => {
                // What keeps it from stopping well is what is looked at.
                let _ = self.server()?.stop();
                return Ok(());
            }
            _ => {}
        }
        self.submit().map(drop)
    }

    /// Everything that the witness ever cosigned is of one history, it cosigns no other, and the mirror has all of it.
    fn check(&mut self) -> Step {
        self.observe()?;
        let history = History::of(self.network.log_address()?)?;
        self.heads.iter().try_for_each(|head| history.check(head))?;
        let size = history.head.size;
        for (old, fork) in [(size, size), (size, size + 3)] {
            let other = Checkpoint::new(self.origin.clone(), fork, RootHash::from_bytes([9; 32]));
            let note = sign_checkpoint(&other, &self.log_key).during("signing a fork")?;
            let body = format!("old {old}\n\n{note}").into_bytes();
            let answer = http::post(self.server()?.address()?, "/add-checkpoint", "text/plain", &body)?;
            if answer.status == 200 {
                return Err(Failure::new(format!(
                    "FORK: it cosigned another tree of {fork} entries: {}",
                    answer.text()
                )));
            }
        }
        // Cosigned once more, so that the time is one of now.
        self.renew(&history.head)?.expect(200)?;
        self.mirrored(size)?;
        let folder = self.network.at("witness-1");
        run(Binary::Witness, ["mirror", "verify", path(&folder)?])?.expect(0).map(drop)
    }

    /// Has the witness cosign the newest tree head once more, as the log does to keep it young. A time that goes back is an error.
    fn renew(&mut self, head: &Head) -> Step<Answer> {
        let note = own_lines(&head.note, &self.log_key.verifier())?;
        let body = format!("old {}\n\n{note}", head.size).into_bytes();
        let answer = http::post(self.server()?.address()?, "/add-checkpoint", "text/plain", &body)?;
        if answer.status != 200 {
            return Ok(answer);
        }
        let lines = answer.text().split_inclusive('\n').map(NoteSignature::parse_line).collect::<Result<Vec<_>, _>>();
        let lines = lines.during("reading cosignatures")?;
        let line = lines.into_iter().find(|line| self.vkey.is_meant_by(line));
        let line = line.ok_or_else(|| Failure::new(format!("no cosignature in {}", answer.text())))?;
        let time = verify_cosignature(note.text(), &line, &self.vkey).during("verifying a cosignature")?;
        let (time, before) = (time.map_or(0, |time| time.seconds()), self.newest_time);
        if time < before {
            return Err(Failure::new(format!("it cosigned at {time} what it had cosigned at {before}")));
        }
        self.newest_time = time;
        Ok(answer)
    }

    /// The wall clock jumps under the running process: while it is wrong nothing is cosigned, and once it is right again the witness goes on.
    pub fn clock_jumps(&mut self) -> Step {
        for offset in [-HOUR, 2 * DAY] {
            let head = Head::of(self.network.log_address()?)?.ok_or_else(|| Failure::new("nothing is published"))?;
            self.renew(&head)?.expect(200)?;
            self.page.set_clock(offset)?;
            self.renew(&head)?.expect(503)?;
            self.page.set_clock(0)?;
            self.renew(&head)?.expect(200)?;
        }
        self.goes_on()?;
        self.check()
    }

    /// Waits for the mirror.
    fn mirrored(&mut self, size: u64) -> Step {
        let (address, page) = (self.server()?.address()?, format!("/mirror/{}/checkpoint", self.origin.digest()));
        let there = || {
            let answer = http::get(address, &page).ok().filter(|answer| answer.status == 200)?;
            Head::parse(&answer.text()).ok().filter(|head| head.size >= size)
        };
        let head = poll(SOON, &format!("a mirror of {size} entries"), there);
        let head = head.map_err(|failure| match self.server() {
            Ok(server) => server.failure(&failure.to_string()),
            Err(_) => failure,
        })?;
        self.heads.push(head);
        Ok(())
    }
}

impl Subject for Witness {
    fn points(&mut self, work: &'static str) -> Step<Vec<Point>> {
        self.prepare(work)?;
        thread::sleep(QUIET);
        self.page.begin_trace()?;
        self.work(work)?;
        let mut before = 0;
        loop {
            thread::sleep(QUIET);
            let now = self.page.traced()?.len();
            if now == before {
                return points_of(&self.page.end_trace()?);
            }
            before = now;
        }
    }

    fn strike(&mut self, work: &'static str, point: &Point, outcome: Outcome) -> Step<Survived> {
        self.prepare(work)?;
        self.page.arm(point, outcome)?;
        self.work(work)?;
        let met = poll(MEETS, "the call", || self.page.has_struck().unwrap_or(true).then_some(())).is_ok();
        let survived = match (met, outcome.kills(), work) {
            (false, _, _) => Survived::NotMet,
            (true, true, _) => {
                // A server that was waited for has ended.
                if self.server()?.is_running() {
                    self.server()?.wait_for_end()?;
                }
                Survived::StartedAgain
            }
            (true, false, "stop") => Survived::WentOn,
            (true, false, _) if self.server()?.is_running() => Survived::WentOn,
            (true, false, _) => ended(self.server()?)?,
        };
        self.page.disarm()?;
        self.ready()?;
        let survived = match self.goes_on() {
            Ok(()) => survived,
            Err(_) => {
                let health = http::get(self.server()?.address()?, "/healthz")?;
                if health.status == 200 {
                    return Err(self.server()?.failure("it says that it is well, and does not cosign"));
                }
                self.server()?.stop()?;
                self.ready()?;
                self.goes_on()?;
                Survived::Stopped(health.text())
            }
        };
        self.check()?;
        Ok(survived)
    }
}

/// A checkpoint with the lines of its log alone.
fn own_lines(note: &str, log: &VerifierKey) -> Step<SignedNote> {
    let note = SignedNote::parse(note.as_bytes()).during("reading a checkpoint")?;
    let own = note.signatures().iter().filter(|line| log.is_meant_by(line)).cloned().collect();
    SignedNote::new(note.text().to_owned(), own).during("reading a checkpoint")
}
