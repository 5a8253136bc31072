//! A black-box conformance suite for c2sp.org/tlog-witness: any witness that speaks HTTP can be run against it, whoever wrote it.
//!
//! ```text
//! let seed = Seed::parse("a phrase that nobody else uses")?;
//! println!("{}", logs::network_list(seed)?);     what the witness's operator configures first
//! let target = Target::new("http://127.0.0.1:7461", None, keys)?;
//! let report = conformance::run(&target, seed)?;      a row for each thing that the specification asks
//! ```
//! Nothing is remembered between runs: the test logs follow from the seed, so the root of any size can be computed again, and the witness
//! says how far it is (409). Each log has one purpose, so that a witness that goes wrong in one way is not told that it is wrong in
//! others. Everything is small: some two hundred requests, the largest of them 2 MiB, and trees of at most
//! [`logs::MAX_SIZE`] entries.
//!
//! | room | one concept |
//! |---|---|
//! | [`rows`] | what is asked of a witness, where the specification says so, and how strongly |
//! | [`report`] | what was found, as a table and as JSON |
//! | [`expect`] | what is known of a witness, so that a change in either direction fails |
//! | [`door`] | requests to a witness over HTTP, well formed or not |
//! | [`logs`] | the test logs that follow from a seed |
//! | [`body`] | the body of `add-checkpoint`, as it should be and otherwise |
//! | [`ledger`] | what every cosignature that was given has to be |
//! | [`suite`] | one witness, its logs and what was found so far |
//! | [`checks`] | the rows, one file a section |
//! | [`wrong`] | a witness with faults that can be switched on: does the suite see them? |

pub mod body;
pub mod checks;
pub mod door;
pub mod expect;
pub mod ledger;
pub mod logs;
pub mod report;
pub mod rows;
pub mod suite;
pub mod wrong;

use crate::failure::Step;
use logs::Seed;
use report::Report;
use suite::{Suite, Target};

/// Runs every check against a witness. An error says that nothing could be judged: nobody answers, or the logs are not configured.
pub fn run(target: &Target, seed: Seed) -> Step<Report> {
    let mut suite = Suite::new(target, seed)?;
    checks::all(&mut suite)?;
    suite.finish()
}
