//! `stele key`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `stele key`.
#[derive(Debug, Args)]
pub struct KeyArgs {
    /// What to do with it.
    #[command(subcommand)]
    pub verb: KeyVerb,
}

/// What to do with a key.
#[derive(Debug, Subcommand)]
pub enum KeyVerb {
    /// Make a new Ed25519 key in PKCS#8 PEM. It never overwrites a file.
    New {
        /// Where to put it.
        file: PathBuf,
    },
    /// Show the public half: its key id and its PEM.
    Show {
        /// A secret or a public key in PEM.
        file: PathBuf,
    },
}
