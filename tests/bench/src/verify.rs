//! `stele verify` as a whole process: hashing beside OpenSSL over the same files, and the evidence alone.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use rustix::fs::statvfs;

use super::figure::{Aim, Figure, quantile};
use super::machine::cores;
use super::offline::{self, Released};
use stele_harness::binaries::Binary;
use stele_probe::failure::{During, Failure, Step};

/// How often hashing is measured; in every second run OpenSSL goes first.
const HASH_RUNS: usize = 5;

/// How many times a process is started for one run.
const STARTS: usize = 60;

/// How often that is done.
const RUNS: usize = 3;

/// Room that must stay free on the disk.
const SPARE: u64 = 512 << 20;

/// A sharded folder, and one large file.
pub fn hashing(scratch: &Path) -> Step<Vec<Figure>> {
    // On one core there is nothing to share out.
    let sharded = if cores() >= 2 { 1.8 } else { 0.95 };
    let mut figures = compare(&scratch.join("sharded"), 8, 256, "2 GiB in 8 files", sharded)?;
    figures.extend(compare(&scratch.join("single"), 1, 1024, "1 GiB in one file", 0.95)?);
    Ok(figures)
}

fn compare(home: &Path, files: usize, mebibytes: usize, name: &str, aim: f64) -> Step<Vec<Figure>> {
    let bytes = (files * mebibytes) as u64 * (1 << 20);
    fs::create_dir_all(home).during("making a folder")?;
    let disk = statvfs(home).during("asking for free space")?;
    let free = disk.f_bavail * disk.f_frsize;
    if free < bytes + SPARE {
        return Err(Failure::new(format!("{bytes} bytes and room to spare are needed, {free} are free")));
    }
    let released = offline::release(home, files, mebibytes)?;
    // Written back now rather than beside the clock, and everything in the page cache.
    seconds(stele(&released, &released.folder, &[])?)?;
    seconds(openssl(&released))?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for run in 0..HASH_RUNS {
        let first = if run % 2 == 0 { None } else { Some(seconds(openssl(&released))?) };
        ours.push(seconds(stele(&released, &released.folder, &[])?)?);
        theirs.push(match first {
            Some(first) => first,
            None => seconds(openssl(&released))?,
        });
    }
    fs::remove_dir_all(home).during("removing weights")?;
    let rates = |times: &[f64]| times.iter().map(|time| bytes as f64 / 1e9 / time).collect();
    let ratios = ours.iter().zip(&theirs).map(|(ours, theirs)| theirs / ours).collect();
    Ok(vec![
        Figure::new(format!("`stele verify`, {name}"), "GB/s", rates(&ours)),
        Figure::new(format!("`openssl dgst -sha256`, {name}"), "GB/s", rates(&theirs)),
        Figure::new(format!("... `stele` over `openssl`, {name}"), "times", ratios).with_aim(Aim::AtLeast(aim)),
    ])
}

/// The evidence of a release, with no file hashed; and what starting the program costs at all.
pub fn evidence_alone(scratch: &Path) -> Step<Vec<Figure>> {
    let released = offline::release(&scratch.join("evidence"), 1, 1)?;
    let (mut whole, mut start) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let (mut verified, mut started) = (Vec::new(), Vec::new());
        for _ in 0..STARTS {
            verified.push(1e3 * seconds(stele(&released, &released.bundle, &["--no-hash"])?)?);
            started.push(1e3 * seconds(program(Binary::Stele.path()?, ["--version"]))?);
        }
        whole.push(quantile(&verified, 0.5));
        start.push(quantile(&started, 0.5));
    }
    Ok(vec![
        Figure::new("`stele verify --no-hash` of a bundle, the whole process", "ms", whole).with_aim(Aim::Below(5.0)),
        Figure::new("... of which starting and ending the program (`stele --version`)", "ms", start),
    ])
}

fn stele(released: &Released, what: &Path, more: &[&str]) -> Step<Command> {
    let mut command = program(Binary::Stele.path()?, [OsStr::new("verify"), what.as_os_str()]);
    command.arg("--policy").arg(&released.policy).args(more).env_remove("STELE_POLICY");
    // As on a machine that has seen the log before: the first run writes, the others compare.
    command.env("STELE_STATE", released.policy.with_file_name("state"));
    Ok(command)
}

fn openssl(released: &Released) -> Command {
    let mut command = program("openssl", ["dgst", "-sha256"]);
    command.args(&released.weights);
    command
}

fn program<S: AsRef<OsStr>>(program: impl AsRef<OsStr>, arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// How long a command took. Nothing is read from it, so that nothing of ours is measured.
fn seconds(mut command: Command) -> Step<f64> {
    let name = command.get_program().to_string_lossy().into_owned();
    let name = Path::new(&name).file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let started = Instant::now();
    let status = command.status().during(format!("starting {name}"))?;
    let took = started.elapsed().as_secs_f64();
    if status.success() { Ok(took) } else { Err(Failure::new(format!("{name} ended with {status}"))) }
}
