//! K1 to P2b: connections that are kept, and requests at once.

use std::sync::Barrier;
use std::thread;

use super::answers::EARLIER;
use crate::body::Request;
use crate::logs::{Branch, Role};
use crate::suite::{ADD, Suite};
use stele_probe::door::Reply;
use stele_probe::failure::{Failure, Step};

/// How many requests are sent at once.
const AT_ONCE: usize = 16;

pub(super) fn all(suite: &mut Suite<'_>) -> Step {
    kept(suite)?;
    two_histories(suite)?;
    several_sizes(suite)
}

fn kept(suite: &mut Suite<'_>) -> Step {
    let target = suite.target;
    let good = suite.growth(Role::Main, 0)?;
    let mut connection = target.submission.open()?;
    for what in ["the first", "the second"] {
        let reply = connection.ask(ADD, good.to_string().as_bytes());
        suite.heard(Role::Main, &reply, &good, true)?;
        suite.tell("K1", what, &reply, reply.status() == 200);
        if reply.status() != 200 {
            suite.skip(&["K2"], "the connection was not kept");
            return Ok(());
        }
    }
    let stale = Request::between(suite.log(Role::Main)?, 0, 1)?;
    let nonsense = Request { note: "nonsense\n".to_owned(), ..stale.clone() };
    for (what, request) in [("no request", nonsense), ("a stale one", stale), ("a good one", good)] {
        let reply = connection.ask(ADD, request.to_string().as_bytes());
        suite.heard(Role::Main, &reply, &request, true)?;
        suite.tell("K2", what, &reply, reply.status() != 0);
    }
    Ok(())
}

/// Sends all of them as nearly at once as threads can.
fn at_once(suite: &Suite<'_>, requests: &[Request]) -> Step<Vec<Reply>> {
    let start = Barrier::new(requests.len());
    let door = &suite.target.submission;
    thread::scope(|scope| {
        let threads: Vec<_> = requests
            .iter()
            .map(|request| {
                let start = &start;
                scope.spawn(move || {
                    let body = request.to_string();
                    let mut connection = door.open();
                    start.wait();
                    match &mut connection {
                        Ok(connection) => connection.ask(ADD, body.as_bytes()),
                        Err(failure) => Reply::None(failure.to_string()),
                    }
                })
            })
            .collect();
        let joined = threads.into_iter().map(|thread| thread.join().map_err(|_| Failure::new("a thread that failed")));
        joined.collect()
    })
}

/// Judges the answers to requests with one old size, of which the first that is recorded makes all others stale.
fn judge(suite: &mut Suite<'_>, id: &'static str, requests: &[Request], replies: &[Reply]) -> Step<Option<usize>> {
    let mut winner = None;
    let mut wins = 0;
    for (index, (request, reply)) in requests.iter().zip(replies).enumerate() {
        suite.heard(Role::Race, reply, request, false)?;
        match reply.status() {
            200 => {
                winner = Some(index);
                wins += 1;
            }
            // The last two say that it was too much at once, which is no judgement.
            409 | 422 | 429 | 503 => {}
            _ => suite.tell(id, "one of them", reply, false),
        }
    }
    suite.found(id, (wins != 1).then(|| format!("{wins} of {} were cosigned from one old size", requests.len())));
    Ok(winner)
}

fn two_histories(suite: &mut Suite<'_>) -> Step {
    let log = suite.log(Role::Race)?;
    let mut requests = Vec::new();
    for index in 0..AT_ONCE {
        let branch = if index % 2 == 0 { Branch::Honest } else { Branch::Other };
        requests.push(Request::of(log, branch, 0, 3, Vec::new())?);
    }
    let replies = at_once(suite, &requests)?;
    if let Some(first) = replies.first().filter(|_| replies.iter().all(|reply| reply.status() == 409)) {
        suite.skip(&["P2"], EARLIER);
        suite.learn_size(Role::Race, first)?;
        return suite.find_branch(Role::Race);
    }
    let winner = judge(suite, "P2", &requests, &replies)?;
    let log = suite.log(Role::Race)?;
    log.branch = if winner.is_some_and(|index| index % 2 == 1) { Branch::Other } else { Branch::Honest };
    let (won, lost) = match log.branch {
        Branch::Honest => (Branch::Honest, Branch::Other),
        Branch::Other => (Branch::Other, Branch::Honest),
    };
    for (what, branch, status) in [("the one that was not cosigned", lost, 422), ("the one that was", won, 200)] {
        let request = Request::of(suite.log(Role::Race)?, branch, 3, 3, Vec::new())?;
        let reply = suite.target.submission.post(ADD, request.to_string().as_bytes());
        suite.heard(Role::Race, &reply, &request, true)?;
        let holds = reply.status() == status || (status == 422 && reply.status() == 409);
        suite.tell("P2", what, &reply, holds);
    }
    Ok(())
}

/// The race of the specification: a later record of the smaller size would roll the log back.
fn several_sizes(suite: &mut Suite<'_>) -> Step {
    let log = suite.log(Role::Race)?;
    let old = log.size;
    let mut requests = Vec::new();
    for index in 0..AT_ONCE as u64 {
        requests.push(Request::between(log, old, old + 1 + index % 4)?);
    }
    let replies = at_once(suite, &requests)?;
    let winner = judge(suite, "P2b", &requests, &replies)?;
    let Some(size) = winner.and_then(|index| requests.get(index)).map(|request| request.checkpoint.size()) else {
        return Ok(());
    };
    let stale = Request::between(suite.log(Role::Race)?, 0, 1)?;
    let reply = suite.send(Role::Race, &stale)?;
    if reply.status() != 409 {
        suite.tell("P2b", "the size asked afterwards", &reply, false);
        return Ok(());
    }
    suite.learn_size(Role::Race, &reply)?;
    let found = suite.log(Role::Race)?.size;
    suite.found("P2b", (found != size).then(|| format!("the size {size} was cosigned, and {found} is recorded")));
    Ok(())
}
