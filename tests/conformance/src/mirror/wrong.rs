//! A small mirror with faults that can be switched on, one at a time. Without a fault it is a right one, as far as the suite goes: it believes
//! the consistency proofs of `add-checkpoint`.

use std::io::Read as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use flate2::read::GzDecoder;
use stele_spec::checkpoint::{Checkpoint, verify_log_signature};
use stele_spec::cosignature::{UnixTime, cosign};
use stele_spec::hash::NodeHash;
use stele_spec::merkle::{MemoryTree, SubtreeProof, leaf_hash, subtree_root};
use stele_spec::note::{KeyType, SignedNote, SignerKey};
use stele_spec::text::{decimal, to_base64};
use stele_spec::tile::TilePath;
use stele_spec::tiledlog::Growth;

use crate::logs::{Role, Seed, TestLog};
use stele_probe::failure::{During, Step};
use stele_probe::small_server::{self, Request, Response};

/// One thing that a mirror does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each name says it")]
pub enum Fault {
    None,
    OneCheckpoint,
    SignsCheckpoints,
    UnknownIs422,
    NothingPendingIs404,
    UnknownEndIs202,
    LateStartIs422,
    OlderEndIs200,
    InfoAsText,
    SizeOfNothing,
    WrongEntriesAre400,
    BrokenOffIs422,
    AnyNumberOfHashes,
    AllOrNothing,
    SignedBeforeItIsHere,
    NoGzip,
    OtherTreeSigned,
    NoAcceptEncoding,
    PageOfYesterday,
    PageWithoutOwn,
    EmptyTiles,
    Pruned,
    EmptyUploadIs409,
    NothingTwice,
    LatestCheckpointOnly,
}

/// What is kept of the one log.
#[derive(Default)]
struct State {
    pending: Vec<(SignedNote, Checkpoint)>,
    entries: Vec<Vec<u8>>,
    size: u64,
    page: Option<String>,
}

struct Mirror {
    fault: Fault,
    log: TestLog,
    empty: TestLog,
    key: SignerKey,
    state: Mutex<State>,
}

/// A mirror on a port of its own.
pub struct WrongMirror {
    /// Both of its prefixes.
    pub url: String,
    /// Its key.
    pub vkey: String,
}

impl WrongMirror {
    /// Starts one that is configured with the test logs of a seed.
    pub fn start(seed: Seed, fault: Fault) -> Step<Self> {
        let key = SignerKey::new("wrong.example/m".parse().during("naming a mirror")?, KeyType::Cosigner, [3; 32]);
        let vkey = key.verifier().to_string();
        let (log, empty) = (TestLog::new(seed, Role::Mirror)?, TestLog::new(seed, Role::Unmirrored)?);
        let mirror = Mirror { fault, log, empty, key, state: Mutex::default() };
        let url = small_server::start(1 << 20, move |request| mirror.answer(request))?;
        Ok(Self { url, vkey })
    }
}

const TEXT: &str = "text/plain";

impl Mirror {
    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, request: &Request) -> Response {
        let body = request.body.clone().unwrap_or_default();
        let answer = match (request.method.as_str(), request.path.as_str()) {
            ("POST", "/add-checkpoint") => self.checkpoint(&body),
            ("POST", "/add-entries") => {
                let answer = self.entries(&body, request.header("content-encoding") == "gzip");
                let answer = answer.unwrap_or_else(|status| Response::new(status, TEXT, ""));
                Ok(if self.is(Fault::NoAcceptEncoding) { answer } else { answer.with("accept-encoding", "gzip") })
            }
            ("GET", path) => self.file(path),
            _ => Err(405),
        };
        answer.unwrap_or_else(|status| Response::new(status, TEXT, ""))
    }

    fn checkpoint(&self, body: &[u8]) -> Result<Response, u16> {
        let text = String::from_utf8(body.to_vec()).map_err(|_| 400_u16)?;
        let (head, note) = text.split_once("\n\n").ok_or(400_u16)?;
        let note = SignedNote::parse(note.as_bytes()).map_err(|_| 400_u16)?;
        let checkpoint = Checkpoint::parse(note.text()).map_err(|_| 400_u16)?;
        if checkpoint.origin() != self.log.origin() {
            return Err(404);
        }
        verify_log_signature(&note, &self.log.signer().verifier()).map_err(|_| 403_u16)?;
        let mut state = self.state();
        let last = state.pending.last().map_or(0, |(_, last)| last.size());
        let old = head.lines().next().and_then(|line| decimal(line.strip_prefix("old ")?).ok());
        if old != Some(last) {
            return Ok(Response::new(409, "text/x.tlog.size", format!("{last}\n")));
        }
        if self.is(Fault::OneCheckpoint) && last > 0 {
            return Err(503);
        }
        let lines = if self.is(Fault::SignsCheckpoints) { self.sign(note.text()) } else { String::new() };
        if self.is(Fault::SignedBeforeItIsHere) {
            state.page = Some(format!("{note}{}", self.sign(note.text())));
        }
        state.pending.push((note, checkpoint));
        Ok(Response::new(200, TEXT, lines))
    }

    fn sign(&self, text: &str) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_secs());
        let line = UnixTime::new(now).ok().and_then(|time| cosign(text, &self.key, time).ok());
        line.map(|line| line.to_string()).unwrap_or_default()
    }

    fn info(&self, status: u16, size: u64, next: u64) -> Response {
        let media_type = if self.is(Fault::InfoAsText) { TEXT } else { "text/x.tlog.mirror-info" };
        let size = if self.is(Fault::SizeOfNothing) { 0 } else { size };
        Response::new(status, media_type, format!("{size}\n{next}\n{}\n", to_base64(b"ticket")))
    }

    fn entries(&self, sent: &[u8], gzip: bool) -> Result<Response, u16> {
        if gzip && self.is(Fault::NoGzip) {
            return Err(415);
        }
        let mut unpacked = Vec::new();
        if gzip {
            GzDecoder::new(sent).read_to_end(&mut unpacked).map_err(|_| 400_u16)?;
        }
        let broken = if self.is(Fault::BrokenOffIs422) { 422 } else { 400 };
        let mut body = if gzip { unpacked.as_slice() } else { sent };
        let origin = counted(&mut body).ok_or(broken)?;
        let start = u64::from_be_bytes(array(&mut body).ok_or(broken)?);
        let end = u64::from_be_bytes(array(&mut body).ok_or(broken)?);
        counted(&mut body).ok_or(broken)?;
        if origin == self.empty.origin().as_str().as_bytes() {
            return Err(if self.is(Fault::NothingPendingIs404) { 404 } else { 422 });
        }
        if origin != self.log.origin().as_str().as_bytes() {
            return Err(if self.is(Fault::UnknownIs422) { 422 } else { 404 });
        }
        let mut state = self.state();
        let next = state.entries.len() as u64;
        let latest = state.pending.last().map_or(0, |(_, last)| last.size());
        let known = state.pending.iter().find(|(_, known)| known.size() == end).cloned();
        let known = known.filter(|_| end == latest || !self.is(Fault::LatestCheckpointOnly));
        let Some((note, checkpoint)) = known.filter(|_| end >= state.size) else {
            return Ok(match self.fault {
                Fault::UnknownEndIs202 => self.info(202, latest, next),
                Fault::OlderEndIs200 if end < state.size => Response::new(200, TEXT, self.sign("")),
                _ => self.info(409, latest, next),
            });
        };
        if start > next {
            return if self.is(Fault::LateStartIs422) { Err(422) } else { Ok(self.info(409, end, next)) };
        }
        let again =
            (self.is(Fault::EmptyUploadIs409) && start == end) || (self.is(Fault::NothingTwice) && start + 1 == end);
        if again && next == end {
            return Ok(self.info(409, end, next));
        }
        let mut from = start;
        while from < end {
            let to = end.min(from / 256 * 256 + 256);
            let Some((entries, proof)) = package(&mut body, to - from, self.is(Fault::AnyNumberOfHashes)) else {
                break;
            };
            let Some(proof) = proof else { return Ok(self.info(202, end, next)) };
            let mut tree = state.entries.clone();
            tree.truncate(from as usize);
            tree.extend(entries.iter().cloned());
            let first = from / 256 * 256;
            let part = subtree_root(&grown(&tree), first, to);
            if !part.is_ok_and(|part| proof.check(first, to, part, end, checkpoint.root()).is_ok()) {
                return Err(if self.is(Fault::WrongEntriesAre400) { 400 } else { 422 });
            }
            if self.is(Fault::AllOrNothing) && to < end && body.len() < 100 {
                return Err(400);
            }
            if tree.len() > state.entries.len() {
                state.entries = tree;
            }
            from = to;
        }
        let next = state.entries.len() as u64;
        if from < end {
            return if from == start { Err(broken) } else { Ok(self.info(202, end, next)) };
        }
        state.size = end;
        let lines = self.sign(note.text());
        let page = match self.fault {
            Fault::PageOfYesterday => None,
            Fault::PageWithoutOwn => Some(note.to_string()),
            _ => Some(format!("{note}{lines}")),
        };
        state.page = page.or(state.page.take());
        let other = Checkpoint::new(self.log.origin().clone(), end, stele_spec::merkle::empty_root()).to_string();
        Ok(Response::new(200, TEXT, if self.is(Fault::OtherTreeSigned) { self.sign(&other) } else { lines }))
    }

    fn file(&self, path: &str) -> Result<Response, u16> {
        let path = path.strip_prefix(&format!("/{}/", self.log.origin().digest())).ok_or(404_u16)?;
        let state = self.state();
        if path == "checkpoint" {
            return state.page.clone().map(|page| Response::new(200, TEXT, page)).ok_or(404);
        }
        let wanted = TilePath::parse(path).map_err(|_| 404_u16)?;
        if self.is(Fault::Pruned) && path.starts_with("tile/entries/000") {
            return Err(404);
        }
        let mut growth = Growth::after(0, &MemoryTree::new()).map_err(|_| 500_u16)?;
        for entries in state.entries.chunks(256) {
            let leaves: Vec<_> = entries.iter().map(|entry| leaf_hash(entry)).collect();
            growth.bundle(entries, &leaves).map_err(|_| 500_u16)?;
        }
        let files = growth.take().into_iter().chain(growth.edge());
        let (_, mut bytes) = files.into_iter().find(|(path, _)| *path == wanted).ok_or(404_u16)?;
        if self.is(Fault::EmptyTiles) && path.starts_with("tile/0/") {
            bytes.clear();
        }
        Ok(Response::new(200, "application/octet-stream", bytes))
    }
}

fn grown(entries: &[Vec<u8>]) -> MemoryTree {
    let mut tree = MemoryTree::new();
    entries.iter().for_each(|entry| tree.push(leaf_hash(entry)));
    tree
}

/// A whole package, or nothing; without a proof where there are too many hashes and nobody minds.
fn package(body: &mut &[u8], entries: u64, any: bool) -> Option<(Vec<Vec<u8>>, Option<SubtreeProof>)> {
    let entries = (0..entries).map(|_| counted(body)).collect::<Option<Vec<_>>>()?;
    let [hashes] = array(body)?;
    let hashes = (0..hashes).map(|_| array(body).map(NodeHash::from_bytes)).collect::<Option<Vec<_>>>()?;
    let proof = SubtreeProof::from_path(hashes);
    (proof.is_some() || any).then_some((entries, proof))
}

fn array<const N: usize>(body: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = body.split_first_chunk()?;
    *body = rest;
    Some(*taken)
}

fn counted(body: &mut &[u8]) -> Option<Vec<u8>> {
    let length = usize::from(u16::from_be_bytes(array(body)?));
    let (taken, rest) = body.split_at_checked(length)?;
    *body = rest;
    Some(taken.to_vec())
}
