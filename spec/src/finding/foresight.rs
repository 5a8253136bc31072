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
/// are not given are silent. `manifests` are those of `next`, where it is a release, and of earlier releases, as far as the
/// caller has them; about the files of any other release the rules are silent.
///
/// The findings are sorted and have no position, since `next` has none. Where their evidence names the entry of `next`
/// itself, it is the one after the last of `earlier`.
///
/// The cost is that of observing `earlier` once.
pub fn foreseen<'a>(
    earlier: impl IntoIterator<Item = (u64, &'a Statement)>,
    next: &Statement,
    manifests: &[Manifest],
) -> Vec<Finding> {
    let earlier: BTreeMap<u64, &Statement> = earlier.into_iter().collect();
    let manifests: Vec<(Digest, &Manifest)> = manifests.iter().map(|manifest| (manifest.digest(), manifest)).collect();
    let seen = Given { earlier: &earlier, manifests: &manifests };
    // Equal weights digests cover equal lists of files, so that one manifest shows the weights of every such release.
    let files = |statement: &Statement| {
        let release = statement.release()?;
        let own = seen.find(&release.manifest);
        own.or_else(|| {
            manifests.iter().map(|(_, known)| *known).find(|known| known.weights_digest() == release.weights.digest)
        })
    };
    let mut findings = Findings::default();
    for (&position, statement) in &earlier {
        findings.observe(position, statement, files(statement), &seen);
    }
    let position = earlier.keys().next_back().map_or(0, |last| last.saturating_add(1));
    let mut found = findings.observe(position, next, files(next), &seen);
    found.iter_mut().for_each(|finding| finding.position = None);
    found.sort();
    found.dedup();
    found
}

/// The statements and the manifests that the caller has.
struct Given<'a> {
    earlier: &'a BTreeMap<u64, &'a Statement>,
    manifests: &'a [(Digest, &'a Manifest)],
}

impl<'a> Given<'a> {
    fn find(&self, digest: &Digest) -> Option<&'a Manifest> {
        self.manifests.iter().find(|(known, _)| known == digest).map(|(_, manifest)| *manifest)
    }
}

impl Entries for Given<'_> {
    fn statement(&self, position: u64) -> Option<Statement> {
        self.earlier.get(&position).map(|statement| (*statement).clone())
    }

    fn manifest(&self, digest: &Digest) -> Option<Manifest> {
        self.find(digest).cloned()
    }
}
