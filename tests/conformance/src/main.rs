//! `witness-conformance`: holds any witness that speaks c2sp.org/tlog-witness against the specification, from outside, and any mirror that
//! speaks c2sp.org/tlog-mirror.

use std::process::ExitCode;

use stele_probe::failure::Step;
use stele_probe::program::{self, OUTPUT_USAGE, OUTPUT_VALUES, Output, Task, Words};
use stele_probe::report::Report;
use witness_conformance::logs::{Seed, network_list};
use witness_conformance::suite::Target;
use witness_conformance::{mirror, rows};

const USAGE: &str = "\
usage: witness-conformance logs --seed SEED
       witness-conformance run URL --vkey VKEY... --seed SEED [--monitoring URL] [--json] [--expect FILE] [--write-expect FILE]
       witness-conformance mirror URL --vkey VKEY... --seed SEED [--monitoring URL] [--json] [--expect FILE] [--write-expect FILE]

  logs     prints the test logs that the operator configures first: origins and vkeys, as a list that witnesses share
           (witness-network logs/v0), so that `stele-witness logs pull DIR --from FILE` takes it. A mirror takes what is
           pushed of the last two
  run      runs every check against the witness whose submission prefix is URL
  mirror   the same for a mirror, whose keys are not its witness's

  --seed SEED          64 hexadecimal digits or a phrase; the test logs follow from it. Take a new one for a witness that
                       has gone wrong: what it cosigned stays cosigned
  --vkey VKEY          a key of the witness or mirror; once for each
  --monitoring URL     the monitoring prefix, if it is another one
";

const CODES: &str = "
exit codes: 0 no MUST is violated (with --expect: all is as expected), 1 otherwise, 2 usage,
            3 nothing could be judged: nobody answers, or the test logs are not configured
";

fn main() -> ExitCode {
    program::main(&[USAGE, OUTPUT_USAGE, CODES].concat(), parse)
}

/// A suite: all of its checks.
type Suite = fn(&Target, Seed) -> Step<Report>;

fn parse(verb: &str, words: std::vec::IntoIter<String>) -> Result<Task, String> {
    let seed = |words: &Words| Seed::parse(&words.needed("--seed")?).map_err(|failure| failure.to_string());
    let (run, table): (Suite, _) = match verb {
        "logs" => {
            let words = Words::parse(words, &["--seed"], &[])?;
            let [] = words.plain([])?;
            let list = network_list(seed(&words)?);
            return Ok(Box::new(|| list.map(|list| program::print(&list)).map(|()| true)));
        }
        "run" => (witness_conformance::run, &rows::TABLE),
        "mirror" => (mirror::run, &mirror::rows::TABLE),
        word => return Err(format!("there is no command {word}")),
    };
    let values = [&["--seed", "--vkey", "--monitoring"][..], &OUTPUT_VALUES].concat();
    let words = Words::parse(words, &values, &["--json"])?;
    let [url] = words.plain(["the URL of the witness or mirror"])?;
    let target = Target::new(&url, words.one("--monitoring")?.as_deref(), &words.all("--vkey"));
    let target = target.map_err(|failure| failure.to_string())?;
    let (seed, output) = (seed(&words)?, Output::new(&words, table)?);
    Ok(Box::new(move || output.tell(&run(&target, seed)?)))
}
