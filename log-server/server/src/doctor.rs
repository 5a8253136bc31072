//! `doctor`: does this log work, and would it be noticed if it did not? It changes nothing, and can be run beside the running log.

use crate::check::{self, Checked};
use crate::config::Config;
use crate::running::{Running, address_of};
use crate::status::of_standby;
use crate::storage;
use crate::witness_memory;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use stele_clock::{Clock as _, SystemClock};
use stele_daemon::config::Loaded;
use stele_durable::Dir;
use stele_log_core::checkpoint::SignedCheckpoint;
use stele_log_core::contract::objects::Objects;
use stele_log_core::cosigning::names;
use stele_log_core::log_keys::LogKeys;
use stele_log_core::recall::compare;
use stele_log_core::replay::parse_entries;
use stele_log_core::tiles::TileStore;
use stele_log_storage_files::objects::FileObjects;
use stele_spec::entry::Entry;
use stele_spec::hash::{Digest, LeafHash};
use stele_spec::merkle::root_at;
use stele_spec::note::MAX_NOTE;
use stele_spec::policy::{Policy, Quorum};
use stele_spec::tile::{TILE_WIDTH, TileNodes};
use stele_terminal::checks::Checks;

/// 2026-01-01: a clock that is earlier was never set.
const LEAST_TIME: u64 = 1_767_225_600;

/// How many seconds a cosignature may be ahead of this machine's clock: clocks that are kept right are closer.
const MAX_AHEAD: u64 = 300;

/// How many of the newest statements are looked up by their hashes at the running log.
const LOOKED_UP: usize = 4;

/// What is said of a lock without a record.
const NOBODY: &str = "nobody has held the lock yet: the first start makes the log";

/// Looks at everything.
pub fn examine(dir: &Path, policy: Option<PathBuf>, url: Option<&str>) -> Checks {
    let mut found = Checks::default();
    let now = SystemClock.unix_seconds();
    if now < LEAST_TIME {
        found.fail("clock", format!("it says {now} seconds since 1970: it was never set"));
    }
    let Some(Checked { loaded, keys, policy }) = check::folder(&mut found, dir, policy) else { return found };
    let (Some(keys), Some(policy)) = (keys, policy) else { return found };
    let data = loaded.resolve(&loaded.config.data);
    let mut look = Look { found: &mut found, keys: &keys, policy: &policy, now };
    let stored = match &loaded.config.objects {
        None => look.stored(&data, loaded.config.limits.min_free_bytes),
        Some(objects) => {
            let words = format!(
                "entries and manifests are not looked at: the log is kept in {}; each start reads everything back",
                objects.url
            );
            look.found.warn("data", words);
            look.in_bucket(&loaded)
        }
    };
    if let Some(stored) = &stored {
        look.witnesses(stored);
    }
    match url.map(str::to_owned).or_else(|| address_of(&loaded.config.listen)) {
        Some(url) => look.running(&Running::at(&url), stored.as_ref()),
        None => look.found.warn(
            "reach",
            "not asked: port 0 in the config takes any free port; say with --url where the log is reached",
        ),
    }
    found
}

struct Look<'a> {
    found: &'a mut Checks,
    keys: &'a LogKeys,
    policy: &'a Policy,
    now: u64,
}

/// What is on the disk.
struct Stored {
    store: TileStore,
    signed: Option<Arc<SignedCheckpoint>>,
    /// The published tree's size, and the hashes of its newest statements with their places.
    size: u64,
    newest: Vec<(u64, LeafHash)>,
}

impl Look<'_> {
    fn stored(&mut self, data: &Path, least: u64) -> Option<Stored> {
        if !data.exists() {
            self.found.warn("data", format!("no folder {}: the first start makes it", data.display()));
            return None;
        }
        let folder = self.found.take("data", Dir::open(data))?;
        let objects: Arc<dyn Objects> = Arc::new(FileObjects::new(&folder));
        let store = TileStore::new(&objects);
        if let Some(free) = objects.free_bytes() {
            let words = format!(
                "{} MiB free at {}, {} MiB are left for what is signed",
                free >> 20,
                data.display(),
                least >> 20
            );
            if free < least { self.found.fail("disk", words) } else { self.found.ok("disk", words) }
        }
        // The published checkpoint first: the running log signs before it publishes.
        let note = self.found.take("checkpoint", store.checkpoint())?;
        let head = stele_durable::read_file(&folder.path_of("lock/signed-head"), MAX_NOTE as u64);
        let signed = match self.found.take("signed", head)? {
            None => None,
            Some(bytes) => {
                let read = SignedCheckpoint::read(&bytes, self.keys);
                let head = self.found.take("signed", read.map_err(|error| format!("lock/signed-head: {error}")))?;
                Some(Arc::new(head))
            }
        };
        let size = match (&note, &signed) {
            (None, None) => {
                self.found.ok("signed", "nothing yet");
                0
            }
            (Some(_), None) => {
                self.found.fail(
                    "signed",
                    "signed-head-lost: a checkpoint is published and lock/signed-head is not there: `stele-log adopt`",
                );
                return None;
            }
            (note, Some(signed)) => {
                self.found.ok("signed", format!("{} entries", signed.checkpoint.size()));
                note.as_ref().map_or(Some(0), |note| self.published(&store, note, signed))?
            }
        };
        let newest = self.entries(&store, size)?;
        Some(Stored { store, signed, size, newest })
    }

    /// What is in a bucket: who holds the lock, and the heads. Nothing is written there.
    fn in_bucket(&mut self, loaded: &Loaded<Config>) -> Option<Stored> {
        let objects = self.found.take("data", storage::readable(loaded))?;
        let store = TileStore::new(&objects);
        let note = self.found.take("checkpoint", store.checkpoint())?;
        let Some(mut lock) = self.found.take("writer", storage::watched(loaded))? else {
            self.found.ok("writer", NOBODY);
            return None;
        };
        self.found.take("writer", lock.look())?;
        let Some(writer) = lock.writer() else {
            self.found.ok("writer", NOBODY);
            return None;
        };
        self.found.ok("writer", format!("the lock is held by {writer}, the run {} of this log", lock.epoch()));
        let Some(head) = lock.head() else {
            self.found.ok("signed", "nothing yet");
            return None;
        };
        let head = SignedCheckpoint::read(head, self.keys).map_err(|error| format!("the newest record: {error}"));
        let signed = Arc::new(self.found.take("signed", head)?);
        self.found.ok("signed", format!("{} entries", signed.checkpoint.size()));
        let size = note.as_ref().map_or(Some(0), |note| self.published(&store, note, &signed))?;
        Some(Stored { store, signed: Some(signed), size, newest: Vec::new() })
    }

    /// The published checkpoint, against the policy, the tiles and the signed head; its size.
    fn published(&mut self, store: &TileStore, note: &[u8], signed: &SignedCheckpoint) -> Option<u64> {
        let trusted = match self.policy.verify(note) {
            Ok(trusted) => trusted,
            Err(error) => {
                self.found.fail("checkpoint", format!("public/checkpoint is not enough for the policy: {error}"));
                return None;
            }
        };
        let (size, root) = (trusted.value().size(), trusted.value().root());
        let made = self.found.take("tiles", root_at(&TileNodes::new(store, size), size))?;
        if made != root {
            self.found.fail("tiles", format!("they lead to the root {made}, public/checkpoint says {root}"));
            return None;
        }
        let theirs = self.found.take("checkpoint", SignedCheckpoint::read(note, self.keys))?;
        if size >= signed.checkpoint.size() {
            let compared = compare("public/checkpoint", store, Some(signed), &theirs);
            if let Some(elsewhere) = self.found.take("checkpoint", compared)? {
                self.found.explain("checkpoint", &elsewhere);
                return None;
            }
        }
        let behind = signed.checkpoint.size().saturating_sub(size);
        let age = trusted.time().map(|time| time.seconds());
        let aged = match age {
            None => "no time in it".to_owned(),
            Some(time) if time > self.now + MAX_AHEAD => {
                self.found.fail("clock", format!("it says {}, the newest cosignature was made at {time}", self.now));
                "dated ahead of this clock".to_owned()
            }
            Some(time) => format!("cosigned {} s ago", self.now.saturating_sub(time)),
        };
        let words = format!("{size} entries, {aged}, {} witnesses", trusted.cosigned().len());
        self.found.ok(
            "checkpoint",
            if behind == 0 { words } else { format!("{words}; {behind} more are signed and not published") },
        );
        Some(size)
    }

    /// Every entry, and the manifest of each release; the newest statements.
    fn entries(&mut self, store: &TileStore, size: u64) -> Option<Vec<(u64, LeafHash)>> {
        let width = u64::from(TILE_WIDTH);
        let (mut newest, mut releases, mut lost) = (Vec::new(), 0_u64, Vec::<Digest>::new());
        for index in 0..size.div_ceil(width) {
            let bundle = self.found.take("entries", store.bundle(index, size))?;
            for (position, parsed) in (index * width..).zip(parse_entries(&bundle)) {
                let parsed =
                    self.found.take("entries", parsed.map_err(|error| format!("entry {position}: {error}")))?;
                let Entry::Statement(signed) = &parsed.entry else { continue };
                if newest.len() == LOOKED_UP {
                    newest.remove(0);
                }
                newest.push((position, parsed.leaf));
                let Some(digest) = signed.statement().manifest_digest() else { continue };
                releases += 1;
                let whole =
                    store.manifest(&digest).is_ok_and(|bytes| bytes.is_some_and(|bytes| Digest::of(&bytes) == digest));
                if !whole {
                    lost.push(digest);
                }
            }
        }
        match lost.first() {
            None => self.found.ok("manifests", format!("{releases} releases, each with its manifest")),
            Some(first) => {
                let words = "missing or damaged: copy them from a mirror into data/public/manifests, or have publishers send their releases again";
                self.found
                    .fail("manifests", format!("of {releases} releases {} are {words}; {first} first", lost.len()));
            }
        }
        Some(newest)
    }

    /// Asks each witness what it cosigned last, as a start does. One that never cosigned this log is offered the newest signed head.
    fn witnesses(&mut self, stored: &Stored) {
        if *self.policy.quorum() == Quorum::None && self.policy.witnesses().is_empty() {
            return;
        }
        let memory = witness_memory::ask(self.policy, &stored.store, self.keys, stored.signed.as_ref());
        let known = memory.status.witnesses();
        for name in names(self.policy) {
            match known.get(&name).map(|witness| witness.problem.clone()) {
                Some(None) => self.found.ok("witness", format!("{name}: answers")),
                Some(Some(problem)) => self.found.fail("witness", format!("{name}: {problem}")),
                None => self.found.fail("witness", format!("{name}: no answer in time")),
            }
        }
        let unwell =
            names(self.policy).into_iter().filter(|name| known.get(name).is_none_or(|known| known.problem.is_some()));
        self.keys_known(stored, &unwell.collect());
        for (witness, theirs) in memory.heads {
            match compare(&witness, &stored.store, stored.signed.as_deref(), &theirs) {
                Ok(None) => {}
                Ok(Some(elsewhere)) => self.found.explain("witness", &elsewhere),
                Err(error) => self.found.fail("witness", format!("{witness}: {error}")),
            }
        }
    }

    /// Whether each witness knows each of the log's keys: it is offered the published tree head under that key's signature alone. Nothing new is
    /// signed by that. Those that are `unwell` have been named.
    fn keys_known(&mut self, stored: &Stored, unwell: &BTreeSet<String>) {
        let Ok(Some(note)) = stored.store.checkpoint() else { return };
        for key in self.keys.iter() {
            let alone = LogKeys::new(key.clone(), None).ok();
            let head = alone.as_ref().and_then(|alone| SignedCheckpoint::read(&note, alone).ok());
            let (Some(alone), Some(head)) = (alone, head) else {
                self.found.warn("key", format!("the published checkpoint is not signed by {} yet", key.hash()));
                continue;
            };
            let asked = witness_memory::cosign(self.policy, &stored.store, &alone, &Arc::new(head)).status.witnesses();
            for (name, witness) in asked.iter().filter(|(name, _)| !unwell.contains(*name)) {
                let Some(problem) = &witness.problem else {
                    self.found.ok("witness", format!("{name}: cosigns what the key {} alone has signed", key.hash()));
                    continue;
                };
                let words = format!("{name}: does not cosign what the key {} alone has signed: {problem}", key.hash());
                // While there are two keys, the first one is enough.
                if *key == *self.keys.first() {
                    self.found.fail("witness", words)
                } else {
                    self.found.warn("witness", words)
                }
            }
        }
    }

    /// Asks the running log as a stranger would.
    fn running(&mut self, running: &Running, stored: Option<&Stored>) {
        let Some(health) = self.found.take("reach", running.health()) else { return };
        if health.origin != self.keys.name().as_str() {
            let (found, expected) = (health.origin, self.keys.name());
            return self.found.fail("reach", format!("{} is the log {found}, expected {expected}", running.url));
        }
        if health.problems.is_empty() {
            self.found.ok("reach", format!("{} says that it is well", running.url));
        }
        if let Some(standby) = &health.standby {
            let writer = standby.active_writer.as_deref().unwrap_or("its fence names no address");
            self.found.ok("standby", format!("{}; the writer: {writer}", of_standby(standby)));
        }
        let asked: Vec<&str> = health.witnesses.keys().map(String::as_str).collect();
        if !asked.is_empty() {
            self.found.ok("asked", format!("since its start it has asked {}", asked.join(", ")));
        }
        for (code, message) in health.problems {
            self.found.fail("reach", format!("{}: {code}: {message}", running.url));
        }
        let Some(stored) = stored.filter(|stored| stored.size > 0) else { return };
        let served = running.checkpoint().and_then(|note| self.policy.verify(&note).map_err(|error| error.to_string()));
        if let Some(served) = self.found.take("served", served) {
            let (size, least) = (served.value().size(), stored.size);
            let words = format!("/checkpoint has {size} entries, public/checkpoint {least}");
            if size < least { self.found.fail("served", words) } else { self.found.ok("served", words) }
        }
        for (position, leaf) in &stored.newest {
            match running.position_of(leaf) {
                Ok(positions) if positions.contains(position) => {}
                Ok(_) => {
                    return self.found.fail(
                        "lookups",
                        format!(
                            "entry {position} is not found by its hash: restart the log, it makes the lookups again"
                        ),
                    );
                }
                Err(error) => return self.found.fail("lookups", error),
            }
        }
        if stored.newest.is_empty() {
            return;
        }
        self.found.ok("lookups", format!("the newest {} statements are found by their hashes", stored.newest.len()));
    }
}
