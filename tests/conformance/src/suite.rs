//! One witness, its test logs and what was found so far.

use std::collections::BTreeMap;

use stele_spec::note::VerifierKey;
use stele_spec::text::decimal;

use super::body::Request;
use super::ledger::{Ledger, Lines};
use super::logs::{Branch, Role, Seed, TestLog};
use super::rows::TABLE;
use stele_probe::door::{Door, Reply};
use stele_probe::failure::{During, Failure, Step};
use stele_probe::report::{Outcome, Report};

/// `POST` goes here.
pub const ADD: &str = "/add-checkpoint";

/// A witness to judge.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its submission prefix.
    pub submission: Door,
    /// Its monitoring prefix.
    pub monitoring: Door,
    /// Its keys.
    pub keys: Vec<VerifierKey>,
}

impl Target {
    /// A witness by its URL prefixes and vkeys; without a monitoring prefix it is the same.
    pub fn new(submission: &str, monitoring: Option<&str>, vkeys: &[String]) -> Step<Self> {
        let key = |vkey: &String| {
            let key: VerifierKey = vkey.parse().during(format!("reading the vkey {vkey:?}"))?;
            if key.key_type().cosigns() {
                return Ok(key);
            }
            Err(Failure::new(format!("{vkey} is a log's key\nhint: a witness's has the type 04 or 06")))
        };
        let keys: Vec<_> = vkeys.iter().map(key).collect::<Step<_>>()?;
        if keys.is_empty() {
            return Err(Failure::new("no key of the witness or mirror\nhint: --vkey, once for each of its keys"));
        }
        let submission = Door::parse(submission)?;
        let monitoring = monitoring.map_or_else(|| Ok(submission.clone()), Door::parse)?;
        Ok(Self { submission, monitoring, keys })
    }
}

/// A run.
#[derive(Debug)]
pub struct Suite<'a> {
    /// The witness.
    pub target: &'a Target,
    logs: BTreeMap<Role, TestLog>,
    report: Report,
    ledger: Ledger,
    limited: Option<String>,
}

impl<'a> Suite<'a> {
    /// Reaches the witness and asks how far it is with each log.
    pub fn new(target: &'a Target, seed: Seed) -> Step<Self> {
        let mut logs = BTreeMap::new();
        for role in Role::CONFIGURED.into_iter().chain([Role::Stranger]) {
            logs.insert(role, TestLog::new(seed, role)?);
        }
        target.submission.open()?;
        let report = Report::new(&TABLE, target.submission.to_string());
        let mut suite = Self { target, logs, report, ledger: Ledger::default(), limited: None };
        suite.find_size(Role::Main)?;
        suite.find_size(Role::Fork)?;
        Ok(suite)
    }

    /// A test log.
    pub fn log(&mut self, role: Role) -> Step<&mut TestLog> {
        self.logs.get_mut(&role).ok_or_else(|| Failure::new("a role without a log"))
    }

    /// The right request that makes a log grow by so many entries.
    pub fn growth(&mut self, role: Role, by: u64) -> Step<Request> {
        let log = self.log(role)?;
        let size = log.size + by;
        Request::growth(log, size)
    }

    /// Sends a request. Whatever was asked: if it is answered with 200 it is cosigned.
    pub fn send(&mut self, role: Role, request: &Request) -> Step<Reply> {
        Ok(self.send_for_lines(role, request)?.0)
    }

    /// The same, with the lines that verify.
    pub fn send_for_lines(&mut self, role: Role, request: &Request) -> Step<(Reply, Lines)> {
        let reply = self.target.submission.post(ADD, request.to_string().as_bytes());
        let lines = self.heard(role, &reply, request, true)?;
        Ok((reply, lines))
    }

    /// Sends other bytes, which a loose witness could take for the request. What it then signs is not judged.
    pub fn send_bytes(&mut self, role: Role, bytes: &[u8], request: &Request) -> Step<Reply> {
        let reply = self.target.submission.post(ADD, bytes);
        if reply.status() == 200 {
            let log = self.log(role)?;
            (log.size, log.cosigned) = (request.checkpoint.size(), true);
        }
        Ok(reply)
    }

    /// Takes note of an answer to a request.
    pub fn heard(&mut self, role: Role, reply: &Reply, request: &Request, in_turn: bool) -> Step<Lines> {
        if reply.status() == 429 && in_turn {
            self.limited = Some(reply.to_string());
        }
        if reply.status() != 200 {
            return Ok(Lines::default());
        }
        let log = self.logs.get_mut(&role).ok_or_else(|| Failure::new("a role without a log"))?;
        (log.size, log.cosigned) = (request.checkpoint.size(), true);
        let keys = &self.target.keys;
        Ok(self.ledger.judge(keys, &request.checkpoint, reply.body(), in_turn, &mut self.report))
    }

    /// Sends what is to be cosigned; what was found if it was not is a deviation from a row.
    pub fn cosigned(&mut self, id: &'static str, role: Role, what: &str, request: &Request) -> Step<Lines> {
        let (reply, lines) = self.send_for_lines(role, request)?;
        self.tell(id, what, &reply, reply.status() == 200);
        Ok(lines)
    }

    /// Tells a row what came back.
    pub fn tell(&mut self, id: &'static str, what: &str, reply: &Reply, holds: bool) {
        let outcome = if holds { Outcome::Ok } else { Outcome::Deviation(format!("{what}: {reply}")) };
        self.report.tell(id, outcome);
    }

    /// Tells a row what was found otherwise.
    pub fn found(&mut self, id: &'static str, wrong: Option<String>) {
        self.report.found(id, wrong);
    }

    /// Why rows are not asked.
    pub fn skip(&mut self, ids: &[&'static str], why: &str) {
        self.report.skip(ids, why);
    }

    /// The report, unless the witness has had enough of us.
    pub fn finish(self) -> Step<Report> {
        match self.limited {
            None => Ok(self.report),
            Some(said) => Err(Failure::new(format!(
                "the witness limits how often a log may ask: {said}\nhint: its operator can raise it for the test logs"
            ))),
        }
    }

    /// Asks how far the witness is, as the specification proposes: with the old size 0.
    pub fn find_size(&mut self, role: Role) -> Step {
        let request = Request::between(self.log(role)?, 0, 1)?;
        let reply = self.send(role, &request)?;
        let origin = self.log(role)?.origin().clone();
        match reply.status() {
            200 => Ok(()),
            409 => self.learn_size(role, &reply),
            404 => Err(Failure::new(format!(
                "the witness does not know {origin}\nhint: `witness-conformance logs` prints what to configure"
            ))),
            _ => Err(Failure::new(format!("asked for its size of {origin}, the witness answers {reply}"))),
        }
    }

    /// Takes the size from an answer 409.
    pub fn learn_size(&mut self, role: Role, reply: &Reply) -> Step {
        let size = String::from_utf8_lossy(reply.body()).trim().to_owned();
        let log = self.log(role)?;
        log.size = decimal(&size).during(format!("reading the size of {} in the answer {reply}", log.origin()))?;
        Ok(())
    }

    /// Asks which of the two histories the witness knows.
    pub fn find_branch(&mut self, role: Role) -> Step {
        let size = self.log(role)?.size;
        if size == 0 {
            return Ok(());
        }
        for branch in [Branch::Honest, Branch::Other] {
            let log = self.log(role)?;
            log.branch = branch;
            let request = Request::growth(log, size)?;
            if self.send(role, &request)?.status() == 200 {
                return Ok(());
            }
        }
        Ok(())
    }
}
