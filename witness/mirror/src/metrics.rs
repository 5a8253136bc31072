//! What Prometheus reads of the mirror.

use std::collections::BTreeMap;

use stele_witness_core::exposition::{family, line};

/// What came of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Brought {
    /// Copied to a newer checkpoint, and signed.
    Signed,
    /// There is nothing newer.
    Current,
    /// The log could not be read to the end; the next round goes on.
    Unread,
    /// What the log serves is not the tree, or this machine failed.
    Failed,
}

impl Brought {
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
    pub(crate) rounds: BTreeMap<Brought, u64>,
}

pub(crate) fn exposition(logs: &[(&str, Counts)]) -> String {
    let mut text = String::new();
    let gauges: [Gauge; 3] = [
        ("mirror_size", "Tree size that was mirrored and signed last", |counts| counts.size),
        ("mirror_signed_timestamp_seconds", "When that was, 0 if never", |counts| counts.time),
        ("mirror_missing_manifests", "Manifests that entries name and the log did not have", |counts| counts.missing),
    ];
    for (name, help, value) in gauges {
        family(&mut text, name, "gauge", help);
        logs.iter().for_each(|(origin, counts)| line(&mut text, name, &[("origin", origin)], value(counts)));
    }
    family(&mut text, "mirror_rounds_total", "counter", "Rounds of copying, by what came of them");
    for (origin, counts) in logs {
        for brought in Brought::ALL {
            let count = counts.rounds.get(&brought).copied().unwrap_or_default();
            line(&mut text, "mirror_rounds_total", &[("origin", origin), ("outcome", brought.word())], count);
        }
    }
    text
}
