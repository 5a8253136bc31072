//! `stele policy`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `stele policy`.
#[derive(Debug, Args)]
pub struct PolicyArgs {
    /// What to do with it.
    #[command(subcommand)]
    pub verb: PolicyVerb,
}

/// What to do with a policy.
#[derive(Debug, Subcommand)]
pub enum PolicyVerb {
    /// Say what it requires, and whether one operator alone could meet it.
    Check {
        /// The policy.
        file: PathBuf,
    },
    /// Say how many witnesses may lie or be down, and which keys or operators count more than they should.
    Lint {
        /// The policy.
        file: PathBuf,
    },
}
