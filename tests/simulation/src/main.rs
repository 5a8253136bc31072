//! Runs of the whole network under seeds: one again, or many.

use clap::Parser;
use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::Duration;
use stele_clock::{Clock as _, SystemClock};
use stele_simulation::explore::{Order, explore};
use stele_simulation::fault::Fault;
use stele_simulation::run::{Limits, Outcome, STEPS, run};
use stele_simulation::scenario::{SCENARIOS, Scenario};
use stele_simulation::shrink::parse_steps;

/// Logs, witnesses, publishers and readers in one thread, on disks, clocks and a network that a seed decides. Ends with 0 if every promise
/// was kept, else with 1 and a line for each failure that makes it again.
#[derive(Debug, Parser)]
#[command(name = "simulate")]
struct Args {
    /// Make the run of this seed alone.
    #[arg(long)]
    seed: Option<u64>,
    /// Play a scenario, with --seed or with seed 0.
    #[arg(long, value_name = "NAME")]
    scenario: Option<String>,
    /// Say what happens, a line each.
    #[arg(long)]
    trace: bool,
    /// How many steps a run has.
    #[arg(long, default_value_t = STEPS)]
    steps: u64,
    /// Leave these kinds of fault out, separated by commas.
    #[arg(long, value_delimiter = ',', value_name = "FAULT")]
    without: Vec<String>,
    /// Leave these steps out, as 3,7-9.
    #[arg(long, default_value = "", value_name = "STEPS")]
    skip: String,
    /// Make so many runs.
    #[arg(long, default_value_t = 1000)]
    runs: u64,
    /// Begin with this seed.
    #[arg(long, default_value_t = 0, value_name = "SEED")]
    from: u64,
    /// Begin no new run after so many seconds.
    #[arg(long)]
    seconds: Option<u64>,
    /// Runs side by side.
    #[arg(long, default_value_t = 1)]
    jobs: usize,
    /// One JSON document instead of a table.
    #[arg(long)]
    json: bool,
    /// List scenarios and kinds of fault.
    #[arg(long)]
    list: bool,
}

fn main() -> ExitCode {
    match carry_out(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn carry_out(args: &Args) -> Result<bool, String> {
    if args.list {
        SCENARIOS.iter().for_each(|scenario| println!("{:<48} {}", scenario.name, scenario.about));
        Fault::ALL.iter().for_each(|fault| println!("{:<48} {}", fault.word(), fault.about()));
        return Ok(true);
    }
    if let Some(name) = &args.scenario {
        let scenario = Scenario::find(name).ok_or_else(|| format!("no scenario {name}: --list names them"))?;
        return Ok(say(&scenario.play(args.seed.unwrap_or(0), args.trace)));
    }
    if let Some(seed) = args.seed {
        return Ok(say(&run(seed, &limits(args)?, args.trace)));
    }
    let began = SystemClock.steady();
    let ends = args.seconds.map(|seconds| began + Duration::from_secs(seconds));
    let order = Order { from: args.from, runs: args.runs, jobs: args.jobs, limits: limits(args)? };
    let report = explore(&order, || ends.is_some_and(|ends| SystemClock.steady() > ends));
    let took = SystemClock.steady() - began;
    if args.json {
        println!("{}", report.to_json(took));
    } else {
        print!("{}", report.to_text(took));
    }
    Ok(report.is_good())
}

fn limits(args: &Args) -> Result<Limits, String> {
    let known = |word: &String| Fault::parse(word).ok_or_else(|| format!("no kind of fault {word}: --list names them"));
    let skipped = if args.skip.is_empty() { Vec::new() } else { parse_steps(&args.skip)? };
    Ok(Limits {
        steps: args.steps,
        without: args.without.iter().map(known).collect::<Result<BTreeSet<Fault>, String>>()?,
        skipped: skipped.into_iter().collect(),
    })
}

fn say(outcome: &Outcome) -> bool {
    outcome.trace.iter().for_each(|line| println!("{line}"));
    match &outcome.violation {
        None => println!("all promises are kept (digest {:016x})", outcome.digest),
        Some(violation) => println!("BROKEN after {} steps: {}: {}", outcome.steps, violation.promise, violation.seen),
    }
    outcome.violation.is_none()
}
