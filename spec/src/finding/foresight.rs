//! What auditors will report of a statement that is not in the log yet.

use std::collections::BTreeMap;

use super::{Entries, Finding, Findings};
use crate::hash::Digest;
use crate::manifest::Manifest;
use crate::statement::Statement;

/// The findings that an auditor would have for `next`, if it were the next entry of a log that holds `earlier`.
///
/// `earlier` are proven statements with their entries, in any order: those about the release itself, and, as far as the caller
/// has them, those about its ancestors, its descendants and other releases of the same weights. Rules about statements that
/// are not given are silent. `manifest` is that of a new release, or of the release that `next` is about; without it the
/// rules about files are silent.
///
/// The findings are sorted and have no position, since `next` has none. Where their evidence names the entry of `next`
/// itself, it is the one after the last of `earlier`.
///
/// The cost is that of observing `earlier` once.
pub fn foreseen<'a>(
    earlier: impl IntoIterator<Item = (u64, &'a Statement)>,
    next: &Statement,
    manifest: Option<&Manifest>,
) -> Vec<Finding> {
    let earlier: BTreeMap<u64, &Statement> = earlier.into_iter().collect();
    let seen = Given { earlier: &earlier, manifest };
    let mut findings = Findings::default();
    for (&position, statement) in &earlier {
        // Equal weights digests cover equal lists of files, so that the new manifest shows the files of the earlier release.
        let known = manifest.filter(|manifest| {
            statement.release().is_some_and(|release| release.weights.digest == manifest.weights_digest())
        });
        findings.observe(position, statement, known, &seen);
    }
    let position = earlier.keys().next_back().map_or(0, |last| last.saturating_add(1));
    let own = manifest.filter(|_| next.release().is_some());
    let mut found = findings.observe(position, next, own, &seen);
    found.iter_mut().for_each(|finding| finding.position = None);
    found.sort();
    found.dedup();
    found
}

/// The statements and the one manifest that the caller has.
struct Given<'a> {
    earlier: &'a BTreeMap<u64, &'a Statement>,
    manifest: Option<&'a Manifest>,
}

impl Entries for Given<'_> {
    fn statement(&self, position: u64) -> Option<Statement> {
        self.earlier.get(&position).map(|statement| (*statement).clone())
    }

    fn manifest(&self, digest: &Digest) -> Option<Manifest> {
        self.manifest.filter(|manifest| manifest.digest() == *digest).cloned()
    }
}
