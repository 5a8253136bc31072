//! The verbs that say something about a release.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;
use stele_spec::name::{Coordinate, Publisher};
use stele_spec::statement::{Configuration, Copies, EvaluationClass, IncidentClass, IncidentStatus, Severity, Stage};

use super::keys::SubmitArgs;
use super::signing_key::SigningKeys;

/// What every one of them takes.
#[derive(Debug, Args)]
pub struct Say {
    /// publisher/model@version#variant, its release.stele, or the folder that has one; else the form names it.
    #[arg(value_name = "RELEASE")]
    pub release: Option<String>,
    /// A form in TOML, as --draft writes it. Options fill what it leaves out.
    #[arg(long, value_name = "FILE")]
    pub form: Option<PathBuf>,
    /// Write a form to complete, to --output or KIND.toml, and say nothing.
    #[arg(long, conflicts_with_all = ["form", "dry_run"])]
    pub draft: bool,
    /// Write what is to be signed to this file for further keys of the name, and send nothing: `stele approve` and `stele submit` go on.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["draft", "dry_run"])]
    pub propose: Option<PathBuf>,
    /// The secret keys that sign.
    #[command(flatten)]
    pub key: SigningKeys,
    /// Where the log is and what is kept.
    #[command(flatten)]
    pub said: SubmitArgs,
}

/// `stele amend`.
#[derive(Debug, Args)]
pub struct AmendArgs {
    /// What every kind has.
    #[command(flatten)]
    pub say: Say,
    /// Why, for everybody to read.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// The licence from now on, an SPDX expression; with --license-text and --use-restricted.
    #[arg(long, value_name = "SPDX", requires = "license_text", requires = "use_restricted")]
    pub license: Option<String>,
    /// The file with its text.
    #[arg(long, value_name = "FILE", requires = "license")]
    pub license_text: Option<PathBuf>,
    /// Whether it forbids some uses.
    #[arg(long, value_name = "BOOL", requires = "license")]
    pub use_restricted: Option<bool>,
    /// The file with the model card.
    #[arg(long, value_name = "FILE")]
    pub model_card: Option<PathBuf>,
    /// Where users get help, in words.
    #[arg(long, value_name = "TEXT")]
    pub support: Option<String>,
    /// With --draft: a field to write with what holds now, to be changed. May be given again.
    #[arg(long, value_name = "NAME", requires = "draft", value_parser = PossibleValuesParser::new(AMENDABLE))]
    pub field: Vec<String>,
}

/// The fields that an amendment may replace.
pub const AMENDABLE: [&str; 13] = [
    "model",
    "lineage",
    "license",
    "model_card",
    "evidence",
    "components",
    "openness",
    "rationale",
    "obligations",
    "hosts",
    "docs",
    "legal",
    "support",
];

/// `stele stage`.
#[derive(Debug, Args)]
pub struct StageArgs {
    /// What every kind has.
    #[command(flatten)]
    pub say: Say,
    /// Who can have it from now on.
    #[arg(long, value_name = "STAGE", value_parser = PossibleValuesParser::new(Stage::TEXTS))]
    pub to: Option<String>,
    /// The first day of it.
    #[arg(long, value_name = "DAY")]
    pub since: Option<String>,
    /// Why, for everybody to read.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// The release is withdrawn, and is to be used again: a public stage takes the withdrawal back.
    #[arg(long)]
    pub after_withdrawal: bool,
}

/// `stele supersede`.
#[derive(Debug, Args)]
pub struct SupersedeArgs {
    /// What every kind has.
    #[command(flatten)]
    pub say: Say,
    /// What replaces it: a coordinate, a release.stele, or a folder that has one.
    #[arg(long, value_name = "RELEASE")]
    pub by: Option<String>,
    /// Why, for everybody to read.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// `stele withdraw`.
#[derive(Debug, Args)]
pub struct WithdrawArgs {
    /// What every kind has.
    #[command(flatten)]
    pub say: Say,
    /// What was really done: 'host-removed 2026-07-01 https://...', 'support-ended 2026-07-01'. May be given again.
    #[arg(long, value_name = "WHAT DAY [URL] [NOTE]")]
    pub did: Vec<String>,
    /// Where copies are.
    #[arg(long, value_name = "WHERE", value_parser = PossibleValuesParser::new(Copies::TEXTS))]
    pub copies: Option<String>,
    /// Why, for everybody to read.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// The file that tells those who have a copy what they should know.
    #[arg(long, value_name = "FILE")]
    pub advisory: Option<PathBuf>,
    /// Where it can be had.
    #[arg(long, value_name = "URL", requires = "advisory")]
    pub advisory_uri: Option<String>,
}

/// `stele incident`.
#[derive(Debug, Args)]
pub struct IncidentArgs {
    /// What every kind has.
    #[command(flatten)]
    pub say: Say,
    /// The name that you speak under. The key must hold it.
    #[arg(long = "as", value_name = "NAME")]
    pub speaker: Option<Publisher>,
    /// A further release that is affected. May be given again.
    #[arg(long, value_name = "RELEASE")]
    pub also: Vec<String>,
    /// A coordinate under which nothing is recorded, such as an impostor's. May be given again.
    #[arg(long, value_name = "COORDINATE")]
    pub unrecorded: Vec<Coordinate>,
    /// A short name of your choice for this incident. The same name again continues it.
    #[arg(long, value_name = "NAME")]
    pub id: Option<String>,
    /// What went wrong.
    #[arg(long, value_name = "CLASS", value_parser = PossibleValuesParser::new(IncidentClass::TEXTS))]
    pub class: Option<String>,
    /// How bad it is.
    #[arg(long, value_name = "SEVERITY", value_parser = PossibleValuesParser::new(Severity::TEXTS))]
    pub severity: Option<String>,
    /// What became of it.
    #[arg(long, value_name = "STATUS", value_parser = PossibleValuesParser::new(IncidentStatus::TEXTS))]
    pub status: Option<String>,
    /// The day on which it became known.
    #[arg(long, value_name = "DAY")]
    pub discovered: Option<String>,
    /// What happened, and what those who have a copy should do.
    #[arg(long, value_name = "TEXT")]
    pub summary: Option<String>,
    /// The file with the whole advisory.
    #[arg(long, value_name = "FILE")]
    pub advisory: Option<PathBuf>,
    /// Where it can be had.
    #[arg(long, value_name = "URL", requires = "advisory")]
    pub advisory_uri: Option<String>,
}

/// `stele evaluate`.
#[derive(Debug, Args)]
pub struct EvaluateArgs {
    /// What every kind has.
    #[command(flatten)]
    pub say: Say,
    /// The name that you speak under, not the release's publisher. The key must hold it.
    #[arg(long = "as", value_name = "NAME")]
    pub speaker: Option<Publisher>,
    /// A short name of your choice for this evaluation.
    #[arg(long, value_name = "NAME")]
    pub id: Option<String>,
    /// What it is for.
    #[arg(long, value_name = "CLASS", value_parser = PossibleValuesParser::new(EvaluationClass::TEXTS))]
    pub class: Option<String>,
    /// What it is about: `cyber-abuse`, `reading`.
    #[arg(long, value_name = "NAME")]
    pub domain: Option<String>,
    /// What was run.
    #[arg(long, value_name = "WHAT", value_parser = PossibleValuesParser::new(Configuration::TEXTS))]
    pub configuration: Option<String>,
    /// A safeguard of the release that it ran with. May be given again.
    #[arg(long, value_name = "ID")]
    pub safeguard: Vec<String>,
    /// What the value measures, such as attack success rate.
    #[arg(long, value_name = "TEXT")]
    pub metric: Option<String>,
    /// The result, in decimal.
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    pub value: Option<String>,
    /// Who ran it.
    #[arg(long, value_name = "TEXT")]
    pub evaluator: Option<String>,
    /// The day of it.
    #[arg(long, value_name = "DAY")]
    pub date: Option<String>,
    /// What should follow from it.
    #[arg(long, value_name = "TEXT")]
    pub effect: Option<String>,
    /// On which data.
    #[arg(long, value_name = "TEXT")]
    pub dataset: Option<String>,
    /// Which revision of it.
    #[arg(long, value_name = "TEXT", requires = "dataset")]
    pub dataset_revision: Option<String>,
    /// The file with the full results.
    #[arg(long, value_name = "FILE")]
    pub result: Option<PathBuf>,
    /// Where it can be had.
    #[arg(long, value_name = "URL", requires = "result")]
    pub result_uri: Option<String>,
}
