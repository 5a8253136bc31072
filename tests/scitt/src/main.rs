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
use stele_probe::program::{self, OUTPUT_USAGE, OUTPUT_VALUES, Output, Task, Words};

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
    program::main(&[USAGE, OUTPUT_USAGE, CODES].concat(), |verb, words| match verb {
        "run" => run(words),
        "receipt" => receipt(words),
        "key" => {
            let words = Words::parse(words, &["--seed"], &[])?;
            let [] = words.plain([])?;
            let key = suite::key_file(&signer(&words)?);
            Ok(Box::new(move || std::io::stdout().write_all(&key).during("printing the key").map(|()| true)))
        }
        word => Err(format!("there is no command {word}")),
    })
}

fn run(words: impl Iterator<Item = String>) -> Result<Task, String> {
    let values = [&["--seed", "--statement", "--header"][..], &OUTPUT_VALUES].concat();
    let words = Words::parse(words, &values, &["--json"])?;
    let [url] = words.plain(["the service's URL"])?;
    let mut door = Door::parse(&url).map_err(|failure| failure.to_string())?;
    for line in words.all("--header") {
        door = door.with_header(&line).map_err(|failure| failure.to_string())?;
    }
    let (signer, statement, output) = (signer(&words)?, words.one("--statement")?, Output::new(&words, &TABLE)?);
    Ok(Box::new(move || {
        let statement = statement.map(|file| read_statement(&file)).transpose()?;
        output.tell(&suite::run(&door, &signer, statement)?)
    }))
}

fn receipt(words: impl Iterator<Item = String>) -> Result<Task, String> {
    let values = [&["--statement", "--keys"][..], &OUTPUT_VALUES].concat();
    let words = Words::parse(words, &values, &["--json"])?;
    let [receipt] = words.plain(["the receipt"])?;
    let (statement, keys) = (words.needed("--statement")?, words.needed("--keys")?);
    let output = Output::new(&words, &RECEIPTS)?;
    Ok(Box::new(move || {
        let statement = read_statement(&statement)?;
        output.tell(&judge_receipt(&receipt, &read(&receipt)?, &statement, &read(&keys)?)?)
    }))
}

fn signer(words: &Words) -> Result<Signer, String> {
    let phrase = words.one("--seed")?.unwrap_or_else(|| "conformance".to_owned());
    Signer::new(&phrase).map_err(|failure| failure.to_string())
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
