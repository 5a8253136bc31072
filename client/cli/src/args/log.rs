//! Options of every verb that asks a log.

use std::path::PathBuf;

use clap::Args;

/// Where the policy and the log are.
#[derive(Debug, Clone, Args)]
pub struct Trust {
    /// The trust policy; else $STELE_POLICY, else ~/.config/stele/policy.
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// The log's address; else the one of the policy.
    #[arg(long, value_name = "URL")]
    pub log: Option<String>,
    /// Take an answer although the log, which could, does not prove that it is complete.
    #[arg(long)]
    pub accept_incomplete_answer: bool,
}

/// Whom a verb asks, whom it believes, and whether it remembers.
#[derive(Debug, Clone, Args)]
pub struct LogArgs {
    /// Whom to trust and ask.
    #[command(flatten)]
    pub trust: Trust,
    /// Remember no tree head and no answer of the log, and compare with none.
    #[arg(long)]
    pub no_state: bool,
}
