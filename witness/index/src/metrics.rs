//! What Prometheus reads of an index cosigner.

use std::collections::BTreeMap;

use stele_daemon::metrics::{Kind, Metrics};

/// What is counted of one log.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    /// The size that was cosigned last.
    pub(crate) size: u64,
    /// The time in that cosignature; 0 if there is none.
    pub(crate) time: u64,
    /// Answers by status.
    pub(crate) answers: BTreeMap<u16, u64>,
    /// Steps whose index entry is not what the log's own entries make.
    pub(crate) wrong_entries: u64,
}

/// A line for each value.
pub(crate) fn exposition(logs: &[(&str, Counts)]) -> String {
    let mut metrics = Metrics::new();
    let mut family = metrics.family("stele_index_cosigner_size", Kind::Gauge, "Tree size that was cosigned last");
    for (origin, counts) in logs {
        family.value(&[("origin", origin)], counts.size);
    }
    let mut family = metrics.family(
        "stele_index_cosigner_cosigned_timestamp_seconds",
        Kind::Gauge,
        "Time in the last cosignature, 0 if there is none",
    );
    for (origin, counts) in logs {
        family.value(&[("origin", origin)], counts.time);
    }
    let mut family =
        metrics.family("stele_index_cosigner_answers_total", Kind::Counter, "Answers to add-transition by HTTP status");
    for (origin, counts) in logs {
        for (status, count) in &counts.answers {
            family.value(&[("origin", origin), ("status", &status.to_string())], *count);
        }
    }
    let mut family = metrics.family(
        "stele_index_cosigner_wrong_roots_total",
        Kind::Counter,
        "Index entries, signed by their log, that its own entries contradict",
    );
    for (origin, counts) in logs {
        family.value(&[("origin", origin)], counts.wrong_entries);
    }
    metrics.into_text()
}
