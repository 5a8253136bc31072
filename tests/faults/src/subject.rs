//! A program that is struck, and how it came out of it.

use crate::point::{Outcome, Point};
use stele_harness::process::Server;
use stele_probe::failure::Step;

/// The exit codes of the programs: `stele help exit-codes`.
pub(crate) const CODES: std::ops::RangeInclusive<i32> = 1..=22;

/// How a program came out of a fault with every promise kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Survived {
    /// The same process went on, and did the work that it was given next.
    WentOn,
    /// It stopped what it could not go on with, said so with this code, and did its work after a start.
    Stopped(String),
    /// It ended with this exit code and a hint, and did its work after a start.
    Ended(i32),
    /// The fault killed it, and it did its work after a start.
    StartedAgain,
    /// The call was not made this time.
    NotMet,
}

impl Survived {
    /// What stands in the table.
    pub fn word(&self) -> String {
        match self {
            Self::WentOn => "on".into(),
            Self::Stopped(_) => "stops".into(),
            Self::Ended(code) => format!("exit {code}"),
            Self::StartedAgain => "again".into(),
            Self::NotMet => "?".into(),
        }
    }
}

/// A program with everything that it needs to work.
pub trait Subject {
    /// The system calls of one piece of work.
    fn points(&mut self, work: &'static str) -> Step<Vec<Point>>;

    /// What it can be struck with.
    fn outcomes(&self) -> Vec<Outcome> {
        Outcome::ALL.to_vec()
    }

    /// The work is done, with the outcome at the point, and then whatever it takes to do it after all. An error is a promise that was broken; the
    /// subject is of no use then.
    fn strike(&mut self, work: &'static str, point: &Point, outcome: Outcome) -> Step<Survived>;
}

/// A server that has ended by itself, or is about to: it must have said why, and what to do.
pub(crate) fn ended(server: &mut Server) -> Step<Survived> {
    let status = server.wait_for_end()?;
    let messages = server.messages();
    match status.code().filter(|code| CODES.contains(code)) {
        Some(code) if messages.contains("hint:") => Ok(Survived::Ended(code)),
        _ => Err(server.failure(&format!("it ended with {status}, expected an exit code of ours and a hint"))),
    }
}
