//! `stele claim` and `stele keys`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use stele_clock::duration::HumanDuration;
use stele_spec::name::Publisher;

use super::log::Trust;
use super::signing_key::SigningKey;

/// `stele claim`.
#[derive(Debug, Args)]
pub struct ClaimArgs {
    /// The name: `acme.example` or `huggingface.co/acme`.
    pub publisher: Publisher,
    /// The publisher's secret key.
    #[command(flatten)]
    pub key: SigningKey,
    /// A further key of the name: the file of a public key in PEM. May be given again.
    #[arg(long, value_name = "FILE")]
    pub with: Vec<PathBuf>,
    /// How many of the keys must sign this claim and each later change of keys; above 1 a proposal is written.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub threshold: u64,
    /// How many of the keys must sign each statement about a release, from this claim on: at most --threshold.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub release_threshold: u64,
    /// Where a proposal is written; else claim-NAME.toml here.
    #[arg(long, value_name = "FILE")]
    pub proposal: Option<PathBuf>,
    /// Add it to this file first, so that a monitor that reads it is silent about it.
    #[arg(long, value_name = "FILE")]
    pub expect: Option<PathBuf>,
    /// Check everything, and say what would be signed; send and write nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Where its receipt is written: the claim with its proof; with --dry-run the bytes to be signed.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Whom to trust and ask.
    #[command(flatten)]
    pub trust: Trust,
}

/// `stele keys`.
#[derive(Debug, Args)]
pub struct KeysArgs {
    /// What to do.
    #[command(subcommand)]
    pub verb: KeysVerb,
}

/// What to do with the keys of a name.
#[derive(Debug, Subcommand)]
pub enum KeysVerb {
    /// Show who holds a name, and every statement that made it so, each proven.
    List {
        /// The name.
        publisher: Publisher,
        /// Whom to trust and ask.
        #[command(flatten)]
        trust: Trust,
    },
    /// Add keys to a name.
    Add {
        /// The change.
        #[command(flatten)]
        change: ChangeArgs,
        /// A key to add, in public PEM. May be given again.
        #[arg(long, value_name = "FILE", required = true)]
        new: Vec<PathBuf>,
    },
    /// Replace keys of a name by others.
    Rotate {
        /// The change.
        #[command(flatten)]
        change: ChangeArgs,
        /// A key to add, in public PEM. May be given again.
        #[arg(long, value_name = "FILE", required = true)]
        new: Vec<PathBuf>,
        /// A key that may speak no longer: its key id, or its PEM. May be given again.
        #[arg(long, value_name = "KEY", required = true)]
        old: Vec<String>,
    },
    /// Take keys away from a name. What they signed before stays.
    Revoke {
        /// The change.
        #[command(flatten)]
        change: ChangeArgs,
        /// A key that may speak no longer: its key id, or its PEM. May be given again.
        #[arg(long, value_name = "KEY", required = true)]
        old: Vec<String>,
    },
    /// Sign a proposal with one more key. It asks nobody: a key may stay on a machine without a network.
    Approve {
        /// The proposal. It is written anew, with the signature in it.
        file: PathBuf,
        /// A secret key of the name.
        #[command(flatten)]
        key: SigningKey,
    },
    /// Sign a proposal as the last one, and submit it.
    Submit {
        /// The proposal.
        file: PathBuf,
        /// A secret key of the name.
        #[command(flatten)]
        key: SigningKey,
        /// Whom to trust and ask.
        #[command(flatten)]
        said: SubmitArgs,
    },
}

/// A change of keys.
#[derive(Debug, Args)]
pub struct ChangeArgs {
    /// The name.
    pub publisher: Publisher,
    /// A secret key of the name, which signs.
    #[command(flatten)]
    pub key: SigningKey,
    /// How many keys sign the next change; else as many as now.
    #[arg(long, value_name = "N")]
    pub threshold: Option<u64>,
    /// How many keys sign each statement about a release from then on, at most as many as a change; else as many as now.
    #[arg(long, value_name = "N")]
    pub release_threshold: Option<u64>,
    /// Why, for everybody to read.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Where a proposal is written, if others must sign too; else ACTION-NAME.toml here.
    #[arg(long, value_name = "FILE")]
    pub proposal: Option<PathBuf>,
    /// Where the log is and what is kept.
    #[command(flatten)]
    pub said: SubmitArgs,
}

/// Whom to trust, how long to wait, and what to keep of a statement that is in the log.
#[derive(Debug, Args)]
pub struct SubmitArgs {
    /// Whom to trust and ask.
    #[command(flatten)]
    pub trust: Trust,
    /// How long to try again while the log has no quorum: `60s`, `10m`.
    #[arg(long, value_name = "DURATION", default_value = "60s")]
    pub wait: HumanDuration,
    /// Check everything, say all problems at once, what auditors would report, what would be signed and what would change; send and write
    /// nothing. `--output` then names a file for the bytes to be signed.
    #[arg(long)]
    pub dry_run: bool,
    /// Where the receipt is written, the statement with its proof; else KIND-ENTRY.stele here.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Add it to this file first, so that a monitor that reads it is silent about it.
    #[arg(long, value_name = "FILE")]
    pub expect: Option<PathBuf>,
}
