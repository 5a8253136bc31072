//! What Prometheus reads: for each log its size, the age of the last cosignature, answers by status, conflicts.

use stele_daemon::metrics::{Kind, Metrics};
use stele_witness_core::counters::{Counts, Pulled};
use stele_witness_core::decide::ConflictKind;
use stele_witness_core::witness::Witness;

/// What `/metrics` answers of a witness.
pub fn exposition_of(witness: &Witness) -> String {
    let (logs, stray) = witness.counts();
    let logs: Vec<_> = logs.iter().map(|(origin, counts)| (origin.as_str(), counts.clone())).collect();
    exposition(&logs, &stray)
}

/// The exposition: one line a value, each family with its help and type.
///
/// `logs` by origin; `stray` are the answers to requests that name no log of ours.
pub fn exposition(logs: &[(&str, Counts)], stray: &Counts) -> String {
    let mut metrics = Metrics::new();
    let mut family = metrics.family("stele_witness_size", Kind::Gauge, "Tree size that was cosigned last");
    for (origin, counts) in logs {
        family.value(&[("origin", origin)], counts.size);
    }
    let mut family = metrics.family(
        "stele_witness_cosigned_timestamp_seconds",
        Kind::Gauge,
        "Time in the last cosignature, 0 if there is none",
    );
    for (origin, counts) in logs {
        family.value(&[("origin", origin)], counts.time);
    }
    let mut family = metrics.family(
        "stele_witness_last_status",
        Kind::Gauge,
        "HTTP status of the last answer to add-checkpoint, 0 before the first",
    );
    for (origin, counts) in logs {
        family.value(&[("origin", origin)], counts.last_status);
    }
    let mut family = metrics.family(
        "stele_witness_answers_total",
        Kind::Counter,
        "Answers to add-checkpoint by HTTP status; no origin: none of ours",
    );
    for (origin, counts) in logs.iter().map(|(origin, counts)| (*origin, counts)).chain([("", stray)]) {
        for (status, count) in &counts.answers {
            family.value(&[("origin", origin), ("status", &status.to_string())], *count);
        }
    }
    let mut family = metrics.family(
        "stele_witness_subtrees_total",
        Kind::Counter,
        "Answers to sign-subtree by HTTP status; no origin: none of ours",
    );
    for (origin, counts) in logs.iter().map(|(origin, counts)| (*origin, counts)).chain([("", stray)]) {
        for (status, count) in &counts.subtrees {
            family.value(&[("origin", origin), ("status", &status.to_string())], *count);
        }
    }
    let mut family = metrics.family(
        "stele_witness_conflicts_total",
        Kind::Counter,
        "Checkpoints signed by their log that contradict what was cosigned",
    );
    for (origin, counts) in logs {
        for kind in ConflictKind::ALL {
            let count = counts.conflicts.get(&kind).copied().unwrap_or_default();
            family.value(&[("origin", origin), ("kind", kind.word())], count);
        }
    }
    let mut family = metrics.family(
        "stele_witness_evidence",
        Kind::Gauge,
        "Files of evidence against the log that are kept; unproven ones are suspicions",
    );
    for (origin, counts) in logs {
        for kind in ConflictKind::ALL {
            let count = counts.held.get(&kind).copied().unwrap_or_default();
            family.value(&[("origin", origin), ("kind", kind.word())], count);
        }
    }
    let mut family = metrics.family(
        "stele_witness_evidence_lost_total",
        Kind::Counter,
        "Conflicts that could not be written to the disk",
    );
    for (origin, counts) in logs {
        family.value(&[("origin", origin)], counts.evidence_lost);
    }
    pulls(&mut metrics, logs);
    metrics.into_text()
}

/// Of the logs that were asked at least once.
fn pulls(metrics: &mut Metrics, logs: &[(&str, Counts)]) {
    let asked: Vec<_> = logs.iter().filter(|(_, counts)| !counts.pulls.is_empty()).collect();
    let mut family =
        metrics.family("stele_witness_pulls_total", Kind::Counter, "Checkpoints asked for, by what came of it");
    for (origin, counts) in &asked {
        for outcome in Pulled::ALL {
            let count = counts.pulls.get(&outcome).copied().unwrap_or_default();
            family.value(&[("origin", origin), ("outcome", outcome.word())], count);
        }
    }
    let mut family = metrics.family(
        "stele_witness_pull_success_timestamp_seconds",
        Kind::Gauge,
        "When a checkpoint was last read and was as it should be",
    );
    for (origin, counts) in &asked {
        family.value(&[("origin", origin)], counts.pulled_at);
    }
    let mut family =
        metrics.family("stele_witness_pull_failing", Kind::Gauge, "How many questions in a row have failed");
    for (origin, counts) in &asked {
        family.value(&[("origin", origin)], counts.pull_failing);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stele_witness_core::counters::Counters;

    #[test]
    fn an_origin_cannot_write_lines_of_its_own() {
        let text = exposition(&[("a\"} 1\nstele_witness_size{origin=\"b", Counts::default())], &Counts::default());
        assert!(text.contains("stele_witness_size{origin=\"a\\\"} 1\\nstele_witness_size{origin=\\\"b\"} 0\n"));
    }

    #[test]
    fn answers_are_counted_by_status() {
        let counters = Counters::default();
        [200, 409, 200].into_iter().for_each(|status| counters.answered(status));
        counters.note(|counts| *counts.conflicts.entry(ConflictKind::SameSize).or_default() += 1);
        counters.note(|counts| *counts.held.entry(ConflictKind::SameSize).or_default() += 2);
        let text = exposition(&[("log.example/a", counters.counts())], &Counts::default());
        for line in [
            "stele_witness_answers_total{origin=\"log.example/a\",status=\"200\"} 2\n",
            "stele_witness_answers_total{origin=\"log.example/a\",status=\"409\"} 1\n",
            "stele_witness_last_status{origin=\"log.example/a\"} 200\n",
            "stele_witness_conflicts_total{origin=\"log.example/a\",kind=\"same-size\"} 1\n",
            "stele_witness_conflicts_total{origin=\"log.example/a\",kind=\"unproven\"} 0\n",
            "stele_witness_evidence{origin=\"log.example/a\",kind=\"same-size\"} 2\n",
        ] {
            assert!(text.contains(line), "{line}{text}");
        }
    }
}
