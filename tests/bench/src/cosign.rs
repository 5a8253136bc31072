//! Durable cosignatures a second: one log that grows, then a thousand, at a witness that knows nothing of being measured.
//!
//! A request is `add-checkpoint` of c2sp.org/tlog-witness with a consistency proof; its answer counts when it is a cosignature that
//! verifies. Bodies are made before the clock starts. The same load goes to every witness of one invocation, one after the other
//! in each run, and what a witness weighs is what the kernel says of its process.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use stele_spec::checkpoint::{Checkpoint, sign_checkpoint};
use stele_spec::cosignature::verify_cosignature;
use stele_spec::merkle::{MemoryTree, leaf_hash, prove_consistency, root_at};
use stele_spec::note::{KeyType, NoteSignature, SignerKey, VerifierKey};
use stele_spec::text::to_base64;

use super::figure::{Figure, quantile};
use super::line::Line;
use stele_harness::binaries::Binary;
use stele_harness::command;
use stele_harness::network::path;
use stele_harness::process::Server;
use stele_probe::failure::{During, Failure, Step};

/// How often everything is measured.
const RUNS: usize = 3;
/// Logs of the wide load.
const LOGS: usize = 1_000;
/// Requests of one log in a run of the narrow load, and of each log in a run of the wide one.
const STEPS: [u64; 2] = [400, 4];
/// Connections of the wide load: each has its share of the logs.
const CONNECTIONS: usize = 64;
/// How often a witness may say that it is busy, and what is waited for then.
const MAX_TRIES: usize = 5_000;
const AGAIN: Duration = Duration::from_millis(2);
/// A thread of the load needs no more.
const STACK: usize = 256 * 1024;

/// A witness that runs, twice: once for one log, once for a thousand.
#[derive(Debug, Clone)]
pub struct Measured {
    /// What it is called in the table.
    pub name: String,
    /// The one that has the first of [`logs`] alone.
    pub narrow: Instance,
    /// The one that has all.
    pub wide: Instance,
}

/// A process.
#[derive(Debug, Clone)]
pub struct Instance {
    /// Its verifier keys: an answer has a line of each that verifies.
    pub vkeys: Vec<VerifierKey>,
    /// Where it serves.
    pub address: SocketAddr,
    /// For its memory.
    pub pid: u32,
}

impl Measured {
    /// Reads `NAME;ADDRESS@PID,VKEY[,VKEY];ADDRESS@PID,VKEY[,VKEY]`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(';');
        let (name, narrow, wide) = (parts.next()?, Instance::parse(parts.next()?)?, Instance::parse(parts.next()?)?);
        parts.next().is_none().then(|| Self { name: name.to_owned(), narrow, wide })
    }
}

impl Instance {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(',');
        let (address, pid) = parts.next()?.split_once('@')?;
        let vkeys: Vec<VerifierKey> = parts.map(|vkey| vkey.parse().ok()).collect::<Option<_>>()?;
        let (address, pid) = (address.parse().ok()?, pid.parse().ok()?);
        (!vkeys.is_empty()).then_some(Self { vkeys, address, pid })
    }
}

/// The logs of the load, as witnesses are told of them: origin (which is the key's name) and verifier key.
pub fn logs() -> Step<Vec<(String, String)>> {
    (0..LOGS)
        .map(|number| log(number).map(|key| (key.verifier().name().to_string(), key.verifier().to_string())))
        .collect()
}

/// Our witness, with both kinds of keys and with Ed25519 alone, beside those that run already.
pub fn cosigning(scratch: &Path, beside: &[Measured]) -> Step<Vec<Figure>> {
    let mut ours = Ours::start_all(&scratch.join("cosigning"))?;
    let mut all: Vec<Measured> = ours.iter().map(|ours| ours.measured.clone()).collect();
    all.extend_from_slice(beside);
    let tree = Tree::new(RUNS as u64 * STEPS.iter().max().copied().unwrap_or_default());
    let keys: Vec<SignerKey> = (0..LOGS).map(log).collect::<Step<_>>()?;
    let one = keys.get(..1).unwrap_or_default();
    let mut measured: BTreeMap<(usize, usize), Vec<Load>> = BTreeMap::new();
    for run in 0..RUNS as u64 {
        for (number, logs) in [one, &keys[..]].into_iter().enumerate() {
            let steps = STEPS.get(number).copied().unwrap_or_default();
            let bodies = tree.bodies(logs, run * steps, (run + 1) * steps)?;
            for (place, witness) in all.iter().enumerate() {
                let instance = if number == 0 { &witness.narrow } else { &witness.wide };
                let load = Load::run(instance.address, &bodies)?.verified(&bodies, &instance.vkeys)?;
                measured.entry((number, place)).or_default().push(load);
            }
        }
    }
    let mut figures = Vec::new();
    for ((number, place), runs) in &measured {
        let Some(witness) = all.get(*place) else { continue };
        let logs = if *number == 0 { "one log" } else { "1,000 logs" };
        let figure = |what: &str, unit, take: &dyn Fn(&Load) -> f64| {
            Figure::new(format!("{}, {logs}: {what}", witness.name), unit, runs.iter().map(take).collect())
        };
        figures.push(figure("durable cosignatures", "per second", &Load::per_second));
        figures.push(figure("p50", "ms", &|load| quantile(&load.times, 0.5)));
        figures.push(figure("p99", "ms", &|load| quantile(&load.times, 0.99)));
    }
    for witness in &all {
        let (narrow, wide) = (resident(witness.narrow.pid)?, resident(witness.wide.pid)?);
        let per_log = (wide - narrow) / (LOGS as f64 - 1.0);
        figures.push(Figure::new(format!("{}: memory with one log", witness.name), "MiB", vec![narrow / 1024.0]));
        figures.push(Figure::new(format!("{}: memory for each further log", witness.name), "KiB", vec![per_log]));
    }
    for ours in &mut ours {
        ours.stop()?;
    }
    Ok(figures)
}

/// Two processes of our own.
struct Ours {
    measured: Measured,
    servers: [Server; 2],
}

impl Ours {
    fn start_all(folder: &Path) -> Step<Vec<Self>> {
        [("stele-witness, Ed25519 and ML-DSA-44", true), ("stele-witness, Ed25519 alone", false)]
            .into_iter()
            .map(|(name, quantum)| Self::start(&folder.join(if quantum { "both" } else { "one" }), name, quantum))
            .collect()
    }

    fn start(folder: &Path, name: &str, quantum: bool) -> Step<Self> {
        fs::create_dir_all(folder).during("making a folder")?;
        let logs = logs()?;
        let start = |name: &str, logs: &[(String, String)]| {
            let home = folder.join(name);
            command::run(Binary::Witness, ["init", path(&home)?, "--name", "bench.example/w"])?.expect(0)?;
            if !quantum {
                let config = home.join("witness.toml");
                let text = fs::read_to_string(&config).during("reading a config")?;
                let kept = text.lines().filter(|line| !line.starts_with("key_mldsa")).map(|line| format!("{line}\n"));
                fs::write(&config, kept.collect::<String>()).during("writing a config")?;
            }
            let list: String = logs.iter().map(|(_, vkey)| format!("vkey {vkey}\n")).collect();
            let file = home.join("logs.list");
            fs::write(&file, format!("logs/v0\n{list}")).during("writing a list of logs")?;
            command::run(Binary::Witness, ["logs", "pull", path(&home)?, "--from", path(&file)?])?.expect(0)?;
            let about = command::run(Binary::Witness, ["about", path(&home)?, "--json"])?.expect(0)?.json()?;
            let vkeys = about.get("vkeys").and_then(|vkeys| vkeys.as_array()).cloned().unwrap_or_default();
            let vkeys = vkeys.iter().filter_map(|vkey| vkey.as_str()?.parse().ok()).collect();
            let arguments = ["run", path(&home)?].map(Into::into).to_vec();
            let mut server = Server::new("a witness", Binary::Witness.path()?, arguments, home.join("stderr"));
            server.start()?;
            let instance = Instance { vkeys, address: server.address()?, pid: server.pid()? };
            Ok::<_, Failure>((server, instance))
        };
        let ((first, narrow), (second, wide)) =
            (start("narrow", logs.get(..1).unwrap_or_default())?, start("wide", &logs)?);
        Ok(Self { measured: Measured { name: name.to_owned(), narrow, wide }, servers: [first, second] })
    }

    fn stop(&mut self) -> Step {
        self.servers.iter_mut().try_for_each(Server::stop)
    }
}

/// The tree that every log of the load has: the keys and origins differ.
struct Tree(MemoryTree);

/// One request, and what is needed to verify its answer.
struct Body {
    text: String,
    bytes: Vec<u8>,
}

impl Tree {
    fn new(size: u64) -> Self {
        let mut tree = MemoryTree::new();
        (0..=size).for_each(|number| tree.push(leaf_hash(&number.to_be_bytes())));
        Self(tree)
    }

    /// For each log the requests from each size to the next.
    fn bodies(&self, logs: &[SignerKey], from: u64, to: u64) -> Step<Vec<Vec<Body>>> {
        logs.iter().map(|key| (from..to).map(|size| self.body(key, size)).collect()).collect()
    }

    fn body(&self, key: &SignerKey, old: u64) -> Step<Body> {
        let root = root_at(&self.0, old + 1).during("hashing a tree")?;
        let origin = key.verifier().name().to_string().parse().during("naming a log")?;
        let note = sign_checkpoint(&Checkpoint::new(origin, old + 1, root), key).during("signing a tree head")?;
        let mut text = format!("old {old}\n");
        if old > 0 {
            let proof = prove_consistency(&self.0, old, old + 1).during("proving growth")?;
            for hash in proof.path() {
                let _ = writeln!(text, "{}", to_base64(hash.as_bytes()));
            }
        }
        let bytes = [text.as_bytes(), b"\n", &note.to_bytes()].concat();
        Ok(Body { text: note.text().to_owned(), bytes })
    }
}

fn log(number: usize) -> Step<SignerKey> {
    let mut seed = [7; 32];
    for (to, from) in seed.iter_mut().zip((number as u64).to_be_bytes()) {
        *to = from;
    }
    let name = format!("bench.example/{number}").parse().during("naming a log")?;
    Ok(SignerKey::new(name, KeyType::Log, seed))
}

/// One run of one load.
struct Load {
    took: Duration,
    /// Of each request, in milliseconds.
    times: Vec<f64>,
    /// By log and step.
    answers: Vec<Vec<Vec<u8>>>,
}

impl Load {
    fn per_second(&self) -> f64 {
        self.times.len() as f64 / self.took.as_secs_f64()
    }

    /// Each connection has its share of the logs, and asks for each of them in turn.
    fn run(witness: SocketAddr, bodies: &[Vec<Body>]) -> Step<Self> {
        let connections = CONNECTIONS.min(bodies.len());
        let ready = Barrier::new(connections + 1);
        thread::scope(|scope| {
            let threads: Vec<_> = (0..connections)
                .map(|number| {
                    let ready = &ready;
                    thread::Builder::new().stack_size(STACK).spawn_scoped(scope, move || {
                        let line = Line::open(witness);
                        ready.wait();
                        let mut line = line?;
                        let (mut times, mut answers) = (Vec::new(), Vec::new());
                        let mine: Vec<&Vec<Body>> = bodies.iter().skip(number).step_by(connections).collect();
                        for step in 0..mine.first().map_or(0, |steps| steps.len()) {
                            for log in &mine {
                                let Some(body) = log.get(step) else { continue };
                                let started = Instant::now();
                                let answer = asked(&mut line, &body.bytes)?;
                                times.push(started.elapsed().as_secs_f64() * 1e3);
                                answers.push(answer);
                            }
                        }
                        Ok::<_, Failure>((number, times, answers))
                    })
                })
                .collect::<Result<_, _>>()
                .during("starting the load")?;
            ready.wait();
            let started = Instant::now();
            let mut load =
                Self { took: Duration::ZERO, times: Vec::new(), answers: bodies.iter().map(|_| Vec::new()).collect() };
            let mut told = Vec::new();
            for thread in threads {
                told.push(thread.join().map_err(|_| Failure::new("a thread of the load failed"))??);
            }
            load.took = started.elapsed();
            for (number, times, answers) in told {
                load.times.extend(times);
                let places: Vec<usize> = (number..bodies.len()).step_by(connections).collect();
                for (answer, place) in answers.into_iter().zip(places.iter().cycle()) {
                    if let Some(log) = load.answers.get_mut(*place) {
                        log.push(answer);
                    }
                }
            }
            Ok(load)
        })
    }

    /// Verifies a line of every key in every answer, and forgets them.
    fn verified(mut self, bodies: &[Vec<Body>], keys: &[VerifierKey]) -> Step<Self> {
        for (log, answers) in bodies.iter().zip(std::mem::take(&mut self.answers)) {
            if log.len() != answers.len() {
                return Err(Failure::new(format!("{} of {} requests were answered", answers.len(), log.len())));
            }
            for (body, answer) in log.iter().zip(answers) {
                let answer = String::from_utf8_lossy(&answer);
                let lines: Vec<NoteSignature> =
                    answer.split_inclusive('\n').filter_map(|line| NoteSignature::parse_line(line).ok()).collect();
                let signed =
                    |key: &VerifierKey| lines.iter().any(|line| verify_cosignature(&body.text, line, key).is_ok());
                if !keys.iter().all(signed) {
                    let found = lines.len();
                    return Err(Failure::new(format!("expected a cosignature of each key, found {found} lines")));
                }
            }
        }
        Ok(self)
    }
}

/// Asks until it is answered: omniwitness says 429 while its database is busy, and the load comes again at once.
fn asked(line: &mut Line, body: &[u8]) -> Step<Vec<u8>> {
    for _ in 0..MAX_TRIES {
        match line.ask("/add-checkpoint", "text/plain", "*/*", body)? {
            (429, _) => thread::sleep(AGAIN),
            (200, answer) => return Ok(answer),
            (status, said) => {
                let said = String::from_utf8_lossy(&said).into_owned();
                return Err(Failure::new(format!("expected status 200, found {status}: {said}")));
            }
        }
    }
    Err(Failure::new(format!("429 after {MAX_TRIES} tries")))
}

/// What the kernel keeps in memory for a process, in KiB.
fn resident(pid: u32) -> Step<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).during("reading the size of a process")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().during("reading the size of a process")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_witness_beside_is_read_and_nonsense_is_not() {
        let vkey = log(0).unwrap().verifier().to_string();
        let good = format!("other;127.0.0.1:1@2,{vkey};127.0.0.1:3@4,{vkey},{vkey}");
        let read = Measured::parse(&good).unwrap();
        assert_eq!((read.name.as_str(), read.narrow.pid, read.wide.address.port()), ("other", 2, 3));
        assert_eq!((read.narrow.vkeys.len(), read.wide.vkeys.len()), (1, 2));
        for bad in ["", "other", &good.replace('@', "-"), &good.replace(&vkey, "vkey"), &format!("{good};")] {
            assert!(Measured::parse(bad).is_none(), "{bad}");
        }
    }
}
