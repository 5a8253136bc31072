//! `stele audit` of a synthetic log as a whole process: how fast, beside the signatures that this machine can check, and how
//! much memory, at two sizes.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::figure::{Aim, Figure};
use super::memory::high_water;
use super::signatures;
use stele_harness::binaries::Binary;
use stele_harness::lying_log::LyingLog;
use stele_probe::failure::{During, Failure, Step};
use stele_samples::supply::Supply;

/// Statements of the smaller and of the larger log.
const SIZES: [u64; 2] = [10_000, 100_000];

/// Another number of statements for the larger log, for a quick look.
const SIZE: &str = "STELE_BENCH_AUDIT";

/// Statements between two index entries.
const BATCH: u64 = 64;

/// How often the smaller log is audited; the larger one is once.
const RUNS: usize = 3;

/// How often the kernel is asked for the memory of the process.
const LOOK: Duration = Duration::from_millis(20);

/// What an audit found: nothing, or something to report.
const ENDS: [i32; 2] = [0, 13];

/// Both sizes, the ratio of their memory, and the limit.
pub fn audit(scratch: &Path) -> Step<Vec<Figure>> {
    let large = std::env::var(SIZE).ok().and_then(|size| size.parse().ok()).unwrap_or(SIZES[1]);
    let small = SIZES[0].min(large / 10).max(1);
    let mut supply = Supply::new(1)?;
    let limit = signatures::limit(&mut supply)?;
    let mut log = LyingLog::new()?;
    log.keep_manifest(&supply.manifest().encode());
    log.say(&supply.claim()?)?;
    let folder = scratch.join("audited");
    let mut figures = Vec::new();
    let mut peaks = Vec::new();
    for (size, runs) in [(small, RUNS), (large, 1)] {
        grow(&mut log, &mut supply, size)?;
        log.write(&folder)?;
        fs::write(scratch.join("audited-policy"), log.policy()).during("writing a policy")?;
        let (mut rates, mut memory) = (Vec::new(), Vec::new());
        for _ in 0..runs {
            let run = measure(&folder, &scratch.join("audited-policy"))?;
            rates.push(log.size() as f64 / run.seconds);
            memory.push(run.peak as f64 / f64::from(1 << 20));
        }
        let share = |of: f64| rates.iter().map(|rate| rate / of).collect();
        let (checked, bare) = (share(limit.statements), share(limit.signatures));
        figures.push(Figure::new(format!("`stele audit` of {size} statements, fresh"), "entries/s", rates));
        figures.push(Figure::new("... as a share of parsing and checking statements on all cores", "", checked));
        figures.push(Figure::new("... as a share of bare signature checks on all cores", "", bare));
        figures.push(Figure::new(format!("... its memory at {size} statements, at most"), "MiB", memory.clone()));
        peaks.push(memory);
    }
    fs::remove_dir_all(&folder).during("removing a log")?;
    if let [small, large] = peaks.as_slice() {
        let least = small.iter().copied().fold(f64::INFINITY, f64::min);
        let ratios = large.iter().map(|large| large / least).collect();
        let what = "... memory of the larger audit over the smaller, ten times the entries";
        figures.push(Figure::new(what, "times", ratios).with_aim(Aim::Below(1.5)));
    }
    Ok(figures)
}

/// Adds releases, and an index entry after each batch, until there are so many statements.
fn grow(log: &mut LyingLog, supply: &mut Supply, statements: u64) -> Step {
    let mut said = 0;
    while log.size() < statements + statements / BATCH {
        log.say(&supply.another()?)?;
        said += 1;
        if said % BATCH == 0 {
            log.index()?;
        }
    }
    log.index().map(drop)
}

struct Run {
    seconds: f64,
    peak: u64,
}

fn measure(folder: &Path, policy: &Path) -> Step<Run> {
    let mut command = Command::new(Binary::Stele.path()?);
    command.arg("audit").arg(folder).arg("--policy").arg(policy);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let started = Instant::now();
    let mut child = command.spawn().during("starting stele audit")?;
    let mut peak = 0;
    let status = loop {
        if let Some(status) = child.try_wait().during("waiting for stele audit")? {
            break status;
        }
        peak = peak.max(high_water(child.id()));
        sleep(LOOK);
    };
    let seconds = started.elapsed().as_secs_f64();
    if status.code().is_some_and(|code| ENDS.contains(&code)) {
        Ok(Run { seconds, peak })
    } else {
        Err(Failure::new(format!("stele audit ended with {status}")))
    }
}
