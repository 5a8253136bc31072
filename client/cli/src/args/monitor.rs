//! `stele monitor`.

use std::path::PathBuf;

use clap::Args;

/// `stele monitor`.
#[derive(Debug, Args)]
pub struct MonitorArgs {
    /// What to watch and whom to tell: a TOML file.
    pub config: PathBuf,
    /// One round, and a report of it; else rounds until SIGTERM.
    #[arg(long)]
    pub once: bool,
    /// Send a synthetic event through everything that a real one goes through.
    #[arg(long, conflicts_with = "once")]
    pub self_test: bool,
}
