#![doc = include_str!("../README.md")]

pub mod body;
pub mod checks;
pub mod ledger;
pub mod logs;
pub mod mirror;
pub mod rows;
pub mod suite;
pub mod wrong;

use logs::Seed;
use stele_probe::failure::Step;
use stele_probe::report::Report;
use suite::{Suite, Target};

/// Runs every check against a witness. An error says that nothing could be judged: nobody answers, or the logs are not configured.
pub fn run(target: &Target, seed: Seed) -> Step<Report> {
    let mut suite = Suite::new(target, seed)?;
    checks::all(&mut suite)?;
    suite.finish()
}
