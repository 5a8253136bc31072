//! What the programs of suites have in common: the words of a command line, what is printed, and the exit code.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::process::ExitCode;

use crate::expect::Expected;
use crate::failure::{During, Step};
use crate::report::Report;
use crate::row::Table;

/// What every program says of the options that [`Output`] reads.
pub const OUTPUT_USAGE: &str = "\
  --json               the report for a program
  --expect FILE        the rows that are known not to be ok: any difference fails, better ones too
  --write-expect FILE  writes such a file from what was found
";

/// The options of [`Output`] that have a value.
pub const OUTPUT_VALUES: [&str; 2] = ["--expect", "--write-expect"];

/// What is to be done; whether all is well then.
pub type Task = Box<dyn FnOnce() -> Step<bool>>;

/// A program from its verb and the words after it to its end: with the usage where no verb is there, or help is wanted.
pub fn main(usage: &str, parse: impl FnOnce(&str, std::vec::IntoIter<String>) -> Result<Task, String>) -> ExitCode {
    let task = words().and_then(|words| {
        let mut words = words.into_iter();
        let verb = words.next().unwrap_or_default();
        let asks_for_help = matches!(verb.as_str(), "" | "-h" | "--help" | "help")
            || words.as_slice().iter().any(|word| word == "--help");
        if asks_for_help { Ok(None) } else { parse(&verb, words).map(Some) }
    });
    match task {
        Ok(None) => {
            print(usage);
            ExitCode::SUCCESS
        }
        Ok(Some(task)) => ended(task()),
        Err(problem) => {
            eprint!("error: {problem}\n\n{usage}");
            ExitCode::from(2)
        }
    }
}

/// The words of a command line after its verb.
#[derive(Debug, Default)]
pub struct Words {
    values: BTreeMap<String, Vec<String>>,
    plain: Vec<String>,
}

impl Words {
    /// Takes the words apart: each of `values` is followed by a value, each of `flags` stands alone.
    pub fn parse(words: impl Iterator<Item = String>, values: &[&str], flags: &[&str]) -> Result<Self, String> {
        let mut parsed = Self::default();
        let mut words = words;
        while let Some(word) = words.next() {
            let value = match word.as_str() {
                known if values.contains(&known) => words.next().ok_or_else(|| format!("{word} needs a value"))?,
                known if flags.contains(&known) => String::new(),
                other if other.starts_with('-') => return Err(format!("there is no option {other} here")),
                _ => {
                    parsed.plain.push(word);
                    continue;
                }
            };
            parsed.values.entry(word).or_default().push(value);
        }
        Ok(parsed)
    }

    /// Whether a flag is there.
    pub fn has(&self, flag: &str) -> bool {
        self.values.contains_key(flag)
    }

    /// Every value of an option.
    pub fn all(&self, option: &str) -> Vec<String> {
        self.values.get(option).cloned().unwrap_or_default()
    }

    /// The value of an option that is there at most once.
    pub fn one(&self, option: &str) -> Result<Option<String>, String> {
        match self.all(option).as_slice() {
            [] => Ok(None),
            [value] => Ok(Some(value.clone())),
            _ => Err(format!("{option} is there twice")),
        }
    }

    /// The value of an option that has to be there.
    pub fn needed(&self, option: &str) -> Result<String, String> {
        self.one(option)?.ok_or_else(|| format!("{option} is missing"))
    }

    /// The words that are no options: so many, each with a name for who reads the error.
    pub fn plain<const N: usize>(&self, names: [&str; N]) -> Result<[String; N], String> {
        if let Some(word) = self.plain.get(N) {
            return Err(format!("{word:?} is one word too many"));
        }
        let missing = names.get(self.plain.len()).copied().unwrap_or_default();
        self.plain.clone().try_into().map_err(|_| format!("{missing} is missing"))
    }
}

/// How a report is told.
#[derive(Debug)]
pub struct Output {
    json: bool,
    expected: Option<Expected>,
    write: Option<String>,
}

impl Output {
    /// From the options; a file of what is expected is read here.
    pub fn new(words: &Words, table: &'static Table) -> Result<Self, String> {
        let read = |file: String| Expected::parse(table, &read(&file)?).during(file);
        let expected = words.one("--expect")?.map(read).transpose().map_err(|failure| failure.to_string())?;
        Ok(Self { json: words.has("--json"), expected, write: words.one("--write-expect")? })
    }

    /// Prints the report. Whether all is well: as expected, or without a violation where nothing is.
    pub fn tell(&self, report: &Report) -> Step<bool> {
        if let Some(file) = &self.write {
            fs::write(file, Expected::of(report).to_string()).during(format!("writing {file}"))?;
        }
        print(&if self.json { format!("{:#}\n", report.to_json()) } else { report.to_string() });
        let Some(expected) = &self.expected else { return Ok(report.violations() == 0) };
        let differences = expected.differences(report);
        for difference in &differences {
            eprintln!("otherwise than expected: {difference}");
        }
        Ok(differences.is_empty())
    }
}

/// A text file.
pub fn read(file: &str) -> Step<String> {
    fs::read_to_string(file).during(format!("reading {file}"))
}

/// A reader that has seen enough closes the pipe, which is no failure.
pub fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// 0 or 1 for what was found, 3 where nothing could be judged.
fn ended(well: Step<bool>) -> ExitCode {
    match well {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::from(3)
        }
    }
}

/// The words that the program was started with.
fn words() -> Result<Vec<String>, String> {
    let words: Result<Vec<String>, _> = std::env::args_os().skip(1).map(|word| word.into_string()).collect();
    words.map_err(|word| format!("{word:?} is not UTF-8"))
}
