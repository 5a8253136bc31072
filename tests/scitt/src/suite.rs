//! One service, and what was found so far.

use std::thread;
use std::time::Duration;

use ciborium::Value;

use crate::item::{Sign1, at, encode, hex, parse};
use crate::keys::{CoseKey, url_forms};
use crate::receipt::judge;
use crate::rows::TABLE;
use crate::statement::{Signer, refused};
use stele_probe::door::{Door, Reply};
use stele_probe::failure::{Failure, Step};
use stele_probe::report::{Outcome, Report};

/// What the examples of the draft accept.
const ACCEPT: &str = "application/cose, application/cbor, application/concise-problem-details+cbor";
const COSE: &str = "application/cose";
const RECEIPT: &str = "application/scitt-receipt+cose";
const PROBLEM: &str = "application/concise-problem-details+cbor";

/// How often a running registration is asked for, with a second in between unless the service says longer.
const POLLS: usize = 60;
const LONGEST_PAUSE: u64 = 10;

/// Over what a statement needs; the largest thing that the suite sends.
const TOO_LARGE: usize = 2 * 1024 * 1024;

/// A run.
struct Suite<'a> {
    door: &'a Door,
    keys: Vec<CoseKey>,
    report: Report,
    /// Whether the first receipt proves its statement, as far as can be said; none before there is one.
    first: Option<bool>,
}

/// Runs every check. `seeded` are statements that the service's registration policy takes; without one the suite signs its own. An error says
/// that nothing could be judged: nobody answers, or no statement is taken.
pub fn run(door: &Door, signer: &Signer, seeded: Option<Sign1>) -> Step<Report> {
    door.open()?;
    let mut suite = Suite { door, keys: Vec::new(), report: Report::new(&TABLE, door.to_string()), first: None };
    let own = seeded.is_none();
    let statement = seeded.unwrap_or_else(|| signer.statement());
    suite.report.skip(&["P2"], "no refusal has that type");
    suite.keys();
    suite.registered(&statement, own)?;
    suite.refusals(&statement, signer);
    suite.unprotected(&statement);
    suite.without_accept(&if own { signer.statement() } else { statement });
    Ok(suite.report)
}

impl Suite<'_> {
    fn get(&self, path: &str, accept: &str) -> Reply {
        self.door.send_with("GET", path, &[("accept", accept)], &[])
    }

    fn post(&self, body: &[u8], media_type: &str, accept: &str) -> Reply {
        self.door.send_with("POST", "/entries", &[("accept", accept), ("content-type", media_type)], body)
    }

    /// Tells a row what came back.
    fn tell(&mut self, id: &'static str, what: &str, reply: &Reply, holds: bool) {
        self.report
            .found(id, (!holds).then(|| if what.is_empty() { reply.to_string() } else { format!("{what}: {reply}") }));
    }

    fn keys(&mut self) {
        let reply = self.get("/.well-known/scitt-keys", "application/cbor");
        self.tell("K1", &typed(&reply), &reply, reply.status() == 200 && typed(&reply) == "application/cbor");
        let set = parse(reply.body()).and_then(CoseKey::set);
        self.tell("K2", "", &reply, set.is_some());
        self.keys = set.unwrap_or_default();
        if self.keys.is_empty() {
            self.report.skip(&["K3", "K4"], "there are no keys");
        }
        for key in self.keys.clone() {
            let kid = key.kid().unwrap_or_default();
            if let Some(thumbprint) = key.thumbprint() {
                self.report.found("K3", (kid != thumbprint).then(|| format!("the kid {}", hex(kid))));
            } else {
                self.report.skip(&["K3"], "this suite knows no thumbprint of such a key");
            }
            let forms = url_forms(kid);
            let replies =
                forms.iter().map(|form| self.get(&format!("/.well-known/scitt-keys/{form}"), "application/cbor"));
            let mut replies: Vec<Reply> = replies.collect();
            let good = replies.iter().position(|reply| {
                let one = parse(reply.body()).and_then(CoseKey::new);
                reply.status() == 200 && typed(reply) == "application/cbor" && one.as_ref() == Some(&key)
            });
            let reply = replies.swap_remove(good.unwrap_or(0));
            self.tell("K4", &typed(&reply), &reply, good.is_some());
        }
        let reply = self.get("/.well-known/scitt-keys/bm8gc3VjaCBraWQ", ACCEPT);
        self.tell("K5", "", &reply, reply.status() == 404);
        self.problem("K5", &reply);
    }

    /// R1 to R5, N1 and L1: a statement on its way to a receipt, twice.
    fn registered(&mut self, statement: &Sign1, own: bool) -> Step {
        let reply = self.post(&statement.to_bytes(), COSE, ACCEPT);
        if (400..600).contains(&reply.status()) {
            let hint = if reply.status() == 401 {
                "`--header` says what the service asks for"
            } else if own {
                "`scitt-conformance key` prints the key that the service has to trust, or give --statement, a file that its policy takes"
            } else {
                "a statement that the service's registration policy takes"
            };
            return Err(Failure::new(format!(
                "the service does not register the statement: {}\nhint: {hint}",
                told(&reply)
            )));
        }
        let running = (300..400).contains(&reply.status()) || reply.status() == 202;
        let location = self.location(&reply, "/entries");
        let (receipt, led) = (Sign1::parse(reply.body()).is_some(), location.is_some());
        self.tell("R1", "no receipt and no Location", &reply, receipt || led);
        self.tell("R1b", "", &reply, (reply.status() == 201 && receipt) || (reply.status() == 303 && led));
        if !running {
            self.proven(&reply, statement);
        }
        match location {
            Some(location) => self.looked_up(&location, statement),
            None => self.report.skip(&["R3", "R4", "N1"], "there is no Location, which is optional with 201"),
        }
        for id in ["/entries/no-such-entry", &format!("/entries/{}", "f".repeat(64)), "/entries/9223372036854775807"] {
            let reply = self.get(id, ACCEPT);
            self.tell("L1", id, &reply, (400..500).contains(&reply.status()));
            self.problem("L1", &reply);
        }
        let again = self.post(&statement.to_bytes(), COSE, ACCEPT);
        let proven = self.settled(&again, statement);
        self.tell("R5", "", &again, proven);
        Ok(())
    }

    fn looked_up(&mut self, location: &str, statement: &Sign1) {
        let (reply, location) = self.followed(location);
        let proven = self.proven(&reply, statement);
        self.tell("R3", "", &reply, proven);
        if !proven {
            return self.report.skip(&["R4", "N1"], "there is no receipt");
        }
        let reply = self.get(&location, COSE);
        let proven = self.proven(&reply, statement);
        self.tell("R4", "", &reply, proven);
        let reply = self.get(&location, RECEIPT);
        let proven = typed(&reply) == RECEIPT && self.proven(&reply, statement);
        self.tell("N1", &typed(&reply), &reply, proven);
    }

    /// Asks for a running registration until it is done; where it is found then.
    fn followed(&self, location: &str) -> (Reply, String) {
        let mut location = location.to_owned();
        let mut reply = self.get(&location, ACCEPT);
        for _ in 0..POLLS {
            if !matches!(reply.status(), 202 | 302 | 303) {
                break;
            }
            let pause = reply.header("retry-after").and_then(|seconds| seconds.parse().ok()).unwrap_or(1);
            thread::sleep(Duration::from_secs(LONGEST_PAUSE.min(pause)));
            location = self.location(&reply, &location).unwrap_or(location);
            reply = self.get(&location, ACCEPT);
        }
        let end = self.location(&reply, &location).unwrap_or(location);
        (reply, end)
    }

    /// Whether an answer to a registration leads to a receipt of the statement, now or later.
    fn settled(&mut self, reply: &Reply, statement: &Sign1) -> bool {
        match self.location(reply, "/entries") {
            Some(location) if !matches!(reply.status(), 200 | 201) => {
                let (reply, _) = self.followed(&location);
                self.proven(&reply, statement)
            }
            _ => self.proven(reply, statement),
        }
    }

    /// Whether an answer is a receipt that proves the statement. The first one of a run is C9's; where that does not hold, no other row is
    /// told so again.
    fn proven(&mut self, reply: &Reply, statement: &Sign1) -> bool {
        if !(200..300).contains(&reply.status()) || reply.body().is_empty() {
            return false;
        }
        let media_type = typed(reply);
        self.report.found("R2", (![COSE, RECEIPT].contains(&media_type.as_str())).then_some(media_type));
        let outcome = judge(reply.body(), statement, &self.keys, &mut self.report);
        let holds = !matches!(outcome, Outcome::Deviation(_));
        let first = *self.first.get_or_insert_with(|| {
            self.report.tell("C9", outcome);
            holds
        });
        (holds || !first) && Sign1::parse(reply.body()).is_some()
    }

    /// E1 to E9.
    fn refusals(&mut self, statement: &Sign1, signer: &Signer) {
        let reply = self.post(b"none", COSE, ACCEPT);
        self.refused("E1", &reply);
        for (id, wrong) in refused(statement, signer) {
            let reply = self.post(&wrong.to_bytes(), COSE, ACCEPT);
            self.refused(id, &reply);
        }
        let reply = self.post(&vec![0xd2; TOO_LARGE], COSE, ACCEPT);
        // A connection that is closed while we still write is a refusal, and often loses its answer.
        self.tell("E8", "", &reply, reply.status() == 0 || (400..500).contains(&reply.status()));
        let reply = self.post(&statement.to_bytes(), "application/json", ACCEPT);
        self.tell("E9", "", &reply, reply.status() == 415);
    }

    fn refused(&mut self, id: &'static str, reply: &Reply) {
        self.tell(id, "", reply, (400..600).contains(&reply.status()));
        self.problem(id, reply);
    }

    /// P1 and P2, of an answer that is a refusal.
    fn problem(&mut self, id: &str, reply: &Reply) {
        if !(400..600).contains(&reply.status()) {
            return;
        }
        let media_type = typed(reply);
        self.tell("P1", &format!("{id}, {media_type}"), reply, media_type == PROBLEM);
        // What is no problem by its type is not looked into.
        if media_type == PROBLEM {
            self.tell("P2", id, reply, is_problem(reply.body()));
        }
    }

    /// R6: what nobody has signed is not logged.
    fn unprotected(&mut self, statement: &Sign1) {
        let label = Value::Text("not signed".into());
        let wrong = Sign1 { unprotected: Value::Map(vec![(label, Value::Bool(true))]), ..statement.clone() };
        let reply = self.post(&wrong.to_bytes(), COSE, ACCEPT);
        self.problem("R6", &reply);
        let holds = (400..500).contains(&reply.status()) || self.settled_quietly(&reply, statement);
        self.tell("R6", "no receipt of the statement without it", &reply, holds);
    }

    /// The same as `settled`, where other rows are not to be told.
    fn settled_quietly(&mut self, reply: &Reply, statement: &Sign1) -> bool {
        let report = self.report.clone();
        let holds = self.settled(reply, statement);
        self.report = report;
        holds
    }

    /// N2 and N3: what a program gets that takes anything.
    fn without_accept(&mut self, statement: &Sign1) {
        let reply = self.post(&statement.to_bytes(), COSE, "*/*");
        let holds = self.settled_quietly(&reply, statement);
        self.tell("N2", &typed(&reply), &reply, holds);
        let reply = self.post(b"none", COSE, "*/*");
        self.tell("N3", &typed(&reply), &reply, typed(&reply) == PROBLEM && is_problem(reply.body()));
    }

    /// Where an answer leads, below the service's prefix: an address of any host means this one, which may have another name for others.
    fn location(&self, reply: &Reply, asked: &str) -> Option<String> {
        let location = reply.header("location").filter(|location| !location.is_empty())?;
        let path = match location.split_once("://") {
            Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"),
            None => location,
        };
        if path.starts_with('/') {
            return Some(path.strip_prefix(self.door.base()).unwrap_or(path).to_owned());
        }
        let (folder, _) = asked.rsplit_once('/').unwrap_or_default();
        Some(format!("{folder}/{path}"))
    }
}

/// The media type of an answer, without parameters.
fn typed(reply: &Reply) -> String {
    let value = reply.header("content-type").unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// RFC 9290: a title and a detail.
fn is_problem(body: &[u8]) -> bool {
    let text = |label| parse(body).and_then(|problem| at(&problem, label)?.as_text().map(|text| !text.is_empty()));
    text(-1) == Some(true) && text(-2) == Some(true)
}

/// An answer for a person: a problem in words.
fn told(reply: &Reply) -> String {
    let problem = parse(reply.body()).filter(Value::is_map);
    let text = |label| problem.as_ref().and_then(|problem| at(problem, label)?.as_text().map(str::to_owned));
    match (text(-1), text(-2)) {
        (None, None) => reply.to_string(),
        (title, detail) => {
            format!("{} {}: {}", reply.status(), title.unwrap_or_default(), detail.unwrap_or_default())
        }
    }
}

/// A key for the operator of a service.
pub fn key_file(signer: &Signer) -> Vec<u8> {
    encode(&Value::Array(vec![signer.cose_key()]))
}
