//! `witness-conformance`: holds any witness that speaks c2sp.org/tlog-witness against the specification, from outside.

use std::env;
use std::fs;
use std::io::Write as _;
use std::process::ExitCode;

use stele_probe::failure::{During, Failure, Step};
use witness_conformance::expect::Expected;
use witness_conformance::logs::{Seed, network_list};
use witness_conformance::report::Report;
use witness_conformance::suite::Target;

const USAGE: &str = "\
usage: witness-conformance logs --seed SEED
       witness-conformance run URL --vkey VKEY... --seed SEED [--monitoring URL] [--json] [--expect FILE] [--write-expect FILE]

  logs     prints the test logs that the witness's operator configures first: origins and vkeys, as a list that
           witnesses share (witness-network logs/v0), so that `stele-witness logs pull DIR --from FILE` takes it
  run      runs every check against the witness whose submission prefix is URL

  --seed SEED          64 hexadecimal digits or a phrase; the test logs follow from it. Take a new one for a witness that
                       has gone wrong: what it cosigned stays cosigned
  --vkey VKEY          a key of the witness; once for each
  --monitoring URL     the monitoring prefix, if it is another one
  --json               the report for a program
  --expect FILE        the rows that are known not to be ok: any difference fails, better ones too
  --write-expect FILE  writes such a file from what was found

exit codes: 0 no MUST is violated (with --expect: all is as expected), 1 otherwise, 2 usage,
            3 nothing could be judged: nobody answers, or the test logs are not configured
";

fn main() -> ExitCode {
    let arguments: Result<Vec<String>, _> = env::args_os().skip(1).map(|word| word.into_string()).collect();
    let parsed = arguments.map_err(|word| format!("{word:?} is not UTF-8")).and_then(Command::parse);
    match parsed {
        Ok(Command::Help) => {
            print(USAGE);
            ExitCode::SUCCESS
        }
        Ok(Command::Logs { seed }) => match network_list(seed) {
            Ok(list) => {
                print(&list);
                ExitCode::SUCCESS
            }
            Err(failure) => failed(&failure),
        },
        Ok(Command::Run(run)) => match run.go() {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(failure) => failed(&failure),
        },
        Err(problem) => {
            eprint!("error: {problem}\n\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn failed(failure: &Failure) -> ExitCode {
    eprintln!("error: {failure}");
    ExitCode::from(3)
}

/// A reader that has seen enough closes the pipe, which is no failure.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

enum Command {
    Help,
    Logs { seed: Seed },
    Run(Box<Run>),
}

struct Run {
    target: Target,
    seed: Seed,
    json: bool,
    expected: Option<Expected>,
    write: Option<String>,
}

impl Command {
    fn parse(words: Vec<String>) -> Result<Self, String> {
        let mut words = words.into_iter();
        let verb = match words.next().as_deref() {
            None | Some("-h" | "--help" | "help") => return Ok(Self::Help),
            Some("logs") => "logs",
            Some("run") => "run",
            Some(word) => return Err(format!("there is no command {word}")),
        };
        let (mut url, mut monitoring, mut seed, mut expect, mut write) = (None, None, None, None, None);
        let (mut vkeys, mut json) = (Vec::new(), false);
        while let Some(word) = words.next() {
            let place = match word.as_str() {
                "-h" | "--help" => return Ok(Self::Help),
                "--seed" => &mut seed,
                "--monitoring" if verb == "run" => &mut monitoring,
                "--expect" if verb == "run" => &mut expect,
                "--write-expect" if verb == "run" => &mut write,
                "--vkey" if verb == "run" => {
                    vkeys.push(words.next().ok_or("--vkey needs a value")?);
                    continue;
                }
                "--json" if verb == "run" => {
                    json = true;
                    continue;
                }
                flag if flag.starts_with('-') => return Err(format!("{verb} has no option {flag}")),
                _ if verb == "run" && url.is_none() => {
                    url = Some(word);
                    continue;
                }
                _ => return Err(format!("{word:?} is one word too many")),
            };
            if place.replace(words.next().ok_or_else(|| format!("{word} needs a value"))?).is_some() {
                return Err(format!("{word} is there twice"));
            }
        }
        let seed = seed.ok_or("--seed is missing")?;
        let seed = Seed::parse(&seed).map_err(|failure| failure.to_string())?;
        if verb == "logs" {
            return Ok(Self::Logs { seed });
        }
        let url = url.ok_or("the witness's URL is missing")?;
        let target = Target::new(&url, monitoring.as_deref(), &vkeys).map_err(|failure| failure.to_string())?;
        let expected = expect.map(|file: String| read_expected(&file)).transpose();
        let expected = expected.map_err(|failure| failure.to_string())?;
        Ok(Self::Run(Box::new(Run { target, seed, json, expected, write })))
    }
}

fn read_expected(file: &str) -> Step<Expected> {
    let text = fs::read_to_string(file).during(format!("reading {file}"))?;
    Expected::parse(&text).during(file)
}

impl Run {
    /// Whether all is well.
    fn go(&self) -> Step<bool> {
        let report = witness_conformance::run(&self.target, self.seed)?;
        if let Some(file) = &self.write {
            fs::write(file, Expected::of(&report).to_string()).during(format!("writing {file}"))?;
        }
        if self.json {
            print(&format!("{:#}\n", report.to_json()));
        } else {
            print(&report.to_string());
        }
        Ok(self.verdict(&report))
    }

    fn verdict(&self, report: &Report) -> bool {
        let Some(expected) = &self.expected else { return report.violations() == 0 };
        let differences = expected.differences(report);
        for difference in &differences {
            eprintln!("otherwise than expected: {difference}");
        }
        differences.is_empty()
    }
}
