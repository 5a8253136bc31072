//! The keys that signed a statement, and whether one was revoked since.

use super::stories::{READ_FOR_A_PAGE, StoryError, statements};
use std::collections::BTreeMap;
use stele_log_core::positions;
use stele_log_core::running_log::RunningLog;
use stele_spec::hash::KeyId;
use stele_spec::index::Subject;
use stele_spec::name::Publisher;
use stele_spec::registration::View as _;
use stele_spec::statement::{SignedStatement, Statement};

/// When a key that signed a statement was revoked, and why.
#[derive(Debug, Clone)]
pub(super) struct Revoked {
    pub(super) entry: u64,
    pub(super) reason: Option<String>,
}

impl Revoked {
    /// `signed by a key that was revoked later, at entry 21: laptop lost`.
    pub(super) fn text(&self) -> String {
        let reason = self.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        format!("signed by a key that was revoked later, at entry {}{reason}", self.entry)
    }
}

/// The keys that signed a statement.
pub(super) fn keys_of(signed: &SignedStatement) -> impl Iterator<Item = KeyId> + '_ {
    let approvals = signed.statement().approvals();
    std::iter::once(signed.kid()).chain(approvals.iter().map(|approval| approval.kid))
}

/// Of these statements those that a key signed which was revoked since, in a tree of `size` entries: by their entries.
pub(super) fn revoked(
    log: &RunningLog,
    signed: &[(u64, SignedStatement)],
    size: u64,
) -> Result<BTreeMap<u64, Revoked>, StoryError> {
    let mut changes: BTreeMap<Publisher, Vec<(u64, SignedStatement)>> = BTreeMap::new();
    let mut found = BTreeMap::new();
    for (position, statement) in signed {
        let speaker = statement.statement().publisher();
        let is_revoked =
            |key: &KeyId| log.registry().holder(speaker).is_some_and(|holder| holder.revoked.contains(key));
        let keys: Vec<KeyId> = keys_of(statement).filter(is_revoked).collect();
        if keys.is_empty() {
            continue;
        }
        if !changes.contains_key(speaker) {
            changes.insert(speaker.clone(), of_name(log, speaker, size)?);
        }
        let later = changes.get(speaker).into_iter().flatten().filter(|(entry, _)| entry > position);
        let first = later.filter_map(|(entry, change)| revokes(change, &keys).map(|reason| (*entry, reason))).next();
        found.extend(first.map(|(entry, reason)| (*position, Revoked { entry, reason })));
    }
    Ok(found)
}

/// The key statements of a name, ascending.
fn of_name(log: &RunningLog, name: &Publisher, size: u64) -> Result<Vec<(u64, SignedStatement)>, StoryError> {
    let mut positions = positions::listed(log, &[Subject::publisher(name)], 0)?;
    positions.retain(|position| *position < size);
    positions.truncate(READ_FOR_A_PAGE);
    statements(log, &positions, size)
}

/// The reason of a statement that revokes one of these keys, if it does.
fn revokes(signed: &SignedStatement, keys: &[KeyId]) -> Option<Option<String>> {
    let Statement::Publisher(change) = signed.statement() else { return None };
    let does = change.revoked.iter().any(|revoked| keys.contains(revoked));
    does.then(|| change.reason.as_ref().map(ToString::to_string))
}
