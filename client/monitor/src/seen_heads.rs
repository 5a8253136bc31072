//! The heads that were seen, for a report of what was read: each with the proof that it continues the one before.

use std::collections::BTreeSet;

use stele_log_client::reader::{ReadError, VerifiedLog};
use stele_spec::coverage::MAX_HEADS;
use stele_spec::merkle::{ConsistencyError, prove_consistency};

use crate::state::{LogState, SeenHead, written};

/// Keeps the head of a tree that is open. One of the same tree has the newer cosignatures.
pub(crate) fn see(state: &mut LogState, opened: &VerifiedLog<'_>) -> Result<(), ReadError> {
    let note = opened.head().note().to_string();
    let known = state.heads.last().and_then(SeenHead::read).map(|(_, checkpoint)| checkpoint);
    let old = match known {
        Some(known) if known.size() > opened.size() => return Ok(()),
        Some(known) if opened.root_at(known.size())? == known.root() => known.size(),
        // The first; or what was kept is damaged, or of a history that convicted the log: a report begins anew.
        _ => {
            state.heads.clear();
            0
        }
    };
    if let Some(last) = state.heads.last_mut().filter(|_| old == opened.size()) {
        last.note = note;
        return Ok(());
    }
    let read = state.heads.last().map_or(0, |last| last.read);
    let path = written(opened.prove_consistency(old)?.path());
    state.heads.push(SeenHead { note, path, read, index: String::new() });
    if state.heads.len() > MAX_HEADS { thin(state, opened) } else { Ok(()) }
}

/// After a round: up to where entries are read under the newest head, and no index on which no list rests any more.
pub(crate) fn settle(state: &mut LogState) {
    let next = state.next;
    if let Some(last) = state.heads.last_mut() {
        // Entries that are read a second time were read the first time under heads before.
        last.read = last.read.max(next.min(last.size().unwrap_or(0)));
    }
    let resting = resting(state);
    for head in &mut state.heads {
        if head.size().is_none_or(|size| !resting.contains(&size)) {
            head.index.clear();
        }
    }
}

/// Lets one head go: the first stays, and those on which lists rest.
fn thin(state: &mut LogState, opened: &VerifiedLog<'_>) -> Result<(), ReadError> {
    let resting = resting(state);
    let goes = |head: &SeenHead| head.size().is_none_or(|size| !resting.contains(&size));
    let at = 1 + state.heads.iter().skip(1).position(goes).unwrap_or(0);
    if at + 1 >= state.heads.len() {
        return Ok(());
    }
    state.heads.remove(at);
    let size = |at: usize| state.heads.get(at).and_then(SeenHead::size).unwrap_or(0);
    let path = prove_consistency(opened, size(at - 1), size(at)).map_err(|error| match error {
        ConsistencyError::Nodes(error) => error,
        _ => ReadError::PastTheEnd { position: size(at), size: opened.size() },
    })?;
    if let Some(after) = state.heads.get_mut(at) {
        after.path = written(path.path());
    }
    Ok(())
}

/// The sizes of the trees in whose index lists are known.
fn resting(state: &LogState) -> BTreeSet<u64> {
    state.lists.values().filter(|list| list.is_whole()).map(|list| list.size).collect()
}
