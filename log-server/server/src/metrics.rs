//! What Prometheus reads: sizes, what the writer is at, what each witness last said, and what was counted.

use std::collections::BTreeMap;
use stele_daemon::metrics::{Kind, Metrics};
use stele_log_core::cosigning::names;
use stele_log_core::settings::{Settings, spare_witnesses};
use stele_log_core::status::{Gauge, Status, WitnessStatus, WriterState};
use stele_spec::policy::Policy;

/// The exposition of a running log. `now` is in Unix seconds.
pub fn exposition(status: &Status, settings: &Settings, queue: usize, behind: u64, now: u64) -> String {
    let mut metrics = Metrics::new();
    let gauges = [
        ("stele_signed_size", "Entries in the newest signed tree.", Gauge::SignedSize),
        ("stele_published_size", "Entries in the published tree.", Gauge::PublishedSize),
        ("stele_published_timestamp_seconds", "The time of the published tree head.", Gauge::PublishedTime),
    ];
    for (name, help, gauge) in gauges {
        metrics.single(name, Kind::Gauge, help, status.gauge(gauge));
    }
    let writer = status.writer();
    let states = [
        ("stele_writer_running", "1 while the writer takes statements.", writer == WriterState::Running),
        (
            "stele_below_quorum",
            "1 while a signed tree head waits for cosignatures.",
            matches!(writer, WriterState::BelowQuorum { .. }),
        ),
        (
            "stele_backup_restored",
            "1 when a witness has shown that this log signed more than it has here.",
            matches!(writer, WriterState::Stopped { code: "backup-restored", .. }),
        ),
    ];
    for (name, help, holds) in states {
        metrics.single(name, Kind::Gauge, help, u8::from(holds));
    }
    let mut family = metrics.family(
        "stele_writer_stopped",
        Kind::Gauge,
        "1 when the writer has stopped for good, by the code of the reason; nothing else.",
    );
    if let WriterState::Stopped { code, .. } = &writer {
        family.value(&[("reason", code)], 1);
    }
    let standby = if let WriterState::Standby(standby) = &writer { Some(standby) } else { None };
    let followed = [
        ("stele_standby", "1 while this is a standby, which follows another machine.", u64::from(standby.is_some())),
        (
            "stele_standby_behind_entries",
            "Signed entries that a standby has not read; 0 where this is none.",
            standby.map_or(0, |standby| standby.behind),
        ),
        (
            "stele_standby_behind_seconds",
            "For how long a standby could not follow what is published; 0 where this is none.",
            standby.map_or(0, |standby| standby.seconds_behind(now)),
        ),
    ];
    for (name, help, value) in followed {
        metrics.single(name, Kind::Gauge, help, value);
    }
    let (written, cosigned) = status.batch_times();
    let times = [
        ("stele_batch_write_seconds_total", "Time spent staging, signing and publishing batches.", written),
        ("stele_batch_cosign_seconds_total", "Time spent waiting for cosignatures.", cosigned),
    ];
    for (name, help, time) in times {
        metrics.single(name, Kind::Counter, help, time.as_secs_f64());
    }
    let witnesses = status.witnesses();
    metrics.single("stele_pending_submissions", Kind::Gauge, "Submissions that wait for a batch.", queue);
    let help = "Published entries that the derived lookups do not have yet.";
    metrics.single("stele_lookups_behind_entries", Kind::Gauge, help, behind);
    metrics.single(
        "stele_frozen",
        Kind::Gauge,
        "1 when the log takes no new statement any more.",
        u8::from(settings.rules.frozen),
    );
    if let Some(spare) = spare(&settings.policy, &witnesses) {
        let help = "How many more witnesses may fail, whichever they are, and the quorum is met; absent where it is not met now.";
        metrics.single("stele_spare_witnesses", Kind::Gauge, help, spare);
    }
    let mut family =
        metrics.family("stele_witness_cosigned_timestamp_seconds", Kind::Gauge, "When a witness last cosigned.");
    for (name, witness) in &witnesses {
        family.value(&[("witness", name)], witness.cosigned.unwrap_or(0));
    }
    let mut family = metrics.family(
        "stele_witness_ahead_size",
        Kind::Gauge,
        "A size beyond the log's own that a witness names; 0: none.",
    );
    for (name, witness) in &witnesses {
        family.value(&[("witness", name)], witness.ahead.unwrap_or(0));
    }
    // Each family is there before its first event: a query for it is no error.
    let counts = status.counts();
    for (name, help) in COUNTERS {
        let mut family = metrics.family(name, Kind::Counter, help);
        for ((_, label), count) in counts.iter().filter(|((counted, _), _)| *counted == name) {
            family.value(&[("result", label)], count);
        }
    }
    metrics.into_text()
}

/// How many more witnesses may fail: those count as well that cosigned, and had no problem since.
pub fn spare(policy: &Policy, known: &BTreeMap<String, WitnessStatus>) -> Option<usize> {
    let names = names(policy);
    let status = |index: usize| names.get(index).and_then(|name| known.get(name));
    spare_witnesses(policy, &|index| {
        status(index).is_some_and(|witness| witness.cosigned.is_some() && witness.problem.is_none())
    })
}

/// The witnesses that do not know this log or its key, where without them the quorum is met by nobody.
pub fn strangers(policy: &Policy, known: &BTreeMap<String, WitnessStatus>) -> Vec<String> {
    let names = names(policy);
    let is_stranger = |name: &String| known.get(name).is_some_and(|witness| witness.is_stranger);
    let others = spare_witnesses(policy, &|index| names.get(index).is_some_and(|name| !is_stranger(name)));
    if others.is_some() { Vec::new() } else { names.iter().filter(|name| is_stranger(name)).cloned().collect() }
}

/// What is counted since the start.
const COUNTERS: [(&str, &str); 6] = [
    ("stele_alarms_total", "Alarms by kind, printed or not."),
    ("stele_batches_total", "Batches by what became of them."),
    ("stele_cosignatures_total", "Answers of witnesses, by witness and whether it cosigned."),
    ("stele_entries_total", "Statements that were logged."),
    ("stele_manifests_total", "Manifests that were read and not served, by reason."),
    ("stele_submissions_total", "Submissions by what became of them: a code where they were refused."),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::config;
    use stele_log_core::samples::policy;

    #[test]
    fn metrics_are_lines_of_name_and_value_with_escaped_labels() {
        let status = Status::default();
        status.count("stele_submissions_total", "logged", 2);
        status.count("stele_submissions_total", "logged", 1);
        status.note_witness("w\"1\n", |witness| witness.cosigned = Some(7));
        let rules = config().rules();
        let text = exposition(&status, &Settings { policy: policy("quorum none\n"), rules }, 3, 2, 0);
        assert!(text.contains("stele_lookups_behind_entries 2\n"), "{text}");
        assert!(text.contains("stele_pending_submissions 3\n") && text.contains("stele_frozen 0\n"), "{text}");
        assert!(!text.contains("stele_spare_witnesses"), "{text}");
        assert!(text.contains("stele_submissions_total{result=\"logged\"} 3\n"), "{text}");
        assert!(text.contains("{witness=\"w\\\"1\\n\"} 7\n"), "{text}");
        for (name, _) in COUNTERS {
            assert!(text.contains(&format!("# TYPE {name} counter\n")), "{name}: {text}");
        }
        assert!(text.lines().all(|line| line.starts_with('#') || line.split_whitespace().count() == 2), "{text}");
    }
}
