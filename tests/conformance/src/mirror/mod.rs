//! One mirror, and what was found so far: J1 to J23.
//!
//! Two test logs are a mirror's: one that grows, and one that never gets a checkpoint.

pub mod rows;
pub mod upload;
pub mod wrong;

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use stele_spec::checkpoint::verify_log_signature;
use stele_spec::cosignature::verify_cosignature;
use stele_spec::note::{NoteSignature, SignedNote, VerifierKey};
use stele_spec::text::decimal;
use stele_spec::tile::{Resource, TILE_HEIGHT, TILE_WIDTH, TilePath, encode_bundle, tiles_for};

use crate::body::Request;
use crate::logs::{Branch, Role, Seed, TestLog};
use crate::suite::{ADD, Target};
use rows::TABLE;
use stele_probe::door::Reply;
use stele_probe::failure::{During, Failure, Step};
use stele_probe::report::Report;
use stele_spec::merkle::Nodes as _;
use upload::{Info, Upload};

const ADD_ENTRIES: &str = "/add-entries";

/// By how much the log grows in a run: an upload of several packages, whose ends are no multiples of 256.
const GROWTH: u64 = 600;

/// The longest tile or bundle, unpacked.
const MAX_TILE: u64 = 1 << 20;

struct Suite<'a> {
    target: &'a Target,
    log: TestLog,
    report: Report,
}

/// Runs every check against a mirror. An error says that nothing could be judged: nobody answers, or the logs are not configured.
pub fn run(target: &Target, seed: Seed) -> Step<Report> {
    target.submission.open()?;
    let log = TestLog::new(seed, Role::Mirror)?;
    let mut suite = Suite { target, log, report: Report::new(&TABLE, target.submission.to_string()) };
    suite.find_size()?;
    suite.strangers(seed)?;
    if !suite.grow()? {
        return Ok(suite.report);
    }
    let end = suite.log.size;
    let next = suite.next(end)?;
    suite.refused(next, end)?;
    let next = suite.in_parts(next, end)?;
    suite.rest(next, end)?;
    suite.copy(next, end)?;
    suite.afterwards(end)?;
    suite.the_one_before(end)?;
    Ok(suite.report)
}

impl Suite<'_> {
    /// Asks how far the pending checkpoint is, as of a witness: with the old size 0.
    fn find_size(&mut self) -> Step {
        let request = Request::between(&mut self.log, 0, 1)?;
        let reply = self.target.submission.post(ADD, request.to_string().as_bytes());
        let origin = self.log.origin();
        self.log.size = match reply.status() {
            200 => 1,
            409 => {
                decimal(String::from_utf8_lossy(reply.body()).trim()).during(format!("reading the size of {origin}"))?
            }
            404 => {
                return Err(Failure::new(format!(
                    "the mirror does not know {origin}\nhint: `witness-conformance logs` prints what to configure"
                )));
            }
            _ => return Err(Failure::new(format!("asked for its size of {origin}, the mirror answers {reply}"))),
        };
        Ok(())
    }

    /// J1 and J2.
    fn grow(&mut self) -> Step<bool> {
        let size = self.log.size + GROWTH;
        let request = Request::growth(&mut self.log, size)?;
        let reply = self.target.submission.post(ADD, request.to_string().as_bytes());
        self.tell("J1", "", &reply, reply.status() == 200);
        if reply.status() != 200 {
            return Ok(false);
        }
        self.log.size = size;
        let own = self.lines(&reply).into_iter().any(|line| self.target.keys.iter().any(|key| key.is_meant_by(&line)));
        self.tell("J2", "a line of the mirror", &reply, !own);
        Ok(true)
    }

    fn lines(&self, reply: &Reply) -> Vec<NoteSignature> {
        let text = String::from_utf8_lossy(reply.body());
        text.split_inclusive('\n').filter_map(|line| NoteSignature::parse_line(line).ok()).collect()
    }

    /// Sends an upload, or what was made of its bytes.
    fn push(&mut self, body: &[u8], gzip: bool) -> Reply {
        let mut headers = vec![("content-type", "application/octet-stream")];
        if gzip {
            headers.push(("content-encoding", "gzip"));
        }
        let reply = self.target.submission.send_with("POST", ADD_ENTRIES, &headers, body);
        let encodings = reply.header("accept-encoding").unwrap_or_default().to_ascii_lowercase();
        self.tell("J17", &format!("{encodings:?}"), &reply, encodings.contains("gzip") || reply.status() == 0);
        if matches!(reply.status(), 202 | 409) {
            let typed = reply.header("content-type") == Some("text/x.tlog.mirror-info");
            let media_type = reply.header("content-type").unwrap_or_default().to_owned();
            self.tell("J8", &media_type, &reply, typed && Info::parse(&reply).is_some());
        }
        reply
    }

    fn upload(&mut self, start: u64, end: u64, ticket: &[u8]) -> Step<Upload> {
        Upload::new(&mut self.log, Branch::Honest, start, end, ticket)
    }

    /// J3 and J4.
    fn strangers(&mut self, seed: Seed) -> Step {
        for (id, role, status) in [("J3", Role::Stranger, 404), ("J4", Role::Unmirrored, 422)] {
            let mut log = TestLog::new(seed, role)?;
            let reply = self.push(&Upload::new(&mut log, Branch::Honest, 0, 3, &[])?.to_bytes().0, false);
            self.tell(id, "", &reply, reply.status() == status);
        }
        Ok(())
    }

    /// J5: the next entry is learned from the refusal.
    fn next(&mut self, end: u64) -> Step<u64> {
        let body = Upload { packages: Vec::new(), ..self.upload(0, end + 1, &[])? }.to_bytes().0;
        let reply = self.push(&body, false);
        self.tell("J5", "", &reply, reply.status() == 409);
        let info = Info::parse(&reply);
        self.size_told("no checkpoint is known there", &reply, end);
        // A mirror that does not say so is taken to have nothing, or all that it has signed.
        Ok(info.map_or(end - GROWTH, |info| info.next).min(end))
    }

    /// J9, of an answer that has the three lines.
    fn size_told(&mut self, what: &str, reply: &Reply, size: u64) {
        if let Some(info) = Info::parse(reply).filter(|_| matches!(reply.status(), 202 | 409)) {
            self.tell("J9", what, reply, info.size == size);
        }
    }

    /// J6 and J10 to J12: nothing of these is kept.
    fn refused(&mut self, next: u64, end: u64) -> Step {
        if next < end {
            let late = self.upload(next + 1, end, &[])?.to_bytes().0;
            let reply = self.push(&late, false);
            self.tell("J6", "", &reply, reply.status() == 409);
            self.size_told("a checkpoint is known there", &reply, end);
        } else {
            self.report.skip(&["J6", "J10", "J11", "J12", "J13", "J14"], "the mirror has all entries already");
            return Ok(());
        }
        let good = self.upload(next, end, &[])?;
        let changed = |change: &dyn Fn(&mut upload::Package)| {
            let mut upload = good.clone();
            upload.packages.iter_mut().take(1).for_each(change);
            upload.to_bytes().0
        };
        let other = Upload::new(&mut self.log, Branch::Other, next, end, &[])?.to_bytes().0;
        let entry = changed(&|package| package.entries.iter_mut().take(1).for_each(|entry| entry.push(b'!')));
        let hash = changed(&|package| package.hashes.iter_mut().take(1).for_each(|hash| *hash = [7; 32]));
        for (what, body) in [("an entry", entry), ("a hash", hash), ("another history", other)] {
            let reply = self.push(&body, false);
            self.tell("J10", what, &reply, reply.status() == 422);
        }
        let (whole, head) = good.to_bytes();
        for (what, length) in [("in its head", head - 1), ("in its first package", head + 60), ("after its head", head)]
        {
            let reply = self.push(whole.get(..length).unwrap_or(&whole), false);
            self.tell("J11", what, &reply, reply.status() == 400);
        }
        let many = changed(&|package| package.hashes = vec![[7; 32]; 64]);
        let reply = self.push(&many, false);
        self.tell("J12", "", &reply, (400..500).contains(&reply.status()));
        Ok(())
    }

    /// J13 and J14: what comes next.
    fn in_parts(&mut self, next: u64, end: u64) -> Step<u64> {
        let mut next = next;
        for more in [0, 40] {
            let upload = self.upload(next, end, &[])?;
            let Some(first) = upload.packages.first().filter(|_| upload.packages.len() > 1) else { break };
            let after = next + first.entries.len() as u64;
            let alone = Upload { packages: vec![first.clone()], ..upload.clone() }.to_bytes().0;
            let body = upload.to_bytes().0;
            let reply = self.push(body.get(..alone.len() + more).unwrap_or(&body), false);
            let info = Info::parse(&reply).unwrap_or_default();
            let kept = reply.status() == 202 && info.next == after;
            self.tell("J13", &format!("{} entries of {}", after - next, end - next), &reply, kept);
            self.size_told("a part of it", &reply, end);
            if kept {
                next = after;
            }
            let page = self.page();
            self.tell("J14", "", &page, self.size_of(&page) != Some(end));
        }
        Ok(next)
    }

    /// J15 and J16. Without gzip it is sent again as it is, so that the rows below can be asked.
    fn rest(&mut self, next: u64, end: u64) -> Step {
        let body = self.upload(next, end, &[])?.to_bytes().0;
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(&body).during("packing a body")?;
        let reply = self.push(&packed.finish().during("packing a body")?, true);
        self.tell("J15", "", &reply, reply.status() == 200);
        let reply = if reply.status() == 200 { reply } else { self.push(&body, false) };
        if reply.status() != 200 {
            self.report.skip(&["J16"], "there is no answer 200");
        }
        self.signed(&reply, end)
    }

    /// J16, of an answer.
    fn signed(&mut self, reply: &Reply, size: u64) -> Step {
        if reply.status() != 200 {
            return Ok(());
        }
        let text = self.log.checkpoint(Branch::Honest, size)?.to_string();
        let lines = self.lines(reply);
        let holds = self.own(&text, &lines);
        self.tell("J16", "", reply, holds && lines.len() == String::from_utf8_lossy(reply.body()).lines().count());
        Ok(())
    }

    /// Whether a line of a key of the mirror is there, and each of them verifies.
    fn own(&self, text: &str, lines: &[NoteSignature]) -> bool {
        let of = |line| self.target.keys.iter().find(|key: &&VerifierKey| key.is_meant_by(line));
        let own: Vec<_> = lines.iter().filter_map(|line| Some((line, of(line)?))).collect();
        !own.is_empty() && own.iter().all(|(line, key)| verify_cosignature(text, line, key).is_ok())
    }

    fn page(&self) -> Reply {
        self.file("checkpoint")
    }

    fn file(&self, path: &str) -> Reply {
        self.target.monitoring.get(&format!("/{}/{path}", self.log.origin().digest()))
    }

    fn size_of(&self, page: &Reply) -> Option<u64> {
        let note = SignedNote::parse(page.body()).ok().filter(|_| page.status() == 200)?;
        Some(verify_log_signature(&note, &self.log.signer().verifier()).ok()?.size())
    }

    /// J18 to J20.
    fn copy(&mut self, old: u64, end: u64) -> Step {
        let page = self.page();
        let text = self.log.checkpoint(Branch::Honest, end)?.to_string();
        let note = SignedNote::parse(page.body()).ok();
        let cosigned = note.is_some_and(|note| note.text() == text && self.own(&text, note.signatures()));
        self.tell("J18", "", &page, self.size_of(&page) == Some(end) && cosigned);
        for path in tiles_for(old, end) {
            self.same("J19", path)?;
        }
        let first = TilePath { resource: Resource::Entries, index: 0, width: end.min(TILE_WIDTH.into()) as u16 };
        self.same("J20", first)
    }

    fn same(&mut self, id: &'static str, path: TilePath) -> Step {
        let reply = self.file(&path.to_string());
        let (width, first) = (u64::from(TILE_WIDTH), path.index * u64::from(TILE_WIDTH));
        let numbers = first..first + u64::from(path.width).min(width);
        let expected = match path.resource {
            Resource::Entries => {
                let entries: Vec<_> = numbers.map(|number| self.log.entry(Branch::Honest, number)).collect();
                encode_bundle(entries.iter().map(Vec::as_slice)).during("making a bundle")?
            }
            Resource::Level(level) => {
                let size = self.log.size;
                let tree = self.log.tree(Branch::Honest, size)?;
                let hashes = numbers.map(|number| tree.node(level * TILE_HEIGHT, number));
                let hashes = hashes.collect::<Result<Vec<_>, _>>().during("making a tile")?;
                hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
            }
        };
        // What is packed is packed without being asked: tlog-tiles lets entries be so.
        let mut body = Vec::new();
        let packed = reply.header("content-encoding") == Some("gzip");
        let whole = if packed {
            GzDecoder::new(reply.body()).take(MAX_TILE).read_to_end(&mut body).is_ok()
        } else {
            body.extend(reply.body());
            true
        };
        let holds = reply.status() == 200 && whole && body == expected;
        self.report.found(id, (!holds).then(|| format!("{path}: {} and {} bytes", reply.status(), body.len())));
        Ok(())
    }

    /// J7, J21 and J22, of a mirror that has all of it.
    fn afterwards(&mut self, end: u64) -> Step {
        let before = self.upload(end - 1, end - 1, &[])?.to_bytes().0;
        let reply = self.push(&before, false);
        self.tell("J7", "", &reply, reply.status() == 409);
        for (id, start) in [("J21", end), ("J22", end - 1)] {
            let body = self.upload(start, end, &[])?.to_bytes().0;
            let reply = self.push(&body, false);
            self.tell(id, "", &reply, reply.status() == 200);
            self.signed(&reply, end)?;
        }
        Ok(())
    }

    /// J23: the pending checkpoint moves on under an upload.
    fn the_one_before(&mut self, end: u64) -> Step {
        if !self.grow()? {
            return Ok(());
        }
        let before = self.log.size;
        // What is refused has a ticket for the checkpoint that is pending now.
        let late = Upload { packages: Vec::new(), ..self.upload(before, before, &[])? };
        let late = Upload { start: before, end: before + 1, ..late }.to_bytes().0;
        let reply = self.push(&late, false);
        let ticket = Info::parse(&reply).unwrap_or_default().ticket;
        if !self.grow()? {
            return Ok(());
        }
        let body = self.upload(end, before, &ticket)?.to_bytes().0;
        let reply = self.push(&body, false);
        self.tell("J23", "", &reply, reply.status() == 200);
        self.signed(&reply, before)
    }

    /// Tells a row what came back.
    fn tell(&mut self, id: &'static str, what: &str, reply: &Reply, holds: bool) {
        let found = || if what.is_empty() { reply.to_string() } else { format!("{what}: {reply}") };
        self.report.found(id, (!holds).then(found));
    }
}
