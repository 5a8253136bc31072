//! D1 to E2, O2 and O3: the old size.

use crate::body::Request;
use crate::logs::{Branch, Role};
use crate::suite::Suite;
use stele_probe::failure::Step;

/// What 409 is labelled as.
const SIZE: &str = "text/x.tlog.size";

pub(super) fn all(suite: &mut Suite<'_>) -> Step {
    let request = suite.growth(Role::Main, 4)?;
    suite.send(Role::Main, &request)?;
    let last = suite.log(Role::Main)?.size;

    let request = Request::between(suite.log(Role::Main)?, last, last - 1)?;
    let reply = suite.send(Role::Main, &request)?;
    suite.tell("D1", "one entry less", &reply, reply.status() == 400);
    let request = Request::between(suite.log(Role::Main)?, last + 9, last + 1)?;
    let reply = suite.send(Role::Main, &request)?;
    suite.tell("O2", "an old size ahead of both", &reply, reply.status() == 400);

    for (what, old, size) in [
        ("an old size below it", last - 1, last + 1),
        ("the old size 0", 0, last + 1),
        ("an old size ahead of it", last + 1, last + 2),
        ("equal sizes below it", last - 1, last - 1),
    ] {
        let request = Request::between(suite.log(Role::Main)?, old, size)?;
        let reply = suite.send(Role::Main, &request)?;
        let is_409 = reply.status() == 409;
        if reply.status() == 200 {
            suite.tell("E1", what, &reply, false);
            break;
        }
        suite.tell("E1", what, &reply, is_409);
        if is_409 {
            let media_type = reply.header("content-type").unwrap_or("nothing").to_owned();
            suite.found("E1b", (media_type != SIZE).then(|| format!("{what}: {media_type}")));
            suite.tell("E1c", what, &reply, reply.body() == format!("{last}\n").as_bytes());
        }
    }
    let last = suite.log(Role::Main)?.size;
    let proof = suite.log(Role::Main)?.proof(Branch::Other, last, last + 1)?;
    let request = Request::of(suite.log(Role::Main)?, Branch::Honest, last + 1, last + 2, proof)?;
    let reply = suite.send(Role::Main, &request)?;
    suite.tell("O3", "both", &reply, reply.status() == 409);

    // Of this log nothing is ever cosigned.
    let request = Request::between(suite.log(Role::Never)?, 1, 2)?;
    let reply = suite.send(Role::Never, &request)?;
    let zero = String::from_utf8_lossy(reply.body()).trim() == "0";
    suite.tell("E2", "old size 1", &reply, reply.status() == 409 && zero);
    Ok(())
}
