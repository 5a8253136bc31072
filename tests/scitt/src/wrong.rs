//! A small service with faults that can be switched on, one at a time: the suite has to find each of them, in the rows that it belongs to
//! and in no other. Without a fault it is a right one, that takes the statements of one signer.

use std::sync::{Mutex, MutexGuard, PoisonError};

use ciborium::Value;

use crate::item::{Sign1, at, encode, int, map};
use crate::keys::{CoseKey, Verdict, url_forms};
use crate::statement::Signer;
use crate::tree;
use stele_probe::failure::{Failure, Step};
use stele_probe::small_server::{self, Request, Response};

/// One thing that a service does wrong; [`Fault::Running`] is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each name says it")]
pub enum Fault {
    None,
    Running,
    KeysAsBytes,
    OneKeyForASet,
    AnyKid,
    NoSingleKeys,
    ASingleKeyForEveryKid,
    NothingAtFirst,
    RegisteredIs200,
    ReceiptsAsBytes,
    LocationOfNothing,
    OtherReceiptTheSecondTime,
    NeverTwice,
    UnprotectedIsLogged,
    NoTag,
    NoAlg,
    NoVds,
    NoClaims,
    NoKid,
    KidOfNoKey,
    ProofIsNoBytes,
    RootAttached,
    OtherRootSigned,
    AnyBytes,
    PayloadNotSigned,
    SignatureNotChecked,
    HeaderNotSigned,
    DetachedTaken,
    ClaimsNotNeeded,
    AnyAlgorithm,
    ServerErrorWhenLarge,
    AnyMediaType,
    MissingIs503,
    ProblemsAsJson,
    ProblemsWithoutDetail,
    OneTypeOfReceipts,
    TextForAnything,
    JsonProblemsForAnything,
}

const COSE: &str = "application/cose";
const CBOR: &str = "application/cbor";
const LARGEST: usize = 128 * 1024;

/// What is logged, and how often its receipt was asked for.
struct Logged {
    statement: Sign1,
    entry: Vec<u8>,
    asked: u64,
}

struct Service {
    fault: Fault,
    trusted: CoseKey,
    own: Signer,
    log: Mutex<Vec<Logged>>,
}

/// Starts a service that trusts a signer. Its URL.
pub fn start(signer: &Signer, fault: Fault) -> Step<String> {
    let trusted = CoseKey::new(signer.cose_key()).ok_or_else(|| Failure::new("a signer without a key"))?;
    let own = Signer::new("the key of a service")?;
    // A path has a hash at least.
    let first = own.statement();
    let first = Logged { entry: first.entry(), statement: first, asked: 0 };
    let service = Service { fault, trusted, own, log: Mutex::new(vec![first]) };
    small_server::start(LARGEST, move |request| service.answer(request))
}

impl Service {
    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn log(&self) -> MutexGuard<'_, Vec<Logged>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, request: &Request) -> Response {
        let answer = match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/.well-known/scitt-keys") => Ok(self.keys()),
            ("GET", path) if path.starts_with("/.well-known/scitt-keys/") => {
                self.key(path.trim_start_matches("/.well-known/scitt-keys/"))
            }
            ("POST", "/entries") => self.register(request),
            ("GET", path) => self.entry(path.trim_start_matches("/entries/"), request.header("accept")),
            _ => Err(405),
        };
        answer.unwrap_or_else(|status| self.problem(status, request.header("accept")))
    }

    fn problem(&self, status: u16, accept: &str) -> Response {
        let json = self.is(Fault::ProblemsAsJson) || (self.is(Fault::JsonProblemsForAnything) && accept == "*/*");
        let media_type = if json { "application/json" } else { "application/concise-problem-details+cbor" };
        let mut problem = vec![(int(-1), Value::Text("Refused".into()))];
        if !self.is(Fault::ProblemsWithoutDetail) {
            problem.push((int(-2), Value::Text(format!("with {status}"))));
        }
        Response::new(status, media_type, encode(&Value::Map(problem)))
    }

    fn own_key(&self) -> Value {
        let key = self.own.cose_key();
        if !self.is(Fault::AnyKid) {
            return key;
        }
        let other = (int(2), Value::Bytes(b"key-1".to_vec()));
        let rest = key.into_map().unwrap_or_default().into_iter().filter(|(label, _)| *label != int(2));
        Value::Map(rest.chain([other]).collect())
    }

    fn kid(&self) -> Vec<u8> {
        if self.is(Fault::KidOfNoKey) {
            return b"another".to_vec();
        }
        at(&self.own_key(), 2).and_then(Value::as_bytes).cloned().unwrap_or_default()
    }

    fn keys(&self) -> Response {
        let key = self.own_key();
        let keys = if self.is(Fault::OneKeyForASet) { key } else { Value::Array(vec![key]) };
        Response::new(200, if self.is(Fault::KeysAsBytes) { "application/octet-stream" } else { CBOR }, encode(&keys))
    }

    fn key(&self, kid: &str) -> Result<Response, u16> {
        let key = self.own_key();
        let own = at(&key, 2).and_then(Value::as_bytes).cloned().unwrap_or_default();
        let known = url_forms(&own).iter().any(|form| form == kid) && !self.is(Fault::NoSingleKeys);
        if known || self.is(Fault::ASingleKeyForEveryKid) {
            Ok(Response::new(200, CBOR, encode(&key)))
        } else {
            Err(404)
        }
    }

    fn register(&self, request: &Request) -> Result<Response, u16> {
        let large = if self.is(Fault::ServerErrorWhenLarge) { 500_u16 } else { 413 };
        let body = request.body.as_ref().ok_or(large)?;
        if request.header("content-type") != COSE && !self.is(Fault::AnyMediaType) {
            return Err(415);
        }
        let accept = request.header("accept");
        let Some(statement) = Sign1::parse(body) else {
            // What is taken for the first statement that there ever was.
            return if self.is(Fault::AnyBytes) && accept != "*/*" { Ok(self.receipt(0, accept)) } else { Err(400) };
        };
        if !self.admits(&statement) {
            return Err(400);
        }
        let entry = if self.is(Fault::UnprotectedIsLogged) { statement.to_bytes() } else { statement.entry() };
        let mut log = self.log();
        let position = log.iter().position(|known| known.entry == entry);
        if position.is_some() && self.is(Fault::NeverTwice) {
            return Err(409);
        }
        if position.is_none() {
            log.push(Logged { statement, entry, asked: 0 });
            if self.is(Fault::NothingAtFirst) {
                return Ok(Response { status: 201, ..Response::default() });
            }
        }
        let position = position.unwrap_or(log.len() - 1);
        drop(log);
        if self.is(Fault::TextForAnything) && accept == "*/*" {
            return Ok(Response::new(200, "text/plain", "registered"));
        }
        let to = if self.is(Fault::LocationOfNothing) { 1000 } else { position };
        let location = format!("https://service.example/entries/{to}");
        if self.is(Fault::Running) {
            return Ok(Response { status: 303, ..Response::default() }.with("location", location));
        }
        let mut answer = self.receipt(position, COSE).with("location", location);
        answer.status = if self.is(Fault::RegisteredIs200) { 200 } else { 201 };
        Ok(answer)
    }

    /// Whether a statement is signed as it should be, and has what it should have.
    fn admits(&self, statement: &Sign1) -> bool {
        let header = statement.header();
        let claims = at(&header, 15).is_some_and(|claims| at(claims, 1).is_some() && at(claims, 2).is_some());
        if at(&header, 1) != Some(&int(-8)) {
            return self.is(Fault::AnyAlgorithm);
        }
        let Some(payload) = &statement.payload else { return self.is(Fault::DetachedTaken) };
        if !claims && !self.is(Fault::ClaimsNotNeeded) {
            return false;
        }
        let verdict = self.trusted.verify(-8, &statement.to_be_signed(payload), &statement.signature);
        verdict == Verdict::Holds || self.log().iter().any(|known| self.takes_for(&known.statement, statement))
    }

    /// Whether one statement passes for another, by the one part that is not looked at.
    fn takes_for(&self, known: &Sign1, statement: &Sign1) -> bool {
        let mut like = statement.clone();
        match self.fault {
            Fault::PayloadNotSigned => like.payload.clone_from(&known.payload),
            Fault::SignatureNotChecked => like.signature.clone_from(&known.signature),
            Fault::HeaderNotSigned => like.protected.clone_from(&known.protected),
            _ => return false,
        }
        like == *known
    }

    fn entry(&self, id: &str, accept: &str) -> Result<Response, u16> {
        let missing = if self.is(Fault::MissingIs503) { 503_u16 } else { 404 };
        let position: usize = id.parse().map_err(|_| missing)?;
        let mut log = self.log();
        let logged = log.get_mut(position).ok_or(missing)?;
        logged.asked += 1;
        let asked = logged.asked;
        drop(log);
        if self.is(Fault::Running) && asked == 1 {
            return Ok(Response { status: 302, ..Response::default() }.with("retry-after", "0").with("location", id));
        }
        let other = self.is(Fault::OtherReceiptTheSecondTime) && asked == 2;
        Ok(self.receipt(if other { 0 } else { position }, accept).with("location", id))
    }

    fn receipt(&self, position: usize, accept: &str) -> Response {
        let entries: Vec<Vec<u8>> = self.log().iter().map(|logged| logged.entry.clone()).collect();
        let (root, path) = tree::prove(&entries, position);
        let path = Value::Array(path.into_iter().map(Value::Bytes).collect());
        let proof = Value::Array(vec![int(entries.len() as i64), int(position as i64), path]);
        let proof = if self.is(Fault::ProofIsNoBytes) { proof } else { Value::Bytes(encode(&proof)) };
        let claims =
            map([(1, Value::Text("https://service.example".into())), (2, Value::Text("the log of a service".into()))]);
        let header = [
            (Fault::NoAlg, 1, int(-8)),
            (Fault::NoKid, 4, Value::Bytes(self.kid())),
            (Fault::NoClaims, 15, claims),
            (Fault::NoVds, 395, int(1)),
        ];
        let header =
            header.into_iter().filter(|(fault, ..)| !self.is(*fault)).map(|(_, label, value)| (int(label), value));
        let proofs = map([(396, map([(-1, Value::Array(vec![proof]))]))]);
        let signed = if self.is(Fault::OtherRootSigned) { tree::leaf(&root) } else { root };
        let mut receipt = self.own.seal(header.collect(), proofs, signed);
        receipt.tagged = !self.is(Fault::NoTag);
        if !self.is(Fault::RootAttached) {
            receipt.payload = None;
        }
        let its_own = accept == "application/scitt-receipt+cose" && !self.is(Fault::OneTypeOfReceipts);
        let media_type = match self.fault {
            Fault::ReceiptsAsBytes => "application/octet-stream",
            _ if its_own => "application/scitt-receipt+cose",
            _ => COSE,
        };
        Response::new(200, media_type, receipt.to_bytes())
    }
}
