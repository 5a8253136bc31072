//! What is collected for the next batch: submissions, their bytes, and when no more are waited for.

use crate::rules::{self, MAX_BATCH};
use crate::staged_batch::{MAX_BATCH_BYTES, MAX_BATCH_KEYS, MAX_STATEMENT_BYTES};
use crate::submission::Submission;
use std::time::Duration;

/// Submissions in their order of arrival, each with the place where its reply goes (`R`).
#[derive(Debug)]
pub(crate) struct Collected<R> {
    submissions: Vec<(Submission, R)>,
    /// The bytes of the statements and manifests.
    bytes: usize,
    /// The bytes of the statements alone.
    statement_bytes: usize,
    /// The keys that the index will list the statements under.
    keys: usize,
    /// When the batch is closed, by the steady clock.
    closes: Duration,
}

impl<R> Collected<R> {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self { submissions: Vec::new(), bytes: 0, statement_bytes: 0, keys: 0, closes: Duration::ZERO }
    }

    /// Adds a submission; the first one says when the batch is closed.
    pub(crate) fn add(&mut self, now: Duration, submission: Submission, to: R, rules: &rules::Batch) {
        if self.submissions.is_empty() {
            self.closes = now + rules.max_age();
        }
        self.bytes += submission.length();
        self.statement_bytes += submission.signed.bytes().len();
        self.keys += submission.keys.len();
        self.submissions.push((submission, to));
    }

    /// When the batch is closed; `None` while nothing is in it.
    pub(crate) fn closes(&self) -> Option<Duration> {
        (!self.submissions.is_empty()).then_some(self.closes)
    }

    /// Whether nothing more may be added: one more submission could be over what a batch holds.
    pub(crate) fn is_full(&self, rules: &rules::Batch) -> bool {
        self.submissions.len() >= rules.max_entries.clamp(1, MAX_BATCH)
            || self.bytes >= MAX_BATCH_BYTES
            || self.statement_bytes >= MAX_STATEMENT_BYTES
            || self.keys >= MAX_BATCH_KEYS
    }

    /// Takes everything out.
    pub(crate) fn take(&mut self) -> Vec<(Submission, R)> {
        std::mem::replace(self, Self::new()).submissions
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_digests::FileDigestIndex;
    use crate::replay::Parsed;
    use crate::samples::claim;
    use stele_spec::entry::Entry;
    use stele_spec::index::MAX_KEYS;

    #[test]
    fn a_batch_is_full_where_its_step_could_be_too_long_for_a_cosigner() {
        let Parsed { entry, leaf, keys } = Parsed::of(claim("a.example", 1).bytes()).unwrap();
        let Entry::Statement(signed) = entry else { panic!("no statement") };
        let listed = vec![keys[0]; MAX_KEYS];
        let (rules, mut collected) = (rules::Batch::default(), Collected::new());
        let most = MAX_BATCH_KEYS.div_ceil(MAX_KEYS);
        assert!(most < rules.max_entries);
        for number in 0..most {
            assert!(!collected.is_full(&rules), "{number}");
            let (signed, keys, files) = (signed.clone(), listed.clone(), FileDigestIndex::default());
            collected.add(Duration::ZERO, Submission { signed, leaf, keys, files, manifest: None }, (), &rules);
        }
        assert!(collected.is_full(&rules));
        assert_eq!(collected.take().len(), most);
        assert!(!collected.is_full(&rules) && collected.closes().is_none(), "it is empty again");
    }
}
