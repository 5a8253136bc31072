//! The command line.

use std::path::PathBuf;
use stele_log_core::rules::Claims;

/// The log of Stele: admits signed statements, puts them in order, signs, has witnesses cosign, publishes.
#[derive(Debug, clap::Parser)]
#[command(name = "stele-log", version, about)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Make the folder of a new log: config, key, and a policy to complete. Prints the log's verifier key.
    Init {
        /// The folder to make.
        dir: PathBuf,
        /// The log's identity for ever: its address without https://, such as log.example/stele.
        #[arg(long)]
        origin: String,
        /// Who may claim a publisher's name.
        #[arg(long, value_enum, default_value = "open")]
        claims: ClaimsRule,
        /// The address to serve on.
        #[arg(long, default_value = "127.0.0.1:8080")]
        listen: String,
    },
    /// Go on from a copy of the log's public files: after its disk was lost, or an older copy of its data was put back.
    Adopt {
        /// The folder, with config, key and policy.
        dir: PathBuf,
        /// The copy: a folder with `checkpoint` and `tile/` in it, or an address that serves them.
        #[arg(long)]
        from: String,
        /// Another policy file than the config's.
        #[arg(long)]
        policy: Option<PathBuf>,
    },
    /// Run the log in a folder.
    Run {
        /// The folder.
        dir: PathBuf,
        /// Another address than the config's; port 0 takes a free one.
        #[arg(long)]
        listen: Option<String>,
        /// Another policy file than the config's.
        #[arg(long)]
        policy: Option<PathBuf>,
    },
}

/// The rule for claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ClaimsRule {
    /// Whoever comes first.
    Open,
    /// Only the names that the config lists.
    AllowList,
}

impl From<ClaimsRule> for Claims {
    fn from(rule: ClaimsRule) -> Self {
        match rule {
            ClaimsRule::Open => Self::Open,
            ClaimsRule::AllowList => Self::AllowList,
        }
    }
}
