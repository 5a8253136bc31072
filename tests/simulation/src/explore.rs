//! Many runs, and one table of what they came to.

use crate::fault::{Counts, Fault};
use crate::run::{Limits, Outcome, run};
use crate::scenario::SCENARIOS;
use crate::shrink::{command, shrink};
use serde_json::json;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The most failures that are shrunk.
const MOST_SHRUNK: usize = 10;

/// For how many seeds each scenario is played.
const SEEDS_OF_SCENARIO: u64 = 3;

/// What was asked for.
#[derive(Clone, Debug)]
pub struct Order {
    /// The first seed.
    pub from: u64,
    /// How many runs.
    pub runs: u64,
    /// Threads side by side, each with runs of its own.
    pub jobs: usize,
    /// What each run is made of.
    pub limits: Limits,
}

/// What many runs came to.
#[derive(Debug, Default)]
pub struct Report {
    from: u64,
    runs: u64,
    steps: u64,
    scenarios: usize,
    counts: Counts,
    /// A line for each failure: how to make it again.
    failures: Vec<String>,
}

/// Makes the runs, until there are enough or `is_over`.
pub fn explore(order: &Order, is_over: impl Fn() -> bool + Sync) -> Report {
    let (next, failed) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    let report = Mutex::new(Report { from: order.from, ..Report::default() });
    std::thread::scope(|scope| {
        for _ in 0..order.jobs.max(1) {
            scope.spawn(|| {
                let mut own = Report::default();
                while !is_over() {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= order.runs {
                        break;
                    }
                    let outcome = run(order.from + number, &order.limits, false);
                    own.take(&outcome);
                    if outcome.violation.is_some() {
                        failed.lock().unwrap().push(outcome);
                    }
                }
                report.lock().unwrap().add(&own);
            });
        }
    });
    let mut report = report.into_inner().unwrap();
    let mut failed: Vec<Outcome> = failed.into_inner().unwrap();
    failed.sort_by_key(|outcome| outcome.seed);
    report.failures = failed.iter().take(MOST_SHRUNK).map(|outcome| smallest(outcome, &order.limits)).collect();
    let more = failed.iter().skip(MOST_SHRUNK);
    report.failures.extend(more.map(|outcome| format!("seed {}", outcome.seed)));
    report.play_scenarios();
    report
}

/// The smallest run that breaks the same promise: one line that makes it again, and which promise it is.
fn smallest(outcome: &Outcome, asked: &Limits) -> String {
    let Some(violation) = &outcome.violation else { return String::new() };
    let limits = Limits { steps: outcome.steps, ..asked.clone() };
    let fails = |limits: &Limits| {
        run(outcome.seed, limits, false).violation.is_some_and(|found| found.promise == violation.promise)
    };
    let best = if fails(&limits) { shrink(&limits, fails) } else { asked.clone() };
    let left = best.steps - best.skipped.len() as u64;
    format!("{}: {} ({left} steps)\n    {}", violation.promise, violation.seen, command(outcome.seed, &best))
}

impl Report {
    fn take(&mut self, outcome: &Outcome) {
        self.runs += 1;
        self.steps += outcome.steps;
        self.counts.add(&outcome.counts);
    }

    fn add(&mut self, other: &Self) {
        self.runs += other.runs;
        self.steps += other.steps;
        self.counts.add(&other.counts);
    }

    fn play_scenarios(&mut self) {
        for scenario in SCENARIOS {
            let broken = (0..SEEDS_OF_SCENARIO).find_map(|seed| Some((seed, scenario.play(seed, false).violation?)));
            match broken {
                None => self.scenarios += 1,
                Some((seed, violation)) => self.failures.push(format!(
                    "{}: {}\n    cargo simulate --scenario {} --seed {seed} --trace",
                    violation.promise, violation.seen, scenario.name
                )),
            }
        }
    }

    /// Whether all promises were kept.
    pub fn is_good(&self) -> bool {
        self.failures.is_empty()
    }

    /// How often a kind of fault has happened.
    pub fn count_of(&self, fault: Fault) -> u64 {
        self.counts.faults.get(&fault).copied().unwrap_or(0)
    }

    /// How often an event has happened.
    pub fn count_of_event(&self, name: &str) -> u64 {
        self.counts.events.get(name).copied().unwrap_or(0)
    }

    /// The table.
    pub fn to_text(&self, took: Duration) -> String {
        let mut text = String::new();
        for failure in &self.failures {
            let _ = writeln!(text, "BROKEN {failure}");
        }
        let a_second = self.runs as f64 / took.as_secs_f64().max(0.001);
        let mut row = |name: &str, value: String| _ = writeln!(text, "{name:<32} {value:>12}");
        row("seeds", format!("{}..{}", self.from, self.from + self.runs));
        row("runs", self.runs.to_string());
        row("runs a second", format!("{a_second:.0}"));
        row("steps", self.steps.to_string());
        for (name, count) in &self.counts.events {
            row(name, count.to_string());
        }
        for fault in Fault::ALL {
            row(&format!("fault {}", fault.word()), self.count_of(*fault).to_string());
        }
        row("scenarios kept", format!("{} of {}", self.scenarios, SCENARIOS.len()));
        row("promises broken", self.failures.len().to_string());
        text
    }

    /// The same for programs.
    pub fn to_json(&self, took: Duration) -> String {
        let faults: serde_json::Map<_, _> =
            Fault::ALL.iter().map(|fault| (fault.word().into(), json!(self.count_of(*fault)))).collect();
        let events: serde_json::Map<_, _> =
            self.counts.events.iter().map(|(name, count)| ((*name).into(), json!(count))).collect();
        let report = json!({
            "from": self.from, "runs": self.runs, "steps": self.steps, "seconds": took.as_secs_f64(), "events": events,
            "faults": faults, "scenarios": {"kept": self.scenarios, "of": SCENARIOS.len()}, "broken": self.failures,
        });
        report.to_string()
    }
}
