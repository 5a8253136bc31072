//! A new tree head against the one that was audited: the log only grew, or here is the evidence.

use stele_log_client::reader::{LogReader, ReadError};
use stele_spec::misbehaviour::{KnownKeys, Misbehaviour, Prefix, Rollback, SplitView};
use stele_spec::note::SignedNote;
use stele_spec::policy::TrustedCheckpoint;

use crate::convict::Archive;
use crate::error::{AuditError, Contradiction};

/// Passes a head that continues the known one, whose tree is `kept`.
///
/// Evidence of anything else is written where there is a place for it.
pub(crate) fn compare(
    known: &TrustedCheckpoint,
    kept: &LogReader,
    offered: &TrustedCheckpoint,
    reader: &LogReader,
    keys: &KnownKeys,
    archive: Option<&mut Archive>,
) -> Result<(), AuditError> {
    let (old, new) = (known.checkpoint(), offered.checkpoint());
    if old.origin() != new.origin() {
        return Err(AuditError::OtherLog { expected: old.origin().clone(), found: new.origin().clone() });
    }
    let split = |older: &SignedNote, newer: &SignedNote, prefix| {
        Misbehaviour::SplitView(SplitView { older: older.clone(), newer: newer.clone(), prefix })
    };
    let (what, evidence) = if old.size() == new.size() {
        if old.root() == new.root() {
            return Ok(());
        }
        (Contradiction::TwoRoots, Some(split(known.note(), offered.note(), None)))
    } else if new.size() < old.size() {
        // What the audited tree began with; it is not there when the audit before did not get so far.
        let log = kept.open(known.clone()).ok();
        let began =
            log.as_ref().and_then(|log| Some((log.root_at(new.size()).ok()?, log.prove_consistency(new.size()).ok()?)));
        match began {
            Some((root, path)) if root != new.root() => {
                (Contradiction::Rewritten, Some(split(offered.note(), known.note(), Some(Prefix { root, path }))))
            }
            _ => {
                let rollback = Rollback { larger: known.note().clone(), smaller: offered.note().clone() };
                (Contradiction::Smaller, Some(Misbehaviour::Rollback(rollback)))
            }
        }
    } else {
        // What the log's own tiles say that its first entries were.
        let log = reader.open(offered.clone())?;
        match log.check_prefix(old.size(), old.root()) {
            Ok(()) => return Ok(()),
            Err(ReadError::NotAPrefix { found, .. }) => {
                let prefix = Prefix { root: found, path: log.prove_consistency(old.size())? };
                (Contradiction::Rewritten, Some(split(known.note(), offered.note(), Some(prefix))))
            }
            Err(error) => return Err(error.into()),
        }
    };
    let kept = match (archive, &evidence) {
        (Some(archive), Some(evidence)) => archive.keep(evidence, keys)?,
        _ => None,
    };
    Err(AuditError::Contradiction {
        what,
        known: (old.size(), old.root()),
        offered: (new.size(), new.root()),
        evidence: kept,
    })
}
