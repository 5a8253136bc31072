//! Who reads a log: a reader that keeps the newest head that it accepted and asks for name proofs, and a follower that reads every entry.

use crate::model::{Head, Kept, Model, broken};
use crate::random::Random;
use std::collections::BTreeMap;
use std::sync::Arc;
use stele_log_core::name_proofs::{NameProofError, prove};
use stele_log_core::running_log::RunningLog;
use stele_spec::index::Subject;
use stele_spec::merkle::{Frontier, leaf_hash, prove_consistency};
use stele_spec::nameproof::{self, Kept as KnownList, NameProof};
use stele_spec::policy::{Policy, TrustedCheckpoint};
use stele_spec::tile::TileNodes;

/// What came of a reader's question.
#[derive(Debug, PartialEq, Eq)]
pub enum Read {
    /// It was answered, and the answer accepted.
    Accepted(Head),
    /// There is no answer now.
    Nothing,
    /// The answer was refused, for the reason.
    Refused(String),
}

/// A reader with a policy.
#[derive(Debug, Default)]
pub struct Reader {
    head: Option<TrustedCheckpoint>,
    lists: BTreeMap<String, (Head, KnownList)>,
}

/// A follower: it has read every entry of the head that it covers.
#[derive(Debug, Default)]
pub struct Follower {
    entries: Vec<Vec<u8>>,
    frontier: Frontier,
}

fn head_of(checkpoint: &TrustedCheckpoint) -> Head {
    (checkpoint.size(), checkpoint.root())
}

impl Reader {
    /// The newest head that was accepted.
    pub fn head(&self) -> Option<Head> {
        self.head.as_ref().map(head_of)
    }

    /// Asks a log for its checkpoint, and holds it against the one that is known.
    pub fn look(&mut self, log: &RunningLog, policy: &Policy) -> Read {
        let note = match log.store.checkpoint() {
            Ok(Some(note)) => note,
            Ok(None) | Err(_) => return Read::Nothing,
        };
        if let Some(known) = self.head.as_ref().filter(|known| known.note().to_bytes() == note) {
            return Read::Accepted(head_of(known));
        }
        let found = match TrustedCheckpoint::parse(&note, policy) {
            Ok(found) => found,
            Err(error) => return Read::Refused(error.to_string()),
        };
        if let Some(known) = &self.head
            && let Err(why) = continues(log, known, &found)
        {
            return Read::Refused(why);
        }
        let head = head_of(&found);
        self.head = Some(found);
        Read::Accepted(head)
    }

    /// Is shown a checkpoint by somebody, and keeps nothing of it.
    pub fn see(&self, note: &[u8], policy: &Policy) -> Read {
        match TrustedCheckpoint::parse(note, policy) {
            Ok(found) => Read::Accepted(head_of(&found)),
            Err(error) => Read::Refused(error.to_string()),
        }
    }

    /// Asks a log what is listed under a subject. `tamper` changes the answer on its way.
    pub fn ask(
        &mut self,
        log: &RunningLog,
        policy: &Policy,
        subject: &Subject,
        tamper: Option<&mut Random>,
        model: &Model,
    ) -> Result<Read, crate::model::Violation> {
        let name = subject.to_string();
        let known = self.lists.get(&name).map_or_else(KnownList::nothing, |(_, known)| known.clone());
        let proof = match prove(log, subject, known.size(), None) {
            Ok(proof) => proof,
            Err(NameProofError::NotNow | NameProofError::Beyond { .. } | NameProofError::Prove(_)) => {
                return Ok(Read::Nothing);
            }
            Err(error) => return broken("a log proves what it has published", error.to_string()),
        };
        let is_tampered = tamper.is_some();
        let mut bytes = proof.to_bytes();
        if let Some(random) = tamper {
            change(&mut bytes, random);
        }
        match self.believe(&bytes, policy, subject, model, !is_tampered)? {
            Read::Refused(_) if is_tampered => Ok(Read::Refused("tampered".into())),
            read => Ok(read),
        }
    }

    /// Checks a name proof, from a log that is honest as far as the model is strict, or from anybody.
    pub fn believe(
        &mut self,
        bytes: &[u8],
        policy: &Policy,
        subject: &Subject,
        model: &Model,
        is_honest: bool,
    ) -> Result<Read, crate::model::Violation> {
        let name = subject.to_string();
        let known = self.lists.get(&name).map_or_else(KnownList::nothing, |(_, known)| known.clone());
        let complete = NameProof::parse(bytes).map_err(|error| error.to_string()).and_then(|proof| {
            // A head that is known already is verified once, as clients do.
            let head = self.head.as_ref().filter(|head| head.note() == proof.checkpoint());
            match head {
                Some(head) => nameproof::check_under(&proof, subject, &known, head.trusted().clone()),
                None => nameproof::check(&proof, subject, &known, policy),
            }
            .map_err(|error| error.to_string())
        });
        let complete = match complete {
            Ok(complete) => complete,
            Err(why) if is_honest && model.is_strict => {
                return broken("a reader accepts what an honest log proves", why);
            }
            Err(why) => return Ok(Read::Refused(why)),
        };
        let head = (complete.head().value().size(), complete.head().value().root());
        let found: Vec<u64> = complete.value().iter().map(|pointer| pointer.position).collect();
        model.listed(head, subject, complete.since(), &found)?;
        self.lists.insert(name, (head, complete.kept().clone()));
        Ok(Read::Accepted(head))
    }
}

/// Whether one of two heads is the beginning of the other, by the log's own tiles; a smaller one than is known is stale.
fn continues(log: &RunningLog, known: &TrustedCheckpoint, found: &TrustedCheckpoint) -> Result<(), String> {
    let ((old, old_root), (new, new_root)) = (head_of(known), head_of(found));
    if new < old {
        return Err(format!("{new} entries after {old}"));
    }
    let proof = prove_consistency(&TileNodes::new(&log.store, new), old, new).map_err(|error| error.to_string())?;
    proof.check(old, old_root, new, new_root).map_err(|error| error.to_string())
}

/// Changes, takes out or cuts something.
fn change(bytes: &mut Vec<u8>, random: &mut Random) {
    let at = random.index(bytes.len());
    match random.below(4) {
        0 => bytes[at] ^= 1 << random.below(8),
        1 => bytes.truncate(at),
        2 => _ = bytes.remove(at),
        _ => {
            // A whole line: a pointer, a step, a hash.
            let text = String::from_utf8_lossy(bytes).into_owned();
            let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
            lines.remove(random.index(lines.len()));
            *bytes = lines.concat().into_bytes();
        }
    }
}

impl Follower {
    /// How many entries it has read.
    pub fn covered(&self) -> u64 {
        self.entries.len() as u64
    }

    /// Reads on, up to the published head: it covers that once the entries lead to its root.
    pub fn follow(&mut self, log: &Arc<RunningLog>, model: &Model) -> Result<Read, crate::model::Violation> {
        let Some(published) = log.published() else { return Ok(Read::Nothing) };
        let head = head_of(&published);
        let (mut entries, mut frontier) = (Vec::new(), self.frontier.clone());
        for position in self.covered()..head.0 {
            let Ok(entry) = log.store.entry(position, head.0) else { return Ok(Read::Nothing) };
            frontier.push(leaf_hash(&entry));
            entries.push(entry);
        }
        if head.0 < self.covered() || frontier.root() != head.1 {
            if model.is_strict {
                return broken("what is published leads to its root", format!("size {}", head.0));
            }
            return Ok(Read::Refused("the entries lead to another root".into()));
        }
        self.entries.extend(entries);
        self.frontier = frontier;
        let kept: Kept = model.covered(head, &self.entries);
        kept.map(|()| Read::Accepted(head))
    }
}
