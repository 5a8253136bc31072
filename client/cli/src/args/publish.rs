//! `stele publish`.

use std::path::PathBuf;

use clap::Args;
use stele_clock::duration::HumanDuration;
use stele_spec::finding::Code;

use super::log::Trust;
use super::signing_key::SigningKeys;
use super::value::{finding_code, glob};

/// `stele publish`.
#[derive(Debug, Args)]
pub struct PublishArgs {
    /// The folder with the weights.
    pub folder: PathBuf,
    /// Write what is to be signed to this file for further keys of the name, and send nothing: `stele approve` and `stele submit` go on.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["claim", "dry_run"])]
    pub propose: Option<PathBuf>,
    /// The publisher's secret keys.
    #[command(flatten)]
    pub key: SigningKeys,
    /// Whom to trust and ask.
    #[command(flatten)]
    pub trust: Trust,
    /// The release; else release.toml in the folder.
    #[arg(long, value_name = "FILE")]
    pub release: Option<PathBuf>,
    /// Claim the publisher's name for this key where nobody has.
    #[arg(long)]
    pub claim: bool,
    /// Publish files of these paths although they look like nothing that is meant to be released. `*` stays within a folder, `**` does
    /// not. May be given again.
    #[arg(long, value_name = "GLOB", value_parser = glob)]
    pub allow_file: Vec<glob::Pattern>,
    /// Publish although auditors will report errors with this code: the record would contradict itself, for ever. May be given again.
    #[arg(long, value_name = "CODE", value_parser = finding_code)]
    pub accept_finding: Vec<Code>,
    /// Check everything, say all problems at once, what auditors would report and what would be signed; send and write nothing.
    /// `--output` then names a file for the bytes to be signed.
    #[arg(long)]
    pub dry_run: bool,
    /// Where to put the bundle; else release.stele in the folder.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Write over a bundle of another release, or another file, there.
    #[arg(long)]
    pub replace_bundle: bool,
    /// Sign the files as `stele oms sign` does as well, with this ECDSA key in PEM: writes model.sig beside the bundle, and the record names it.
    #[arg(long, value_name = "KEY", conflicts_with = "oms_bundle")]
    pub oms: Option<PathBuf>,
    /// Name this model.sig, which somebody has signed, in the record: it is verified with the key of --oms-key, and held against the files.
    #[arg(long, value_name = "FILE", requires = "oms_key")]
    pub oms_bundle: Option<PathBuf>,
    /// The public key of who signed it, in PEM.
    #[arg(long, value_name = "KEY", requires = "oms_bundle")]
    pub oms_key: Option<PathBuf>,
    /// Add what is published to this file first, so that a monitor that reads it is silent about it.
    #[arg(long, value_name = "FILE")]
    pub expect: Option<PathBuf>,
    /// How long to try again while the log has no quorum: `60s`, `10m`.
    #[arg(long, value_name = "DURATION", default_value = "60s")]
    pub wait: HumanDuration,
}
