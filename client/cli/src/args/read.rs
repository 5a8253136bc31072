//! The verbs that read what was said: show, history, lineage, resolve, diff, inspect, export.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use stele_log_client::judgement::AcceptedState;

use super::log::LogArgs;

/// `stele show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// A folder or file of a release, a release.stele, a signed statement, or in the log a coordinate, entry:NUMBER, a digest, a package
    /// URL, a Hugging Face address.
    pub what: String,
    /// Whom to ask about a coordinate or an entry.
    #[command(flatten)]
    pub asking: LogArgs,
}

/// `stele history`.
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// publisher/model@version#variant, or publisher/model@version, publisher/model, publisher; or a folder or file of a release,
    /// entry:NUMBER, a digest, a package URL, a Hugging Face address.
    pub name: String,
    /// Whom to ask.
    #[command(flatten)]
    pub asking: LogArgs,
}

/// `stele lineage`.
#[derive(Debug, Args)]
pub struct LineageArgs {
    /// A folder or file of a release, a release.stele, a signed release, a coordinate, entry:NUMBER, a digest, a package URL, or a Hugging
    /// Face address.
    pub what: String,
    /// As a Graphviz graph.
    #[arg(long, conflicts_with = "mermaid")]
    pub dot: bool,
    /// As a Mermaid flow chart.
    #[arg(long)]
    pub mermaid: bool,
    /// Whom to ask.
    #[command(flatten)]
    pub asking: LogArgs,
}

/// `stele resolve`.
#[derive(Debug, Args)]
pub struct ResolveArgs {
    /// A file, a SHA-256 or git blob id in hex, an Ollama blob `sha256-<hex>`, a package URL, a Hugging Face address; or a folder, a
    /// release.stele, a coordinate, entry:NUMBER.
    pub what: String,
    /// Look in this bundle first, then in those in the folders above the file.
    #[arg(long, value_name = "FILE")]
    pub bundle: Vec<PathBuf>,
    /// Look in no bundle: ask the log.
    #[arg(long, conflicts_with = "bundle")]
    pub no_bundle: bool,
    /// Whom to ask.
    #[command(flatten)]
    pub asking: LogArgs,
}

/// `stele diff`.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// A folder or file of a release, a release.stele, a signed statement, a coordinate, entry:NUMBER, a digest, a package URL, or a Hugging
    /// Face address.
    pub first: String,
    /// The other one.
    pub second: String,
    /// Whom to ask about a coordinate or an entry.
    #[command(flatten)]
    pub asking: LogArgs,
}

/// `stele inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// A bundle, statement, receipt, manifest, proof, checkpoint, policy, key or index entry; or a safetensors, ONNX or .c2pa file, for the
    /// C2PA manifest that it carries.
    pub file: PathBuf,
    /// Take a bundle apart into its standard files in this folder.
    #[arg(long, value_name = "FOLDER")]
    pub extract: Option<PathBuf>,
    /// Write the statement of a bundle, or a statement, in the form of others, with the receipts of --receipt, to --output.
    #[arg(long = "as", value_name = "FORM", requires = "receipt", requires = "output", conflicts_with = "extract")]
    pub form: Option<StatementForm>,
    /// A receipt of the statement, as the log gives it: GET /entries/ENTRY with Accept: application/scitt-receipt+cose. May be given again.
    #[arg(long, value_name = "FILE", requires = "form")]
    pub receipt: Vec<PathBuf>,
    /// Where it is written. Nothing is overwritten.
    #[arg(short, long, value_name = "FILE", requires = "form")]
    pub output: Option<PathBuf>,
}

/// A form of statements that others read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StatementForm {
    /// A SCITT transparent statement (RFC 9943): the statement with its receipts.
    TransparentStatement,
}

/// `stele export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// A folder or file of a release, or its release.stele. The record is verified; the files are not read.
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// The format.
    #[arg(long = "as", value_name = "FORMAT")]
    pub form: ExportForm,
    /// Make the document although the release was `withdrawn`, or somebody reports a critical `incident` of it: it says so, with the entry and the reason.
    #[arg(long, value_name = "STATE")]
    pub accept: Option<AcceptedState>,
    /// The trust policy; else $STELE_POLICY, else ~/.config/stele/policy.
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Where it is written; else to stdout. Nothing is overwritten.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// A format of others for what a release says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportForm {
    /// An in-toto statement, version 1, unsigned: the files are its subjects.
    InToto,
    /// A CycloneDX 1.6 ML-BOM.
    Cyclonedx,
    /// An SPDX 3.0.1 document of the AI profile.
    Spdx3,
}
