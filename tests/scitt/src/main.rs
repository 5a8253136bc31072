//! `scitt-conformance`: holds any SCITT transparency service against SCRAPI, from outside, and any receipt against RFC 9942.

use std::fs;
use std::io::Write as _;
use std::process::ExitCode;

use scitt_conformance::item::Sign1;
use scitt_conformance::rows::{RECEIPTS, TABLE};
use scitt_conformance::statement::Signer;
use scitt_conformance::{judge_receipt, suite};
use stele_probe::door::Door;
use stele_probe::failure::{During, Failure, Step};
use stele_probe::program::{self, OUTPUT_USAGE, OUTPUT_VALUES, Output, Words};

const USAGE: &str = "\
usage: scitt-conformance run URL [--seed PHRASE] [--statement FILE] [--header LINE]... [--json] [--expect FILE] [--write-expect FILE]
       scitt-conformance receipt RECEIPT --statement FILE --keys FILE [--json] [--expect FILE] [--write-expect FILE]
       scitt-conformance key [--seed PHRASE]

  run      runs every check against the service below URL, which has /entries and /.well-known/scitt-keys
  receipt  judges one receipt, offline
  key      prints the key of the suite's own statements as a COSE_KeySet, for a service that takes known signers only

  --seed PHRASE        the key follows from it; `conformance` without it
  --statement FILE     a signed statement that the service's registration policy takes; without it the suite signs its own
  --header LINE        a header of every request, such as `Authorization: Bearer KEY`
  --keys FILE          what GET /.well-known/scitt-keys gave
";

const CODES: &str = "
exit codes: 0 no MUST is violated (with --expect: all is as expected), 1 otherwise, 2 usage,
            3 nothing could be judged: nobody answers, or no statement is taken
";

fn main() -> ExitCode {
    let usage = [USAGE, OUTPUT_USAGE, CODES].concat();
    match program::words().and_then(Command::parse) {
        Ok(None) => {
            program::print(&usage);
            ExitCode::SUCCESS
        }
        Ok(Some(command)) => program::ended(command.go()),
        Err(problem) => program::misused(&problem, &usage),
    }
}

enum Command {
    Run { door: Door, signer: Signer, statement: Option<String>, output: Output },
    Receipt { receipt: String, statement: String, keys: String, output: Output },
    Key(Signer),
}

impl Command {
    /// None where help is wanted.
    fn parse(words: Vec<String>) -> Result<Option<Self>, String> {
        let mut words = words.into_iter().peekable();
        let verb = words.next().unwrap_or_default();
        if matches!(verb.as_str(), "" | "-h" | "--help" | "help") || words.clone().any(|word| word == "--help") {
            return Ok(None);
        }
        let options: &[&str] = match verb.as_str() {
            "run" => &["--seed", "--statement", "--header"],
            "receipt" => &["--statement", "--keys"],
            "key" => &["--seed"],
            word => return Err(format!("there is no command {word}")),
        };
        let flags: &[&str] = if verb == "key" { &[] } else { &["--json"] };
        let words = Words::parse(words, &[options, if verb == "key" { &[] } else { &OUTPUT_VALUES }].concat(), flags)?;
        let signer = || {
            let phrase = words.one("--seed")?.unwrap_or_else(|| "conformance".to_owned());
            Signer::new(&phrase).map_err(|failure| failure.to_string())
        };
        Ok(Some(match verb.as_str() {
            "run" => {
                let [url] = words.plain(["the service's URL"])?;
                let mut door = Door::parse(&url).map_err(|failure| failure.to_string())?;
                for line in words.all("--header") {
                    door = door.with_header(&line).map_err(|failure| failure.to_string())?;
                }
                let statement = words.one("--statement")?;
                Self::Run { door, signer: signer()?, statement, output: Output::new(&words, &TABLE)? }
            }
            "receipt" => {
                let [receipt] = words.plain(["the receipt"])?;
                let (statement, keys) = (words.needed("--statement")?, words.needed("--keys")?);
                Self::Receipt { receipt, statement, keys, output: Output::new(&words, &RECEIPTS)? }
            }
            _ => {
                let [] = words.plain([])?;
                Self::Key(signer()?)
            }
        }))
    }

    /// Whether all is well.
    fn go(self) -> Step<bool> {
        match self {
            Self::Run { door, signer, statement, output } => {
                let statement = statement.map(|file| read_statement(&file)).transpose()?;
                output.tell(&suite::run(&door, &signer, statement)?)
            }
            Self::Receipt { receipt, statement, keys, output } => {
                let statement = read_statement(&statement)?;
                output.tell(&judge_receipt(&receipt, &read(&receipt)?, &statement, &read(&keys)?)?)
            }
            Self::Key(signer) => {
                let _ = std::io::stdout().write_all(&suite::key_file(&signer));
                Ok(true)
            }
        }
    }
}

fn read(file: &str) -> Step<Vec<u8>> {
    fs::read(file).during(format!("reading {file}"))
}

fn read_statement(file: &str) -> Step<Sign1> {
    let bytes = read(file)?;
    let statement = Sign1::parse(&bytes).filter(|statement| statement.to_bytes() == bytes);
    statement.ok_or_else(|| {
        Failure::new(format!(
            "{file}: expected one COSE_Sign1, its lengths in their shortest form\nhint: a signed statement (RFC 9943)"
        ))
    })
}
