//! Options of every verb that signs.

use std::convert::Infallible;
use std::path::PathBuf;

use clap::Args;
use stele_publish::key::KeySource;

/// Which key signs, and how it is read.
#[derive(Debug, Clone, Args)]
pub struct SigningKey {
    /// The secret key: a file, `-` for standard input, or `ssh-agent:` and SHA256:…, a key id, a comment or a .pub file; else $STELE_KEY,
    /// the PEM itself.
    #[arg(long, value_name = "KEY", value_parser = source)]
    pub key: Option<KeySource>,
    /// How its file is opened.
    #[command(flatten)]
    pub opening: KeyOpening,
}

/// Which keys sign a statement together, and how they are read.
#[derive(Debug, Clone, Args)]
pub struct SigningKeys {
    /// The secret key: a file, `-` for standard input, or `ssh-agent:` and SHA256:…, a key id, a comment or a .pub file; else $STELE_KEY,
    /// the PEM itself. Given again, a further key of the name, which approves.
    #[arg(long, value_name = "KEY", value_parser = source)]
    pub key: Vec<KeySource>,
    /// How their files are opened.
    #[command(flatten)]
    pub opening: KeyOpening,
}

/// How the file of a key is opened.
#[derive(Debug, Clone, Args)]
pub struct KeyOpening {
    /// A file whose first line decrypts the key; else $STELE_PASSPHRASE, else the terminal is asked.
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// Accept a key file that its group may read, as a secret that is mounted into a container. Others may never read it.
    #[arg(long)]
    pub allow_group_readable_key: bool,
}

/// Where a key is, on the command line.
pub(super) fn source(text: &str) -> Result<KeySource, Infallible> {
    text.parse()
}
