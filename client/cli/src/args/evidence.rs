//! `stele evidence`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use stele_spec::note::VerifierKey;

/// `stele evidence`.
#[derive(Debug, Args)]
pub struct EvidenceArgs {
    /// What to do with it.
    #[command(subcommand)]
    pub verb: EvidenceVerb,
}

/// What to do with a file of evidence.
#[derive(Debug, Subcommand)]
pub enum EvidenceVerb {
    /// Check it, offline, and say who did what. Ends with 14 where it convicts nobody.
    Verify {
        /// The file.
        file: PathBuf,
        /// The policy whose keys are known; else $STELE_POLICY, else ~/.config/stele/policy.
        #[arg(long, value_name = "FILE")]
        policy: Option<PathBuf>,
        /// A log's or witness's verifier key, in place of a policy. May be given again.
        #[arg(long, value_name = "VKEY", conflicts_with = "policy")]
        vkey: Vec<VerifierKey>,
    },
    /// Say what it holds. It verifies nothing.
    Show {
        /// The file.
        file: PathBuf,
        /// Take it apart into its standard files in this folder.
        #[arg(long, value_name = "FOLDER")]
        extract: Option<PathBuf>,
    },
}
