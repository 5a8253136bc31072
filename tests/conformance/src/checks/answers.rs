//! G1 to G7: what is to be cosigned. How each answer has to look is the ledger's.

use std::thread;
use std::time::Duration;

use stele_spec::checkpoint::Checkpoint;

use crate::body::Request;
use crate::ledger;
use crate::logs::{Branch, Role};
use crate::suite::Suite;
use stele_probe::failure::{During, Step};

/// Why what needs a log without a past is not asked.
pub(super) const EARLIER: &str = "an earlier run did: another seed makes new logs";

/// Times are in seconds.
const NEXT_SECOND: Duration = Duration::from_millis(1_100);

pub(super) fn all(suite: &mut Suite<'_>) -> Step {
    suite.skip(&ledger::ROWS, "nothing was cosigned");
    first(suite)?;
    let request = Request::growth(suite.log(Role::Empty)?, 0)?;
    suite.cosigned("G4", Role::Empty, "the empty tree", &request)?;
    for by in [1, 1, 2, 3, 8, 1, 16, 5] {
        let request = suite.growth(Role::Main, by)?;
        suite.cosigned("G2", Role::Main, &format!("{by} more"), &request)?;
    }
    again(suite)?;
    extended(suite)?;
    ml_dsa(suite)
}

fn first(suite: &mut Suite<'_>) -> Step {
    let request = suite.growth(Role::First, 6)?;
    let reply = suite.send(Role::First, &request)?;
    if reply.status() == 409 && reply.body() != b"0\n" {
        suite.skip(&["G1"], EARLIER);
    } else {
        suite.tell("G1", "six entries", &reply, reply.status() == 200);
    }
    Ok(())
}

fn again(suite: &mut Suite<'_>) -> Step {
    let request = suite.growth(Role::Main, 0)?;
    let before = suite.cosigned("G3", Role::Main, "once", &request)?;
    thread::sleep(NEXT_SECOND);
    let after = suite.cosigned("G3", Role::Main, "and again", &request)?;
    match (before.time, after.time) {
        (0, _) | (_, 0) => suite.skip(&["G3b"], "there were no two times"),
        (before, after) => suite.found("G3b", (after <= before).then(|| format!("{after} after {before}"))),
    }
    Ok(())
}

fn extended(suite: &mut Suite<'_>) -> Step {
    let log = suite.log(Role::Main)?;
    let (old, new) = (log.size, log.size + 1);
    let proof = log.proof(Branch::Honest, old, new)?;
    let plain = log.checkpoint(Branch::Honest, new)?;
    let text = format!("{plain}an extension line\nand another: +/=\n");
    let line = log.line_over(&text);
    let checkpoint = Checkpoint::parse(&text).during("making a checkpoint")?;
    let request = Request { old: old.to_string(), proof, note: format!("{text}\n{line}"), checkpoint };
    suite.cosigned("G5", Role::Main, "two lines", &request)?;
    Ok(())
}

fn ml_dsa(suite: &mut Suite<'_>) -> Step {
    if let Err(failure) = suite.find_size(Role::MlDsa) {
        let why = failure.to_string();
        suite.skip(&["G7"], why.lines().next().unwrap_or_default());
        return Ok(());
    }
    for by in [3, 2] {
        let request = suite.growth(Role::MlDsa, by)?;
        suite.cosigned("G7", Role::MlDsa, &format!("{by} more"), &request)?;
    }
    Ok(())
}
