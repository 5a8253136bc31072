//! `stele key`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use stele_publish::key::KeySource;

use super::signing_key::{KeyOpening, source};

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
        /// Encrypt it with a passphrase, as OpenSSL reads it: --passphrase-file, else $STELE_PASSPHRASE, else the terminal is asked.
        #[arg(long)]
        encrypt: bool,
        /// A file whose first line is the passphrase.
        #[arg(long, value_name = "FILE", requires = "encrypt")]
        passphrase_file: Option<PathBuf>,
    },
    /// Show the public half: its key id and its PEM.
    Show {
        /// A secret or a public key: a file, `-` for standard input, or `ssh-agent:WHICH`.
        #[arg(value_name = "KEY", value_parser = source)]
        key: KeySource,
        /// How its file is opened.
        #[command(flatten)]
        opening: KeyOpening,
    },
}
