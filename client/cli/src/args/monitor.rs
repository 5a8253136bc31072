//! `stele monitor`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `stele monitor`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct MonitorArgs {
    /// What to do in place of watching.
    #[command(subcommand)]
    pub verb: Option<MonitorVerb>,
    /// What to watch and whom to tell: a TOML file.
    #[arg(required = true)]
    pub config: Option<PathBuf>,
    /// One round, and a report of it; else rounds until SIGTERM.
    #[arg(long)]
    pub once: bool,
    /// Send a synthetic event through everything that a real one goes through.
    #[arg(long, conflicts_with = "once")]
    pub self_test: bool,
}

/// What to do in place of watching.
#[derive(Debug, Subcommand)]
pub enum MonitorVerb {
    /// Say what was read so far, under which tree heads, as a file that anyone can check.
    Report {
        /// The monitor's config. It may be running.
        #[arg(required_unless_present = "check")]
        config: Option<PathBuf>,
        /// Write the report here.
        #[arg(short, long, value_name = "FILE", conflicts_with = "check")]
        output: Option<PathBuf>,
        /// Check somebody's report, offline. Ends with 14 where it does not prove what it says.
        #[arg(long, value_name = "FILE", conflicts_with = "config")]
        check: Option<PathBuf>,
        /// Whom to trust; else $STELE_POLICY, else ~/.config/stele/policy. A config that names a policy has its own.
        #[arg(long, value_name = "FILE")]
        policy: Option<PathBuf>,
    },
}
