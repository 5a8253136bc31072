//! Every system call of the real programs at which something can go wrong, with everything that can go wrong there.

use clap::Parser;
use std::cell::Cell;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use stele_faults::report::Report;
use stele_faults::subject::{Subject, Survived};
use stele_faults::{log, monitor, preload, witness};
use stele_harness::interrupt;
use stele_harness::process::kill_all;
use stele_probe::failure::{During as _, Failure, Step};

/// Counts the system calls by which the real programs make files, then lets each of them fail, be cut short or be the last, one at a time, and looks
/// whether every promise is kept. Ends with 0 if so, else with 1; with 3 where this machine does not let calls be intercepted.
#[derive(Debug, Parser)]
#[command(name = "syscall-faults")]
struct Args {
    /// Only these programs, separated by commas.
    #[arg(long, value_delimiter = ',', value_name = "PROGRAM")]
    programs: Vec<String>,
    /// Only this piece of work.
    #[arg(long, value_name = "WORK")]
    work: Option<String>,
    /// Only points with this in their kind or path.
    #[arg(long, default_value = "", value_name = "TEXT")]
    point: String,
    /// Every so many outcomes one.
    #[arg(long, default_value_t = 1, value_name = "N")]
    every: u64,
    /// Which one of them.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Begin nothing after so many seconds.
    #[arg(long)]
    seconds: Option<u64>,
    /// List the points, and let nothing fail.
    #[arg(long)]
    list: bool,
    /// Say what came of each outcome as it is found.
    #[arg(long, short)]
    verbose: bool,
}

/// How a program is made ready.
type Start = fn(&Path) -> Step<Box<dyn Subject>>;

/// A program that is struck.
struct Program {
    name: &'static str,
    start: Start,
    work: &'static [&'static str],
    /// Not every machine can: then that is said, and no failure.
    is_optional: bool,
}

const PROGRAMS: &[Program] = &[
    Program {
        name: "stele-log",
        start: |library| Ok(Box::new(log::Log::start(library)?)),
        work: &log::WORK,
        is_optional: false,
    },
    Program {
        name: "stele-witness",
        start: |library| Ok(Box::new(witness::Witness::start(library)?)),
        work: &witness::WORK,
        is_optional: false,
    },
    Program {
        name: "stele-monitor",
        start: |library| Ok(Box::new(monitor::Monitor::start(library)?)),
        work: &monitor::WORK,
        is_optional: false,
    },
    Program {
        name: "stele-log-power",
        start: |library| Ok(Box::new(log::Log::start_on_loop_disk(library)?)),
        work: &log::POWER,
        is_optional: true,
    },
];

/// One program at work, made ready anew after what broke.
struct Bench<'a> {
    program: &'a Program,
    library: &'a Path,
    subject: Option<Box<dyn Subject>>,
}

impl Bench<'_> {
    fn subject(&mut self) -> Step<&mut Box<dyn Subject>> {
        if self.subject.is_none() {
            self.subject = Some((self.program.start)(self.library).during("making the program ready")?);
        }
        self.subject.as_mut().ok_or_else(|| Failure::new("nothing was made ready"))
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    let folder = match tempfile::tempdir() {
        Ok(folder) => folder,
        Err(error) => return refuse(2, &error.to_string()),
    };
    let library = match preload::build(folder.path()) {
        Ok(library) => library,
        Err(failure) => return refuse(3, &format!("no system call can be intercepted here: {failure}")),
    };
    // No server is left behind by a person who has seen enough, and nothing mounted.
    let sample = Sample::new(&args);
    let stop = sample.stop.clone();
    thread::spawn(move || {
        interrupt::wait();
        stop.store(true, Ordering::Relaxed);
        kill_all();
    });
    let mut report = Report::default();
    // Whatever a short time leaves out is another program for another seed.
    let first = usize::try_from(args.seed).unwrap_or_default() % PROGRAMS.len();
    for program in PROGRAMS.iter().cycle().skip(first).take(PROGRAMS.len()) {
        let is_asked_for = args.programs.is_empty() || args.programs.iter().any(|asked| asked == program.name);
        if is_asked_for && !sample.is_over() {
            let mut bench = Bench { program, library: &library, subject: None };
            if let (Err(failure), true) = (bench.subject(), program.is_optional) {
                println!("{}: not done here: {failure}", program.name);
                continue;
            }
            run(&mut bench, &args, &sample, &mut report);
        }
    }
    if !args.list {
        print!("{report}");
    }
    if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Which outcomes are tried.
struct Sample {
    every: u64,
    number: Cell<u64>,
    ends: Option<Instant>,
    stop: Arc<AtomicBool>,
}

impl Sample {
    fn new(args: &Args) -> Self {
        let ends = args.seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
        Self { every: args.every.max(1), number: Cell::new(args.seed), ends, stop: Arc::default() }
    }

    fn has_next(&self) -> bool {
        self.number.set(self.number.get().wrapping_add(1));
        self.number.get().is_multiple_of(self.every) && !self.is_over()
    }

    fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.ends.is_some_and(|ends| Instant::now() > ends)
    }
}

/// Every piece of work of a program, point by point.
fn run(bench: &mut Bench<'_>, args: &Args, sample: &Sample, report: &mut Report) {
    let name = bench.program.name;
    for work in bench.program.work.iter().copied().filter(|work| args.work.as_ref().is_none_or(|asked| asked == work)) {
        if sample.is_over() {
            return;
        }
        let found = bench.subject().and_then(|subject| Ok((subject.points(work)?, subject.outcomes())));
        let (points, outcomes) = match found {
            Ok(found) => found,
            Err(failure) => {
                report.could_not(name, work, &failure);
                bench.subject = None;
                continue;
            }
        };
        for point in points.iter().filter(|point| point.to_string().contains(&args.point)) {
            if args.list {
                println!("{name} {work}: {point}");
                continue;
            }
            for outcome in outcomes.iter().copied().filter(|outcome| outcome.applies_to(point.kind)) {
                if !sample.has_next() {
                    continue;
                }
                let began = Instant::now();
                let result = bench.subject().and_then(|subject| subject.strike(work, point, outcome));
                if args.verbose {
                    let told = result.as_ref().map_or_else(ToString::to_string, Survived::word);
                    eprintln!("{work}: {point}: {}: {told} ({} ms)", outcome.word(), began.elapsed().as_millis());
                }
                // What broke is of no use to the next.
                if result.is_err() {
                    bench.subject = None;
                }
                report.take((name, work), point, outcome, &result);
            }
        }
    }
}

fn refuse(code: u8, message: &str) -> ExitCode {
    eprintln!("error: {message}");
    ExitCode::from(code)
}
