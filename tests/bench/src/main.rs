//! `cargo bench-stele [latency|throughput|verify|witness|audit|hash|transition|index-cosigners|receipts|peers|all] [--json]`: the figures of the README, measured again.
//!
//! It builds the programs it measures, uses the loopback and one temporary folder, stops at a limit of time, and removes
//! everything. A missed aim is said in its row; the exit code says only whether everything could be measured.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use stele_bench::Part;
use stele_bench::cosign::{self, Measured};
use stele_bench::figure::{Figure, table};
use stele_bench::machine::Machine;
use stele_harness::{binaries, interrupt, process};
use stele_probe::failure::{During, Step};

const USAGE: &str = "usage: cargo bench-stele [latency|throughput|verify|witness|audit|hash|transition|index-cosigners|receipts|peers|all] [--json] [--beside WITNESS]...
       cargo bench-stele witness-logs

  latency     from a signed statement to its cosigned proof, one after another; three witnesses, two are enough
  throughput  the same over many connections, beside the signatures that this machine can check
  verify      `stele verify --no-hash` of a bundle, the whole process
  witness     durable cosignatures of our witness, for one log and for 1,000, beside those of others
  audit       `stele audit` of 100,000 synthetic entries, and its memory beside that of 10,000
  hash        `stele verify` of 2 GiB in eight files, of 4 GiB in one, both with hints and without, and of
              50,000 small files, beside `openssl dgst -sha256`
  transition  transition proofs of the index, one entry and a batch of 256, at 100,000, a million and three million keys, and
              what a key takes in memory; no part of `all`
  index-cosigners  what two index cosigners add to a submission to a log with three witnesses; no part of `all`
  receipts    the processor time that a COSE receipt takes the log beyond a proof, by turns; no part of `all`
  peers       other logs under the load of `throughput`: Tessera and siglog, installed into the temporary folder
              with `go` and `cargo`. No part of `all`: it needs the package registries, and a quarter of an hour
  --json      the same data for programs
  --beside    NAME;ADDRESS@PID,VKEY[,VKEY];ADDRESS@PID,VKEY[,VKEY]: a witness that runs twice, for the first log and for all of them
              (tests/peers/bench-witnesses.sh starts omniwitness and litewitness and says this)

witness-logs prints the logs that such a witness has to know: origin and verifier key, a line each.

Needs 5 GiB in the folder for temporary files (TMPDIR) and `openssl` for `hash`; takes a few minutes.
";

/// When everything is given up. A part takes a minute or two; to build other logs takes longer.
const LIMIT: Duration = Duration::from_secs(40 * 60);

fn main() -> ExitCode {
    if env::args().nth(1).as_deref() == Some("witness-logs") {
        return witness_logs();
    }
    let options = match Options::parse(env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            eprint!("error: {problem}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let scratch = match tempfile::Builder::new().prefix("stele-bench-").tempdir() {
        Ok(scratch) => scratch,
        Err(error) => {
            eprintln!("error: making a temporary folder: {error}");
            return ExitCode::FAILURE;
        }
    };
    let (finished, outcome) = mpsc::channel();
    let interrupted = finished.clone();
    thread::spawn(move || {
        interrupt::wait();
        let _ = interrupted.send(None);
    });
    let folder = scratch.path().to_path_buf();
    thread::spawn(move || {
        let _ = finished.send(Some(measure(&options, &folder)));
    });
    let outcome = outcome.recv_timeout(LIMIT);
    process::kill_all();
    let _ = fs::remove_dir_all(scratch.path());
    match outcome {
        Ok(Some(Ok(page))) => {
            print!("{page}");
            ExitCode::SUCCESS
        }
        Ok(Some(Err(failure))) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
        Ok(None) => {
            eprintln!("interrupted: every process is stopped and temporary files are removed");
            ExitCode::from(130)
        }
        Err(_) => {
            eprintln!("error: given up after {LIMIT:?}");
            ExitCode::FAILURE
        }
    }
}

fn witness_logs() -> ExitCode {
    match cosign::logs() {
        Ok(logs) => {
            print!("{}", logs.iter().map(|(origin, vkey)| format!("{origin} {vkey}\n")).collect::<String>());
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

struct Options {
    parts: Vec<Part>,
    json: bool,
    beside: Vec<Measured>,
}

impl Options {
    /// `None` asks for help.
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let (mut parts, mut json, mut beside) = (Vec::new(), false, Vec::new());
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--beside" => {
                    let text = arguments.next().unwrap_or_default();
                    beside.push(Measured::parse(&text).ok_or_else(|| format!("--beside: not a witness: {text:?}"))?);
                }
                "-h" | "--help" => return Ok(None),
                "--json" => json = true,
                "all" => parts.extend(Part::ALL),
                name => match Part::EVERY.into_iter().find(|part| part.name() == name) {
                    Some(part) => parts.push(part),
                    None => return Err(format!("there is no {name}")),
                },
            }
        }
        if parts.is_empty() {
            parts.extend(Part::ALL);
        }
        Ok(Some(Self { parts, json, beside }))
    }
}

fn measure(options: &Options, scratch: &Path) -> Step<String> {
    eprintln!("building ...");
    binaries::folder()?;
    let scratch: PathBuf = scratch.canonicalize().during("finding the temporary folder")?;
    let machine = Machine::here();
    let mut figures: Vec<(Part, Vec<Figure>)> = Vec::new();
    for part in Part::EVERY.into_iter().filter(|part| options.parts.contains(part)) {
        eprintln!("measuring {} ...", part.name());
        figures.push((part, part.measure(&scratch, &options.beside)?));
    }
    if !options.json {
        let all: Vec<Figure> = figures.into_iter().flat_map(|(_, figures)| figures).collect();
        return Ok(format!("{}.\n\n{}", machine.line(), table(&all)));
    }
    let parts = figures.iter().map(|(part, figures)| {
        let figures: Vec<Value> = figures.iter().map(Figure::json).collect();
        (part.name().to_owned(), Value::from(figures))
    });
    let parts: serde_json::Map<String, Value> = parts.collect();
    Ok(format!("{:#}\n", json!({ "machine": machine.json(), "figures": parts })))
}
