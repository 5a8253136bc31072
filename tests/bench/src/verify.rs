//! `stele verify` as a whole process: hashing beside OpenSSL over the same files, and the evidence alone.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use rustix::fs::statvfs;

use super::figure::{Aim, Figure, quantile};
use super::machine::cores;
use super::memory;
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

/// A mebibyte.
const MEBIBYTE: usize = 1 << 20;

/// A sharded folder, one large file with its hints and without, and many small files.
pub fn hashing(scratch: &Path) -> Step<Vec<Figure>> {
    let sharded = Folder { files: 8, size: 256 * MEBIBYTE, name: "2 GiB in 8 files" };
    let single = Folder { files: 1, size: 4096 * MEBIBYTE, name: "4 GiB in one file" };
    let small = Folder { files: 50_000, size: 4096, name: "50,000 files of 4 KiB" };
    // On one core there is nothing to share out.
    let aims = if cores() >= 2 { [3.33, 2.86, 1.67, 1.25] } else { [1.5, 1.5, 0.95, 0.9] };
    let mut figures = sharded.compare(scratch, &[(Hints::Kept, aims[0]), (Hints::Removed, aims[0])])?;
    figures.extend(single.compare(scratch, &[(Hints::Kept, aims[1]), (Hints::Removed, aims[2])])?);
    figures.extend(small.compare(scratch, &[(Hints::Removed, aims[3])])?);
    Ok(figures)
}

/// Whether `release.hints` is there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hints {
    Kept,
    Removed,
}

/// What is hashed.
struct Folder {
    files: usize,
    size: usize,
    name: &'static str,
}

impl Folder {
    /// `stele` beside OpenSSL over the same files, with each state of the hints in this order, and an aim for the ratio of each.
    fn compare(&self, scratch: &Path, ways: &[(Hints, f64)]) -> Step<Vec<Figure>> {
        let home = scratch.join(format!("{}-files", self.files));
        let bytes = (self.files * self.size) as u64;
        fs::create_dir_all(&home).during("making a folder")?;
        let disk = statvfs(&home).during("asking for free space")?;
        let free = disk.f_bavail * disk.f_frsize;
        if free < bytes + SPARE {
            return Err(Failure::new(format!("{bytes} bytes and room to spare are needed, {free} are free")));
        }
        let released = offline::release(&home, self.files, self.size)?;
        let mut figures = Vec::new();
        for (hints, aim) in ways {
            if *hints == Hints::Removed && released.hints.exists() {
                fs::remove_file(&released.hints).during("removing hints")?;
            }
            let with = match hints {
                Hints::Kept => ", with hints",
                Hints::Removed => "",
            };
            figures.extend(self.rounds(&released, with, *aim)?);
        }
        fs::remove_dir_all(&home).during("removing weights")?;
        Ok(figures)
    }

    fn rounds(&self, released: &Released, with: &str, aim: f64) -> Step<Vec<Figure>> {
        let (bytes, name) = ((self.files * self.size) as f64, self.name);
        // Written back now rather than beside the clock, and everything in the page cache.
        seconds(stele(released, &released.folder, &[])?)?;
        seconds(openssl(released))?;
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for run in 0..HASH_RUNS {
            let first = if run % 2 == 0 { None } else { Some(seconds(openssl(released))?) };
            ours.push(seconds(stele(released, &released.folder, &[])?)?);
            theirs.push(match first {
                Some(first) => first,
                None => seconds(openssl(released))?,
            });
        }
        let child = stele(released, &released.folder, &[])?.spawn().during("starting stele verify")?;
        let peak = memory::peak(child, "stele verify")? as f64 / MEBIBYTE as f64;
        let rates = |times: &[f64]| times.iter().map(|time| bytes / 1e9 / time).collect();
        let ratios = ours.iter().zip(&theirs).map(|(ours, theirs)| theirs / ours).collect();
        Ok(vec![
            Figure::new(format!("`stele verify`, {name}{with}"), "GB/s", rates(&ours)),
            Figure::new(format!("`openssl dgst -sha256`, {name}"), "GB/s", rates(&theirs)),
            Figure::new(format!("... `stele` over `openssl`, {name}{with}"), "times", ratios)
                .with_aim(Aim::AtLeast(aim)),
            Figure::new(format!("... its memory, {name}{with}, at most"), "MiB", vec![peak]).with_aim(Aim::Below(32.0)),
        ])
    }
}

/// The evidence of a release, with no file hashed; and what starting the program costs at all.
pub fn evidence_alone(scratch: &Path) -> Step<Vec<Figure>> {
    let released = offline::release(&scratch.join("evidence"), 1, MEBIBYTE)?;
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
    // What is measured is hashing: a digest that is known from the run before would be none.
    command.arg("--no-cache").arg("--policy").arg(&released.policy).args(more).env_remove("STELE_POLICY");
    // As on a machine that has seen the log before: the first run writes, the others compare.
    command.env("STELE_STATE", released.policy.with_file_name("state"));
    Ok(command)
}

fn openssl(released: &Released) -> Command {
    let mut command = program("openssl", ["dgst", "-sha256"]);
    command.args(&released.weights).current_dir(&released.folder);
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
