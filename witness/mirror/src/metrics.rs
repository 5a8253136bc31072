//! What Prometheus reads of the mirror.

use std::collections::BTreeMap;

use stele_daemon::metrics::{Kind, Metrics};

/// What came of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CopyOutcome {
    /// Copied to a newer checkpoint, and signed.
    Signed,
    /// There is nothing newer.
    Current,
    /// The log could not be read to the end; the next round goes on.
    Unread,
    /// What the log serves is not the tree, or this machine failed.
    Failed,
}

impl CopyOutcome {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Signed, Self::Current, Self::Unread, Self::Failed];

    /// In kebab-case.
    pub fn word(self) -> &'static str {
        match self {
            Self::Signed => "signed",
            Self::Current => "current",
            Self::Unread => "unread",
            Self::Failed => "failed",
        }
    }
}

/// Name, help, and where the value is.
type Gauge = (&'static str, &'static str, fn(&Counts) -> u64);

#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) size: u64,
    pub(crate) time: u64,
    pub(crate) missing: u64,
    pub(crate) rounds: BTreeMap<CopyOutcome, u64>,
    /// What kept the last round from signing, where that was none of the log's.
    pub(crate) problem: Option<String>,
}

pub(crate) fn exposition(logs: &[(&str, Counts)]) -> String {
    let mut metrics = Metrics::new();
    let gauges: [Gauge; 3] = [
        ("stele_witness_mirror_size", "Tree size that was mirrored and signed last", |counts| counts.size),
        ("stele_witness_mirror_signed_timestamp_seconds", "When that was, 0 if never", |counts| counts.time),
        ("stele_witness_mirror_missing_manifests", "Manifests that entries name and the log did not have", |counts| {
            counts.missing
        }),
    ];
    for (name, help, value) in gauges {
        let mut family = metrics.family(name, Kind::Gauge, help);
        for (origin, counts) in logs {
            family.value(&[("origin", origin)], value(counts));
        }
    }
    let mut family =
        metrics.family("stele_witness_mirror_rounds_total", Kind::Counter, "Rounds of copying, by what came of them");
    for (origin, counts) in logs {
        for outcome in CopyOutcome::ALL {
            let count = counts.rounds.get(&outcome).copied().unwrap_or_default();
            family.value(&[("origin", origin), ("outcome", outcome.word())], count);
        }
    }
    metrics.into_text()
}
