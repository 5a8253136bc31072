//! `stele audit`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `stele audit`.
#[derive(Debug, Args)]
#[command(after_help = "Ends with 0 when there is nothing to report, and with 13 when there is.")]
pub struct AuditArgs {
    /// The log: an address, or a folder with its static files.
    pub log: String,
    /// The trust policy; else $STELE_POLICY, else ~/.config/stele/policy.
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Keep the log's files and the state of the audit here, and go on from there the next time.
    #[arg(long, value_name = "FOLDER")]
    pub state: Option<PathBuf>,
    /// Write a file of evidence here for every misbehaviour that can be proven.
    #[arg(long, value_name = "FOLDER")]
    pub evidence: Option<PathBuf>,
    /// How the report is written; `--json` is `--format json`.
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
    /// Report findings of this severity and above.
    #[arg(long, value_enum, default_value_t = Weight::Note)]
    pub at_least: Weight,
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// Lines to read.
    Text,
    /// One JSON document.
    Json,
    /// SARIF 2.1.0, for programs that show findings.
    Sarif,
}

/// How much a finding weighs, as SARIF says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Weight {
    /// Worth knowing.
    Note,
    /// Something is missing or does not fit.
    Warning,
    /// The record contradicts itself, or what it claims does not hold.
    Error,
}
