//! `doctor`: does this witness work, and would it be noticed if it did not? It changes nothing, and can be run beside a running witness.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use stele_clock::{Clock as _, SystemClock};
use stele_fetch::http_client::{ClientLimits, HttpClient};
use stele_spec::checkpoint::{Checkpoint, Origin};
use stele_spec::cosignature::{UnixTime, verify_cosignature};
use stele_spec::merkle::empty_root;
use stele_spec::note::KeyName;
use stele_spec::tiledlog::{FilesFn, TiledLog};
use stele_terminal::checks::Checks;
use stele_terminal::finish::Output;

use crate::config::ConfiguredLog;
use crate::error::WitnessError;
use crate::home::{WitnessDir, pause};
use crate::page::age;
use stele_fetch::timed_files::TimedFiles;
use stele_pull::PullError;
use stele_witness_core::decide::TreeHead;
use stele_witness_core::held::{Held, held};
use stele_witness_core::log_slot::Pull;
use stele_witness_core::record::{Cosigned, LastCosigned};
use stele_witness_core::signer::{WitnessKeys, WitnessSigner};
use stele_witness_core::state::StateView;
use stele_witness_core::wall_clock::not_before;

/// Below so many free bytes a disk is nearly full: a log's files are some kilobytes, evidence some hundred.
const LEAST_FREE: u64 = 64 << 20;

/// 2026-01-01: a clock that is earlier was never set.
const LEAST_TIME: u64 = 1_767_225_600;

/// A log whose last cosignature is older has stopped calling us, or we have stopped answering.
const QUIET: u64 = 7 * 86_400;

/// What is examined, and what was found.
#[derive(Default)]
struct Examination(Checks);

/// Examines everything. A failure is an error beside what was found.
pub(crate) fn examine(home: &WitnessDir, url: Option<&str>) -> Output {
    let mut found = Examination::default();
    let now = SystemClock.unix_seconds();
    let keyring = found.take("keys", home.keyring().map(|keyring| (names(&keyring), keyring)));
    if let Some(keyring) = &keyring {
        found.round_trip(keyring, now);
        found.named(home, keyring);
        found.files_apart(home);
        if let Some(mut view) = found.0.take("state", home.view(keyring.own())) {
            found.logs(home, &mut view, now);
            found.evidence(home);
            found.pulled(home, &mut view);
            found.mirrored(home, &mut view);
            found.indexed(home, &mut view, now);
        }
        let listen = format!("http://{}", home.config().listen);
        found.reach(home, keyring, url.unwrap_or(&listen).trim_end_matches('/'));
        found.through_bastions(home);
    }
    if now < LEAST_TIME {
        found.failed("clock", format!("it says {now} seconds since 1970: it was never set"));
    }
    found.output()
}

impl Examination {
    fn ok(&mut self, what: &'static str, words: String) {
        self.0.ok(what, words);
    }

    fn warn(&mut self, what: &'static str, words: String) {
        self.0.warn(what, words);
    }

    fn failed(&mut self, what: &'static str, words: String) {
        self.0.fail(what, words);
    }

    fn take<T, E: std::fmt::Display>(&mut self, what: &'static str, outcome: Result<(String, T), E>) -> Option<T> {
        let (words, value) = self.0.take(what, outcome)?;
        self.ok(what, words);
        Some(value)
    }

    /// Signs the head of an empty tree of nobody's log with each key, and verifies it as a stranger would.
    fn round_trip(&mut self, keyring: &WitnessSigner, now: u64) {
        let done = (|| {
            let origin: Origin = "doctor.invalid/round-trip".parse().map_err(|error| format!("{error}"))?;
            let text = Checkpoint::new(origin, 0, empty_root()).to_string();
            let time = UnixTime::new(now.max(1)).map_err(|error| error.to_string())?;
            let lines = keyring.cosign(&text, time).map_err(|error| error.to_string())?;
            for (line, key) in lines.iter().zip(keyring.own().keys()) {
                verify_cosignature(&text, line, key).map_err(|error| error.to_string())?;
            }
            Ok::<_, String>((format!("signed and verified with {} keys", lines.len()), ()))
        })();
        self.take("round trip", done);
        if keyring.own().keys().count() < 2 {
            self.warn("keys", "Ed25519 alone: without an ML-DSA-44 key it signs no subtrees".into());
        }
    }

    /// A key keeps the name that it was made with, also one that no new key would get.
    fn named(&mut self, home: &WitnessDir, keyring: &WitnessSigner) {
        let mirror = home.config().mirror.as_ref().and_then(|mirror| mirror.name.parse::<KeyName>().ok());
        let index = home.config().index.as_ref().and_then(|index| index.name.parse::<KeyName>().ok());
        for name in [keyring.own().name()].into_iter().chain(&mirror).chain(&index) {
            if let Err(unfit) = name.fit_for_a_new_key() {
                self.warn("keys", format!("no new key would be named {name}: {unfit}"));
            }
        }
    }

    fn files_apart(&mut self, home: &WitnessDir) {
        let (state, marks) = home.folders();
        for folder in [&state, &marks] {
            match rustix::fs::statvfs(folder) {
                Ok(disk) => {
                    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
                    let words = format!("{} MiB free at {}", free >> 20, folder.display());
                    if free < LEAST_FREE { self.failed("disk", words) } else { self.ok("disk", words) }
                }
                Err(error) => self.failed("disk", format!("{}: {error}", folder.display())),
            }
        }
        let device = |path: &Path| std::fs::metadata(path).map(|metadata| metadata.dev()).ok();
        if device(&state) == device(&marks) {
            self.warn(
                "marks",
                "they are on the same disk as the state: if both are lost or restored together, nothing shows it"
                    .into(),
            );
        }
    }

    fn logs(&mut self, home: &WitnessDir, view: &mut StateView, now: u64) {
        if home.logs().is_empty() {
            self.warn("log", "none: `stele-witness logs add`".into());
        }
        for listed in home.logs() {
            let origin = listed.log.origin();
            match view.look(origin, pause) {
                Err(error) => self.failed("log", format!("{origin}: {error}")),
                Ok(LastCosigned::Nothing(_)) => self.warn("log", format!("{origin}: nothing cosigned yet")),
                Ok(LastCosigned::Cosigned(cosigned)) => {
                    let (size, time) = (cosigned.checkpoint().size(), cosigned.time().seconds());
                    if now < time {
                        let words =
                            format!("the clock says {now}, the last cosignature of {origin} was made at {time}");
                        self.failed("clock", words);
                        continue;
                    }
                    let words = format!("{origin}: size {size}, cosigned {} ago", age(now - time));
                    if listed.disabled {
                        self.ok("log", format!("{words}, disabled"));
                    } else if now - time > QUIET {
                        self.warn("log", words);
                    } else {
                        self.ok("log", words);
                    }
                }
            }
        }
    }

    /// What is held against logs: an operator has to publish a proof, and judge a suspicion.
    fn evidence(&mut self, home: &WitnessDir) {
        let Some(files) = self.0.take("evidence", held(&home.evidence_folder())) else { return };
        for file in alike(&files) {
            let origin = file.first.origin;
            let log = home.logs().iter().find(|listed| listed.log.origin().digest() == origin);
            let log = log.map_or_else(|| format!("origin hash {origin}"), |listed| listed.log.origin().to_string());
            let words = format!("{log}: {}", file.words());
            if file.first.is_proof() {
                self.failed(
                    "evidence",
                    format!("its key {}. {words}: `stele-witness evidence export`", file.first.kind.says()),
                );
            } else {
                self.warn("evidence", format!("a suspicion. {words}"));
            }
        }
        if files.is_empty() {
            self.ok("evidence", "none against any log".into());
        }
    }

    /// Reads the checkpoint of each log that is pulled, as the running witness does, and holds it against what was cosigned: roots of
    /// one size are compared, and growth is proven from the log's tiles.
    fn pulled(&mut self, home: &WitnessDir, view: &mut StateView) {
        for ConfiguredLog { log, pull, disabled, .. } in home.logs() {
            let (Some(Pull { url, .. }), false) = (pull, disabled) else { continue };
            let files = stele_pull::files_at(url, Arc::default()).within(stele_pull::LOOK);
            let read = stele_pull::checkpoint(&files);
            let read = read.and_then(|note| log.verify(&note).map_err(PullError::Untrusted));
            let known = match view.look(log.origin(), pause) {
                Ok(record) => record.head(),
                Err(error) => {
                    self.failed("pull", format!("{}: {error}", log.origin()));
                    continue;
                }
            };
            let origin = log.origin();
            match read.and_then(|verified| grown(&files, known, verified.checkpoint())) {
                Err(error) => self.failed("pull", format!("{origin} at {url}: {error}")),
                Ok((size, Growth::Back)) => {
                    self.failed("pull", format!("{origin} went back: it shows size {size}, cosigned is {}", known.size))
                }
                Ok((size, Growth::Other)) => self.failed(
                    "pull",
                    format!("{origin} shows another tree of size {size} than was cosigned at size {}", known.size),
                ),
                Ok((size, Growth::Same)) => {
                    self.ok("pull", format!("{origin} shows what was cosigned: size {size}, the same root"))
                }
                Ok((size, Growth::Grown)) => self
                    .ok("pull", format!("{origin} shows size {size}, proven to grow from {} as cosigned", known.size)),
            }
        }
    }

    /// What the mirror has of each log, and how far the witness is ahead of it.
    fn mirrored(&mut self, home: &WitnessDir, view: &mut StateView) {
        let keyring = match home.mirror_keyring() {
            Ok(Some(keyring)) => keyring,
            Ok(None) => return,
            Err(error) => return self.failed("mirror", error.to_string()),
        };
        let Some(mut copies) = self.0.take("mirror", mirror_view(home, keyring.own())) else { return };
        for ConfiguredLog { log, .. } in home.mirrored() {
            let ahead = view.look(log.origin(), pause).map(|record| record.head().size).unwrap_or_default();
            match copies.look(log.origin(), pause) {
                Ok(record) => {
                    let size = record.head().size;
                    let words = format!("{} size {size} of {ahead}", log.origin());
                    if size == ahead { self.ok("mirror", words) } else { self.warn("mirror", words) }
                }
                Err(error) => self.failed("mirror", error.to_string()),
            }
        }
    }

    /// How far the index cosigner has checked each log: one that the witness is ahead of waits for steps, or refused one.
    fn indexed(&mut self, home: &WitnessDir, view: &mut StateView, now: u64) {
        let mut checked = match home.index_view() {
            Ok(Some(checked)) => checked,
            Ok(None) => return,
            Err(error) => return self.failed("index", error.to_string()),
        };
        for ConfiguredLog { log, .. } in home.logs().iter().filter(|listed| listed.indexed && !listed.disabled) {
            let origin = log.origin();
            let ahead = view.look(origin, pause).map(|record| record.head().size).unwrap_or_default();
            let record = match checked.look(origin, pause) {
                Ok(record) => record,
                Err(error) => {
                    self.failed("index", format!("{origin}: {error}"));
                    continue;
                }
            };
            let words = format!("{origin} size {} of {ahead}", record.head().size);
            match not_before(&record, now) {
                Err(fault) => self.failed("clock", format!("index of {origin}: {fault}")),
                Ok(()) if record.head().size < ahead => self.warn("index", words),
                Ok(()) => self.ok("index", words),
            }
        }
    }

    /// Asks the running witness as a stranger would: is it well, and does it serve what we signed?
    fn reach(&mut self, home: &WitnessDir, keyring: &WitnessSigner, url: &str) {
        let client = client();
        match client.get(&format!("{url}/healthz"), None) {
            Err(error) => return self.failed("reach", format!("{url}: {error}")),
            Ok(answer) => {
                let expected = keyring.own().name().to_string();
                match named(&answer.body) {
                    Some(found) if found != expected => {
                        return self.failed("reach", format!("{url} is the witness {found}, expected {expected}"));
                    }
                    Some(_) if answer.status == 200 => self.ok("reach", format!("{url} says that it is well")),
                    None if answer.status == 200 => {
                        return self.failed("reach", format!("{url} does not say that it is the witness {expected}"));
                    }
                    _ => self.failed("reach", format!("{url}/healthz: {} {}", answer.status, answer.text().trim())),
                }
            }
        }
        let mut served = 0;
        for ConfiguredLog { log, .. } in home.logs() {
            let page = format!("{url}/{}/checkpoint", log.origin().digest());
            match client.get(&page, None) {
                Ok(answer) if answer.status == 404 => {}
                Ok(answer) if answer.status == 200 => {
                    match Cosigned::parse(&answer.body, log.origin(), &keyring.own()) {
                        Ok(_) => served += 1,
                        Err(error) => self.failed("served", format!("{page}: {error}")),
                    }
                }
                Ok(answer) => self.failed("served", format!("{page}: status {}", answer.status)),
                Err(error) => self.failed("served", format!("{page}: {error}")),
            }
        }
        self.ok("served", format!("{served} checkpoints with our cosignatures"));
    }

    /// Asks the bastions for us, as a log does.
    fn through_bastions(&mut self, home: &WitnessDir) {
        for backend in self.0.take("bastion", home.bastions()).into_iter().flatten() {
            let url = backend.url();
            let client = match backend.believed() {
                Some(roots) => client().believing(roots.clone()),
                None => client(),
            };
            match client.get(&format!("{url}/healthz"), None) {
                Ok(answer) if answer.status == 200 => self.ok("bastion", format!("reached at {url}/")),
                Ok(answer) if answer.status == 421 => {
                    let words = format!("{}: it does not know our key hash {}", backend.place(), backend.key_hash());
                    self.failed("bastion", words);
                }
                Ok(answer) => {
                    let said = answer.text().trim().chars().take(200).collect::<String>();
                    self.failed("bastion", format!("{url}/healthz: {} {said}", answer.status));
                }
                Err(error) => self.failed("bastion", format!("{url}: {error}")),
            }
        }
    }

    fn output(self) -> Output {
        let (failed, checks) = (self.0.failures(), self.0.count());
        self.0.output().with_failure((failed > 0).then_some(WitnessError::Unwell { failed, checks }))
    }
}

/// The name of the witness in what `/healthz` says.
fn named(report: &[u8]) -> Option<String> {
    let report: serde_json::Value = serde_json::from_slice(report).ok()?;
    Some(report.get("name")?.as_str()?.chars().take(200).collect())
}

/// Files of evidence of one kind against one log, which say one thing: a log that lies a thousand times is no more
/// convicted.
struct Alike<'a> {
    /// The oldest of them.
    first: &'a Held,
    count: usize,
    largest: u64,
    smallest: u64,
}

/// Files by log and kind, in the order of the oldest of each.
fn alike(files: &[Held]) -> Vec<Alike<'_>> {
    let mut groups: Vec<Alike<'_>> = Vec::new();
    for file in files {
        match groups.iter_mut().find(|group| (group.first.origin, group.first.kind) == (file.origin, file.kind)) {
            Some(group) => {
                group.count += 1;
                group.largest = group.largest.max(file.size);
                group.smallest = group.smallest.min(file.size);
            }
            None => groups.push(Alike { first: file, count: 1, largest: file.size, smallest: file.size }),
        }
    }
    groups
}

impl Alike<'_> {
    fn words(&self) -> String {
        let (Held { kind, id, .. }, smallest, largest) = (self.first, self.smallest, self.largest);
        let size =
            if smallest == largest { format!("size {smallest}") } else { format!("sizes {smallest} to {largest}") };
        let files = if self.count == 1 { format!("in {id}") } else { format!("in {} files, first {id}", self.count) };
        format!("{} at {size} {files}", kind.word())
    }
}

/// How the tree that a log shows follows on the one that was cosigned.
enum Growth {
    Same,
    Grown,
    Back,
    Other,
}

fn grown(files: &TimedFiles, known: TreeHead, shown: &Checkpoint) -> Result<(u64, Growth), PullError> {
    let (size, root) = (shown.size(), shown.root());
    let growth = if size < known.size {
        Growth::Back
    } else if size == known.size {
        if root == known.root { Growth::Same } else { Growth::Other }
    } else if known.size == 0 {
        Growth::Grown
    } else {
        let proof = TiledLog::open(FilesFn(|path: &str, limit: u64| files.read(path, limit)), shown.clone())?
            .prove_consistency(known.size)?;
        if proof.check(known.size, known.root, size, root).is_ok() { Growth::Grown } else { Growth::Other }
    };
    Ok((size, growth))
}

fn mirror_view(home: &WitnessDir, own: WitnessKeys) -> Result<StateView, WitnessError> {
    Ok(home.mirror_states(own)?.view()?)
}

fn client() -> HttpClient {
    let limits = ClientLimits { whole: Duration::from_secs(10), body: 1 << 20, ..ClientLimits::default() };
    HttpClient::new(concat!("stele-witness/", env!("CARGO_PKG_VERSION")), limits)
}

fn names(keyring: &WitnessSigner) -> String {
    let own = keyring.own();
    let ids: Vec<String> = own.keys().map(|key| key.hash().to_string()).collect();
    format!("{} {}", own.name(), ids.join(" "))
}

#[cfg(test)]
mod tests {
    use stele_spec::hash::Digest;
    use stele_witness_core::decide::ConflictKind;

    use super::*;

    fn file(log: &str, kind: ConflictKind, size: u64, id: &str) -> Held {
        Held { origin: Digest::of(log.as_bytes()), kind, size, id: id.to_owned(), since: 0 }
    }

    #[test]
    fn many_files_that_say_one_thing_are_one_line_with_their_count() {
        let mut files = vec![file("b", ConflictKind::Unproven, 3, "b/unproven-3-00")];
        files.extend((0..65).map(|n| file("a", ConflictKind::SameSize, 7, &format!("a/same-size-7-{n:02}"))));
        files.push(file("a", ConflictKind::Forked, 9, "a/forked-9-00"));
        files.push(file("a", ConflictKind::Forked, 8, "a/forked-8-00"));
        files.push(file("b", ConflictKind::SameSize, 7, "b/same-size-7-00"));
        let lines: Vec<_> = alike(&files).iter().map(Alike::words).collect();
        assert_eq!(
            lines,
            [
                "unproven at size 3 in b/unproven-3-00",
                "same-size at size 7 in 65 files, first a/same-size-7-00",
                "forked at sizes 8 to 9 in 2 files, first a/forked-9-00",
                "same-size at size 7 in b/same-size-7-00",
            ]
        );
    }
}
