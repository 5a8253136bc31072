//! A small witness with faults that can be switched on, one at a time: the suite has to find each of them, in the rows that it
//! belongs to and in no other. Without a fault it is a right one, with an Ed25519 and an ML-DSA-44 key and no `sign-subtree`.
//!
//! It shares no code with `stele-witness`, and none with the checks.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use stele_spec::checkpoint::{Checkpoint, verify_log_signature};
use stele_spec::cosignature::{UnixTime, cosign};
use stele_spec::hash::{NodeHash, RootHash};
use stele_spec::merkle::{ConsistencyProof, MAX_PROOF, empty_root};
use stele_spec::note::{KeyType, NoteSignature, SignedNote, SignerKey, VerifierKey};
use stele_spec::text::{base64_exact, decimal};

use super::logs::{Role, Seed, TestLog};
use stele_probe::failure::{During, Step};
use stele_probe::small_server::{self, Request};

/// One thing that a witness does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each name says it")]
pub enum Fault {
    None,
    AnyFirstWord,
    LeadingZeros,
    UrlAlphabet,
    UnusedBits,
    ExtraHashesIgnored,
    FewProofLines,
    NoEmptyLineNeeded,
    UnendedNote,
    CrLf,
    ServerErrorWhenLarge,
    SmallBodies,
    AnyMethod,
    MalformedIs422,
    UnknownOriginIs403,
    AnyKey,
    BadLineIs400,
    OneGoodLineIsEnough,
    UnknownLinesRefused,
    WedgedByItsOwnName,
    SizesToStrangers,
    OldAboveSizeIs409,
    ProofBeforeSize,
    AnyOldSize,
    SizeWithoutNewline,
    SizeAsPlainText,
    EmptyTreeWithARoot,
    ProofFromNothing,
    ForksCosigned,
    SameSizeCosigned,
    SameSizeIs409,
    ProofBetweenEquals,
    NoEmptyTree,
    NoExtensions,
    NoMlDsaLine,
    OtherLogsOnly,
    MoreThanLines,
    OverTheSizeAlone,
    TimeZero,
    TimeGoesBack,
    ClockAhead,
    OneRequestAConnection,
    ClosesAfterRefusal,
    NotAtomic,
    NoPage,
    PageWithoutLog,
    PageWithoutOwn,
    PageOfYesterday,
    PageOfAll,
    PageOfAnything,
}

/// What is remembered of a log.
#[derive(Clone)]
struct Record {
    size: u64,
    root: RootHash,
    page: String,
}

struct Inner {
    fault: Fault,
    logs: BTreeMap<String, VerifierKey>,
    keys: [SignerKey; 2],
    records: Mutex<BTreeMap<String, Record>>,
    answered: Mutex<u64>,
}

/// A witness on a port of its own.
pub struct WrongWitness {
    url: String,
    vkeys: Vec<String>,
}

/// Status, media type, body.
type Response = (u16, &'static str, String);

const TEXT: &str = "text/plain";
const LARGEST: usize = 128 * 1024;

impl WrongWitness {
    /// Starts one that is configured with the test logs of a seed.
    pub fn start(seed: Seed, fault: Fault) -> Step<Self> {
        let mut logs = BTreeMap::new();
        for role in Role::CONFIGURED.into_iter().filter(|role| *role != Role::MlDsa || fault != Fault::OtherLogsOnly) {
            let log = TestLog::new(seed, role)?;
            logs.insert(log.origin().to_string(), log.signer().verifier());
        }
        let name = |_| "wrong.example/w".parse();
        let keys = [(KeyType::Cosigner, 1), (KeyType::MlDsa, 2)];
        let keys = keys.map(|(key_type, number)| name(()).map(|name| SignerKey::new(name, key_type, [number; 32])));
        let [ed25519, ml_dsa] = keys;
        let keys = [ed25519.during("naming a witness")?, ml_dsa.during("naming a witness")?];
        let vkeys = keys.iter().map(|key| key.verifier().to_string()).collect();
        let (records, answered) = (Mutex::default(), Mutex::default());
        let inner = Inner { fault, logs, keys, records, answered };
        let limit = if fault == Fault::SmallBodies { 16 * 1024 } else { LARGEST };
        let url = small_server::start(limit, move |request| inner.respond(request))?;
        Ok(Self { url, vkeys })
    }

    /// Both of its prefixes.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its keys.
    pub fn vkeys(&self) -> &[String] {
        &self.vkeys
    }
}

impl Inner {
    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn respond(&self, request: &Request) -> small_server::Response {
        let (status, media_type, body) = match &request.body {
            Some(body) => self.answer(&request.method, &request.path, body),
            None => (if self.is(Fault::ServerErrorWhenLarge) { 500 } else { 413 }, TEXT, String::new()),
        };
        let refused_and_closed = self.is(Fault::ClosesAfterRefusal) && status != 200;
        let close = self.is(Fault::OneRequestAConnection) || refused_and_closed;
        small_server::Response { close, ..small_server::Response::new(status, media_type, body) }
    }

    fn answer(&self, method: &str, path: &str, body: &[u8]) -> Response {
        match (method, path) {
            (_, "/add-checkpoint") if method == "POST" || self.is(Fault::AnyMethod) => {
                self.add(body).unwrap_or_else(|refused| refused)
            }
            ("GET", path) if path.ends_with("/checkpoint") => {
                self.page(path.trim_start_matches('/').trim_end_matches("/checkpoint"))
            }
            _ => (405, TEXT, String::new()),
        }
    }

    fn page(&self, hash: &str) -> Response {
        let none = (404, TEXT, String::new());
        if self.is(Fault::NoPage) {
            return none;
        }
        let records = self.records();
        let of = |origin: &str| stele_spec::hash::Digest::of(origin.as_bytes()).to_string();
        let anything = records.values().next().filter(|_| self.is(Fault::PageOfAnything));
        let found = records.iter().find(|(origin, _)| of(origin) == hash).map(|(_, record)| record);
        found.or(anything).map_or(none, |record| (200, TEXT, record.page.clone()))
    }

    fn records(&self) -> MutexGuard<'_, BTreeMap<String, Record>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, body: &[u8]) -> Result<Response, Response> {
        let refuse = |status: u16| (status, TEXT, format!("refused with {status}\n"));
        let malformed = refuse(if self.is(Fault::MalformedIs422) { 422 } else { 400 });
        let (old, proof, note) = self.parse(body).ok_or(malformed.clone())?;
        let checkpoint = Checkpoint::parse(note.text()).map_err(|_| malformed)?;
        let origin = checkpoint.origin().to_string();
        let unknown = refuse(if self.is(Fault::UnknownOriginIs403) { 403 } else { 404 });
        let log = self.logs.get(&origin).ok_or(unknown)?;
        let lines = self.trusted(&note, log, &checkpoint).map_err(refuse)?;
        if self.is(Fault::NoExtensions) && !checkpoint.extension().is_empty() {
            return Err(refuse(400));
        }

        let size = checkpoint.size();
        let mut records = self.records();
        let none = Record { size: 0, root: empty_root(), page: String::new() };
        let last = records.get(&origin).cloned().unwrap_or(none);
        if old > size && !self.is(Fault::OldAboveSizeIs409) {
            return Err(refuse(400));
        }
        if self.is(Fault::ProofBeforeSize) && !proof.is_empty() {
            self.consistent(&last, old, &proof, &checkpoint).map_err(refuse)?;
        }
        if old != last.size && !(self.is(Fault::AnyOldSize) && old == 0) {
            return Err(self.conflict(&last));
        }
        self.consistent(&last, old, &proof, &checkpoint)
            .map_err(|status| if status == 409 { self.conflict(&last) } else { refuse(status) })?;
        if self.is(Fault::NotAtomic) {
            drop(records);
            thread::sleep(Duration::from_millis(50));
            records = self.records();
        }
        let (answer, page) = self.cosign(&note, &lines, &checkpoint, &last).ok_or(refuse(500))?;
        records.insert(origin, Record { size, root: checkpoint.root(), page });
        Ok((200, TEXT, answer))
    }

    fn conflict(&self, last: &Record) -> Response {
        let media_type = if self.is(Fault::SizeAsPlainText) { TEXT } else { "text/x.tlog.size" };
        let end = if self.is(Fault::SizeWithoutNewline) { "" } else { "\n" };
        (409, media_type, format!("{}{end}", last.size))
    }

    fn parse(&self, body: &[u8]) -> Option<(u64, Vec<NodeHash>, SignedNote)> {
        let mut text = String::from_utf8(body.to_vec()).ok()?;
        if self.is(Fault::CrLf) {
            text = text.replace("\r\n", "\n");
        }
        if self.is(Fault::UnendedNote) && !text.ends_with('\n') {
            text.push('\n');
        }
        let (first, mut rest) = text.split_once('\n')?;
        let old = match first.split_once(' ') {
            Some((_, old)) if self.is(Fault::AnyFirstWord) => old,
            _ => first.strip_prefix("old ")?,
        };
        let old = if self.is(Fault::LeadingZeros) && old.len() > 1 { old.trim_start_matches('0') } else { old };
        let mut proof = Vec::new();
        loop {
            let (line, after) = rest.split_once('\n')?;
            if line.is_empty() {
                rest = after;
                break;
            }
            let Some(hash) = self.hash(line) else {
                if self.is(Fault::NoEmptyLineNeeded) {
                    break;
                }
                return None;
            };
            proof.push(hash);
            rest = after;
        }
        let limit = match self.fault {
            Fault::FewProofLines => 32,
            Fault::ExtraHashesIgnored => usize::MAX,
            _ => MAX_PROOF,
        };
        if proof.len() > limit {
            return None;
        }
        Some((decimal(old).ok()?, proof, self.note(rest)?))
    }

    /// The note. A witness that is content with one good line reads those of one key one after the other, and not as a note that
    /// repeats a key.
    fn note(&self, text: &str) -> Option<SignedNote> {
        if let Ok(note) = SignedNote::parse(text.as_bytes()) {
            return Some(note);
        }
        if !self.is(Fault::OneGoodLineIsEnough) {
            return None;
        }
        let (signed, lines) = text.split_once("\n\n")?;
        let lines: Vec<&str> = lines.split_inclusive('\n').collect();
        let [one, other] = lines[..] else { return None };
        if one == other || ![one, other].iter().all(|line| line.starts_with('\u{2014}')) {
            return None;
        }
        let each = [one, other].map(|line| SignedNote::parse(format!("{signed}\n\n{line}").as_bytes()).ok());
        each.into_iter().flatten().find(|note| self.logs.values().any(|log| verify_log_signature(note, log).is_ok()))
    }

    fn hash(&self, line: &str) -> Option<NodeHash> {
        let line = match self.fault {
            Fault::UrlAlphabet => line.replace('-', "+").replace('_', "/"),
            Fault::UnusedBits => with_unused_bits_cleared(line)?,
            _ => line.to_owned(),
        };
        base64_exact(&line).ok().map(NodeHash::from_bytes)
    }

    /// The lines of the log that verify, or a status.
    fn trusted(
        &self,
        note: &SignedNote,
        log: &VerifierKey,
        checkpoint: &Checkpoint,
    ) -> Result<Vec<NoteSignature>, u16> {
        if self.is(Fault::AnyKey) {
            return Ok(note.signatures().iter().take(1).cloned().collect());
        }
        if self.is(Fault::UnknownLinesRefused) && !note.signatures().iter().all(|line| log.is_meant_by(line)) {
            return Err(403);
        }
        if self.is(Fault::SizesToStrangers) {
            let known = self.records().get(checkpoint.origin().as_str()).map_or(0, |record| record.size);
            if known + 2 == checkpoint.size() && !note.signatures().iter().any(|line| log.is_meant_by(line)) {
                return Err(409);
            }
        }
        let meant = note.signatures().iter().filter(|line| log.is_meant_by(line));
        let mut good = Vec::new();
        let mut bad = 0;
        for line in meant {
            let alone = SignedNote::new(note.text().to_owned(), vec![line.clone()]).map_err(|_| 500_u16)?;
            match verify_log_signature(&alone, log) {
                Ok(_) => good.push(line.clone()),
                Err(_) => bad += 1,
            }
        }
        if bad > 0 && self.is(Fault::BadLineIs400) {
            return Err(400);
        }
        if good.is_empty() || (bad > 0 && !self.is(Fault::OneGoodLineIsEnough)) {
            return Err(403);
        }
        Ok(good)
    }

    /// Whether a checkpoint continues what was recorded, or a status.
    fn consistent(&self, last: &Record, old: u64, proof: &[NodeHash], checkpoint: &Checkpoint) -> Result<(), u16> {
        let (size, root) = (checkpoint.size(), checkpoint.root());
        if size == 0 && (root != empty_root() || self.is(Fault::NoEmptyTree)) {
            return if self.is(Fault::EmptyTreeWithARoot) { Ok(()) } else { Err(422) };
        }
        if self.is(Fault::ForksCosigned) && old > 0 && size > old {
            return Ok(());
        }
        if old == size && !proof.is_empty() && old > 0 {
            return if self.is(Fault::ProofBetweenEquals) && last.root == root { Ok(()) } else { Err(422) };
        }
        if old == size && last.root != root {
            return match self.fault {
                Fault::SameSizeCosigned => Ok(()),
                Fault::SameSizeIs409 => Err(409),
                _ => Err(422),
            };
        }
        if old == 0 && !proof.is_empty() {
            return if self.is(Fault::ProofFromNothing) { Ok(()) } else { Err(422) };
        }
        let lengths = if self.is(Fault::ExtraHashesIgnored) { 0..=proof.len() } else { proof.len()..=proof.len() };
        let old_root = if old == 0 { empty_root() } else { last.root };
        let holds = lengths.into_iter().any(|length| {
            let path = proof.iter().take(length).copied().collect();
            ConsistencyProof::from_path(path).is_some_and(|proof| proof.check(old, old_root, size, root).is_ok())
        });
        if holds || (self.is(Fault::AnyOldSize) && old == 0) { Ok(()) } else { Err(422) }
    }

    fn cosign(
        &self,
        note: &SignedNote,
        lines: &[NoteSignature],
        checkpoint: &Checkpoint,
        last: &Record,
    ) -> Option<(String, String)> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
        let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        *answered += 1;
        let time = match self.fault {
            Fault::TimeZero => 0,
            Fault::TimeGoesBack => now - 3 * *answered,
            Fault::ClockAhead => now + 3600,
            _ => now,
        };
        let text = match self.fault {
            Fault::OverTheSizeAlone => {
                Checkpoint::new(checkpoint.origin().clone(), checkpoint.size(), empty_root()).to_string()
            }
            _ => note.text().to_owned(),
        };
        let mut answer = String::new();
        for key in &self.keys {
            if self.is(Fault::NoMlDsaLine) && key.verifier().key_type() == KeyType::MlDsa {
                continue;
            }
            answer.push_str(&cosign(&text, key, UnixTime::new(time).ok()?).ok()?.to_string());
        }
        let own = |line: &&NoteSignature| self.keys.iter().any(|key| key.verifier().is_meant_by(line));
        if self.is(Fault::WedgedByItsOwnName) && note.signatures().iter().any(|line| own(&line)) {
            return None;
        }
        let kept: String = if self.is(Fault::PageOfAll) {
            note.signatures().iter().filter(|line| !own(line)).map(ToString::to_string).collect()
        } else {
            lines.iter().map(ToString::to_string).collect()
        };
        let page = match self.fault {
            Fault::PageWithoutLog => format!("{}\n{answer}", note.text()),
            Fault::PageWithoutOwn => format!("{}\n{kept}", note.text()),
            Fault::PageOfYesterday if !last.page.is_empty() && checkpoint.size() > 30 => last.page.clone(),
            _ => format!("{}\n{kept}{answer}", note.text()),
        };
        let more = if self.is(Fault::MoreThanLines) { "cosigned\n" } else { "" };
        Some((answer + more, page))
    }
}

/// Another spelling of 32 bytes as the one that there should be.
fn with_unused_bits_cleared(line: &str) -> Option<String> {
    const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = line.strip_suffix('=')?;
    let last = DIGITS.find(digits.chars().last()?)? & !3;
    let (rest, _) = digits.split_at_checked(digits.len() - 1)?;
    Some(format!("{rest}{}=", DIGITS.get(last..=last)?))
}
