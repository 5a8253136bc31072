//! Tree heads that contradict each other, or themselves.

use super::known::Cosigner;
use super::{Accused, Kind, KnownKeys, Unproven, Verdict};
use crate::checkpoint::Checkpoint;
use crate::hash::RootHash;
use crate::merkle::{ConsistencyProof, empty_root};
use crate::note::SignedNote;

/// Two heads that one log signed and that cannot both be heads of one tree that only grows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitView {
    /// The smaller tree, or one of two of the same size.
    pub older: SignedNote,
    /// The larger tree, or the other one.
    pub newer: SignedNote,
    /// For two sizes: what the newer tree begins with.
    pub prefix: Option<Prefix>,
}

/// How the newer tree begins: the root of its first entries, as many as the older tree has, and the proof of that.
///
/// It is a consistency proof that holds, from another root than the older head's. A proof that checks fixes every hash in it,
/// so no other root at that size is the beginning of the newer tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix {
    /// The root of those first entries.
    pub root: RootHash,
    /// RFC 6962 §2.1.2, from that root to the newer head's.
    pub path: ConsistencyProof,
}

impl SplitView {
    pub(super) fn check(&self, keys: &KnownKeys) -> Result<Verdict, Unproven> {
        let (older, log) = keys.head(&self.older)?;
        let (newer, other) = keys.head(&self.newer)?;
        if log != other {
            return Err(Unproven::OtherLog { expected: log.name().clone(), found: other.name().clone() });
        }
        let (old, new) = (older.size(), newer.size());
        let mut facts = vec![("older", head_line(&older)), ("newer", head_line(&newer))];
        let what = if old == new {
            if older.root() == newer.root() {
                return Err(Unproven::SameTree { older: old, newer: new });
            }
            format!("{} signed two trees of {old} entries", log.name())
        } else {
            if old > new {
                return Err(Unproven::SameTree { older: old, newer: new });
            }
            let Prefix { root, path } = self.prefix.as_ref().ok_or(Unproven::NoPrefix)?;
            path.check(old, *root, new, newer.root()).map_err(Unproven::Prefix)?;
            if *root == older.root() {
                return Err(Unproven::Consistent { root: *root });
            }
            facts.push(("root of the newer at the older size", root.to_string()));
            format!("{} signed a tree of {new} entries that does not begin with the {old} it had signed", log.name())
        };
        let mut accused = vec![Accused::Log(log.clone())];
        // Who cosigned both has not checked, or has forgotten, what it cosigned before.
        let newer_cosigners = keys.cosigners(&self.newer);
        for cosigner in keys.cosigners(&self.older) {
            if newer_cosigners.iter().any(|other| other.key == cosigner.key) {
                accused.push(Accused::Witness(cosigner.key.clone()));
            }
        }
        Ok(Verdict { kind: Kind::SplitView, log: log.name().clone(), accused, what, facts })
    }
}

/// A head of a tree without entries whose root is not the hash of nothing: nothing can be consistent with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImpossibleHead {
    /// The head.
    pub head: SignedNote,
}

impl ImpossibleHead {
    pub(super) fn check(&self, keys: &KnownKeys) -> Result<Verdict, Unproven> {
        let (head, log) = keys.head(&self.head)?;
        if head.size() != 0 || head.root() == empty_root() {
            return Err(Unproven::PossibleHead { size: head.size() });
        }
        Ok(Verdict {
            kind: Kind::ImpossibleHead,
            log: log.name().clone(),
            accused: vec![Accused::Log(log.clone())],
            what: format!("{} signed a tree of no entries that has a root", log.name()),
            facts: vec![("expected root", empty_root().to_string()), ("found root", head.root().to_string())],
        })
    }
}

/// Two heads of one log of which a witness cosigned the smaller one later.
///
/// A cosignature says that at its time no larger tree had been seen (c2sp.org/tlog-cosignature): the second one is false. The
/// log signed both at times that nobody knows, so it is the witness that is convicted. The log's signatures are not needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollback {
    /// The head of the larger tree, cosigned first.
    pub larger: SignedNote,
    /// The head of the smaller one, cosigned later.
    pub smaller: SignedNote,
}

impl Rollback {
    pub(super) fn check(&self, keys: &KnownKeys) -> Result<Verdict, Unproven> {
        let larger = Checkpoint::parse(self.larger.text()).map_err(Unproven::Head)?;
        let smaller = Checkpoint::parse(self.smaller.text()).map_err(Unproven::Head)?;
        if larger.origin() != smaller.origin() || larger.size() <= smaller.size() {
            return Err(Unproven::SameTree { older: smaller.size(), newer: larger.size() });
        }
        let log =
            larger.origin().as_str().parse().map_err(|_| Unproven::UnknownLog { found: larger.origin().clone() })?;
        let later = keys.cosigners(&self.smaller);
        let (mut accused, mut both) = (Vec::new(), 0);
        let mut facts = vec![("larger", head_line(&larger)), ("smaller", head_line(&smaller))];
        for Cosigner { key, time } in keys.cosigners(&self.larger) {
            let Some(second) = later.iter().find(|other| other.key == key) else { continue };
            both += 1;
            // A line that states no time says nothing of what was the largest.
            let (Some(first), Some(last)) = (time, second.time) else { continue };
            if last > first {
                facts.push(("cosigned the larger", format!("{} at {}", key.name(), first.seconds())));
                facts.push(("cosigned the smaller", format!("{} at {}", key.name(), last.seconds())));
                accused.push(Accused::Witness(key.clone()));
            }
        }
        if accused.is_empty() {
            return Err(Unproven::NoRollback { both });
        }
        let (small, large) = (smaller.size(), larger.size());
        let what = format!("a tree of {small} entries was cosigned as the largest after one of {large} had been");
        Ok(Verdict { kind: Kind::Rollback, log, accused, what, facts })
    }
}

fn head_line(head: &Checkpoint) -> String {
    format!("size {} root {}", head.size(), head.root())
}
