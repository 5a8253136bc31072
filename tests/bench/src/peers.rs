//! Other logs under the same load in one run: Tessera in files and siglog, each installed from its package registry.
//!
//! They are given the bytes of our statements and check nothing in them. What an answer means differs, so each row says it.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::figure::Figure;
use super::line::Line;
use super::load::{Load, Request};
use super::memory::high_water;
use super::submit::{self, Manifests, Prepared};
use stele_harness::binaries::Binary;
use stele_harness::command::run;
use stele_harness::process::poll;
use stele_probe::failure::{During, Failure, Step};
use stele_probe::http;
use stele_samples::supply::Supply;

/// Go's name of Tessera's server in files, as its own conformance tests start it, with its version.
const TESSERA: &str = "github.com/transparency-dev/tessera/cmd/conformance/posix@v1.0.4";

/// The version of the crate `siglog`.
const SIGLOG: &str = "0.1.0";

/// How often every log is loaded, one after another.
const RUNS: usize = 5;

/// Entries of one run, and connections.
const ENTRIES: usize = 8_000;
const CONNECTIONS: usize = 256;

/// How long a log may take until it serves.
const START: Duration = Duration::from_secs(30);

/// A log of others.
struct Peer {
    /// Its name with its version, and what is so when it answers.
    name: &'static str,
    answers: &'static str,
    /// The name of its process.
    program: &'static str,
    address: SocketAddr,
    process: Child,
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The bytes of a statement, as an entry of a log that asks nothing of them.
struct Raw(Vec<u8>);

impl Request for Raw {
    fn send(&self, line: &mut Line) -> Step<Vec<u8>> {
        line.post("/add", "application/octet-stream", "*/*", &self.0)
    }
}

/// What was measured of one log.
#[derive(Default)]
struct Measured {
    rates: Vec<f64>,
    p50: Vec<f64>,
    p99: Vec<f64>,
    processor: Vec<f64>,
    memory: Vec<f64>,
}

impl Measured {
    fn take(&mut self, load: &Load, program: &str, process: u32) {
        self.rates.push(load.per_second());
        self.p50.push(load.time(0.5));
        self.p99.push(load.time(0.99));
        self.processor.push(load.processor_time(program));
        self.memory.push(high_water(process) as f64 / f64::from(1 << 20));
    }

    fn figures(self, name: &str, answers: &str) -> Vec<Figure> {
        vec![
            Figure::new(format!("{name}: entries. An answer means: {answers}"), "per second", self.rates),
            Figure::new(format!("... {name}: p50 of an entry"), "ms", self.p50),
            Figure::new(format!("... {name}: p99 of an entry"), "ms", self.p99),
            Figure::new(format!("... {name}: processor time for an entry"), "µs", self.processor),
            Figure::new(format!("... {name}: memory at most"), "MiB", self.memory),
        ]
    }
}

/// Ours with three witnesses and a manifest for each release, and those of others.
pub fn peers(scratch: &Path) -> Step<Vec<Figure>> {
    let home = scratch.join("peers");
    fs::create_dir_all(&home).during("making a folder")?;
    let mut others = [(tessera(&home)?, Measured::default()), (siglog(&home)?, Measured::default())];
    let (mut network, mut supply) = submit::open(&home.join("ours"), 3)?;
    let mut ours = Measured::default();
    for _ in 0..RUNS {
        let prepared = Prepared::many(&mut supply, ENTRIES, Manifests::Own)?;
        let load = Load::run(network.log_address()?, &prepared, CONNECTIONS)?;
        ours.take(&load, Binary::Log.name(), network.log.pid()?);
        for (peer, measured) in &mut others {
            let raw = entries(&mut supply)?;
            let load = Load::run(peer.address, &raw, CONNECTIONS)
                .map_err(|failure| Failure::new(format!("{}: {failure}", peer.name)))?;
            measured.take(&load, peer.program, peer.process.id());
        }
    }
    network.stop()?;
    let answers =
        "checked, staged and its tree head signed with fsync, cosigned by two of three witnesses, proof verified";
    let mut figures = ours.figures("Stele, a manifest for each release", answers);
    for (peer, measured) in others {
        figures.extend(measured.figures(peer.name, peer.answers));
    }
    Ok(figures)
}

fn entries(supply: &mut Supply) -> Step<Vec<Raw>> {
    (0..ENTRIES).map(|_| Ok(Raw(supply.another()?.bytes().to_vec()))).collect()
}

fn tessera(home: &Path) -> Step<Peer> {
    let bin = home.join("go");
    let mut install = Command::new("go");
    install.arg("install").arg(TESSERA).env("GOBIN", &bin);
    installed(install, "go install")?;
    let (_, file) = key(home, "tessera")?;
    let address = free_address()?;
    let mut server = Command::new(bin.join("posix"));
    server.arg("--storage_dir").arg(home.join("tessera-data")).arg("--private_key").arg(file);
    server.arg("--listen").arg(address.to_string());
    let answers = "integrated, with fsync; nothing checked, nothing cosigned";
    started("Tessera v1.0.4, files", answers, "posix", address, server)
}

fn siglog(home: &Path) -> Step<Peer> {
    let root = home.join("cargo");
    let mut install = Command::new("cargo");
    install
        .args(["install", "--quiet", "--locked", "siglog", "--bin", "siglog", "--version", SIGLOG, "--root"])
        .arg(&root);
    install.arg("--target-dir").arg(home.join("target")).current_dir(home);
    installed(install, "cargo install")?;
    let (key, _) = key(home, "siglog")?;
    let address = free_address()?;
    let mut server = Command::new(root.join("bin/siglog"));
    server.arg("--database-url").arg(format!("sqlite:{}?mode=rwc", home.join("siglog.db").display()));
    server.args(["--storage-backend", "fs", "--fs-root"]).arg(home.join("siglog-data"));
    server.args(["--origin", "siglog.example", "--private-key", &key, "--listen", &address.to_string()]);
    let answers = "in its database, in no tree yet; nothing checked, nothing cosigned";
    started("siglog 0.1.0, files and SQLite", answers, "siglog", address, server)
}

fn installed(mut install: Command, what: &str) -> Step {
    eprintln!("{what} ...");
    let done = install.stdin(Stdio::null()).output().during(format!("starting {what}"))?;
    if done.status.success() {
        return Ok(());
    }
    Err(Failure::new(format!("{what} failed:\n{}", String::from_utf8_lossy(&done.stderr))))
}

/// A signer key in the form of Go's notes, and the file that holds it.
fn key(home: &Path, name: &str) -> Step<(String, PathBuf)> {
    let folder = home.join(format!("{name}-key"));
    run(Binary::Log, ["init", command_path(&folder)?, "--origin", &format!("{name}.example"), "--claims", "open"])?
        .expect(0)?;
    let file = folder.join("log.key");
    let key = fs::read_to_string(&file).during("reading a key")?;
    Ok((key.trim().to_owned(), file))
}

fn command_path(path: &Path) -> Step<&str> {
    stele_harness::network::path(path)
}

/// An address that no one listens at; another process may take it first, and then the log does not start.
fn free_address() -> Step<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).during("finding a port")?;
    listener.local_addr().during("finding a port")
}

fn started(
    name: &'static str,
    answers: &'static str,
    program: &'static str,
    address: SocketAddr,
    mut server: Command,
) -> Step<Peer> {
    let process = server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let peer = Peer { name, answers, program, address, process: process.during(format!("starting {name}"))? };
    poll(START, &format!("{name} that answers"), || http::get(address, "/checkpoint").ok())?;
    Ok(peer)
}
